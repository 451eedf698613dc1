from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets_app.catalog.image_data import ImageData
from intellifl.environment import ROOT
from simulations.fl import label_distribution
from simulations.fl.config import SimulationConfig
from simulations.fl.label_distribution import (
    LabelDistribution,
    class_counts,
    heterogeneity,
    total_variation,
)
from simulations.fl.simulation import run

Resolved = Callable[..., SimulationConfig]
DIRICHLET = {"partitioning_strategy": "dirichlet", "partitioning_params": {"alpha": 0.4}}
ATTACK = {
    "attack_type": "targeted_label_flipping",
    "source_class": 7,
    "target_class": 2,
    "start_round": 1,
    "end_round": 1,
    "selection_strategy": "specific",
    "malicious_client_ids": [3, 1],
}


def content(run_dir: Path, number: int = 0) -> Any:
    return json.loads((run_dir / f"partition_{number}.json").read_text())


def play(config: SimulationConfig, data: ImageData, run_dir: Path, workers: int = 1) -> Any:
    return list(run(config, lambda _: data, run_dir=run_dir, workers=workers))


def test_classes_are_counted_by_client() -> None:
    labels = np.array([0, 2, 2, 1, 0, 2])
    parts = [np.array([0, 1, 2]), np.array([5, 3])]
    assert class_counts(parts, labels, 4).tolist() == [[1, 0, 2, 0], [0, 1, 1, 0]]


def test_total_variation_is_half_the_difference_to_all_clients_together() -> None:
    # Together 50 %, 25 %, 25 %; the first client has 75 %, 25 %, 0 %, the second 25 %, 25 %, 50 %.
    counts = np.array([[3, 1, 0], [1, 1, 2]])
    assert total_variation(counts).tolist() == pytest.approx([0.25, 0.25])
    # A large client is nearer to the whole than a small one that differs from it.
    assert total_variation(np.array([[90, 0], [0, 10]])).tolist() == pytest.approx([0.1, 0.9])
    assert total_variation(np.array([[4, 2], [10, 5]])).tolist() == pytest.approx([0, 0])


def test_the_numbers_of_heterogeneity_are_these() -> None:
    counts = np.array([[6, 0], [0, 2], [2, 2]])
    assert heterogeneity(LabelDistribution(counts.sum(axis=1), counts)) == {
        "size_min": 2,
        "size_median": 4.0,
        "size_max": 6,
        "size_variation": pytest.approx(np.sqrt(8 / 3) / 4, abs=1e-6),
        "total_variation_mean": pytest.approx((1 / 3 + 2 / 3 + 1 / 6) / 3, abs=1e-6),
        "total_variation_max": pytest.approx(2 / 3, abs=1e-6),
        "classes_min": 1,
        "classes_mean": pytest.approx(4 / 3, abs=1e-6),
    }


def test_samples_without_labels_have_sizes_only(tmp_path: Path) -> None:
    spread = LabelDistribution(np.array([3, 5]), None)
    assert set(heterogeneity(spread)) == {"size_min", "size_median", "size_max", "size_variation"}
    label_distribution.write(tmp_path, 0, spread)
    assert content(tmp_path)["class_counts"] is None
    read = label_distribution.read(tmp_path, 0)
    assert read is not None and read.counts is None and read.sizes.tolist() == [3, 5]


def test_a_folder_without_the_file_has_nothing_to_read(tmp_path: Path) -> None:
    assert label_distribution.read(tmp_path, 0) is None


def test_a_run_tells_what_each_client_got(
    resolved: Resolved, digits: ImageData, tmp_path: Path
) -> None:
    attacked = {**DIRICHLET, "attack_schedule": [ATTACK], "num_of_rounds": 1}
    size = {
        "partitioning_strategy": "size",
        "partitioning_params": {"partition_sizes": [10, 20, 30, 40]},
        "num_of_rounds": 1,
    }
    started = [
        e for e in play(resolved(attacked, size), digits, tmp_path) if hasattr(e, "client_sizes")
    ]
    first, second = content(tmp_path, 0), content(tmp_path, 1)
    assert first["sizes"] == started[0].client_sizes
    assert np.sum(first["class_counts"], axis=1).tolist() == first["sizes"]
    assert (
        np.sum(first["class_counts"], axis=0).tolist() == np.bincount(digits.train_labels).tolist()
    )
    assert (first["attackers"], first["target_classes"]) == ([1, 3], [2])
    assert first["unused"] == 0
    assert first["partitioning_params"] == {
        "alpha": 0.4,
        "min_partition_size": 1,
        "self_balancing": True,
    }
    assert first["class_names"] == [str(label) for label in range(10)]
    assert second["sizes"] == [10, 20, 30, 40] and second["unused"] == 140
    assert (second["attackers"], second["target_classes"]) == ([], [])
    read = label_distribution.read(tmp_path, 0)
    assert read is not None and read.counts is not None
    assert read.counts.tolist() == first["class_counts"] and read.attackers == [1, 3]


def test_the_partition_does_not_depend_on_how_clients_are_computed(
    resolved: Resolved, digits: ImageData, tmp_path: Path
) -> None:
    written = []
    for workers in (1, 2, 3):
        folder = tmp_path / str(workers)
        play(resolved(**DIRICHLET, num_of_rounds=1), digits, folder, workers)
        written.append((folder / "partition_0.json").read_bytes())
    assert written[0] == written[1] == written[2]


def test_a_resumed_run_tells_the_same(
    resolved: Resolved, digits: ImageData, tmp_path: Path
) -> None:
    config, path = resolved(**DIRICHLET), tmp_path / "partition_0.json"
    interrupted = run(config, lambda _: digits, run_dir=tmp_path, workers=1)
    while next(interrupted).kind != "round_finished":
        pass
    next(interrupted)
    interrupted.close()
    before = path.read_bytes()
    path.unlink()
    kinds = [
        e.kind for e in run(config, lambda _: digits, run_dir=tmp_path, workers=1, resume=True)
    ]
    assert 0 < kinds.count("round_finished") < 3
    assert path.read_bytes() == before


def test_it_does_not_depend_on_the_process() -> None:
    """Sets and dictionaries of strings have another order in each process."""
    code = (
        "import numpy as np; from simulations.fl.partition import Population, partition; "
        "labels = np.random.default_rng(0).integers(0, 9, 400); "
        "ids = np.array([f'w{n}' for n in np.random.default_rng(1).integers(0, 50, 400)]); "
        "data = Population(400, labels, ids); "
        "params = {'grouped_natural_id': {'group_size': 3}, "
        "'pathological': {'num_classes_per_partition': 2}}; "
        "names = ('iid', 'dirichlet', 'pathological', 'natural_id', 'grouped_natural_id'); "
        "print([[p.tolist() for p in partition(name, params.get(name, {}), data, 8, "
        "np.random.default_rng(5))] for name in names])"
    )
    outputs = [
        subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            env={"PYTHONHASHSEED": seed, "PATH": ""},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert outputs[0] == outputs[1] and len(outputs[0]) > 1000
