from __future__ import annotations

import json
from typing import Any

import pytest

from terminal import messages
from terminal.messages import Ack, Close, MessageError
from terminal.pty import Size

WRONG_NUMBERS: list[tuple[str, str]] = [
    ('"80"', '"80"'),
    ("-1", "-1"),
    ("0", "0"),
    ("1001", "1001"),
    ("1000000000", "1000000000"),
    ("80.0", "80.0"),
    ("NaN", "NaN"),
    ("Infinity", "Infinity"),
    ("true", "true"),
    ("null", "null"),
    ("[80]", "[80]"),
    ("1e3", "1000.0"),
]


def test_a_resize_gives_the_size() -> None:
    text = '{"type": "resize", "cols": 120, "rows": 40}'
    assert messages.control(text) == Size(rows=40, cols=120)
    assert messages.keys_or_size(text) == Size(rows=40, cols=120)
    assert messages.control('{"type":"resize","cols":1,"rows":1000}') == Size(rows=1000, cols=1)


@pytest.mark.parametrize(("number", "shown"), WRONG_NUMBERS)
@pytest.mark.parametrize("name", ["rows", "cols"])
def test_a_resize_with_a_wrong_number_is_explained(name: str, number: str, shown: str) -> None:
    numbers = {"rows": "24", "cols": "80", name: number}
    text = f'{{"type": "resize", "rows": {numbers["rows"]}, "cols": {numbers["cols"]}}}'
    for read in (messages.control, messages.keys_or_size):
        with pytest.raises(MessageError) as caught:
            read(text)
        expected = f"{name} must be a whole number from 1 to 1000, not {shown}"
        assert str(caught.value) == expected


def test_what_is_missing_is_named() -> None:
    with pytest.raises(MessageError, match=r"rows must be .*, not nothing"):
        messages.control('{"type": "resize", "cols": 80}')


@pytest.mark.parametrize(
    "text",
    [
        "ls\n",
        "",
        "{",
        "{}",
        '{"type": "other"}',
        '{"cols": 80, "rows": 24}',
        '["resize", 80, 24]',
        '{"type": "resize", "cols": 80, "rows": 24}' + " " * 1024,
        '{"a":' * 200,
        '{"type": "ack", "bytes": 5}',
    ],
)
def test_everything_else_is_keys_to_the_plain_dialect(text: str) -> None:
    assert messages.keys_or_size(text) == text


@pytest.mark.parametrize(
    "text", ["ls\n", "", "{", "[]", '"resize"', '{"a":' * 200, "9" * 900, '{"a":' + "9" * 900]
)
def test_our_dialect_takes_only_objects(text: str) -> None:
    with pytest.raises(MessageError, match="not a JSON object"):
        messages.control(text)


@pytest.mark.parametrize("kind", ["stdin", "", None, 1, {}, []])
def test_an_unknown_type_is_explained(kind: Any) -> None:
    with pytest.raises(MessageError, match="must be resize, ack or close"):
        messages.control(json.dumps({"type": kind}))


def test_acknowledging_and_closing() -> None:
    assert messages.control('{"type": "ack", "bytes": 4096}') == Ack(4096)
    assert messages.control('{"type": "close"}') == Close()
    for wrong in ("0", "-5", "1.5", '"a"', "1" + "0" * 30):
        with pytest.raises(MessageError, match="bytes must be"):
            messages.control(f'{{"type": "ack", "bytes": {wrong}}}')
