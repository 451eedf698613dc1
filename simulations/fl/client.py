"""What one client does: local training and evaluation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from simulations.fl.config import StrategyConfig
from simulations.fl.federated_data import Samples
from simulations.fl.metrics import Sums
from simulations.fl.optimizers import Optimizer, optimizer
from simulations.fl.parameters import FlatModel

EVALUATION_BATCH = 256


@dataclass(frozen=True)
class LocalTraining:
    """How a client trains: epochs over its samples in batches, with an optimiser of its own."""

    model: FlatModel
    epochs: int
    batch_size: int
    optimizer: Optimizer

    def run(self, samples: Samples, rng: np.random.Generator) -> float:
        """Train the model in place from a fresh optimiser; return the last epoch's mean loss."""
        self.optimizer.reset()
        self.model.module.train()
        loss = 0.0
        for _ in range(self.epochs):
            loss = self._epoch(samples, torch.from_numpy(rng.permutation(len(samples))))
        return loss

    def _epoch(self, samples: Samples, order: Tensor) -> float:
        total, count = torch.zeros((), dtype=torch.float64, device=samples.device), 0
        for chosen in torch.split(order.to(samples.device), self.batch_size):
            inputs, classes = samples.batch(chosen)
            self.model.clear_gradients()
            loss = functional.cross_entropy(self.model.module(inputs), classes)
            loss.backward()  # type: ignore[no-untyped-call]
            self.optimizer.step()
            total += loss.detach() * len(classes)
            count += len(classes)
        return float(total) / count


def local_training(config: StrategyConfig, model: FlatModel) -> LocalTraining:
    """Build the training that `config` describes, of `model`."""
    return LocalTraining(
        model=model,
        epochs=config.num_of_client_epochs,
        batch_size=config.batch_size,
        optimizer=optimizer(config, model.trained, model.gradients),
    )


@torch.inference_mode()
def predict(module: nn.Module, samples: Samples) -> NDArray[np.int64]:
    """Return the class that `module` gives each sample, (m,)."""
    module.eval()
    answers = [module(inputs).argmax(1).cpu() for inputs, _ in samples.chunks(EVALUATION_BATCH)]
    classes: NDArray[np.int64] = torch.cat(answers).numpy()
    return classes


@torch.inference_mode()
def evaluate(module: nn.Module, samples: Samples) -> Sums:
    """Return the summed loss and the correct answers of `module`, in batches of fixed size."""
    module.eval()
    result = Sums()
    for inputs, classes in samples.chunks(EVALUATION_BATCH):
        answers = module(inputs)
        losses = functional.cross_entropy(answers, classes, reduction="none")
        correct = int((answers.argmax(1) == classes).sum())
        result += Sums(float(losses.double().sum()), correct, len(classes))
    return result
