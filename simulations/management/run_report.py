"""What a run in the foreground shows: its rounds while it runs, a table at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from simulations.artifacts import folder
from simulations.fl.events import Event, RoundFinished
from simulations.models import Simulation, StrategyRun

Observe = Callable[[Event], None]


@contextmanager
def shown_progress(simulation: Simulation) -> Iterator[Observe]:
    """Show rounds on standard error: a bar on a terminal, a line each round otherwise."""
    console = Console(stderr=True)
    names = dict(simulation.strategies.values_list("number", "name"))
    if not console.is_terminal:
        yield lambda event: _print_round(console, names, event)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("starting", total=simulation.rounds_total)

        def observe(event: Event) -> None:
            if isinstance(event, RoundFinished):
                progress.update(task, advance=1, description=_round(names, event))

        yield observe


def summary(simulation: Simulation) -> dict[str, Any]:
    """Return the end of a run as plain JSON values; times are in seconds."""
    return {
        "simulation_id": simulation.simulation_id,
        "status": simulation.status,
        "error": simulation.error or None,
        "seed": simulation.seed,
        "folder": str(folder.run_dir(simulation.simulation_id)),
        "strategies": [_strategy(run) for run in simulation.strategies.order_by("number")],
    }


def table(result: dict[str, Any]) -> Table:
    drawn = Table()
    for title in ("strategy", "rounds", "global accuracy", "loss", "seconds"):
        drawn.add_column(title, justify="left" if title == "strategy" else "right")
    for run in result["strategies"]:
        drawn.add_row(
            Text(run["name"]),
            f"{run['rounds']}/{run['total_rounds']}",
            _number(run["global_accuracy"], ".4f"),
            _number(run["global_loss"], ".4f"),
            _number(run["seconds"], ".1f"),
        )
    return drawn


def _strategy(run: StrategyRun) -> dict[str, Any]:
    seconds = None
    if run.started_at is not None and run.finished_at is not None:
        seconds = (run.finished_at - run.started_at).total_seconds()
    return {
        "strategy_number": run.number,
        "name": run.name,
        "keyword": run.keyword,
        "rounds": run.current_round,
        "total_rounds": run.total_rounds,
        "global_accuracy": run.final_accuracy,
        "global_loss": run.final_loss,
        "seconds": seconds,
        "ended_early": run.ended_early or None,
    }


def _print_round(console: Console, names: dict[int, str], event: Event) -> None:
    if isinstance(event, RoundFinished):
        console.print(_round(names, event), markup=False, highlight=False, soft_wrap=True)


def _round(names: dict[int, str], event: RoundFinished) -> str:
    accuracy = _number(event.global_accuracy, ".4f")
    loss = _number(event.global_loss, ".4f")
    name = names[event.strategy_number]
    return f"{name} round {event.round_number}: accuracy {accuracy}, loss {loss}"


def _number(value: float | None, form: str) -> str:
    return "-" if value is None else format(value, form)
