"""How an attempt to run a simulation is made, and how it can end."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from intellifl.environment import PREFIX, ROOT
from simulations import processes
from simulations.artifacts import folder
from simulations.fl import strict_json
from simulations.fl.events import Event
from simulations.models import Simulation, Status
from simulations.processes import GRACE_S, Child


@dataclass(frozen=True)
class Ending:
    """The status an attempt ends with; `error` is the sentence for a failure.

    Without a status the attempt has lost its row to another one and changes nothing. An
    interruption is a failure that the run itself has not caused.
    """

    status: Status | None
    error: str = ""
    is_interruption: bool = False


LOST = Ending(None)
STOPPED = Ending(Status.STOPPED)
COMPLETED = Ending(Status.COMPLETED)


def failure(error: str) -> Ending:
    return Ending(Status.FAILED, error)


def interrupted(error: str) -> Ending:
    return Ending(Status.FAILED, error, is_interruption=True)


@dataclass(frozen=True)
class Options:
    """How to supervise; None stands for the real commands.

    `interrupted` is asked at every beat and ends the attempt when it returns an ending; `observe`
    is given each event after it was recorded. Times are in seconds: between beats, from SIGTERM
    to SIGKILL, for the engine to exit after its last event, and for a database to come back.
    """

    engine: Sequence[str] | None = None
    artifacts: Sequence[str] | None = None
    interrupted: Callable[[], Ending | None] = lambda: None
    observe: Callable[[Event], None] = lambda event: None
    beat_s: float = 1.0
    grace_s: float = GRACE_S
    exit_s: float = 30.0
    database_patience_s: float = 60.0


def engine_command(simulation: Simulation) -> Sequence[str]:
    """Return the command of the engine; from the second attempt on it resumes."""
    run_dir = str(folder.run_dir(simulation.simulation_id))
    command = [sys.executable, "-m", "simulations.fl", "run", "-", "--out", run_dir]
    return [*command, "--resume"] if simulation.attempt > 1 else command


def artifacts_command(simulation_id: str) -> Sequence[str]:
    return [sys.executable, str(ROOT / "manage.py"), "rebuild_artifacts", simulation_id]


def spawn(
    simulation_id: str, command: Sequence[str], token: str, stdin_text: str, stdout: int | None
) -> Child:
    """Start a child whose messages, and output unless `stdout` is given, go to the run's log."""
    run_dir = folder.run_dir(simulation_id)
    run_dir.mkdir(parents=True, exist_ok=True)
    with (run_dir / folder.LOG).open("ab") as log:
        return processes.spawn(
            command,
            token,
            stdin_text=stdin_text,
            stdout=log if stdout is None else stdout,
            stderr=log,
            cwd=ROOT,
            variables=variables(),
        )


def engine_input(simulation: Simulation) -> str:
    """Return the configuration with nothing left open, so that the engine draws no seed again."""
    strategies = simulation.strategies.order_by("number").values_list("config", flat=True)
    return strict_json.dumps({"simulation_strategies": list(strategies)})


def variables() -> dict[str, str]:
    """Return the folders as absolute paths: a child starts in the project's root."""
    folders = {"OUT_DIR": settings.OUT_DIR, "DATA_DIR": settings.DATA_DIR}
    return {f"{PREFIX}{name}": str(Path(path).resolve()) for name, path in folders.items()}
