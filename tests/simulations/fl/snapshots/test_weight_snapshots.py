from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from simulations.fl import strict_json
from simulations.fl.attacks.base import Layout
from simulations.fl.snapshots.weight_figures import histogram
from simulations.fl.snapshots.weights import save_weight_snapshot

LAYOUT = Layout((("conv.weight", 0, 700), ("conv.bias", 700, 50), ("fc.weight", 750, 250)))


def vectors() -> tuple[torch.Tensor, torch.Tensor]:
    drawn = np.random.default_rng(2).standard_normal((2, 1000)).astype(np.float32)
    start = torch.from_numpy(drawn[0])
    return start + 0.1 * torch.from_numpy(drawn[1]), start


def save(request: Any, sent: torch.Tensor, layout: Layout = LAYOUT) -> tuple[Any, dict[str, Any]]:
    trained, start = vectors()
    saved = save_weight_snapshot(
        request, [("gradient_scaling", {"scale_factor": -3.0})], trained, sent, start, layout
    )
    metadata = strict_json.loads((saved.path / "metadata.json").read_bytes())
    return saved, metadata


def test_norms_and_cosine_are_those_of_the_updates(request_for: Any) -> None:
    trained, start = vectors()
    _, metadata = save(request_for(), start - 3 * (trained - start))
    update = trained.numpy().astype(float) - start.numpy()
    assert metadata["honest_norm"] == pytest.approx(np.linalg.norm(update), rel=1e-5)
    assert metadata["sent_norm"] == pytest.approx(3 * np.linalg.norm(update), rel=1e-4)
    assert metadata["change_norm"] == pytest.approx(4 * np.linalg.norm(update), rel=1e-4)
    assert metadata["cosine"] == pytest.approx(-1, abs=1e-5)
    assert [(layer["name"], layer["size"]) for layer in metadata["layers"]] == [
        ("conv.weight", 700),
        ("conv.bias", 50),
        ("fc.weight", 250),
    ]
    bias = metadata["layers"][1]
    assert bias["honest_norm"] == pytest.approx(np.linalg.norm(update[700:750]), rel=1e-5)
    assert bias["sent_norm"] == pytest.approx(3 * np.linalg.norm(update[700:750]), rel=1e-4)


def test_the_histogram_counts_every_coordinate_once() -> None:
    draw = np.random.default_rng(0)
    honest, sent = draw.standard_normal(500), 8 * draw.standard_normal(500)
    counts = histogram(honest, sent)
    assert sum(counts["honest"]) == sum(counts["sent"]) == 500
    edges = np.array(counts["edges"])
    inside = [int(((honest >= low) & (honest < high)).sum()) for low, high in pairwise(edges)]
    inside[-1] += int((honest == edges[-1]).sum())
    assert counts["honest"] == inside


def test_figures_and_pickle_are_written(request_for: Any) -> None:
    trained, start = vectors()
    saved, metadata = save(request_for(), start + 5 * (trained - start))
    assert saved.path.name == "weights"
    assert metadata["visualizations"] == {
        "primary": "weight_histogram.png",
        "weight_histogram": "weight_histogram.png",
        "weight_layer_delta": "weight_layer_delta.png",
    }
    for name in ("weight_histogram.png", "weight_layer_delta.png"):
        with Image.open(saved.path / name) as image:
            assert 600 < image.width < 1200 and 250 < image.height < 1500
    assert (saved.path / "snapshot.pickle").stat().st_size < 50_000


def test_large_models_are_sampled_and_their_figure_stays_readable(request_for: Any) -> None:
    size = 60 * 1000
    layout = Layout(tuple((f"block.{i}." + "deep." * 9 + "w", i * 1000, 1000) for i in range(60)))
    start = torch.zeros(size)
    trained = torch.from_numpy(np.random.default_rng(0).standard_normal(size).astype(np.float32))
    saved = save_weight_snapshot(
        request_for(), [("model_poisoning", {})], trained, 2 * trained, start, layout
    )
    assert (saved.path / "snapshot.pickle").stat().st_size < 200_000
    with Image.open(saved.path / "weight_layer_delta.png") as image:
        assert image.height < 2000


def test_a_client_that_learned_nothing_can_be_shown(request_for: Any) -> None:
    _, start = vectors()
    saved = save_weight_snapshot(
        request_for(), [("model_poisoning", {})], start.clone(), start.clone(), start, LAYOUT
    )
    metadata = strict_json.loads((saved.path / "metadata.json").read_bytes())
    assert metadata["cosine"] is None and metadata["change_norm"] == 0


def test_values_that_are_not_finite_are_counted(request_for: Any) -> None:
    trained, _ = vectors()
    sent = trained.clone()
    sent[3], sent[800] = float("nan"), float("inf")
    _, metadata = save(request_for(), sent)
    assert metadata["non_finite_coordinates"] == 2
    assert metadata["change_norm"] == 0


def test_the_vectors_stay_as_they_are(request_for: Any) -> None:
    trained, start = vectors()
    kept = trained.clone(), start.clone()
    sent = trained.clone()
    sent[0] = float("nan")
    save_weight_snapshot(request_for(), [("x", {})], trained, sent, start, LAYOUT)
    assert torch.equal(trained, kept[0]) and torch.equal(start, kept[1]) and sent[0].isnan()
