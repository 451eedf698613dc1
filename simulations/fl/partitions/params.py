"""Parameters of the partitions, by flwr-datasets' names."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class NoParams(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)


class DirichletParams(NoParams):
    alpha: float = Field(0.5, gt=0, description="Concentration; small is heterogeneous.")
    min_partition_size: int = Field(1, ge=1, description="Least samples of a client.")
    self_balancing: bool = Field(True, description="Stop giving to a client that has its share.")
