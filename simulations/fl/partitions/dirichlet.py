"""Label skew by Dirichlet-distributed shares (Hsu et al. 2019, arXiv 1909.06335)."""

from __future__ import annotations

import numpy as np
from datasets import Dataset
from flwr_datasets.partitioner import DirichletPartitioner
from numpy.typing import NDArray

from simulations.fl.errors import DataError
from simulations.fl.partitions.params import DirichletParams


def divide(
    labels: NDArray[np.int64], num_clients: int, rng: np.random.Generator, params: DirichletParams
) -> list[NDArray[np.int64]]:
    """Give each client a share of each class drawn from Dirichlet(alpha)."""
    partitioner = DirichletPartitioner(
        num_partitions=num_clients,
        partition_by="label",
        alpha=params.alpha,
        min_partition_size=params.min_partition_size,
        self_balancing=params.self_balancing,
        seed=int(rng.integers(2**31)),
    )
    partitioner.dataset = Dataset.from_dict({"label": labels, "sample": np.arange(len(labels))})
    try:
        parts = [partitioner.load_partition(client) for client in range(num_clients)]
    except ValueError as error:
        raise DataError(f"partitioning_params: {error}") from None
    return [np.sort(np.asarray(part["sample"], dtype=np.int64)) for part in parts]
