"""Networks by keyword. Adding one is a file in this folder and an entry in this table.

Entries hold dotted paths, because the web process reads this table and must not load torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from simulations.fl.networks import sizes


@dataclass(frozen=True)
class NetworkSpec:
    """A network: `path` names build(shape, num_classes), shape (channels, height, width).

    That of a transformer is build(settings), with the TransformerSettings of its module.

    A "cnn" is any network of images. `min_side` is the least height and width of an image, in
    pixels, that it can take; `num_parameters` (shape, num_classes) tells how many weights it has,
    None where that is not known before it is built.
    """

    path: str
    title: str
    model_type: Literal["cnn", "transformer"]
    min_side: int = 1
    num_parameters: Callable[[sizes.Shape, int], int] | None = None


NETWORKS: dict[str, NetworkSpec] = {
    "cnn": NetworkSpec(
        "simulations.fl.networks.cnn:build", "CNN 16-32, for 28x28", "cnn", 16, sizes.cnn
    ),
    "cnn_small": NetworkSpec(
        "simulations.fl.networks.cnn:build_small",
        "CNN 6-16, for small 28x28 sets",
        "cnn",
        16,
        sizes.cnn_small,
    ),
    "cnn_wide": NetworkSpec(
        "simulations.fl.networks.cnn:build_wide",
        "CNN 32-64, for any size",
        "cnn",
        4,
        sizes.cnn_wide,
    ),
    "mlp": NetworkSpec(
        "simulations.fl.networks.mlp:build", "Two hidden layers of 200", "cnn", 1, sizes.mlp
    ),
    "logreg": NetworkSpec(
        "simulations.fl.networks.logreg:build", "Logistic regression", "cnn", 1, sizes.logreg
    ),
    "resnet_gn": NetworkSpec(
        "simulations.fl.networks.resnet_gn:build",
        "ResNet-8 with group normalisation",
        "cnn",
        4,
        sizes.resnet_gn,
    ),
    "transformer": NetworkSpec(
        "simulations.fl.networks.transformer:build", "BERT-family encoder", "transformer"
    ),
}
