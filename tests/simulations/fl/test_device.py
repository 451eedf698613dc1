from __future__ import annotations

import os
from collections.abc import Callable

import pytest
import torch

from simulations.fl import device
from simulations.fl.config import SimulationConfig
from simulations.fl.errors import DeviceError

Resolved = Callable[..., SimulationConfig]
no_gpu = pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")


@no_gpu
def test_auto_takes_the_cpu_without_a_gpu() -> None:
    assert device.choose("auto") == torch.device("cpu")


@no_gpu
@pytest.mark.parametrize("wanted", ["gpu", "cuda"])
def test_a_gpu_is_never_replaced_silently(wanted: str) -> None:
    with pytest.raises(DeviceError, match=f"training_device '{wanted}' needs a CUDA GPU"):
        device.choose(wanted)


@pytest.mark.parametrize(
    ("cores", "cpus_per_client", "given", "clients", "expected"),
    [
        (8, 1, None, 10, 8),
        (8, 3, None, 10, 2),
        (8, 16, None, 10, 1),
        (8, 1, None, 4, 4),
        (2, 1, 5, 10, 5),
        (2, 1, 5, 3, 3),
    ],
)
def test_workers_follow_from_cores_and_clients(
    resolved: Resolved,
    monkeypatch: pytest.MonkeyPatch,
    cores: int,
    cpus_per_client: int,
    given: int | None,
    clients: int,
    expected: int,
) -> None:
    monkeypatch.setattr(device, "available_cores", lambda: cores)
    config = resolved(num_of_clients=clients, cpus_per_client=cpus_per_client).strategies[0]
    assert device.num_workers(config, torch.device("cpu"), given) == expected
    assert device.num_workers(config, torch.device("cuda"), given) == 1


def test_available_cores_honour_the_affinity_of_the_process() -> None:
    assert device.available_cores() == len(os.sched_getaffinity(0))


def test_seeded_draws_follow_from_the_seed_and_leave_no_trace() -> None:
    cpu = torch.device("cpu")
    before = torch.random.get_rng_state()
    with device.seeded(4, cpu):
        one = torch.rand(3)
    with device.seeded(4, cpu):
        assert torch.equal(torch.rand(3), one)
    assert torch.equal(torch.random.get_rng_state(), before)
