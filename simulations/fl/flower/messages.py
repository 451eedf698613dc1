"""Tasks and results as the records that Flower's messages carry."""

from __future__ import annotations

import pickle
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from flwr.app import Array, ArrayRecord, ConfigRecord, MetricRecord, RecordDict
from torch import Tensor

from simulations.fl.backends.worker import Failure
from simulations.fl.metrics import Sums
from simulations.fl.tasks import EvaluateClient, Snapshot, TrainClient, Trained

MODEL, TASK = "model", "task"
UPDATE, RESULT, SNAPSHOTS, FAILURE = "update", "result", "snapshots", "failure"


def of_task(task: TrainClient | EvaluateClient, model: ArrayRecord) -> RecordDict:
    return RecordDict({MODEL: model, TASK: ConfigRecord(asdict(task))})


def model_record(vector: Tensor, integers: Tensor) -> ArrayRecord:
    """Return the global model as a record; the same one goes into every message of a round."""
    return _arrays(vector=vector, integers=integers)


def task_of(content: RecordDict) -> TrainClient | EvaluateClient:
    """Return the task; one that trains is to write its update into row 0."""
    fields: dict[str, Any] = dict(content[TASK])
    return TrainClient(**fields | {"row": 0}) if "row" in fields else EvaluateClient(**fields)


def model_of(content: RecordDict) -> tuple[Tensor, Tensor]:
    return _tensor(content, MODEL, "vector"), _tensor(content, MODEL, "integers")


def of_result(result: Trained | Sums | Failure, update: Tensor) -> RecordDict:
    """Return a result as a record, with the `update` (d,) of a client that trained."""
    if isinstance(result, Failure):
        # Errors of the engine keep their kind; nodes run our code, and so are trusted.
        return RecordDict({FAILURE: ConfigRecord({"pickled": pickle.dumps(result)})})
    if isinstance(result, Sums):
        return RecordDict({RESULT: MetricRecord(asdict(result))})
    return RecordDict(
        {
            UPDATE: _arrays(update=update, integers=torch.from_numpy(result.integers)),
            RESULT: MetricRecord(
                {
                    "loss": result.loss,
                    "seconds": result.seconds,
                    "is_finite": int(result.is_finite),
                }
            ),
            SNAPSHOTS: ConfigRecord(
                {
                    "attack_types": [snapshot.attack_type for snapshot in result.snapshots],
                    "paths": [snapshot.path for snapshot in result.snapshots],
                }
            ),
        }
    )


def result_of(content: RecordDict) -> tuple[Trained | Sums | Failure, Tensor | None]:
    """Return a result, and the update of a client that trained."""
    if FAILURE in content:
        failure: Failure = pickle.loads(content[FAILURE]["pickled"])  # type: ignore[arg-type]
        return failure, None
    measured: dict[str, Any] = dict(content[RESULT])
    if UPDATE not in content:
        return Sums(**measured), None
    kept: dict[str, Any] = dict(content[SNAPSHOTS])
    trained = Trained(
        loss=measured["loss"],
        seconds=measured["seconds"],
        is_finite=bool(measured["is_finite"]),
        integers=_tensor(content, UPDATE, "integers").numpy(),
        snapshots=tuple(map(Snapshot, kept["attack_types"], kept["paths"])),
    )
    return trained, _tensor(content, UPDATE, "update")


def _arrays(**tensors: Tensor) -> ArrayRecord:
    return ArrayRecord({name: Array(tensor.cpu().numpy()) for name, tensor in tensors.items()})


def _tensor(content: RecordDict, record: str, name: str) -> Tensor:
    arrays = content[record]
    assert isinstance(arrays, ArrayRecord)
    # The bytes of a message are read-only; torch wants memory of its own.
    return torch.from_numpy(np.array(arrays[name].numpy()))
