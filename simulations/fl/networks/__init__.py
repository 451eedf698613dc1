"""Networks by keyword. Adding one is a file in this folder and an entry in this table.

Entries hold dotted paths, because the web process reads this table and must not load torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class NetworkSpec:
    """A network: `path` names build(shape, num_classes), shape (channels, height, width).

    `min_side` is the least height and width of an image, in pixels, that it can take.
    """

    path: str
    title: str
    model_type: Literal["cnn", "transformer"]
    min_side: int = 1


NETWORKS: dict[str, NetworkSpec] = {
    "cnn": NetworkSpec("simulations.fl.networks.cnn:build", "CNN 16-32, for 28x28", "cnn", 16),
    "cnn_small": NetworkSpec(
        "simulations.fl.networks.cnn:build_small", "CNN 6-16, for small 28x28 sets", "cnn", 16
    ),
    "cnn_wide": NetworkSpec(
        "simulations.fl.networks.cnn:build_wide", "CNN 32-64, for any size", "cnn", 4
    ),
}
