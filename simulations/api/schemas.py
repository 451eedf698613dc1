"""What the routes of simulations take and answer, as the API's documentation shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from ninja import Schema
from pydantic import Field, field_validator

from simulations.models import Status
from simulations.selectors import ORDERINGS

StatusName = Literal["queued", "pending", "running", "completed", "failed", "stopped"]


class ListQuery(Schema):
    """Filters, order and page of the list."""

    status: str = Field("", description="One status, or several separated by commas.")
    search: str = Field("", max_length=200, description="Text in id, name, notes, tags, keywords.")
    tag: str = Field("", max_length=50, description="A tag, exactly.")
    strategy: str = Field("", max_length=50, description="Keyword of one of the strategies.")
    dataset: str = Field("", max_length=200, description="Keyword of the dataset.")
    attack: str = Field("", max_length=50, description="Type of one of the attacks.")
    archived: bool | None = Field(None, description="Only archived ones, or only others.")
    ordering: str = Field("-created_at", description=f"- for descending; {', '.join(ORDERINGS)}.")
    limit: int | None = Field(None, ge=1, le=10_000, description="All when absent.")
    offset: int = Field(0, ge=0, le=2**31)

    @field_validator("status")
    @classmethod
    def known_status(cls, value: str) -> str:
        unknown = sorted(set(value.split(",")) - set(Status.values)) if value else []
        if unknown:
            raise ValueError(f"unknown status {unknown[0]!r}; known are {', '.join(Status.values)}")
        return value

    @field_validator("ordering")
    @classmethod
    def known_ordering(cls, value: str) -> str:
        if value.removeprefix("-") not in ORDERINGS:
            raise ValueError(f"unknown ordering {value!r}; known are {', '.join(ORDERINGS)}")
        return value


class Summary(Schema):
    """One row of the list."""

    simulation_id: str
    display_name: str
    strategy_name: str
    num_of_rounds: int
    num_of_clients: int
    created_at: datetime
    status: StatusName
    progress: float
    dataset_keyword: str
    num_of_strategies: int
    tags: list[str]


class Idempotency(Schema):
    """A key of the client's choice; a request that repeats it makes nothing new."""

    idempotency_key: str | None = Field(
        None,
        alias="Idempotency-Key",
        pattern=r"^[!-~]{1,200}$",
        description="1 to 200 visible ASCII characters.",
    )


class Created(Schema):
    """The new simulation; `warnings` says what of the configuration has no effect."""

    simulation_id: str
    warnings: list[str] | None = None


class ExecutionStatus(Schema):
    """How far a simulation is; progress counts all rounds of all strategies, from 0 to 1."""

    status: StatusName
    progress: float
    current_round: int
    total_rounds: int
    current_strategy: int
    total_strategies: int
    error: str | None


class StrategySummary(Schema):
    """One strategy of a simulation."""

    strategy_number: int
    keyword: str
    name: str
    status: StatusName
    current_round: int
    total_rounds: int
    ended_early: str | None
    final_loss: float | None
    final_accuracy: float | None


class Detail(ExecutionStatus):
    """Everything about one simulation but its measurements."""

    simulation_id: str
    display_name: str
    notes: str
    tags: list[str]
    config: dict[str, Any]
    warnings: list[str]
    result_files: list[str]
    has_folder: bool
    queue_position: int | None
    strategies: list[StrategySummary]
    seed: int
    engine: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Done(Schema):
    """What was done to which simulation."""

    message: str
    simulation_id: str


class Renamed(Done):
    """The simulation's new name."""

    display_name: str


class Rename(Schema):
    """A new name of 1 to 100 characters."""

    display_name: str


class BulkDelete(Schema):
    """The simulations to delete."""

    simulation_ids: list[str] = Field(max_length=10_000)


class NotDeleted(Schema):
    """A simulation that was not deleted, and why."""

    simulation_id: str
    error: str


class BulkDeleted(Schema):
    """What became of each simulation."""

    deleted: list[str]
    failed: list[NotDeleted]
