"""Where the model and the updates of a round lie: memory that forked workers share, or a file.

Neither leaves anything behind: memory is anonymous, and the file has no name.
"""

from __future__ import annotations

import logging
import mmap
import os
import tempfile
from pathlib import Path

import torch
from torch import Tensor

from simulations.fl.backends.base import Exchange, Work
from simulations.fl.errors import DeviceError, StorageError

SMALL_BYTES = 256 << 20
"""Below this nobody looks how much memory there is."""
MOST_OF_FREE = 0.5
logger = logging.getLogger(__name__)


def reserve(work: Work, num_rows: int, folder: Path | None) -> Exchange:
    """Reserve the exchange of `num_rows` updates, which a fork inherits unless it is on a GPU.

    Updates of more than half of the memory that is free go to a file in `folder`, or where
    temporary files are: every rule needs all of them, fedavg for the distances it reports. Raises
    StorageError when there is no room for that either.
    """
    d, k = work.num_parameters, work.num_integers
    if work.device.type != "cpu":
        return Exchange(
            vector=torch.zeros(d, device=work.device),
            integers=torch.zeros(k, dtype=torch.int64),
            updates=torch.zeros(num_rows, d, device=work.device),
        )
    return Exchange(
        vector=_in_memory((d,), torch.float32),
        integers=_in_memory((k,), torch.int64),
        updates=_updates((num_rows, d), folder),
    )


def _updates(shape: tuple[int, int], folder: Path | None) -> Tensor:
    size_bytes = _size(shape, torch.float32)
    if size_bytes <= SMALL_BYTES:
        return _in_memory(shape, torch.float32)
    # Imported where it is needed: most runs do without it.
    import psutil

    free = psutil.virtual_memory().available
    if size_bytes <= MOST_OF_FREE * free:
        return _in_memory(shape, torch.float32)
    logger.warning(
        "the updates of a round take %.1f GB and %.1f GB of memory are free, so they are kept in "
        "a file, which is slower; use fewer clients a round or a smaller network",
        size_bytes / 1e9,
        free / 1e9,
    )
    return _in_file(shape, torch.float32, folder or Path(tempfile.gettempdir()))


def _in_file(shape: tuple[int, ...], dtype: torch.dtype, folder: Path) -> Tensor:
    size_bytes = _size(shape, dtype)
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            # Without room for all of it, a worker would die of the first page that has none.
            os.posix_fallocate(file.fileno(), 0, size_bytes)
            memory = mmap.mmap(file.fileno(), size_bytes)
    except OSError as error:
        raise StorageError(
            f"the updates of a round need {size_bytes / 1e9:.1f} GB, which neither memory nor "
            f"{folder} has ({error.strerror}); make room there, or use fewer clients a round or a "
            "smaller network"
        ) from error
    return torch.frombuffer(memory, dtype=dtype).view(shape)


def _in_memory(shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    size_bytes = _size(shape, dtype)
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


def _size(shape: tuple[int, ...], dtype: torch.dtype) -> int:
    return torch.Size(shape).numel() * dtype.itemsize
