from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulations.fl.strict_json import StrictJSONError, dumps, loads

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text('äb𝄞 "')
VALUES = st.recursive(
    SCALARS.filter(lambda value: not isinstance(value, float) or math.isfinite(value)),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    assert loads(dumps(value)) == value


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("NaN", "NaN is not a JSON number"),
        ("[-Infinity]", "-Infinity is not a JSON number"),
        ("[1e999]", "too large for a 64-bit float"),
        ('{"a": 1, "a": 2}', "the key 'a' stands twice"),
        ("[" * 100_000, "nested more than 64 levels"),
        ("[" * 65 + "]" * 65, "nested more than 64 levels"),
        ('{"a": 1', "not valid JSON: Expecting ',' delimiter at line 1, column 8"),
        ('"\\u0000"', "contains a NUL character"),
        ('{"\\u0000": 1}', "contains a NUL character"),
        ('["\\ud800"]', "half a surrogate pair"),
    ],
)
def test_what_json_does_not_allow_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(StrictJSONError) as caught:
        loads(text)
    assert words in str(caught.value)


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(StrictJSONError, match="not UTF-8"):
        loads(b'{"a": "\xff"}')


def test_a_whole_surrogate_pair_is_a_character() -> None:
    assert loads('"\\ud834\\udd1e"') == "𝄞"


def test_numbers_that_are_not_finite_are_written_as_null() -> None:
    text = dumps({"a": [math.nan, math.inf, -math.inf, 1.5], "b": (1, "x")})
    assert json.loads(text) == {"a": [None, None, None, 1.5], "b": [1, "x"]}
