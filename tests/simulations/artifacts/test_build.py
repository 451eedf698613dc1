from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from simulations.artifacts.build import build
from simulations.fl.config import as_json, parse, resolve
from simulations.fl.errors import StorageError
from simulations.models import RoundMetrics
from simulations.plot_data import plot_data


def files(run_dir: Path) -> dict[str, str]:
    return {
        str(path.relative_to(run_dir)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in run_dir.rglob("*")
        if path.is_file() and path.name != "status.json"
    }


def test_the_folder_holds_what_the_contract_names(
    compare: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    simulation = compare(
        {"aggregation_strategy_keyword": "krum"}, {"aggregation_strategy_keyword": "pid"}
    )
    runs = [fill(simulation, number=0), fill(simulation, number=1, rounds=2)]
    run_dir = build(simulation)
    assert set(files(run_dir)) == {
        "MANIFEST.json",
        "CITATION.bib",
        "config.json",
        "resolved_config.json",
        "report.html",
        "latex/results.tex",
        "latex/config_differences.tex",
        *(
            name.format(number)
            for number in (0, 1)
            for name in (
                "strategy_config_{}.json",
                "plot_data_{}.json",
                "csv/round_metrics_{}.csv",
                "csv/per_client_metrics_{}.csv",
                "csv/exec_stats_{}.csv",
            )
        ),
    }
    for run in runs:
        written = json.loads((run_dir / f"plot_data_{run.number}.json").read_text())
        assert written == plot_data(run)
        assert json.loads((run_dir / f"strategy_config_{run.number}.json").read_text()) == (
            run.config
        )


def test_the_resolved_configuration_is_a_configuration_that_leaves_nothing_open(
    compare: Callable[..., Any],
) -> None:
    simulation = compare(
        {"aggregation_strategy_keyword": "krum"}, {"aggregation_strategy_keyword": "pid"}
    )
    raw = json.loads((build(simulation) / "resolved_config.json").read_text())
    again = resolve(parse(raw), drawn_seed=999)
    assert [as_json(strategy) for strategy in again.strategies] == raw["simulation_strategies"]


def test_building_again_gives_the_same_bytes(
    compare: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    strategies = ({"aggregation_strategy_keyword": "krum"}, {"aggregation_strategy_keyword": "pid"})
    simulation = compare(*strategies)
    fill(simulation, number=0)
    fill(simulation, number=1)
    first = files(build(simulation))
    assert files(build(simulation)) == first


def test_tables_are_written_only_where_they_are_wanted(
    simulate: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    simulation = simulate(save_csv=False)
    fill(simulation)
    written = files(build(simulation))
    assert not any(name.startswith(("csv/", "plots/")) for name in written)
    assert "plot_data_0.json" in written


def test_a_run_without_rounds_has_its_configurations_and_no_numbers(
    simulate: Callable[..., Any],
) -> None:
    written = set(files(build(simulate(save_plots=True))))
    assert {"strategy_config_0.json", "MANIFEST.json", "report.html"} <= written
    assert not any(name.startswith(("csv/", "plots/", "plot_data")) for name in written)


def test_rounds_that_came_later_are_in_the_next_build(
    simulate: Callable[..., Any], fill: Callable[..., Any]
) -> None:
    simulation = simulate()
    run = fill(simulation, rounds=2)
    table = build(simulation) / "csv" / "round_metrics_0.csv"
    assert len(table.read_text().splitlines()) == 3
    row = RoundMetrics.objects.get(strategy_run=run, round_number=2)
    row.pk, row.round_number = None, 3
    row.save()
    build(simulation)
    assert len(table.read_text().splitlines()) == 4


def test_an_error_leaves_the_old_file_and_no_half_of_a_new_one(
    simulate: Callable[..., Any],
    fill: Callable[..., Any],
) -> None:
    simulation = simulate()
    fill(simulation)
    folder = build(simulation)
    before = files(folder)
    (folder / "csv" / "round_metrics_0.csv").unlink()
    (folder / "csv" / "round_metrics_0.csv").mkdir()
    with pytest.raises(StorageError, match=r"cannot write round_metrics_0\.csv"):
        build(simulation)
    after = files(folder)
    assert after == {name: before[name] for name in after}
    assert not list(folder.rglob(".*"))


def test_a_lost_folder_comes_back(
    simulate: Callable[..., Any], fill: Callable[..., Any], run_dir: Callable[..., Path]
) -> None:
    simulation = simulate()
    fill(simulation)
    before = files(build(simulation))
    for path in sorted(run_dir(simulation).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert files(build(simulation)) == before
