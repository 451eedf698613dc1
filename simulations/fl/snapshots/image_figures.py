"""Figures of poisoned images."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from simulations.fl.attacks.base import Images, Labels
from simulations.fl.attacks.selection import Indices
from simulations.fl.snapshots.figure import (
    ATTACK,
    HONEST,
    INK,
    MUTED,
    new_figure,
    set_title,
    show_image,
)
from simulations.fl.snapshots.grid import COLUMNS, ImageGrid
from simulations.fl.snapshots.samples import Comparison, Region, Stage, stacked


def before_after(comparison: Comparison, indices: Indices, title: str) -> Figure:
    """Draw each sample before and after with their difference, or once if only labels changed."""
    shown = comparison.at(indices)
    rows = _rows(shown)
    grid = ImageGrid(len(indices), len(rows), title, "sample number, label before → after")
    for place, index in enumerate(indices):
        before, after = int(shown.labels_before[place]), int(shown.labels_after[place])
        style = (INK, "normal") if before == after else (ATTACK, "bold")
        grid.above(place, _caption(index, before, after), *style)
        for row, (name, images, options) in enumerate(rows):
            grid.image(place, row, images[place], **options)
            if place % COLUMNS == 0:
                grid.name_row(place, row, name)
    return grid.figure


def _rows(shown: Comparison) -> list[tuple[str, Images, dict[str, Any]]]:
    change = shown.after - shown.before
    limit = float(np.abs(change).max(initial=0))
    if limit == 0:
        return [("image", shown.before, {})]
    signed = {"cmap": "RdBu_r", "vmin": -limit, "vmax": limit}
    difference = change.mean(axis=1, keepdims=True)
    return [
        ("before", shown.before, {}),
        ("after", shown.after, {}),
        (f"change\n±{limit:.2g}", difference, signed),
    ]


def _caption(index: int, before: int, after: int) -> str:
    return f"#{index}\n{before}" if before == after else f"#{index}\n{before} → {after}"


def difference_heatmap(comparison: Comparison, title: str) -> Figure:
    """Draw where the changed images changed on average, beside their mean before the attack."""
    changed = comparison.changed_samples()
    before, after = comparison.before[changed], comparison.after[changed]
    heat = np.abs(after - before, dtype=np.float64).mean(axis=(0, 1), keepdims=True)[0]
    figure = new_figure(7.2, 3.6)
    set_title(figure, title, f"mean over the {len(before)} changed of {len(changed)} images")
    mean, change = figure.subplots(1, 2)
    show_image(mean, before.mean(axis=0))
    mean.set_xlabel("mean image before", fontsize=9, color=INK)
    show_image(change, heat, cmap="inferno", vmax=heat.max())
    change.set_xlabel("mean absolute change", fontsize=9, color=INK)
    bar = figure.colorbar(change.images[0], ax=change, fraction=0.046, pad=0.04)
    bar.set_label("brightness, 0 to 1", fontsize=8, color=MUTED)
    bar.ax.tick_params(labelsize=8, colors=MUTED)
    return figure


def trigger_grid(
    images: Images, labels: Labels, indices: Indices, region: Region, title: str
) -> Figure:
    """Draw stamped images with a frame around the part that was changed."""
    down, right = region
    size = f"{down.stop - down.start}x{right.stop - right.start}"
    where = f"frame: the {size} pixels from row {down.start}, column {right.start}"
    grid = ImageGrid(len(indices), 1, title, where)
    for place, index in enumerate(indices):
        grid.image(place, 0, images[index])
        grid.mark(place, 0, images[index], region)
        grid.above(place, f"#{index}\ntaught as {labels[index]}")
    return grid.figure


def prediction_grid(
    comparison: Comparison, indices: Indices, predicted: Labels, title: str
) -> Figure:
    """Draw poisoned images with what the client's trained model takes them for."""
    shown = comparison.at(indices)
    meaning = "blue: the label before the attack, red: what the attacker wants instead"
    grid = ImageGrid(len(indices), 1, title, meaning, foot=1)
    for place, index in enumerate(indices):
        before, after = int(shown.labels_before[place]), int(shown.labels_after[place])
        guess = int(predicted[place])
        colour = HONEST if guess == before else ATTACK if guess == after else MUTED
        grid.image(place, 0, shown.after[place])
        grid.above(place, _caption(index, before, after))
        grid.below(place, 0, f"predicted {guess}", colour, "bold")
    return grid.figure


def composite(
    comparison: Comparison, indices: Indices, stages: Sequence[Stage], title: str
) -> Figure:
    """Draw how samples pass through the attacks of a stack, one row after each attack."""
    indices = indices[:COLUMNS]
    names = ["before", *(stage.attack_type.replace("_", "\n") for stage in stages)]
    labels = [comparison.labels_before, *(stage.labels for stage in stages)]
    grid = ImageGrid(len(indices), len(names), title, "each row adds one attack", foot=1)
    for row, images in enumerate(stacked(comparison.before, stages)):
        grid.name_row(0, row, names[row])
        for place, index in enumerate(indices):
            label = int(labels[row][index])
            changed = row > 0 and label != int(labels[row - 1][index])
            style = (ATTACK, "bold") if changed else (MUTED, "normal")
            grid.image(place, row, images[index])
            grid.below(place, row, f"label {label}", *style)
    for place, index in enumerate(indices):
        grid.above(place, f"#{index}")
    return grid.figure
