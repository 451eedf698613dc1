"""The ClientApp: does with a message what a worker of the local backend does with a task."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from flwr.app import Context, Message
from flwr.clientapp import ClientApp

from simulations.fl.backends.base import Exchange, Work
from simulations.fl.backends.worker import perform
from simulations.fl.flower import messages
from simulations.fl.tasks import TrainClient

Rebuild = Callable[[], Work]


def client_app(recipe: Any, fetch: Callable[[Any], Rebuild]) -> ClientApp:
    """Return the app of a node. Each process builds the work once, by what `fetch(recipe)` gives.

    The app travels with every message, so `recipe` should be small: a reference, not the data.
    """
    app = ClientApp()

    @app.train()
    @app.evaluate()
    def answer(message: Message, context: Context) -> Message:
        work = _work(recipe, fetch)
        exchange = _exchange(work, message)
        result = perform(work, messages.task_of(message.content), exchange)
        return Message(messages.of_result(result, exchange.updates[0]), reply_to=message)

    return app


def message_type(task: Any) -> str:
    """Return the type of the message that brings `task`, by which Flower finds the function."""
    return "train" if isinstance(task, TrainClient) else "evaluate"


@lru_cache(maxsize=1)
def _work(recipe: Any, fetch: Callable[[Any], Rebuild]) -> Work:
    torch.set_num_threads(1)
    return fetch(recipe)()


def _exchange(work: Work, message: Message) -> Exchange:
    vector, integers = messages.model_of(message.content)
    rows = torch.zeros(1, work.num_parameters, device=work.device)
    return Exchange(vector=vector.to(work.device), integers=integers, updates=rows)
