"""Files: all rows exactly, as csv and json read them, inert in spreadsheets, memory flat."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.db import OperationalError

from simulations.models import ClientRound, Simulation, StrategyRun
from simulations.query import export
from simulations.query.renderers import cell, csv_lines
from simulations.query.selection import Selection
from simulations.query.views import RESOURCES
from tests.simulations.query.asking import Ask

Submit = Callable[..., Simulation]
Record = Callable[..., StrategyRun]


@pytest.mark.parametrize("resource", RESOURCES)
def test_csv_and_json_have_the_same_rows(
    ask: Ask, recorded: list[Simulation], resource: str
) -> None:
    lines = ask(f"{resource}.csv").rows()
    objects = ask(f"{resource}.json").json()
    pages = ask(f"{resource}/").json()["results"]
    assert objects == pages and len(lines) == len(objects) > 0
    for line, row in zip(lines, objects, strict=True):
        assert list(line) == list(row)
        for name, value in row.items():
            assert _read(line[name], value) == value, name


def _read(text: str, value: Any) -> Any:
    if value is None:
        return None if text == "" else text
    if isinstance(value, bool):
        return {"true": True, "false": False}[text]
    if isinstance(value, list | dict):
        return json.loads(text)
    return type(value)(text)


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("rounds.csv", {}),
        ("rounds/?format=csv", {}),
        ("rounds?format=csv", {}),
        ("rounds/", {"accept": "text/csv"}),
        ("rounds.csv", {"accept": "text/html,*/*;q=0.8"}),
    ],
)
def test_a_csv_file_can_be_asked_for_in_several_ways(
    ask: Ask, recorded: list[Simulation], path: str, headers: Any
) -> None:
    answer = ask(path, headers=headers)
    assert answer.headers["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="rounds.csv"'
    assert answer.headers["Cache-Control"] == "no-cache"
    assert len(answer.rows()) == 9


@pytest.mark.parametrize("path", ["rounds.json", "rounds/?format=json"])
def test_a_json_file_is_an_array_of_all_rows(
    ask: Ask, recorded: list[Simulation], path: str
) -> None:
    answer = ask(path)
    assert answer.headers["Content-Type"] == "application/json"
    assert len(answer.json()) == 9


def test_without_rows_a_file_is_empty_but_whole(ask: Ask) -> None:
    assert ask("rounds.json").text == "[]\n"
    assert ask("rounds.csv", fields="id,tp").text == "id,tp\r\n"


@pytest.mark.parametrize("rows", [499, 500, 501, 1000, 1001])
def test_no_row_is_lost_where_pieces_meet(
    ask: Ask, submit: Submit, record: Record, rows: int
) -> None:
    record(submit(), rounds=rows, clients=0)
    numbers = [row["round_number"] for row in ask("rounds.json").json()]
    assert numbers == list(range(1, rows + 1))
    assert [int(row["round_number"]) for row in ask("rounds.csv").rows()] == numbers


def test_head_tells_of_the_file_without_reading_it(
    ask: Ask, recorded: list[Simulation], django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(0):
        answer = ask("rounds.csv", "head")
    assert (answer.status, answer.content) == (200, b"")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="rounds.csv"'
    assert ask("rounds/", "head").status == 200


HOSTILE = [
    "=1+1",
    "+1+1",
    "-1+1",
    "@SUM(A1)",
    "=cmd|' /C calc'!A0",
    '=HYPERLINK("http://evil.example")',
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "-",
    "--1",
    "+",
    "=",
    "-1;=1",
    "-²",
]
HARMLESS = ["-1", "+2.5", "-1e-3", "-.5", "1+1", "a=1", "'=1", '"', "a,b", "a\r\nb", "é", "", " =1"]


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_spreadsheet_would_execute_is_made_inert(text: str) -> None:
    [[read, other]] = csv.reader(io.StringIO(csv_lines([[text, "x"]]), newline=""))
    assert (read, other) == (f"'{text}", "x")


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_harmless_stays_as_it_is(text: str) -> None:
    [[read, other]] = csv.reader(io.StringIO(csv_lines([[text, "x"]]), newline=""))
    assert (read, other) == (text, "x")


def test_names_and_messages_are_inert_in_files(ask: Ask, submit: Submit) -> None:
    row = submit(display_name="=1+1", notes='@x\n"quoted"', tags=["=1", "-x"])
    [line] = ask("simulations.csv", fields="display_name,notes,tags").rows()
    assert line["display_name"] == "'=1+1"
    assert line["notes"] == '\'@x\n"quoted"'
    assert json.loads(line["tags"]) == ["-x", "=1"]
    [told] = ask("simulations.json", fields="display_name,tags").json()
    assert told == {"display_name": "=1+1", "tags": ["-x", "=1"]}
    assert row.display_name == "=1+1"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e-300, "1e-300"),
        (-5, "-5"),
        (-0.5, "-0.5"),
        (2**63, "9223372036854775808"),
        (float("nan"), ""),
        (float("-inf"), ""),
        ([1, None, "é"], '[1, null, "é"]'),
        ({"a": float("nan")}, '{"a": null}'),
    ],
)
def test_a_cell_has_full_precision(value: Any, text: str) -> None:
    assert cell(value) == text


@pytest.fixture
def many(submit: Submit, record: Record) -> Callable[[int], None]:
    def many(rounds: int) -> None:
        record(submit(), rounds=rounds, clients=100)

    return many


def everything() -> Selection:
    viewset = RESOURCES["client-rounds"]
    rows = ClientRound.objects.all()
    return Selection(rows, viewset.serializer_class(), viewset.order, "")


def peak_of(content: Callable[[Selection], Iterator[bytes]]) -> tuple[int, int]:
    """Return the bytes written and the most memory that writing them took."""
    selection = everything()
    tracemalloc.start()
    written = sum(len(chunk) for chunk in content(selection))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return written, peak


@pytest.mark.parametrize("kind", export.KINDS)
def test_ten_thousand_rows_take_no_more_memory_than_a_thousand(
    many: Callable[[int], None], kind: str
) -> None:
    content = export.KINDS[kind][1]
    peak_of(content)
    many(10)
    small, peak_of_few = peak_of(content)
    many(90)
    large, peak_of_many = peak_of(content)
    assert large > 9 * small
    assert peak_of_many < peak_of_few + 300_000
    assert peak_of_many < 3_000_000 and ClientRound.objects.count() == 10_000


def test_a_file_is_one_query_read_in_pieces(
    many: Callable[[int], None], ask: Ask, django_assert_num_queries: Any
) -> None:
    many(20)
    with django_assert_num_queries(1):
        assert len(ask("client-rounds.csv").rows()) == 2000


def test_who_goes_away_ends_the_query(many: Callable[[int], None]) -> None:
    many(20)
    response: Any = export.export(everything(), "csv", "clients", is_head=False)
    chunks = response._iterator.chunks

    async def read_a_little() -> bytes:
        return await anext(response.streaming_content)

    assert async_to_sync(read_a_little)().startswith(b"id,")
    assert chunks.gi_frame is not None
    for close in response._resource_closers:
        close()
    assert chunks.gi_frame is None


def test_a_database_that_fails_at_once_is_503_and_no_half_file(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Selection, *more: str) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(Selection, "values", fail)
    answer = ask("rounds.csv")
    assert answer.status == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
