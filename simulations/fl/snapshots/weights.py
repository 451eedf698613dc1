"""Snapshots of what weight attacks made of a client's update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from simulations.fl.attacks.base import Layout
from simulations.fl.snapshots import weight_figures
from simulations.fl.snapshots.figure import save_png
from simulations.fl.snapshots.records import (
    Request,
    SavedSnapshot,
    heading,
    snapshot_folder,
    write_pickle,
    write_record,
)

if TYPE_CHECKING:
    from torch import Tensor

Vector = NDArray[np.float64]
MOST_COORDINATES = 10_000


def save_weight_snapshot(
    request: Request,
    attacks: Sequence[tuple[str, Mapping[str, Any]]],
    trained: Tensor,
    sent: Tensor,
    start: Tensor,
    layout: Layout,
) -> SavedSnapshot:
    """Write what `attacks`, as (keyword, settings) in their order, made of the honest update.

    `trained`, `sent` and the global vector `start` are (d,). The pickle holds at most 10,000
    coordinates, evenly spread. Coordinates that are not finite are counted and left out of the
    figures. Raises StorageError when a file cannot be written.
    """
    origin = _numbers(start)
    honest, forged = _numbers(trained) - origin, _numbers(sent) - origin
    unusable = ~(np.isfinite(honest) & np.isfinite(forged))
    honest[unusable] = forged[unusable] = 0
    layers = [
        {"name": name, "size": numel, **_compared(honest[at], forged[at])}
        for name, at, numel in _slices(layout)
    ]
    whole = _compared(honest, forged)
    folder = snapshot_folder(request, "weights")
    visualizations: dict[str, Any] = {}
    if request.with_figures:
        title = heading(request, (name for name, _ in attacks))
        visualizations = _figures(folder, honest, forged, layers, whole, title)
    if request.with_pickle:
        write_pickle(folder, _content(honest, forged, layers))
    details: dict[str, Any] = {
        "modality": "weights",
        "flip_summary": {},
        "non_finite_coordinates": int(unusable.sum()),
        **whole,
        "layers": layers,
    }
    return write_record(request, "weights", attacks, details, visualizations)


def _figures(
    folder: Path,
    honest: Vector,
    forged: Vector,
    layers: Sequence[Mapping[str, Any]],
    whole: Mapping[str, Any],
    title: str,
) -> dict[str, Any]:
    cosine = "undefined" if whole["cosine"] is None else f"{whole['cosine']:.2f}"
    norms = f"norm {whole['honest_norm']:.3g} → {whole['sent_norm']:.3g}, cosine {cosine}"
    counts = weight_figures.histogram(honest, forged)
    histogram = save_png(
        weight_figures.weight_histogram(counts, title, norms), folder / "weight_histogram.png"
    )
    layer_delta = save_png(
        weight_figures.layer_delta(layers, title), folder / "weight_layer_delta.png"
    )
    return {
        "primary": histogram,
        "weight_histogram": histogram,
        "weight_layer_delta": layer_delta,
    }


def _numbers(vector: Tensor) -> Vector:
    return np.asarray(vector.detach().cpu().numpy(), dtype=np.float64)


def _slices(layout: Layout) -> list[tuple[str, slice, int]]:
    return [(name, slice(at, at + numel), numel) for name, at, numel in layout.tensors]


def _compared(honest: Vector, forged: Vector) -> dict[str, float | None]:
    """Return the norms of both updates and of their difference, and the cosine between them."""
    one, other = float(np.linalg.norm(honest)), float(np.linalg.norm(forged))
    return {
        "honest_norm": one,
        "sent_norm": other,
        "change_norm": float(np.linalg.norm(forged - honest)),
        "cosine": float(honest @ forged) / (one * other) if one and other else None,
    }


def _content(honest: Vector, forged: Vector, layers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    count = min(MOST_COORDINATES, len(honest))
    chosen = np.linspace(0, len(honest) - 1, count).round().astype(np.int64)
    return {
        "indices": chosen,
        "honest_update": honest[chosen].astype(np.float32),
        "sent_update": forged[chosen].astype(np.float32),
        "layers": [dict(layer) for layer in layers],
    }
