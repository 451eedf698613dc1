from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from datasets_app.catalog import storage
from datasets_app.catalog.image_data import ImageData
from simulations.fl.bench.startup import Cost, measure, table

CONFIG: dict[str, Any] = {
    "aggregation_strategy_keyword": "fedavg",
    "dataset_keyword": "digits",
    "num_of_rounds": 1,
    "num_of_clients": 4,
    "training_device": "cpu",
    "seed": 1,
}


def test_measurements_are_shown_as_a_table() -> None:
    costs = [Cost(1000, 4.71, 3.96, 660_400_000, 38.04, 1_897_000_000)]
    assert table(costs).splitlines()[2] == (
        "| 1,000 | 4.7 s | 4.0 s | 660 MB | 38.0 s | 1,897 MB |"
    )


@pytest.mark.slow
def test_a_run_is_measured_from_outside(data_dir: Path) -> None:
    cost = measure(CONFIG, data_dir, workers=2)
    assert cost.num_clients == 4
    assert 0 < cost.round_s < cost.startup_s
    assert cost.startup_cpu_s > 0.5
    # Torch alone takes as much.
    assert 50e6 < cost.startup_bytes < 1e9


@pytest.mark.slow
def test_a_run_that_fails_says_why(tmp_path: Path) -> None:
    broken = {**CONFIG, "num_of_clients": 0}
    with pytest.raises(RuntimeError, match="num_of_clients: must be at least 1"):
        measure(broken, tmp_path, workers=1)


@pytest.mark.slow
def test_a_thousand_clients_of_sixty_thousand_images_fit_into_memory(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    data = ImageData(
        rng.integers(0, 256, (60_000, 1, 28, 28), dtype=np.uint8),
        rng.integers(0, 10, 60_000),
        rng.integers(0, 256, (10_000, 1, 28, 28), dtype=np.uint8),
        rng.integers(0, 10, 10_000),
    )
    with storage.sole_writer(tmp_path / "fashion_mnist") as scratch:
        storage.write(tmp_path / "fashion_mnist", scratch, data)
    config = {
        **CONFIG,
        "dataset_keyword": "fashion_mnist",
        "num_of_clients": 1000,
        "partitioning_strategy": "dirichlet",
        "partitioning_params": {"alpha": 0.3},
        "model_keyword": "logreg",
    }
    cost = measure(config, tmp_path, workers=2)
    assert cost.startup_bytes < 1.5e9 and cost.round_bytes < 1.5e9
