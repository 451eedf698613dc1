"""A network's state as one vector, which is what clients send and strategies aggregate."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from simulations.fl.attacks.base import Layout


class FlatModel:
    """A network whose floating tensors are views into `vector` (d,), in the state dict's order.

    Buffers such as running means are part of the vector; a tensor that two layers share is in it
    once, and a frozen parameter not at all. What is not floating, such as batch counters, is kept
    apart as integers (k,).

    What is trained is `trained`, views of runs of the vector; backward passes add to `gradients`,
    of the same shapes, which are views of one vector as well.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module.float()
        tensors = _distinct(module)
        floating = {name: t for name, t in tensors.items() if t.is_floating_point()}
        self._counters = [t for t in tensors.values() if not t.is_floating_point()]
        self.vector = torch.cat([t.detach().reshape(-1) for t in floating.values()])
        self._shapes = {name: tensor.shape for name, tensor in floating.items()}
        self.layout = self._take_views(floating)
        self._gradient = torch.zeros_like(self.vector)
        self.trained, self.gradients = self._take_gradients(floating)

    def load(self, vector: Tensor, integers: Tensor) -> None:
        """Copy a model's state into this one."""
        self.vector.copy_(vector)
        position = 0
        for counter in self._counters:
            size = counter.numel()
            counter.copy_(integers[position : position + size].view(counter.shape))
            position += size

    def views(self, vector: Tensor) -> dict[str, Tensor]:
        """Return the tensors of the state dict, as views into `vector` (d,)."""
        return {
            name: vector[offset : offset + size].view(self._shapes[name])
            for name, offset, size in self.layout.tensors
        }

    def clear_gradients(self) -> None:
        self._gradient.zero_()

    def integers(self) -> Tensor:
        """Return a copy of the tensors that are not floating, (k,) int64."""
        parts = [counter.detach().reshape(-1).to("cpu", torch.int64) for counter in self._counters]
        return torch.cat(parts) if parts else torch.zeros(0, dtype=torch.int64)

    def _take_views(self, floating: dict[str, Tensor]) -> Layout:
        places: list[tuple[str, int, int]] = []
        offset = 0
        for name, tensor in floating.items():
            size = tensor.numel()
            tensor.data = self.vector[offset : offset + size].view(tensor.shape)
            places.append((name, offset, size))
            offset += size
        return Layout(tuple(places))

    def _take_gradients(self, floating: dict[str, Tensor]) -> tuple[list[Tensor], list[Tensor]]:
        """Make every parameter's gradient a view; return the runs that are trained, and theirs."""
        runs: list[list[int]] = []
        for name, offset, size in self.layout.tensors:
            if not isinstance(parameter := floating[name], nn.Parameter):
                continue
            end = offset + size
            parameter.grad = self._gradient[offset:end].view(parameter.shape)
            if runs and runs[-1][1] == offset:
                runs[-1][1] = end
            else:
                runs.append([offset, end])
        return (
            [self.vector[first:end] for first, end in runs],
            [self._gradient[first:end] for first, end in runs],
        )


def _distinct(module: nn.Module) -> dict[str, Tensor]:
    seen: set[int] = set()
    distinct: dict[str, Tensor] = {}
    for name, tensor in module.state_dict(keep_vars=True).items():
        is_frozen = isinstance(tensor, nn.Parameter) and not tensor.requires_grad
        if id(tensor) not in seen and not is_frozen:
            seen.add(id(tensor))
            distinct[name] = tensor
    return distinct
