"""What is recorded of fetches, what readers see of it, and who does the work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError
from django.utils import timezone
from django_celery_results.models import TaskResult

from datasets_app import dispatch, fetching, selectors, services
from datasets_app.catalog import CATALOG
from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.progress import Step
from datasets_app.models import Dataset, State
from intellifl import housekeeping
from tests.servers import Valkey, eventually, half_alive, refusing, silent

ROOT = Path(__file__).parents[2]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keywords that somebody was asked to fetch, without anybody doing it."""
    keywords: list[str] = []
    monkeypatch.setattr(dispatch, "start", keywords.append)
    return keywords


def watched() -> None:
    """Wait for the threads that wait for fetching processes: they record how those end."""
    for thread in threading.enumerate():
        if thread.name.startswith(dispatch.WATCH):
            thread.join(60)


def listed(keyword: str) -> selectors.Listed:
    return next(it for it in selectors.listing() if it.spec.keyword == keyword)


@pytest.mark.django_db
def test_a_migrated_database_has_a_row_for_each_dataset() -> None:
    Dataset.objects.filter(keyword="digits").delete()
    Dataset.objects.create(keyword="gone")
    call_command("migrate", verbosity=0)
    assert set(Dataset.objects.values_list("keyword", flat=True)) == set(CATALOG)


@pytest.mark.django_db
def test_a_state_that_does_not_exist_is_refused() -> None:
    with pytest.raises(IntegrityError):
        Dataset.objects.filter(keyword="digits").update(state="lost")


def test_a_request_is_passed_on_once(
    own_data: Path, asked: list[str], db: None, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        assert services.request("digits")
        assert not services.request("digits")
    assert asked == ["digits"]
    assert listed("digits").state == State.QUEUED
    assert not listed("digits").can_fetch


@pytest.mark.django_db
def test_only_datasets_of_the_catalogue_can_be_asked_for(asked: list[str]) -> None:
    with pytest.raises(services.UnknownDataset, match="there is no dataset 'nothing'"):
        services.request("nothing")
    assert asked == []


@pytest.mark.parametrize(
    ("state", "silent_s", "is_free"),
    [
        (State.FETCHING, services.SILENT_S / 2, False),
        (State.FETCHING, services.SILENT_S * 2, True),
        (State.QUEUED, services.WAITS_S / 2, False),
        (State.QUEUED, services.WAITS_S * 2, True),
        (State.FAILED, 0, True),
        (State.READY, 0, True),
    ],
)
@pytest.mark.django_db
def test_what_has_been_silent_for_long_may_be_asked_for_again(
    state: State, silent_s: float, is_free: bool, own_data: Path, asked: list[str]
) -> None:
    heard_at = timezone.now() - timedelta(seconds=silent_s)
    Dataset.objects.filter(keyword="digits").update(state=state, heard_at=heard_at)
    row = Dataset.objects.get(keyword="digits")
    assert services.is_under_way(row) is not is_free
    if state == State.FETCHING and is_free:
        assert (listed("digits").state, listed("digits").error) == (
            "failed",
            selectors.INTERRUPTED,
        )
    assert services.request("digits") is is_free


@pytest.mark.django_db
def test_a_check_of_what_is_here_is_recorded(own_data: Path) -> None:
    fetching.fetch("its")
    row = Dataset.objects.get(keyword="its")
    assert (row.state, row.place, row.num_train, row.num_test) == (
        State.READY,
        "local copy",
        8,
        2,
    )
    assert row.size_bytes == sum(path.stat().st_size for path in own_data.rglob("*.png"))
    assert row.verified_at is not None
    assert timezone.now() - row.verified_at < timedelta(minutes=1)
    shown = listed("its")
    assert (shown.state, shown.num_train, shown.error) == ("here", 8, "")


@pytest.mark.django_db
def test_a_fetch_that_fails_is_recorded_with_its_sentence(own_data: Path) -> None:
    with pytest.raises(DataUnavailable):
        fetching.fetch("digits")
    row = Dataset.objects.get(keyword="digits")
    assert row.state == State.FAILED
    assert "digits is not on this machine" in row.error
    assert (listed("digits").state, listed("digits").error) == ("failed", row.error)
    assert listed("digits").can_fetch


@pytest.mark.django_db
def test_progress_is_recorded_and_shown_in_percent(
    own_data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int | None] = []

    def load(spec: Any, data_dir: Path, report: Any) -> Any:
        report(Step("working", 25, 100))
        seen.append(listed(spec.keyword).percent)
        raise DataUnavailable("enough")

    monkeypatch.setattr(fetching, "load", load)
    with pytest.raises(DataUnavailable):
        fetching.fetch("digits")
    assert seen == [25]


def test_a_long_step_gives_signs_of_life(
    own_data: Path, shared_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "BEAT_S", 0.1)

    def load(*_: Any) -> Any:
        first = Dataset.objects.get(keyword="digits").heard_at
        assert first is not None

        def is_heard_again() -> bool:
            heard_at = Dataset.objects.get(keyword="digits").heard_at
            return heard_at is not None and heard_at > first

        eventually(is_heard_again)
        raise DataUnavailable("enough")

    monkeypatch.setattr(fetching, "load", load)
    with pytest.raises(DataUnavailable, match="enough"):
        fetching.fetch("digits")


@pytest.mark.slow
def test_without_redis_a_process_of_this_machine_fetches(
    own_data: Path, shared_database: None
) -> None:
    services.sync()
    assert services.request("its")
    watched()
    row = Dataset.objects.get(keyword="its")
    assert (row.state, row.num_train) == (State.READY, 8)


@pytest.mark.slow
def test_a_fetching_process_that_is_killed_is_recorded(
    own_data: Path, shared_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    services.sync()
    assert services.request("its")
    watched()
    row = Dataset.objects.get(keyword="its")
    assert row.error == "the process that fetched it ended with exit code 1"


def test_a_process_that_cannot_be_started_is_recorded(
    own_data: Path, shared_database: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nothing/here")
    services.sync()
    assert services.request("its")
    assert "no process could be started" in Dataset.objects.get(keyword="its").error


@pytest.mark.parametrize("broken", ["refusing", "silent", "half_alive"])
def test_whatever_redis_does_an_answer_comes(broken: str) -> None:
    servers: dict[str, Any] = {
        "refusing": refusing,
        "silent": silent,
        "half_alive": lambda: half_alive(answers=2, drip_s=0.1),
    }
    with servers[broken]() as url:
        assert not housekeeping.send_if_heard(url, dispatch.FETCH, ["its"])


def test_a_redis_without_a_housekeeper_gets_no_message(valkey: Valkey) -> None:
    assert not housekeeping.send_if_heard(valkey.url, dispatch.FETCH, ["its"])
    assert valkey.client().llen(housekeeping.app.conf.task_default_queue) == 0


@pytest.fixture
def redis(valkey: Valkey, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Valkey:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"redis_url": valkey.url})
    monkeypatch.setenv("REDIS_URL", valkey.url)
    return valkey


@pytest.fixture
def housekeeper(
    own_data: Path, shared_database: None, redis: Valkey, tmp_path: Path
) -> Iterator[subprocess.Popen[bytes]]:
    """A housekeeping worker that listens."""
    log = tmp_path / "housekeeper.log"
    with log.open("wb") as output:
        command = [sys.executable, str(ROOT / "manage.py"), "housekeeper"]
        process = subprocess.Popen(command, stdout=output, stderr=output, env=dict(os.environ))
    try:
        eventually(lambda: redis.client().exists(housekeeping.LISTENS))
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        print(log.read_text())


@pytest.mark.slow
def test_a_housekeeper_fetches_and_its_results_are_kept(
    housekeeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/bin/false")
    services.sync()
    assert services.request("its")
    row = eventually(lambda: Dataset.objects.filter(keyword="its", state=State.READY).first())
    assert row.num_train == 8
    assert services.request("digits")
    eventually(lambda: Dataset.objects.filter(keyword="digits", state=State.FAILED).first())
    results = eventually(lambda: _both(TaskResult.objects.order_by("id")))
    assert [(it.task_name, it.status) for it in results] == [
        (dispatch.FETCH, "SUCCESS"),
        (dispatch.FETCH, "FAILURE"),
    ]
    assert '"num_train": 8' in results[0].result
    assert "digits is not on this machine" in results[1].result


def _both(results: Any) -> Any:
    return results if results.count() == 2 else None


@pytest.mark.slow
def test_a_housekeeper_does_not_count_as_a_worker_of_simulations(
    housekeeper: subprocess.Popen[bytes], redis: Valkey
) -> None:
    from simulations.broker import Broker

    assert Broker(redis.url).workers() == 0


@pytest.mark.slow
def test_a_housekeeper_that_ends_does_not_listen_any_more(
    housekeeper: subprocess.Popen[bytes], redis: Valkey
) -> None:
    housekeeper.send_signal(signal.SIGTERM)
    housekeeper.wait(60)
    assert not housekeeping.send_if_heard(redis.url, dispatch.FETCH, ["its"])


@pytest.fixture
def stuck_pip(own_data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A package index that takes connections and never says a word."""
    with silent() as url:
        monkeypatch.delenv("PIP_NO_INDEX")
        monkeypatch.setenv("PIP_INDEX_URL", url.replace("redis:", "http:").replace("/0", "/"))
        yield


@pytest.mark.slow
def test_a_housekeeper_that_is_told_to_end_does_not_wait_for_a_fetch(
    stuck_pip: None, housekeeper: subprocess.Popen[bytes]
) -> None:
    services.sync()
    assert services.request("digits")
    eventually(lambda: Dataset.objects.filter(keyword="digits", state=State.FETCHING).first())
    housekeeper.send_signal(signal.SIGTERM)
    housekeeper.wait(60)
