"""How many weights networks have, known without torch: shape is (channels, height, width)."""

from __future__ import annotations

from itertools import pairwise
from math import prod

Shape = tuple[int, int, int]
MLP_HIDDEN = (200, 200)
RESNET_WIDTHS = (16, 32, 64)


def logreg(shape: Shape, num_classes: int) -> int:
    return _dense(prod(shape), num_classes)


def mlp(shape: Shape, num_classes: int) -> int:
    return _chain(prod(shape), *MLP_HIDDEN, num_classes)


def cnn(shape: Shape, num_classes: int) -> int:
    return _two_hidden_layers(shape, num_classes, filters=(16, 32), hidden=(128, 64))


def cnn_small(shape: Shape, num_classes: int) -> int:
    return _two_hidden_layers(shape, num_classes, filters=(6, 16), hidden=(64, 32))


def cnn_wide(shape: Shape, num_classes: int) -> int:
    channels, height, width = shape
    pixels = (height // 4) * (width // 4)
    return _convolutions(channels, 32, 64) + _chain(64 * pixels, 512, num_classes)


def resnet_gn(shape: Shape, num_classes: int) -> int:
    first, *_, last = RESNET_WIDTHS
    blocks = pairwise((first, *RESNET_WIDTHS))
    stem = 9 * shape[0] * first + _norm(first)
    return stem + sum(_block(*widths) for widths in blocks) + _dense(last, num_classes)


def halved_twice(side: int) -> int:
    """Return what two convolutions of 5 without padding, each with a pooling of 2, leave."""
    for _ in range(2):
        side = (side - 4) // 2
    return side


def _two_hidden_layers(
    shape: Shape, num_classes: int, filters: tuple[int, int], hidden: tuple[int, int]
) -> int:
    channels, height, width = shape
    pixels = halved_twice(height) * halved_twice(width)
    dense = _chain(filters[1] * pixels, *hidden, num_classes)
    return _convolutions(channels, *filters) + dense


def _convolutions(*widths: int) -> int:
    return _chain(*widths, kernel=25)


def _chain(*widths: int, kernel: int = 1) -> int:
    return sum(_dense(kernel * before, after) for before, after in pairwise(widths))


def _dense(before: int, after: int) -> int:
    return (before + 1) * after


def _block(before: int, after: int) -> int:
    main = 9 * (before + after) * after + 2 * _norm(after)
    return main if before == after else main + before * after + _norm(after)


def _norm(width: int) -> int:
    return 2 * width
