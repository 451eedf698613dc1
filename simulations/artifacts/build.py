"""All files of a run, made from its rows; every file appears whole or not at all.

Only the figure of the partition is drawn from a file, which the engine writes: there are no rows
of what clients hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from simulations.artifacts import (
    csv_files,
    figure_files,
    folder,
    latex,
    manifest,
    papers,
    report,
    results,
    settings_table,
)
from simulations.artifacts.measurements import Measurements, measure
from simulations.fl import atomic, journal, label_distribution, strict_json
from simulations.models import Simulation, StrategyRun
from simulations.plot_data import plot_data


def build(simulation: Simulation) -> Path:
    """Write the run's files, with the rounds there are; return its folder.

    Building again gives the same bytes. Raises StorageError when the system cannot write.
    """
    run_dir = folder.run_dir(simulation.simulation_id)
    runs = list(simulation.strategies.order_by("number"))
    strategies = [
        replace(measure(run), spread=label_distribution.read(run_dir, run.number)) for run in runs
    ]
    if not (run_dir / folder.CONFIG).is_file():
        folder.write_submission(simulation)
    _write_configs(run_dir, runs)
    for run, measured in zip(runs, strategies, strict=True):
        if len(measured.rounds):
            _write_numbers(run_dir, run, measured)
    figures = figure_files.write_all(run_dir, [s for s in strategies if _is_drawn(s)])
    _write_texts(run_dir, strategies)
    about = manifest.manifest(simulation, runs, run_dir)
    _write_json(run_dir / "MANIFEST.json", about)
    page = report.html(simulation, strategies, figures, about, run_dir)
    atomic.write_text(run_dir / "report.html", page)
    return run_dir


def _write_configs(run_dir: Path, runs: Sequence[StrategyRun]) -> None:
    for run in runs:
        _write_json(run_dir / f"strategy_config_{run.number}.json", run.config)
    resolved = {"simulation_strategies": [run.config for run in runs]}
    _write_json(run_dir / journal.CONFIG, resolved)


def _write_numbers(run_dir: Path, run: StrategyRun, measured: Measurements) -> None:
    number = measured.number
    atomic.write_text(
        run_dir / f"plot_data_{number}.json", strict_json.dumps(plot_data(run)) + "\n"
    )
    if not run.config["save_csv"]:
        return
    tables = run_dir / "csv"
    csv_files.write_round_metrics(tables / f"round_metrics_{number}.csv", measured)
    csv_files.write_client_metrics(tables / f"per_client_metrics_{number}.csv", measured)
    if measured.removes:
        csv_files.write_exec_stats(tables / f"exec_stats_{number}.csv", measured)


def _write_texts(run_dir: Path, strategies: Sequence[Measurements]) -> None:
    tables = run_dir / "latex"
    measured = [strategy for strategy in strategies if len(strategy.rounds)]
    if measured:
        atomic.write_text(tables / "results.tex", latex.tabular(results.table(measured)))
    differences = latex.tabular(settings_table.table(strategies))
    atomic.write_text(tables / "config_differences.tex", differences)
    cited = papers.used(strategy.config for strategy in strategies)
    atomic.write_text(run_dir / "CITATION.bib", papers.bibtex(cited))


def _is_drawn(measured: Measurements) -> bool:
    return bool(measured.config["save_plots"]) and len(measured.rounds) > 0


def _write_json(path: Path, value: Any) -> None:
    atomic.write_text(path, strict_json.dumps(value, indent=2) + "\n")
