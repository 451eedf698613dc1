"""The same as an app of Flower on its simulation runtime, written as its tutorials do."""

from __future__ import annotations

import time
from typing import Any

import torch
from flwr.app import ArrayRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp
from flwr.serverapp.strategy import FedAvg
from flwr.simulation import run_simulation

from tests.benchmarks.peers import workload

KEPT: dict[str, Any] = {}


def main() -> None:
    asked = workload.asked()
    client, server = ClientApp(), ServerApp()

    @client.train()
    def train(message: Message, context: Context) -> Message:
        torch.set_num_threads(1)
        if "data" not in KEPT:
            KEPT["data"] = workload.load(asked.data_dir)
            KEPT["shares"] = workload.shares(KEPT["data"], asked.clients)
        module = workload.network(asked.model)
        arrays: Any = message.content["arrays"]
        module.load_state_dict(arrays.to_torch_state_dict())
        share = KEPT["shares"][int(context.node_config["partition-id"])]
        workload.train(module, KEPT["data"], share, asked.batch_size)
        content = {
            "arrays": ArrayRecord(module.state_dict()),
            "metrics": MetricRecord({"num-examples": len(share)}),
        }
        return Message(RecordDict(content), reply_to=message)  # type: ignore[arg-type]

    @server.main()
    def serve(grid: Grid, context: Context) -> None:
        torch.set_num_threads(1)
        data = workload.load(asked.data_dir)
        module = workload.network(asked.model)
        began = time.perf_counter()
        measured = [0.0]

        def evaluate(number: int, arrays: ArrayRecord) -> MetricRecord:
            module.load_state_dict(arrays.to_torch_state_dict())
            measured.append(workload.accuracy(module, data))
            return MetricRecord({"accuracy": measured[-1]})

        strategy = FedAvg(
            fraction_train=asked.sampled / asked.clients,
            min_train_nodes=asked.sampled,
            min_available_nodes=asked.clients,
            fraction_evaluate=0.0,
        )
        strategy.start(
            grid,
            ArrayRecord(module.state_dict()),
            num_rounds=asked.rounds,
            evaluate_fn=evaluate,
        )
        workload.tell(measured[-1], time.perf_counter() - began)

    run_simulation(
        server,
        client,
        num_supernodes=asked.clients,
        backend_config={"client_resources": {"num_cpus": 1, "num_gpus": 0.0}},
    )


if __name__ == "__main__":
    main()
