"""Images in memory, and how a test set is held out of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from datasets_app.catalog.labels import Ids, Labels, held_out_samples

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class ImageData:
    """A dataset in memory: images (samples, channels, height, width) from 0 to 255, labels.

    `train_ids` tells whose each training sample is, where the dataset says so. `class_names` has
    one name for each label, from 0 on.
    """

    train_images: Pixels
    train_labels: Labels
    test_images: Pixels
    test_labels: Labels
    train_ids: Ids | None = None
    class_names: tuple[str, ...] = ()


def split(images: Pixels, labels: Labels, ids: Ids | None = None) -> ImageData:
    """Hold out every fifth sample of each class for testing; the order of samples stays."""
    held_out = held_out_samples(labels)
    return ImageData(
        images[~held_out],
        labels[~held_out],
        images[held_out],
        labels[held_out],
        None if ids is None else ids[~held_out],
    )
