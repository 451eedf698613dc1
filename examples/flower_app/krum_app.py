"""An app of Flower that aggregates by a rule of intellifl while 2 of 10 nodes attack.

`python examples/flower_app/krum_app.py krum` runs it; so does `flwr run examples/flower_app`.
"""

from __future__ import annotations

import sys

import numpy as np
from flwr.app import Array, ArrayRecord, ConfigRecord, Context, Message, MetricRecord, RecordDict
from flwr.clientapp import ClientApp
from flwr.serverapp import Grid, ServerApp

from simulations.fl.flower.strategy import as_flower_strategy

NODES, ATTACKERS, ROUNDS, FEATURES = 10, 2, 5, 20
SETTINGS = {"krum": {"f": ATTACKERS}, "trimmed_mean": {"f": ATTACKERS}}

client = ClientApp()
server = ServerApp()


def samples(seed: int, count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Return points (count, d) and whether each lies on the positive side of a plane."""
    points = np.random.default_rng(seed).normal(size=(count, FEATURES))
    return points, points.sum(axis=1) > 0


@client.train()
def train(message: Message, context: Context) -> Message:
    """Take ten gradient steps of logistic regression; the first nodes then send the opposite."""
    node = int(context.node_config["partition-id"])
    plane = message.content["arrays"]["plane"].numpy().copy()
    start, (points, answers) = plane.copy(), samples(seed=node)
    for _ in range(10):
        guesses = 1 / (1 + np.exp(-points @ plane))
        plane += 0.5 * points.T @ (answers - guesses) / len(answers)
    if node < ATTACKERS:
        plane = start - 10 * (plane - start)
    content = {
        "arrays": ArrayRecord({"plane": Array(plane)}),
        "metrics": MetricRecord({"num-examples": len(answers)}),
    }
    return Message(RecordDict(content), reply_to=message)


@server.main()
def main(grid: Grid, context: Context) -> None:
    """Train for some rounds; print how much of a test set the model gets right."""
    keyword = str(context.run_config.get("strategy", "krum"))
    strategy = as_flower_strategy(keyword, **SETTINGS.get(keyword, {}), fraction_evaluate=0.0)
    result = strategy.start(
        grid,
        ArrayRecord({"plane": Array(np.zeros(FEATURES))}),
        num_rounds=int(context.run_config.get("num-server-rounds", ROUNDS)),
        train_config=ConfigRecord(),
    )
    points, answers = samples(seed=1_000)
    right = ((points @ result.arrays["plane"].numpy() > 0) == answers).mean()
    print(f"{keyword}: {right:.3f} of the test set is right", flush=True)


if __name__ == "__main__":
    from flwr.simulation import run_simulation

    chosen = ServerApp()

    @chosen.main()
    def main_with(grid: Grid, context: Context) -> None:
        context.run_config["strategy"] = sys.argv[1] if len(sys.argv) > 1 else "krum"
        main(grid, context)

    run_simulation(chosen, client, num_supernodes=NODES)
