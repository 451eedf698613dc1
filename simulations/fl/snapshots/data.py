"""Snapshots of what data attacks did to a client's training samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulations.fl.atomic import write_text
from simulations.fl.attacks.base import Images, Labels
from simulations.fl.attacks.selection import Indices
from simulations.fl.snapshots import image_figures, label_figures, text_diff, text_figures
from simulations.fl.snapshots.figure import save_png
from simulations.fl.snapshots.records import (
    Request,
    SavedSnapshot,
    heading,
    snapshot_folder,
    write_pickle,
    write_record,
)
from simulations.fl.snapshots.samples import (
    Comparison,
    Region,
    Stage,
    changed_images,
    changed_region,
    confusion,
    flip_summary,
    shown_indices,
    stacked,
)

Predict = Callable[[Any], Labels]
TRIGGER_SHARE = 0.5


@dataclass(frozen=True)
class View:
    """What the figures of one snapshot show: the samples at `indices`, of all that changed."""

    comparison: Comparison
    stages: Sequence[Stage]
    indices: Indices
    predicted: Labels | None
    title: str


def save_data_snapshot(
    request: Request,
    samples: Any,
    labels: Labels,
    stages: Sequence[Stage],
    predict: Predict | None = None,
) -> SavedSnapshot:
    """Write what the attacks of `stages`, in their order, did to a client's `samples`.

    `predict` gives the trained model's classes (k,) for k of the samples; only the samples that
    are shown are asked for. Raises StorageError when a file cannot be written.
    """
    comparison = Comparison(samples, stages[-1].samples, labels, stages[-1].labels)
    indices = shown_indices(comparison, request.max_samples)
    predicted = predict(comparison.at(indices).after) if predict and len(indices) else None
    title = heading(request, (stage.attack_type for stage in stages))
    view = View(comparison, stages, indices, predicted, title)
    folder = snapshot_folder(request, "data")
    visualizations = _figures(folder, view) if request.with_figures else {}
    if request.with_pickle:
        write_pickle(folder, _content(view))
    attacks = [(stage.attack_type, stage.settings) for stage in stages]
    return write_record(request, "data", attacks, _details(view), visualizations)


def _figures(folder: Path, view: View) -> dict[str, Any]:
    comparison = view.comparison
    files = (_text_figures if comparison.is_text else _image_figures)(folder, view)
    if comparison.changed_labels().any():
        figure = label_figures.confusion_matrix(
            comparison.labels_before, comparison.labels_after, view.title
        )
        files["confusion_matrix"] = save_png(figure, folder / "confusion_matrix.png")
        files.setdefault("primary", files["confusion_matrix"])
    return files


def _image_figures(folder: Path, view: View) -> dict[str, Any]:
    shown = (view.comparison, view.indices)
    figures = {"primary": image_figures.before_after(*shown, view.title)}
    if view.comparison.changed_samples().any():
        figures["difference_heatmap"] = image_figures.difference_heatmap(
            view.comparison, view.title
        )
    if view.predicted is not None:
        figures["prediction_grid"] = image_figures.prediction_grid(
            *shown, view.predicted, view.title
        )
    if len(view.stages) > 1:
        figures["comparison"] = image_figures.composite(*shown, view.stages, view.title)
    files: dict[str, Any] = {
        role: save_png(figure, folder / f"{'before_after' if role == 'primary' else role}.png")
        for role, figure in figures.items()
    }
    trigger = _trigger_grid(folder, view)
    return files | ({"additional": {"trigger_grid": trigger}} if trigger else {})


def _trigger_grid(folder: Path, view: View) -> str | None:
    """Draw the first attack whose changes all lie in one small part of the image."""
    comparison, indices = view.comparison, view.indices
    for stage, before in zip(view.stages, stacked(comparison.before, view.stages), strict=False):
        region = changed_region(before, stage.samples)
        if region is None or not _is_small(region, stage.samples):
            continue
        stamped = indices[changed_images(before[indices], stage.samples[indices])]
        if len(stamped):
            figure = image_figures.trigger_grid(
                comparison.after, comparison.labels_after, stamped, region, view.title
            )
            return save_png(figure, folder / "trigger_grid.png")
    return None


def _is_small(region: Region, images: Images) -> bool:
    down, right = region
    height, width = images.shape[2:]
    pixels = (down.stop - down.start) * (right.stop - right.start)
    return bool(pixels <= TRIGGER_SHARE * height * width)


def _text_figures(folder: Path, view: View) -> dict[str, Any]:
    write_text(folder / "diff.html", text_diff.page(view.comparison, view.indices, view.title))
    files: dict[str, Any] = {"html_diff": "diff.html"}
    counts = text_diff.replaced_words(view.comparison)
    if counts:
        figure = text_figures.replaced_words(counts, view.title)
        files["primary"] = save_png(figure, folder / "replaced_words.png")
    return files


def _details(view: View) -> dict[str, Any]:
    comparison, indices, predicted = view.comparison, view.indices, view.predicted
    before, after = comparison.labels_before, comparison.labels_after
    classes, counts = confusion(before, after)
    details: dict[str, Any] = {
        "modality": "text" if comparison.is_text else "image",
        "num_samples": len(before),
        "num_changed_samples": int(comparison.changed_samples().sum()),
        "num_changed_labels": int(comparison.changed_labels().sum()),
        "flip_summary": flip_summary(before, after),
        "confusion": {"classes": classes.tolist(), "counts": counts.tolist()},
        "shown": [
            {"sample": int(index), "label_before": int(old), "label_after": int(new)}
            for index, old, new in zip(indices, before[indices], after[indices], strict=True)
        ],
    }
    if predicted is not None:
        for sample, guess in zip(details["shown"], predicted, strict=True):
            sample["predicted"] = int(guess)
    if comparison.is_text:
        for sample, index in zip(details["shown"], indices, strict=True):
            texts = comparison.before[index], comparison.after[index]
            sample["pieces"] = text_diff.pieces(*texts)
        details["replaced_words"] = [
            {"before": old, "after": new, "count": count}
            for (old, new), count in text_diff.replaced_words(comparison).most_common(50)
        ]
    return details


def _content(view: View) -> dict[str, Any]:
    shown = view.comparison.at(view.indices)
    return {
        "indices": view.indices,
        "samples_before": shown.before,
        "samples_after": shown.after,
        "labels_before": shown.labels_before,
        "labels_after": shown.labels_after,
        "predicted": view.predicted,
    }
