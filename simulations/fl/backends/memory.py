"""Memory that forked workers share: anonymous, so that nothing can be left behind."""

from __future__ import annotations

import mmap

import torch
from torch import Tensor

from simulations.fl.backends.base import Exchange, Work
from simulations.fl.errors import DeviceError


def shared_exchange(work: Work, num_rows: int) -> Exchange:
    """Reserve the exchange of `num_rows` updates in memory that a fork inherits."""
    return Exchange(
        vector=_shared((work.num_parameters,), torch.float32),
        integers=_shared((work.num_integers,), torch.int64),
        updates=_shared((num_rows, work.num_parameters), torch.float32),
    )


def private_exchange(work: Work, num_rows: int) -> Exchange:
    """Reserve the exchange of a single worker, on the device it computes on."""
    return Exchange(
        vector=torch.zeros(work.num_parameters, device=work.device),
        integers=torch.zeros(work.num_integers, dtype=torch.int64),
        updates=torch.zeros(num_rows, work.num_parameters, device=work.device),
    )


def _shared(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    size_bytes = torch.Size(shape).numel() * dtype.itemsize
    if size_bytes == 0:
        return torch.zeros(shape, dtype=dtype)
    try:
        memory = mmap.mmap(-1, size_bytes)
    except (OSError, ValueError, OverflowError) as error:
        raise DeviceError(
            f"cannot reserve {size_bytes / 1e9:.1f} GB of memory for the updates of a round "
            f"({error}); use fewer clients a round or a smaller network"
        ) from error
    return torch.frombuffer(memory, dtype=dtype).view(shape)
