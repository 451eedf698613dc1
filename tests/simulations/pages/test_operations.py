"""The pages for operators."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from simulations import estimates, lifecycle
from simulations.models import RoundMetrics, Simulation
from simulations.process_identity import this_process

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
New = Callable[..., Simulation]


@pytest.fixture
def measured(submit: New, record: Any, end: Any) -> Callable[..., None]:
    """Return a recorder of finished simulations whose rounds took so many seconds."""

    def create(seconds: float, **settings: Any) -> None:
        row = end(submit(**settings))
        run = record(row, rounds=2)
        RoundMetrics.objects.filter(strategy_run=run).update(round_seconds=seconds)

    return create


def starts(queue: list[estimates.Waiting]) -> list[float | None]:
    return [
        None if one.starts_at is None else (one.starts_at - NOW).total_seconds() for one in queue
    ]


def test_a_round_takes_the_median_of_rounds_alike(measured: Any) -> None:
    for seconds in (1.0, 2.0, 30.0):
        measured(seconds, num_of_clients=4)
    measured(100.0, num_of_clients=8)
    assert estimates.seconds_per_round("digits", 4) == 2.0
    assert estimates.seconds_per_round("digits", 8) == 100.0
    assert estimates.seconds_per_round("mnist5k", 4) is None


def test_other_numbers_of_clients_count_in_proportion(measured: Any) -> None:
    measured(2.0, num_of_clients=4)
    assert estimates.seconds_per_round("digits", 10) == pytest.approx(5.0)


def test_the_queue_starts_one_after_the_other(measured: Any, submit: New) -> None:
    measured(3.0)
    rows = [submit(num_of_rounds=rounds) for rounds in (4, 2, 5)]
    running = submit(num_of_rounds=10)
    Simulation.objects.filter(pk=running.pk).update(rounds_done=6)
    running.refresh_from_db()
    assert starts(estimates.queue([running], rows, 1, NOW)) == [12.0, 24.0, 30.0]
    assert starts(estimates.queue([running], rows, 2, NOW)) == [0.0, 12.0, 12.0]
    assert starts(estimates.queue([], rows, 1, NOW)) == [0.0, 12.0, 18.0]


def test_what_cannot_be_told_is_not_told(measured: Any, submit: New) -> None:
    measured(3.0)
    rows = [submit(), submit(dataset_keyword="mnist5k"), submit()]
    assert starts(estimates.queue([], rows, 1, NOW)) == [0.0, 12.0, None]


def test_the_queue_page_shows_what_runs_and_what_waits(
    client: Client, submit: New, measured: Any, django_assert_max_num_queries: Any
) -> None:
    measured(60.0)
    first, second = submit(display_name="First"), submit(display_name="Second")
    lifecycle.claim(first.pk, "t", this_process())
    Simulation.objects.filter(pk=second.pk).update(queued_at=NOW - timedelta(days=400))
    for _ in range(5):
        submit()
    with django_assert_max_num_queries(4):
        text = client.get("/queue/").content.decode()
    assert "First" in text and "Second" in text and "1\xa0year" in text
    assert text.index("Running") < text.index("First") < text.index("Waiting")
    assert "Nothing waits" in client.get("/queue/").content.decode() or "Second" in text


def test_an_empty_queue_says_so(client: Client) -> None:
    text = client.get("/queue/").content.decode()
    assert "Nothing runs." in text and "Nothing waits." in text and "refresh" not in text


def test_the_system_page_tells_parts_disks_and_versions(client: Client, submit: New) -> None:
    submit()
    text = client.get("/system/").content.decode()
    for shown in ("disconnected", "the local queue", "2.13.0", "free", "Cores", "sqlite"):
        assert shown in text or shown == "sqlite"
    assert 'href="/simulations/?status=queued">1<' in text
