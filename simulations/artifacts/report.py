"""report.html: one page with everything inside, to hand to a colleague."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.template import Context, Engine

from simulations.artifacts import papers, results, settings_table
from simulations.artifacts.figure_files import FOLDER, FigureFile
from simulations.artifacts.measurements import Measurements
from simulations.fl import strict_json
from simulations.models import Simulation

TEMPLATE = Path(__file__).with_name("report.html")
OWN_FIGURES_UP_TO = 10
"""Strategies; with more of them only the comparison is shown."""


def html(
    simulation: Simulation,
    strategies: Sequence[Measurements],
    figures: Sequence[FigureFile],
    manifest: dict[str, Any],
    run_dir: Path,
) -> str:
    """Return the page; the figures' PNG files are read from `run_dir`."""
    measured = [strategy for strategy in strategies if len(strategy.rounds)]
    left_out = len(strategies) > OWN_FIGURES_UP_TO
    page = {
        "title": simulation.display_name or simulation.simulation_id,
        "dataset": simulation.dataset_keyword,
        "rounds": f"{simulation.rounds_done} of {simulation.rounds_total} rounds",
        "notes": simulation.notes,
        "notices": [*simulation.warnings, *([simulation.error] if simulation.error else [])],
        "manifest": manifest,
        "results": results.table(measured) if measured else None,
        "settings": settings_table.table(strategies),
        "comparison": _embedded(run_dir, figures, None),
        "left_out": left_out and bool(figures),
        "strategies": [
            {
                "name": results.name(strategy),
                "ended_early": strategy.ended_early,
                "config": strict_json.dumps(strategy.config, indent=2),
                "figures": [] if left_out else _embedded(run_dir, figures, strategy.number),
            }
            for strategy in strategies
        ],
        "references": [papers.reference(one) for one in papers.used(s.config for s in strategies)],
        "environment": _environment(manifest),
    }
    return Engine().from_string(TEMPLATE.read_text("utf-8")).render(Context(page))


def _embedded(
    run_dir: Path, figures: Sequence[FigureFile], number: int | None
) -> list[dict[str, str]]:
    return [
        {
            "caption": figure.caption,
            "png": base64.b64encode(
                (run_dir / FOLDER / f"{figure.name}.png").read_bytes()
            ).decode(),
        }
        for figure in figures
        if figure.strategy_number == number
    ]


def _environment(manifest: dict[str, Any]) -> list[tuple[str, Any]]:
    hardware = manifest["hardware"]
    memory = f"{hardware['memory_bytes'] / 2**30:.1f} GiB"
    commit = manifest["git_commit"] or "unknown"
    return [
        *manifest["versions"].items(),
        ("git commit", f"{commit} (with changes)" if manifest["git_changed"] else commit),
        ("configuration, sha256", manifest["config_sha256"]),
        ("platform", hardware["platform"]),
        ("cores, memory", f"{hardware['cores']}, {memory}"),
    ]
