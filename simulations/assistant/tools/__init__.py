"""The tools by name: each reads and returns plain, bounded data. Their docstrings are told to the
language model. Adding one is a function in this folder and a line in this table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from simulations.assistant.tools.clients import explain_client
from simulations.assistant.tools.configs import draft_config, validate_config
from simulations.assistant.tools.documents import explain
from simulations.assistant.tools.measurements import best_strategies, compare_simulations
from simulations.assistant.tools.overview import (
    get_simulation,
    list_simulations,
    queue_status,
    read_log,
)

Result = dict[str, Any]
TOOLS: dict[str, Callable[..., Result]] = {
    tool.__name__: tool
    for tool in (
        list_simulations,
        get_simulation,
        queue_status,
        read_log,
        best_strategies,
        compare_simulations,
        explain_client,
        explain,
        validate_config,
        draft_config,
    )
}
