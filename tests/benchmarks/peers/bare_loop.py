"""Federated averaging as a loop of plain torch: one process, one thread, nothing around it."""

from __future__ import annotations

import random
import time

import torch

from tests.benchmarks.peers import workload


def main() -> None:
    torch.set_num_threads(1)
    asked = workload.asked()
    data = workload.load(asked.data_dir)
    shares = workload.shares(data, asked.clients)
    module = workload.network(asked.model)
    world = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    began = time.perf_counter()
    right = 0.0
    for _ in range(asked.rounds):
        sums = {name: torch.zeros_like(tensor) for name, tensor in world.items()}
        chosen = random.sample(range(asked.clients), asked.sampled)
        total = sum(len(shares[client]) for client in chosen)
        for client in chosen:
            module.load_state_dict(world)
            workload.train(module, data, shares[client], asked.batch_size)
            for name, tensor in module.state_dict().items():
                sums[name].add_(tensor, alpha=len(shares[client]) / total)
        world = sums
        module.load_state_dict(world)
        right = workload.accuracy(module, data)
    workload.tell(right, time.perf_counter() - began)


if __name__ == "__main__":
    main()
