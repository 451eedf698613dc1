"""Labels of samples, whose the samples are, and which are held out for testing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Labels = NDArray[np.int64]
Ids = NDArray[np.str_]
HELD_OUT_EVERY = 5


def held_out_samples(labels: Labels) -> NDArray[np.bool_]:
    """Tell for each sample whether it is the fifth, tenth, ... of its class."""
    order = np.argsort(labels, kind="stable")
    by_class = labels[order]
    place = np.empty(len(labels), dtype=np.int64)
    place[order] = np.arange(len(labels)) - np.searchsorted(by_class, by_class)
    held_out: NDArray[np.bool_] = place % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
    return held_out
