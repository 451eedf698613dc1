from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from simulations.models import RoundMetrics, Simulation

pytestmark = pytest.mark.django_db(transaction=True)
FAILING = 'begin()\nround_finished(1)\ntell("run_failed", error="Disk full."); sys.exit(7)'
RESUMED = """\
tell("strategy_started", strategy_number=0, num_parameters=10, client_sizes=[5] * 4, first_round=2)
for number in (2, 3):
    round_finished(number)
tell("strategy_finished", strategy_number=0, rounds=3)
tell("run_finished")
"""


@pytest.fixture
def failed(command: Any, with_engine: Any, config_file: Any, out_dir: Path) -> Simulation:
    with_engine(FAILING)
    assert command("run_simulation", config_file(), "--quiet").code == 1
    simulation = Simulation.objects.get()
    folder = out_dir / simulation.simulation_id / "checkpoints"
    folder.mkdir()
    (folder / "strategy_0.pt").write_bytes(b"")
    return simulation


def test_it_goes_on_here_and_prints_the_results(
    command: Any, with_engine: Any, failed: Simulation
) -> None:
    with_engine(RESUMED)
    result = command("resume", failed.simulation_id, "--json")
    told = json.loads(result.out)
    assert result.code == 0 and told["status"] == "completed"
    assert told["strategies"][0]["rounds"] == 3
    rounds = RoundMetrics.objects.order_by("round_number").values_list("round_number", flat=True)
    assert list(rounds) == [1, 2, 3]


def test_it_can_leave_it_to_the_queue(command: Any, failed: Simulation) -> None:
    result = command("resume", "--queue", failed.simulation_id)
    assert (result.code, result.out) == (0, f"{failed.simulation_id}\n")
    failed.refresh_from_db()
    assert failed.status == "queued"


def test_what_cannot_be_resumed_is_told(command: Any, failed: Simulation) -> None:
    command("resume", "--queue", failed.simulation_id)
    again = command("resume", failed.simulation_id)
    assert again.code == 1 and "the simulation is queued; only" in again.err
    unknown = command("resume", "nobody")
    assert unknown.code == 3 and "no simulation nobody" in unknown.err
    several = command("resume", "a", "b")
    assert several.code == 2 and "--queue takes several" in several.err
