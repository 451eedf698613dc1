from __future__ import annotations

import json
from typing import Any

import pytest

from simulations import lifecycle

pytestmark = pytest.mark.django_db(transaction=True)


def test_newest_first_one_line_each_in_a_pipe(command: Any, new_simulation: Any) -> None:
    first, second = new_simulation(display_name="One\ttwo"), new_simulation()
    result = command("list_simulations")
    lines = [line.split("\t") for line in result.out.splitlines()]
    assert result.code == 0 and result.err == ""
    assert [line[0] for line in lines] == [second.simulation_id, first.simulation_id]
    assert lines[1][1:5] == ["queued", "0%", "fedavg", "mnist5k"] and lines[1][6] == "One two"


def test_nothing_is_nothing(command: Any) -> None:
    assert command("list_simulations").out == ""
    assert json.loads(command("list_simulations", "--json").out) == []


def test_status_and_limit_narrow_the_list(command: Any, new_simulation: Any) -> None:
    simulations = [new_simulation() for _ in range(3)]
    lifecycle.stop(simulations[0].pk)
    listed = json.loads(command("list_simulations", "--json", "--status=queued", "--limit=1").out)
    assert [one["simulation_id"] for one in listed] == [simulations[2].simulation_id]
    listed = json.loads(command("list_simulations", "--json", "--status", "stopped").out)
    assert [one["status"] for one in listed] == ["stopped"]


@pytest.mark.parametrize("flags", [["--status=lost"], ["--limit=0"], ["--limit=x"], ["more"]])
def test_bad_flags_are_usage_errors(command: Any, flags: list[str]) -> None:
    result = command("list_simulations", *flags)
    assert result.code == 2 and result.out == ""
