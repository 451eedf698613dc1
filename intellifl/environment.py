"""What the environment can set, checked at once; an unknown INTELLIFL_ variable is an error."""

from __future__ import annotations

import os
import sys
from functools import cache
from pathlib import Path
from typing import Literal

from dotenv import dotenv_values
from pydantic import AliasChoices, Field, SecretStr, ValidationError, field_validator
from pydantic_core.core_schema import ValidationInfo
from pydantic_settings import BaseSettings, SettingsConfigDict

ROOT = Path(__file__).resolve().parent.parent
PREFIX = "INTELLIFL_"
RUN_TOKEN = "INTELLIFL_RUN_TOKEN"
"""Set by the supervisor in every process of a run, so that strays can be found."""


class Environment(BaseSettings):
    """Settings from the process environment and `.env`; docs/configuration.md lists them."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_file=ROOT / ".env", extra="ignore", env_ignore_empty=True
    )

    database_url: str = Field(
        f"sqlite:///{ROOT / 'db.sqlite3'}",
        validation_alias=AliasChoices("DATABASE_URL", "database_url"),
        description="Where runs are recorded.",
    )
    redis_url: str = Field(
        "redis://127.0.0.1:6379/0",
        pattern="^(rediss?|unix)://",
        validation_alias=AliasChoices("REDIS_URL", "redis_url"),
        description="The queue between machines.",
    )
    out_dir: Path = Field(ROOT / "out", description="Folder of the runs' folders.")
    data_dir: Path = Field(ROOT / "data", description="Folder of datasets and of the secret key.")
    concurrency: int = Field(
        1, ge=1, le=64, description="Simulations the local queue runs at once."
    )
    resume: Literal["manual", "auto"] = Field(
        "manual",
        description="Whether interrupted simulations are queued again by themselves (auto).",
    )
    secret_key: str = Field(
        "", description="Signs sessions; drawn and kept in data_dir when absent."
    )
    debug: bool = Field(False, description="Django's debug pages; never beyond loopback.")
    allowed_hosts: list[str] = Field(
        ["127.0.0.1", "localhost", "[::1]"],
        description="Host names the server answers to (JSON list).",
    )
    require_auth: bool = Field(False, description="Ask for a login on loopback too.")
    tls_proxy: bool = Field(
        False,
        description="A proxy with TLS is in front and sets X-Forwarded-Proto and X-Forwarded-For.",
    )
    hsts_seconds: int = Field(
        0, ge=0, description="For how long browsers are told to use TLS only; 0 tells nothing."
    )
    terminal: Literal["auto", "on", "off"] = Field(
        "auto",
        description="Terminals for staff: auto means on loopback only, while no login is required.",
    )
    log_level: str = Field(
        "INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="What the server logs."
    )
    llm_base_url: str = Field(
        "",
        pattern="^(https?://.+)?$",
        description="OpenAI-compatible endpoint for the assistant; fixed rules answer without.",
    )
    llm_api_key: SecretStr = Field(
        SecretStr(""), description="Key of that endpoint, if it asks for one."
    )
    llm_model: str = Field(
        "", validate_default=True, description="Name of the model there; required with an endpoint."
    )
    llm_timeout: float = Field(
        60, gt=0, le=600, description="Seconds that the model may take for one answer."
    )

    @field_validator("llm_model")
    @classmethod
    def _model_of_endpoint(cls, name: str, info: ValidationInfo) -> str:
        if info.data.get("llm_base_url") and not name:
            raise ValueError("name the model that INTELLIFL_LLM_BASE_URL is to use")
        return name


@cache
def environment() -> Environment:
    """Read the environment once; end the process with a sentence when it is wrong."""
    problems = _unknown_variables()
    try:
        settings = Environment()
    except ValidationError as error:
        problems += [
            f"{_variable(problem['loc'])}: {problem['msg']}"
            for problem in error.errors(include_input=False)
        ]
    if problems:
        sys.exit("The environment is wrong:\n" + "\n".join(f"  {line}" for line in problems))
    return settings


def variable_name(field_name: str) -> str:
    """Return the environment variable that sets a field."""
    if Environment.model_fields[field_name].validation_alias:
        return field_name.upper()
    return f"{PREFIX}{field_name.upper()}"


def _variable(loc: tuple[int | str, ...]) -> str:
    field = str(loc[0]).lower()
    inner = "".join(f"[{part}]" for part in loc[1:])
    return variable_name(field) + inner


def variables_reference() -> str:
    """Return the table of variables for the documentation."""
    rows = ["| variable | default | meaning |", "| --- | --- | --- |"]
    for name, field in Environment.model_fields.items():
        default = str(field.default).replace(f"{ROOT}/", "")
        rows.append(f"| `{variable_name(name)}` | `{default}` | {field.description} |")
    return "\n".join(rows)


def _unknown_variables() -> list[str]:
    known = {variable_name(name) for name in Environment.model_fields}
    names = {*os.environ, *dotenv_values(ROOT / ".env")}
    return [
        f"{name} is not a setting; known are {', '.join(sorted(known))}"
        for name in sorted(names)
        if name.startswith(PREFIX) and name not in known | {RUN_TOKEN}
    ]
