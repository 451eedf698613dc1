from __future__ import annotations

import numpy as np
import pytest
import torch

from simulations.fl.text.corpus import Corpus
from simulations.fl.text.masked import MaskedTexts, Masking
from simulations.fl.text.tokens import chunked


def chunks(tokenised: Corpus, size: int = 40) -> list[np.ndarray]:
    return chunked(tokenised.train.at(range(len(tokenised.train))), size)


def batches(tokenised: Corpus, seed: int, probability: float = 0.15) -> MaskedTexts:
    masking = Masking(tokenised.tokenizer, probability)
    rng = np.random.default_rng(seed)
    return MaskedTexts(chunks(tokenised), masking, rng, torch.device("cpu"))


def test_what_is_sought_is_what_stood_at_the_places(tokenised: Corpus) -> None:
    texts = batches(tokenised, seed=0)
    (shown, places), sought = texts.batch(slice(0, 8))
    original = np.stack(chunks(tokenised)[:8]).reshape(-1)
    assert np.array_equal(original[places], sought)
    elsewhere = np.setdiff1d(np.arange(original.size), places)
    assert np.array_equal(shown.reshape(-1)[elsewhere], original[elsewhere])
    assert not np.isin(sought, tokenised.tokenizer.special_ids).any()


@pytest.mark.parametrize("probability", [0.15, 0.5])
def test_shares_are_those_of_bert(tokenised: Corpus, probability: float) -> None:
    texts = batches(tokenised, seed=1, probability=probability)
    masking = texts.masking
    seen = hidden = masked = same = 0
    for _ in range(60):
        for (shown, places), sought in texts.chunks(64):
            at_places = shown.reshape(-1)[places]
            hidden += len(places)
            masked += int((at_places == masking.tokenizer.mask_id).sum())
            same += int((at_places == sought).sum())
        seen += sum(int(masking.can_hide(chunk).sum()) for chunk in texts.sequences)
    assert hidden / seen == pytest.approx(probability, abs=0.01)
    assert masked / hidden == pytest.approx(0.8, abs=0.02)
    assert same / hidden == pytest.approx(0.1 + 0.1 / masking.tokenizer.size, abs=0.02)


def test_every_sequence_has_something_to_find(tokenised: Corpus) -> None:
    texts = batches(tokenised, seed=2, probability=1e-9)
    (shown, places), _ = texts.batch(slice(0, 16))
    assert sorted(places // shown.shape[1]) == list(range(16))


def test_masks_follow_from_the_generator(tokenised: Corpus) -> None:
    one, same, other = (batches(tokenised, seed).batch(slice(0, 4)) for seed in (3, 3, 4))
    assert torch.equal(one[0][0], same[0][0]) and torch.equal(one[1], same[1])
    assert not torch.equal(one[0][0], other[0][0])


def test_masks_are_drawn_anew_for_every_batch(tokenised: Corpus) -> None:
    texts = batches(tokenised, seed=5)
    first, second = texts.batch(slice(0, 4)), texts.batch(slice(0, 4))
    assert not torch.equal(first[0][0], second[0][0])
