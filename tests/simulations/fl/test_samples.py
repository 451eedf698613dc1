from __future__ import annotations

import numpy as np
import pytest
import torch

from datasets_app.catalog.image_data import ImageData
from simulations.fl.images import FederatedImages
from simulations.fl.samples import channels_last, samples, scaling_of

CPU = torch.device("cpu")


def test_training_images_get_mean_zero_and_deviation_one_in_each_channel() -> None:
    rng = np.random.default_rng(0)
    images = np.stack(
        [rng.integers(0, 256, (50, 6, 6)), rng.integers(100, 140, (50, 6, 6))], axis=1
    ).astype(np.uint8)
    labels = np.zeros(50, dtype=np.int64)
    x, _ = samples(images, labels, scaling_of(images, CPU), CPU).batch(slice(None))
    assert x.mean((0, 2, 3)).abs().max() < 1e-5
    assert (x.std((0, 2, 3), unbiased=False) - 1).abs().max() < 1e-5


def test_a_constant_channel_is_not_divided_by_zero() -> None:
    images = np.full((4, 1, 3, 3), 255, dtype=np.uint8)
    x, _ = samples(images, np.zeros(4, np.int64), scaling_of(images, CPU), CPU).batch(slice(None))
    assert torch.equal(x, torch.zeros_like(x))


def test_bytes_and_floats_of_the_same_image_give_the_same_batch() -> None:
    images = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)
    scaling, labels = scaling_of(images, CPU), np.array([4, 5])
    unit = torch.tensor(images).float().div(255).numpy()
    chosen = torch.tensor([1, 0])
    x, y = samples(images, labels, scaling, CPU).batch(chosen)
    other, _ = samples(unit, labels, scaling, CPU).batch(chosen)
    assert torch.equal(x, other)
    assert y.tolist() == [5, 4]


def test_chunks_cover_all_samples_in_order() -> None:
    images = np.zeros((7, 1, 2, 2), dtype=np.uint8)
    scaling = scaling_of(images, CPU)
    chunks = samples(images, np.arange(7), scaling, CPU).chunks(3)
    assert [labels.tolist() for _, labels in chunks] == [[0, 1, 2], [3, 4, 5], [6]]


@pytest.mark.parametrize("channels", [1, 3])
def test_channels_last_keeps_every_pixel(channels: int) -> None:
    images = torch.randn(2, channels, 4, 5)
    laid_out = channels_last(images)
    assert torch.equal(laid_out, images)
    assert laid_out.stride() == (channels * 20, 1, 5 * channels, channels)


def test_a_client_s_images_are_bytes_until_the_batch(digits: ImageData) -> None:
    data = FederatedImages(digits, CPU)
    rng = np.random.default_rng(0)
    own = data.training(np.arange(0, 240, 7), rng)
    test = data.test(slice(10, 30), rng)
    assert own.images.dtype == test.images.dtype == torch.uint8
    assert own.images.untyped_storage().nbytes() == 35 * 64
    assert own.batch(slice(0, 2))[0].dtype == torch.float32
