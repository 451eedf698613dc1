"""The device that a configuration asks for, and how many clients train on it at once."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from simulations.fl.config import StrategyConfig
from simulations.fl.errors import DeviceError

ROUNDING = 1e-9
"""1 / (1 / n) is meant to be n."""


def choose(training_device: str) -> torch.device:
    """Return the device of `training_device`: cpu, gpu (or cuda), or auto: a GPU if there is one.

    Raises DeviceError when a GPU is asked for and there is none.
    """
    has_gpu = torch.cuda.is_available()
    if training_device == "cpu" or (training_device == "auto" and not has_gpu):
        return torch.device("cpu")
    if not has_gpu:
        raise DeviceError(
            f"training_device {training_device!r} needs a CUDA GPU, but torch {torch.__version__} "
            'finds none on this machine; use "cpu" or "auto"'
        )
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.benchmark = False
    return torch.device("cuda", torch.cuda.current_device())


def describe(device: torch.device) -> str:
    """Return the device for people: "cpu", or the GPU with its name."""
    if device.type == "cpu":
        return "cpu"
    return f"{device} ({torch.cuda.get_device_name(device)})"


def synchronise(device: torch.device) -> None:
    """Wait for what the device still computes, so that a clock can be read."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def num_workers(config: StrategyConfig, device: torch.device, given: int | None) -> int:
    """Return how many clients train at once: `given`, or as many as the cores allow.

    On a GPU it is one, in the engine's own process.
    """
    if device.type == "cuda":
        return 1
    if given is None:
        given = available_cores() // config.cpus_per_client
    return max(1, min(given, config.num_of_clients))


def clients_at_once(config: StrategyConfig) -> int:
    """Return how many clients fit on a GPU together: one, unless a share of it is asked for."""
    share = config.gpus_per_client
    return max(1, math.floor(1 / share + ROUNDING)) if share > 0 else 1


def available_cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch use one thread: sums keep their order, and workers can be forked safely."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators, which layers draw from, and put them back afterwards.

    `torch.manual_seed` is not used: for devices that are not there it formats a stack trace each
    time, which takes as long as training a small client.
    """
    generators = [torch.default_generator]
    if device.type == "cuda":
        torch.cuda.init()  # type: ignore[no-untyped-call]
        generators.append(torch.cuda.default_generators[device.index or 0])
    before = [generator.get_state() for generator in generators]
    for generator in generators:
        generator.manual_seed(seed)
    try:
        yield
    finally:
        for generator, state in zip(generators, before, strict=True):
            generator.set_state(state)
