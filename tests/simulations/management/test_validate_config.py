from __future__ import annotations

import json
from typing import Any

import pytest


def test_a_good_config_is_valid(command: Any, config_file: Any) -> None:
    result = command("validate_config", config_file())
    assert (result.code, result.out) == (0, "valid\n")


def test_warnings_are_messages(command: Any, config_file: Any) -> None:
    raw = {
        "aggregation_strategy_keyword": "fedavg",
        "dataset_keyword": "mnist5k",
        "num_of_rounds": 3,
        "show_plots": True,
        "strategy_number": 0,
    }
    result = command("validate_config", config_file(raw))
    assert result.code == 0 and result.out == "valid\n" and "warning: " in result.err
    told = json.loads(command("validate_config", config_file(raw), "--json").out)
    assert told["valid"] is True and told["warnings"]


@pytest.mark.parametrize("flags", [[], ["--json"]])
def test_an_invalid_config_exits_with_2(command: Any, config_file: Any, flags: list[str]) -> None:
    result = command("validate_config", config_file({"num_of_rounds": 0}), *flags)
    assert result.code == 2
    if flags:
        told = json.loads(result.out)
        assert told["valid"] is False and len(told["errors"]) >= 3
    else:
        assert result.out == "" and len(result.err.splitlines()) >= 3


def test_a_missing_file_is_named(command: Any) -> None:
    result = command("validate_config", "/no/such.json")
    assert result.code == 2 and "/no/such.json" in result.err
