from __future__ import annotations

import numpy as np

from simulations.fl.text.tokens import chunked, gathered, padded

TEXTS = [[5, 6, 7], [], [8], [9, 10]]


def test_each_text_comes_back_as_a_view() -> None:
    tokens = gathered(TEXTS)
    assert len(tokens) == 4
    assert [list(tokens[index]) for index in range(4)] == TEXTS
    assert np.shares_memory(tokens[3], tokens.numbers)
    assert [list(text) for text in tokens.at([3, 0])] == [TEXTS[3], TEXTS[0]]


def test_no_texts_are_no_tokens() -> None:
    assert len(gathered([])) == 0


def test_rows_are_filled_up_to_the_longest() -> None:
    rows = padded(gathered([[5, 6, 7], [8]]).at([0, 1]), pad_id=0)
    assert rows.tolist() == [[5, 6, 7], [8, 0, 0]]


def test_chunks_join_the_texts_in_order_and_keep_the_rest() -> None:
    chunks = chunked(gathered(TEXTS).at(range(4)), size=4)
    assert [chunk.tolist() for chunk in chunks] == [[5, 6, 7, 8], [9, 10]]
    assert chunked([], size=4) == []
