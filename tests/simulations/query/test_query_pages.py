"""Pages: every order walked to its end and back, while rows come and go, and forged cursors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.core import signing
from django.utils import timezone

from simulations.models import ClientRound, RoundMetrics, Simulation, StrategyRun
from simulations.query.views import RESOURCES
from tests.simulations.query.asking import Ask

Pages = Callable[..., list[dict[str, Any]]]
WAYS = [
    (resource, sign + name)
    for resource, viewset in RESOURCES.items()
    if resource != "datasets"
    for name in viewset.serializer_class().sortable()
    for sign in ("", "-")
]


def in_order(rows: list[dict[str, Any]], names: list[str]) -> list[dict[str, Any]]:
    """Sort stably by the fields from last to first; rows without a value are last."""
    for name in reversed(names):
        field = name.removeprefix("-")
        some = [row for row in rows if row[field] is not None]
        none = [row for row in rows if row[field] is None]
        some.sort(key=lambda row: row[field], reverse=name.startswith("-"))
        rows = some + none
    return rows


@pytest.mark.parametrize(("resource", "ordering"), WAYS)
def test_pages_are_a_sorted_list_cut_into_pieces(
    ask: Ask, every_page: Pages, recorded: list[Simulation], resource: str, ordering: str
) -> None:
    # Ties go by primary key, in the direction of the first field.
    key = "created_at" if resource == "simulations" else "id"
    fields = f"{key},{ordering.removeprefix('-')}" if key != ordering.removeprefix("-") else key
    rows = ask(f"{resource}.json", fields=fields).json()
    rows.sort(key=lambda row: row[key], reverse=ordering.startswith("-"))
    expected = in_order(rows, [ordering])
    walked = every_page(f"{resource}/", ordering=ordering, fields=fields, page_size=2)
    assert walked == expected
    assert ask(f"{resource}.json", ordering=ordering, fields=fields).json() == expected


@pytest.mark.parametrize(
    "ordering", ["", "-loss,client_id", "loss,-removal_criterion,round_number", "is_removed,-loss"]
)
@pytest.mark.parametrize("size", [1, 5, 36])
def test_previous_leads_back_the_same_way(
    ask: Ask, recorded: list[Simulation], ordering: str, size: int
) -> None:
    pages = [ask("client-rounds/", ordering=ordering, page_size=size).json()]
    assert pages[0]["previous"] is None
    while pages[-1]["next"]:
        pages.append(ask(pages[-1]["next"].partition("/query/")[2]).json())
    assert sum(len(page["results"]) for page in pages) == 36
    page = pages.pop()
    while page["previous"]:
        page = ask(page["previous"].partition("/query/")[2]).json()
        assert page["results"] == pages.pop()["results"]
    assert not pages


def test_several_fields_order_by_the_first_then_the_second(
    every_page: Pages, ask: Ask, recorded: list[Simulation]
) -> None:
    ordering = "-removal_criterion,client_id,-round_number"
    rows = list(reversed(ask("client-rounds.json", ordering="id").json()))
    walked = every_page("client-rounds/", ordering=ordering, page_size=5)
    assert walked == in_order(rows, ordering.split(","))


@pytest.mark.parametrize("ordering", ["", "-id", "aggregated_loss", "-global_accuracy"])
def test_rows_that_come_and_go_meanwhile_are_neither_skipped_nor_repeated(
    ask: Ask,
    submit: Callable[..., Simulation],
    record: Callable[..., StrategyRun],
    ordering: str,
) -> None:
    run = record(submit(), rounds=20)
    page = ask("rounds/", ordering=ordering, page_size=4).json()
    before = {row["id"] for row in ask("rounds.json").json()}
    gone: set[int] = set()
    seen: list[int] = []
    for turn in range(100):
        seen += [row["id"] for row in page["results"]]
        if not page["next"]:
            break
        victim = seen[-1] if turn % 2 else RoundMetrics.objects.exclude(pk__in=seen).first().pk  # type: ignore[union-attr]
        gone.add(victim)
        RoundMetrics.objects.filter(pk=victim).delete()
        RoundMetrics.objects.create(
            strategy_run=run,
            round_number=100 + turn,
            aggregated_loss=1 / (turn + 1.5),
            recorded_at=timezone.now(),
        )
        page = ask(page["next"].partition("/query/")[2]).json()
    assert len(seen) == len(set(seen))
    assert before - gone <= set(seen)


def test_the_page_keeps_filters_fields_and_size(ask: Ask, recorded: list[Simulation]) -> None:
    query = {"client": "1,2", "fields": "id,client_id", "page_size": 7, "ordering": "-loss"}
    page = ask("client-rounds/", **query).json()
    second = ask(page["next"].partition("/query/")[2]).json()
    assert len(second["results"]) == 7
    assert all(list(row) == ["id", "client_id"] for row in second["results"])
    assert {row["client_id"] for row in second["results"]} <= {1, 2}


def test_a_page_has_a_hundred_rows_unless_told_otherwise(
    ask: Ask, submit: Callable[..., Simulation], record: Callable[..., StrategyRun]
) -> None:
    record(submit(), rounds=40)
    assert len(ask("client-rounds/").json()["results"]) == 100
    assert len(ask("client-rounds/", page_size=1000).json()["results"]) == 120


def test_the_last_page_is_the_last_also_when_it_is_full(
    ask: Ask, submit: Callable[..., Simulation], record: Callable[..., StrategyRun]
) -> None:
    record(submit(), rounds=4)
    page = ask("rounds/", page_size=2).json()
    page = ask(page["next"].partition("/query/")[2]).json()
    assert len(page["results"]) == 2 and page["next"] is None
    empty = ask("rounds/", round_min=5).json()
    assert empty == {"next": None, "previous": None, "results": []}


def cursor_of(ask: Ask, path: str, **query: Any) -> str:
    link = ask(path, page_size=1, **query).json()["next"]
    return str(link.partition("cursor=")[2].partition("&")[0].replace("%3A", ":"))


def told(ask: Ask, path: str, cursor: str, **query: Any) -> str:
    answer = ask(path, cursor=cursor, **query)
    assert answer.status == 400
    [error] = answer.json()["errors"]
    return str(error)


def test_a_cursor_that_was_changed_or_made_up_is_refused(
    ask: Ask, recorded: list[Simulation]
) -> None:
    good = cursor_of(ask, "rounds/")
    assert ask("rounds/", cursor=good).status == 200
    forged = signing.dumps(["", False, [1, 1, 1]], salt="other")
    unsigned = good.rpartition(":")[0]
    for cursor in (good[:-1], "A" + good, unsigned, forged, "x", "cD0x", "\0", "é", "' OR 1=1"):
        assert "take it from the `next` or `previous`" in told(ask, "rounds/", cursor)


def test_a_cursor_belongs_to_its_resource_and_ordering(
    ask: Ask, recorded: list[Simulation]
) -> None:
    good = cursor_of(ask, "rounds/", ordering="-round_number")
    assert "of this resource" in told(ask, "client-rounds/", good, ordering="-round_number")
    assert "another ordering" in told(ask, "rounds/", good)
    assert "another ordering" in told(ask, "rounds/", good, ordering="round_number")


def test_a_page_reads_no_more_than_it_shows(
    ask: Ask,
    submit: Callable[..., Simulation],
    record: Callable[..., StrategyRun],
    django_assert_num_queries: Any,
) -> None:
    record(submit(), rounds=50, clients=10)
    last = ClientRound.objects.order_by("pk").last()
    assert last is not None
    with django_assert_num_queries(1) as captured:
        ask("client-rounds/", page_size=10)
    assert "LIMIT 11" in captured.captured_queries[0]["sql"]
    assert "OFFSET" not in captured.captured_queries[0]["sql"]
