"""Workers of Flower's simulation runtime: Ray's actors, on this machine or a cluster.

With RAY_ADDRESS set it joins that cluster. What nodes need travels once, through Ray's object
store: the strategy's configuration and data.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Any

from simulations.fl.backends.base import Backend, Batch, Staff, Work
from simulations.fl.backends.memory import reserve
from simulations.fl.backends.worker import Failure
from simulations.fl.errors import TrainingError
from simulations.fl.flower import messages
from simulations.fl.flower.client_app import client_app, message_type
from simulations.fl.tasks import EvaluateClient, Task, TrainClient

# isort: split
import ray
from flwr.app import Context, Message
from flwr.serverapp import Grid, ServerApp
from flwr.simulation import run_simulation

PULL_S = 0.02
END_S = 30.0


def start(work: Work, num_rows: int, staff: Staff) -> Backend:
    """Start the runtime, or join the cluster at RAY_ADDRESS, and return it as a backend."""
    return FlowerBackend(work, num_rows, staff)


class FlowerBackend(Backend):
    """Sends each client's task to a node; what concerns no client is done by the server, here.

    Flower's runtime calls its ServerApp and returns when that is done; so it has a thread, and what
    there is to do comes through a queue. A node is a seat: each message says which client it is.
    """

    def __init__(self, work: Work, num_rows: int, staff: Staff) -> None:
        self.num_workers = staff.num_workers
        self.exchange = reserve(work, num_rows, staff.folder)
        self._work = work
        self._num_nodes = num_rows
        self._is_over = threading.Event()
        self._orders: Queue[list[Task] | None] = Queue()
        self._answers: Queue[dict[int, Message] | BaseException] = Queue()
        recipe = _join_ray(staff)
        self._thread = threading.Thread(target=self._simulate, args=(recipe, staff), daemon=True)
        self._thread.start()

    def collect(self, batch: Batch) -> list[Any]:
        tasks = batch.tasks
        sent = [i for i, task in enumerate(tasks) if isinstance(task, TrainClient | EvaluateClient)]
        self._orders.put([tasks[i] for i in sent])
        own = {
            i: self._work.perform(task, self.exchange)
            for i, task in enumerate(tasks)
            if i not in set(sent)
        }
        answers = self._answers.get()
        if isinstance(answers, BaseException):
            raise TrainingError(f"Flower's runtime ended: {answers}") from answers
        told = {i: self._result(tasks[i], answers[place]) for place, i in enumerate(sent)}
        return [(own | told)[i] for i in range(len(tasks))]

    def close(self) -> None:
        self._is_over.set()
        self._orders.put(None)
        self._thread.join(END_S)
        ray.shutdown()

    def _result(self, task: Task, reply: Message) -> Any:
        if reply.has_error():
            raise TrainingError(f"{task} failed: {reply.error.reason}")
        result, update = messages.result_of(reply.content)
        if isinstance(result, Failure):
            raise result.as_error(task)
        if isinstance(task, TrainClient) and update is not None:
            self.exchange.updates[task.row].copy_(update)
        return result

    def _simulate(self, recipe: Any, staff: Staff) -> None:
        app = ServerApp()
        app.main()(self._serve)
        resources: Any = {"num_cpus": staff.cpus_per_client, "num_gpus": staff.gpus_per_client}
        try:
            run_simulation(
                app,
                client_app(recipe, ray.get),
                num_supernodes=self._num_nodes,
                backend_config={"client_resources": resources},
            )
        except BaseException as error:
            self._answers.put(error)
        else:
            self._answers.put(RuntimeError("its ServerApp returned"))
        finally:
            self._is_over.set()

    def _serve(self, grid: Grid, context: Context) -> None:
        nodes = self._nodes(grid)
        while (tasks := self._orders.get()) is not None:
            model = messages.model_record(self.exchange.vector, self.exchange.integers)
            sent = [
                Message(
                    messages.of_task(task, model),  # type: ignore[arg-type]
                    dst_node_id=nodes[place % len(nodes)],
                    message_type=message_type(task),
                )
                for place, task in enumerate(tasks)
            ]
            places = dict(zip(grid.push_messages(sent), range(len(sent)), strict=True))
            replies = self._replies(grid, places)
            if len(replies) == len(places):
                self._answers.put(replies)

    def _nodes(self, grid: Grid) -> list[int]:
        while not self._is_over.is_set():
            nodes = sorted(grid.get_node_ids())
            if len(nodes) == self._num_nodes:
                return nodes
            self._is_over.wait(PULL_S)
        return []

    def _replies(self, grid: Grid, places: dict[str, int]) -> dict[int, Message]:
        found: dict[int, Message] = {}
        while len(found) < len(places) and not self._is_over.is_set():
            missing = [name for name, place in places.items() if place not in found]
            for reply in grid.pull_messages(missing):
                found[places[reply.metadata.reply_to_message_id]] = reply
            self._is_over.wait(PULL_S if len(found) < len(places) else 0)
        return found


def _join_ray(staff: Staff) -> Any:
    """Start or join Ray; return the reference to what nodes build their work with."""
    logging.getLogger("flwr").setLevel(logging.ERROR)
    is_cluster = "RAY_ADDRESS" in os.environ
    with _own_signals():
        ray.init(
            num_cpus=None if is_cluster else staff.num_workers * staff.cpus_per_client,
            include_dashboard=None if is_cluster else False,
            log_to_driver=False,
            logging_level=logging.ERROR,
        )
    return ray.put(staff.rebuild)


@contextmanager
def _own_signals() -> Iterator[None]:
    """Put back how this process ends on a signal; Ray takes that over."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
