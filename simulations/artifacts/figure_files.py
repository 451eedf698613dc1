"""Figures as PDF and PNG files that are the same, byte for byte, whenever they are drawn again."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from matplotlib import rc_context
from matplotlib.figure import Figure

from simulations.artifacts import style
from simulations.artifacts.figures.table import COMPARISON_FIGURES, STRATEGY_FIGURES
from simulations.artifacts.measurements import Measurements
from simulations.fl import atomic

# It tells every step of embedding a font at INFO.
logging.getLogger("fontTools").setLevel(logging.WARNING)

FOLDER = "plots"
NO_DATES = {"CreationDate": None, "Creator": None, "Producer": None}


@dataclass(frozen=True)
class FigureFile:
    """A figure in `plots/`: its name without suffix, its caption, its strategy or None for all."""

    name: str
    caption: str
    strategy_number: int | None = None


def write_all(run_dir: Path, strategies: Sequence[Measurements]) -> list[FigureFile]:
    """Write the figures across strategies and of each strategy; return those there are."""
    written: list[FigureFile] = []
    with rc_context(style.RC):
        for across in COMPARISON_FIGURES if len(strategies) > 1 else ():
            file = FigureFile(f"comparison_{across.name}", across.caption)
            written += _write(run_dir, file, across.draw(strategies))
        for strategy in strategies:
            for own in STRATEGY_FIGURES:
                file = FigureFile(f"{own.name}_{strategy.number}", own.caption, strategy.number)
                written += _write(run_dir, file, own.draw(strategy))
    return written


def _write(run_dir: Path, file: FigureFile, figure: Figure | None) -> list[FigureFile]:
    if figure is None:
        return []
    path = run_dir / FOLDER / file.name
    with atomic.replacing(path.with_suffix(".png")) as draft:
        figure.savefig(draft, format="png", metadata={"Software": None})
    # The layout is settled now; finding it again for the PDF would double the time.
    figure.set_layout_engine("none")
    with atomic.replacing(path.with_suffix(".pdf")) as draft:
        figure.savefig(draft, format="pdf", metadata={"Title": file.caption, **NO_DATES})
    return [file]
