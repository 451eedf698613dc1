from __future__ import annotations

import torch
from torch import nn

from simulations.fl.parameters import FlatModel


class Tied(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Linear(4, 4, bias=False)
        self.norm = nn.BatchNorm1d(4)
        self.out = nn.Linear(4, 4, bias=False)
        self.out.weight = self.embed.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = self.out(self.norm(self.embed(x)))
        return answer


def test_the_vector_holds_each_floating_tensor_once_in_order() -> None:
    module = Tied()
    mean, variance = module.norm.running_mean, module.norm.running_var
    assert mean is not None and variance is not None
    expected = [module.embed.weight, module.norm.weight, module.norm.bias, mean, variance]
    wanted = torch.cat([tensor.detach().reshape(-1).clone() for tensor in expected])
    model = FlatModel(module)
    assert torch.equal(model.vector, wanted)
    assert [name for name, _, _ in model.layout.tensors] == [
        "embed.weight",
        "norm.weight",
        "norm.bias",
        "norm.running_mean",
        "norm.running_var",
    ]
    assert [(offset, size) for _, offset, size in model.layout.tensors] == [
        (0, 16),
        (16, 4),
        (20, 4),
        (24, 4),
        (28, 4),
    ]


def test_a_frozen_parameter_is_no_part_of_the_vector_but_stays_in_the_network() -> None:
    module = Tied()
    module.embed.weight.requires_grad_(False)
    kept = module.embed.weight.detach().clone()
    model = FlatModel(module)
    names = [name for name, _, _ in model.layout.tensors]
    assert names == ["norm.weight", "norm.bias", "norm.running_mean", "norm.running_var"]
    model.load(torch.zeros(16), model.integers())
    assert torch.equal(module.embed.weight, kept)


def test_training_writes_through_to_the_vector() -> None:
    model = FlatModel(Tied())
    before = model.vector.clone()
    optimizer = torch.optim.SGD(model.module.parameters(), lr=0.5)
    model.module.train()
    model.module(torch.randn(8, 4)).square().sum().backward()
    optimizer.step()
    changed = (model.vector != before).view(-1, 4).any(1)
    assert changed.all()
    assert model.integers().tolist() == [1]
    assert isinstance(model.module, Tied)
    assert model.module.out.weight is model.module.embed.weight


def test_loading_replaces_the_whole_state() -> None:
    one, other = FlatModel(Tied()), FlatModel(Tied())
    one.module.train()
    one.module(torch.randn(8, 4))
    other.load(one.vector, one.integers())
    for name, tensor in one.module.state_dict().items():
        assert torch.equal(other.module.state_dict()[name], tensor), name
    other.vector.zero_()
    assert one.vector.any()


def test_a_network_without_counters_has_no_integers() -> None:
    assert FlatModel(nn.Linear(2, 2)).integers().shape == (0,)
