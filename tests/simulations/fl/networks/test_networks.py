from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from torch import nn

from intellifl.environment import ROOT
from simulations.fl import device
from simulations.fl.networks import NETWORKS, NetworkSpec
from simulations.fl.parameters import FlatModel
from simulations.fl.paths import resolve_path

OF_IMAGES = {name: spec for name, spec in NETWORKS.items() if spec.model_type == "cnn"}
SHAPES = [((1, 28, 28), 10), ((3, 32, 32), 100), ((1, 8, 8), 10), ((3, 17, 30), 2), ((1, 4, 4), 3)]


def built(spec: NetworkSpec, shape: tuple[int, int, int], num_classes: int) -> nn.Module:
    network: nn.Module = resolve_path(spec.path)(shape, num_classes)
    return network


@pytest.mark.parametrize("name", sorted(OF_IMAGES))
@pytest.mark.parametrize(("shape", "num_classes"), SHAPES)
def test_the_number_of_weights_is_known_beforehand(
    name: str, shape: tuple[int, int, int], num_classes: int
) -> None:
    spec = OF_IMAGES[name]
    if min(shape[1:]) < spec.min_side:
        return
    network = built(spec, shape, num_classes)
    assert spec.num_parameters is not None
    assert FlatModel(network).vector.numel() == spec.num_parameters(shape, num_classes)


@pytest.mark.parametrize("name", sorted(OF_IMAGES))
def test_it_takes_the_smallest_image_it_claims_to_take(name: str) -> None:
    side = OF_IMAGES[name].min_side
    network = built(OF_IMAGES[name], (1, side, side), 3)
    assert network(torch.randn(2, 1, side, side)).shape == (2, 3)


@pytest.mark.parametrize("name", ["logreg", "mlp", "resnet_gn"])
def test_a_sample_is_judged_alike_whatever_else_is_in_its_batch(name: str) -> None:
    torch.manual_seed(0)
    network, images = built(OF_IMAGES[name], (3, 12, 12), 4), torch.randn(5, 3, 12, 12)
    network.train()
    alone = network(images[:1])
    torch.testing.assert_close(network(images)[:1], alone, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["logreg", "mlp", "resnet_gn"])
def test_it_fits_sixteen_images(name: str) -> None:
    torch.manual_seed(0)
    network = built(OF_IMAGES[name], (1, 8, 8), 4)
    images, labels = torch.randn(16, 1, 8, 8), torch.arange(16) % 4
    optimizer = torch.optim.Adam(network.parameters(), lr=0.01)
    with device.one_thread():
        for _ in range(60):
            optimizer.zero_grad()
            nn.functional.cross_entropy(network(images), labels).backward()
            optimizer.step()
    assert (network(images).argmax(1) == labels).all()


def test_logistic_regression_is_one_matrix_on_pixels_and_a_bias() -> None:
    network, images = built(OF_IMAGES["logreg"], (2, 3, 3), 4), torch.randn(5, 2, 3, 3)
    weight, bias = network.state_dict().values()
    torch.testing.assert_close(network(images), images.reshape(5, 18) @ weight.T + bias)


@pytest.mark.parametrize("name", sorted(OF_IMAGES))
def test_the_documentation_tells_the_number_of_weights(name: str) -> None:
    count = OF_IMAGES[name].num_parameters
    assert count is not None
    text = (Path(ROOT) / "docs" / "datasets.md").read_text(encoding="utf-8")
    row = re.search(rf"^\| `{name}` \|.*$", text, re.MULTILINE)
    assert row is not None, f"docs/datasets.md has no row for {name}"
    for shape in ((1, 28, 28), (3, 32, 32)):
        assert f" {count(shape, 10):,} " in row[0]


def test_counting_loads_no_torch() -> None:
    code = (
        "import sys; from simulations.fl.networks import NETWORKS; "
        "NETWORKS['resnet_gn'].num_parameters((1, 28, 28), 10); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)
    assert done.stdout.strip() == b"False"
