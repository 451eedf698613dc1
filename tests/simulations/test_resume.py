"""Going on with a simulation: who may, what it becomes, and that nothing shows it was cut off."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from simulations import attempt, lifecycle, processes, services
from simulations.attempt import STOPPED
from simulations.models import RoundMetrics, Simulation
from simulations.process_identity import this_process
from simulations.supervisor import supervise
from tests.servers import eventually
from tests.simulations.faults.killing import REAL, run_with_kills

pytestmark = pytest.mark.django_db
Ended = Callable[..., Simulation]


@pytest.fixture
def checkpoint(out_dir: Path) -> Callable[[Simulation], None]:
    def write(simulation: Simulation) -> None:
        path = out_dir / simulation.simulation_id / "checkpoints" / "strategy_0.pt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"a checkpoint")

    return write


@pytest.fixture
def ended(submit: Any, end: Any, checkpoint: Any) -> Ended:
    """Return a factory of simulations that have ended with this status and have a checkpoint."""

    def create(status: str = "failed", **settings: Any) -> Simulation:
        simulation: Simulation = end(submit(**settings), status, error="gone", attempt=1)
        checkpoint(simulation)
        return simulation

    return create


@pytest.mark.parametrize("status", ["failed", "stopped"])
def test_a_resumed_simulation_waits_as_if_it_were_new(
    ended: Ended, status: str, status_file: Any
) -> None:
    simulation = ended(status)
    Simulation.objects.update(stop_requested_at=timezone.now(), fruitless_attempts=3)
    services.resume(simulation)
    row = Simulation.objects.get()
    assert (row.status, row.error, row.finished_at) == ("queued", "", None)
    assert (row.stop_requested_at, row.attempt_token, row.fruitless_attempts) == (None, "", 0)
    assert status_file(row)["status"] == "queued" and status_file(row)["error"] is None


def test_the_second_attempt_tells_the_engine_to_resume(ended: Ended) -> None:
    simulation = services.resume(ended())
    assert "--resume" not in attempt.engine_command(simulation)
    lifecycle.claim(simulation.pk, "token", this_process())
    simulation.refresh_from_db()
    assert simulation.attempt == 2 and attempt.engine_command(simulation)[-1] == "--resume"


@pytest.mark.parametrize("status", ["queued", "pending", "running", "completed"])
def test_only_what_failed_or_was_stopped_is_resumed(
    submit: Any, checkpoint: Any, status: str
) -> None:
    simulation = submit()
    checkpoint(simulation)
    finished = timezone.now() if status == "completed" else None
    Simulation.objects.update(status=status, finished_at=finished)
    simulation.refresh_from_db()
    with pytest.raises(services.NotAllowed, match=f"is {status}"):
        services.resume(simulation)
    assert Simulation.objects.get().status == status


def test_without_a_checkpoint_the_reason_is_told(submit: Any, end: Any) -> None:
    with pytest.raises(services.NotAllowed, match="before its first checkpoint"):
        services.resume(end(submit(), "failed"))
    with pytest.raises(services.NotAllowed, match="checkpoint_every is 0"):
        services.resume(end(submit(checkpoint_every=0), "failed"))


def test_of_two_who_resume_one_wins(ended: Ended) -> None:
    simulation = ended()
    other = Simulation.objects.get()
    services.resume(simulation)
    with pytest.raises(services.NotAllowed, match="already queued"):
        services.resume(other)


def test_a_claimed_resumption_is_never_queued_for_others(ended: Ended) -> None:
    row = services.resume(ended(), claim=services.Claim("mine", this_process()))
    assert (row.status, row.attempt_token, row.attempt) == ("pending", "mine", 2)


def test_the_route_resumes_and_refuses(client: Client, ended: Ended, submit: Any) -> None:
    simulation = ended()
    url = f"/api/simulations/{simulation.simulation_id}/resume"
    answer = client.post(url)
    assert answer.status_code == 200
    assert answer.json() == {"message": "resumed", "simulation_id": simulation.simulation_id}
    again = client.post(url)
    assert again.status_code == 409 and "is queued" in again.json()["detail"]
    assert client.post("/api/simulations/unknown/resume").status_code == 404
    assert client.get(url).status_code == 405


def test_the_page_offers_it_only_where_it_works(client: Client, ended: Ended, end: Any) -> None:
    simulation = ended()
    url = f"/simulations/{simulation.simulation_id}/"
    assert f'action="{url}resume/"' in client.get(url).content.decode()
    answer = client.post(f"{url}resume/", follow=True).content.decode()
    assert "Queued again" in answer and f'action="{url}resume/"' not in answer
    again = client.post(f"{url}resume/", follow=True).content.decode()
    assert "Not resumed: the simulation is queued" in again


def test_the_admin_resumes_selected_ones(admin_client: Client, ended: Ended, submit: Any) -> None:
    simulation, waiting = ended(), submit()
    chosen = [simulation.pk, waiting.pk]
    data = {"action": "resume_selected", "_selected_action": chosen}
    page = admin_client.post("/admin/simulations/simulation/", data, follow=True)
    text = " ".join(str(message) for message in page.context["messages"])
    assert f"{simulation.simulation_id}: queued" in text
    assert f"{waiting.simulation_id}: the simulation is queued; only" in text
    simulation.refresh_from_db()
    assert simulation.status == "queued"


def test_results_of_a_stopped_run_are_built_after_its_end(
    claimed: Any, options: Any, endless: str, tmp_path: Path
) -> None:
    simulation, token = claimed()
    seen = tmp_path / "built"
    stop = lambda: STOPPED if RoundMetrics.objects.exists() else None  # noqa: E731
    artifacts = ["sh", "-c", f"echo $INTELLIFL_RUN_TOKEN > {seen}"]
    supervise(simulation.pk, token, options(endless, artifacts=artifacts, interrupted=stop))
    simulation.refresh_from_db()
    assert simulation.status == "stopped"
    assert not seen.exists()  # told to end, it builds nothing more
    lifecycle.requeue(simulation.pk)
    assert lifecycle.claim(simulation.pk, "second", this_process())
    failing = 'begin()\nround_finished(1)\ntell("run_failed", error="x"); sys.exit(5)'
    supervise(simulation.pk, "second", options(failing, artifacts=artifacts))
    assert seen.read_text() == "second-results\n"


def test_a_late_build_ends_when_the_run_is_resumed(
    shared_database: None, claimed: Any, options: Any, tmp_path: Path
) -> None:
    import threading

    from django.db import connections

    simulation, token = claimed()
    failing = 'begin()\nround_finished(1)\ntell("run_failed", error="x"); sys.exit(5)'

    def work() -> None:
        supervise(simulation.pk, token, options(failing, artifacts=["sleep", "60"]))
        connections.close_all()

    thread = threading.Thread(target=work)
    thread.start()
    eventually(lambda: processes.carriers(f"{token}-results"))
    assert Simulation.objects.get().status == "failed"
    assert processes.carriers(token) == set()
    lifecycle.requeue(simulation.pk)
    thread.join(60)
    assert not thread.is_alive() and processes.carriers(f"{token}-results") == set()


@pytest.mark.slow
@pytest.mark.parametrize(("is_auto", "number"), [(False, 2), (True, 5)])
def test_a_run_killed_again_and_again_ends_with_the_numbers_of_one_left_alone(
    shared_database: None, settings: Any, is_auto: bool, number: int
) -> None:
    settings.RESUMES_BY_ITSELF = is_auto  # restored after the test
    undisturbed = run_with_kills(REAL, [], is_auto=is_auto)
    assert len(undisturbed) == 8 + 8 * 6
    # Before the second round is told, there need not be a checkpoint.
    kills = sorted(random.Random(3).sample(range(2, 8), number))
    assert run_with_kills(REAL, kills, is_auto=is_auto) == undisturbed
