"""Several clients trained at once on one device: their networks are the rows of one matrix.

A GPU is hardly busy with a batch of one small client. Here each step is taken by all clients of a
group together, with torch.func. A client computes what it would compute alone, but for the order
of sums and the random numbers of dropout.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.func import functional_call, grad_and_value, vmap
from torch.nn import functional

from simulations.fl.federated_data import Samples
from simulations.fl.optimizers import Optimizer
from simulations.fl.parameters import FlatModel

Batches = list[list[int]]
"""The samples of each step a client takes, by their places."""


@dataclass(frozen=True)
class JointTraining:
    """How a group trains; `optimizer` (parameters, gradients) builds one for matrices (g, d).

    The network must have no buffers: a running mean would be one for all clients.
    """

    model: FlatModel
    epochs: int
    batch_size: int
    optimizer: Callable[[Sequence[Tensor], Sequence[Tensor]], Optimizer]

    def run(
        self, start: Tensor, own: Sequence[Samples], rngs: Sequence[np.random.Generator]
    ) -> tuple[Tensor, list[float]]:
        """Train g copies of `start` (d,), each on a client's samples with a generator of its own.

        Return the vectors (g, d), and the mean loss of each client's last epoch.
        """
        # Those who need the most steps come first, so that those still training are the first rows.
        order = sorted(range(len(own)), key=lambda place: -len(own[place]))
        group = _Group(
            [own[place] for place in order],
            [self._batches(len(own[place]), rngs[place]) for place in order],
            self.epochs,
        )
        self.model.module.train()
        vectors, losses = self._train(start.repeat(len(own), 1), group)
        back = torch.tensor(order).argsort()
        return vectors[back.to(start.device)], losses.cpu()[back].tolist()

    def _batches(self, count: int, rng: np.random.Generator) -> Batches:
        """Shuffle in each epoch, with the same numbers as a client that trains alone."""
        return [
            epoch[first : first + self.batch_size]
            for epoch in (rng.permutation(count).tolist() for _ in range(self.epochs))
            for first in range(0, count, self.batch_size)
        ]

    def _train(self, vectors: Tensor, group: _Group) -> tuple[Tensor, Tensor]:
        """Take all steps in place; return the vectors and the mean losses of the last epochs."""
        gradients = torch.zeros_like(vectors)
        optimizer = self.optimizer([vectors], [gradients])
        step = vmap(grad_and_value(self._loss), randomness="different")
        losses = torch.zeros(len(vectors), dtype=torch.float64, device=vectors.device)
        for number in range(group.num_steps):
            active = group.active(number)
            inputs, classes, shares = group.batch(number, active)
            found, loss = step(vectors[:active], inputs, classes, shares)
            gradients[:active] = found
            optimizer.keep_first(active)
            optimizer.step()
            losses[:active] += loss.double() * group.of_last_epoch(number, active)
        return vectors, losses

    def _loss(self, vector: Tensor, inputs: Tensor, classes: Tensor, shares: Tensor) -> Tensor:
        answers = functional_call(self.model.module, self.model.views(vector), (inputs,))
        return (functional.cross_entropy(answers, classes, reduction="none") * shares).sum()


class _Group:
    """The samples of a group on their device, and who takes which of them in each step.

    Clients are in descending order of their numbers of samples. A batch that is shorter than
    others is filled up with samples whose share of the loss is 0.
    """

    def __init__(self, own: Sequence[Samples], batches: Sequence[Batches], epochs: int) -> None:
        whole = [samples.batch(slice(None)) for samples in own]
        self._inputs = torch.cat([inputs for inputs, _ in whole])
        self._classes = torch.cat([classes for _, classes in whole])
        self._num_steps = [len(steps) for steps in batches]
        shape = (self.num_steps, len(own), len(batches[0][0]))
        places, shares = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.float32)
        parts, first = np.zeros(shape[:2]), 0
        for client, (samples, steps) in enumerate(zip(own, batches, strict=True)):
            for number, batch in enumerate(steps):
                places[number, client, : len(batch)] = np.add(batch, first)
                shares[number, client, : len(batch)] = 1 / len(batch)
                if number >= len(steps) - len(steps) // epochs:
                    parts[number, client] = len(batch) / len(samples)
            first += len(samples)
        device = self._classes.device
        self._places, self._shares, self._parts = (
            torch.from_numpy(one).to(device) for one in (places, shares, parts)
        )

    @property
    def num_steps(self) -> int:
        return self._num_steps[0]

    def active(self, number: int) -> int:
        """Return how many clients take this step; they are the first."""
        return sum(number < steps for steps in self._num_steps)

    def batch(self, number: int, active: int) -> tuple[Tensor, Tensor, Tensor]:
        """Return inputs (active, b, …), classes and shares of the loss (active, b)."""
        places = self._places[number, :active]
        return self._inputs[places], self._classes[places], self._shares[number, :active]

    def of_last_epoch(self, number: int, active: int) -> Tensor:
        """Return which part of each client's last epoch this step is, (active,) float64."""
        return self._parts[number, :active]
