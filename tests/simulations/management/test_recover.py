from __future__ import annotations

from typing import Any

import pytest

from simulations.models import Simulation

pytestmark = pytest.mark.django_db(transaction=True)


def test_it_tells_what_it_ended(command: Any, claimed: Any) -> None:
    simulation, _ = claimed()
    Simulation.objects.update(supervisor_started=1.0)
    result = command("recover")
    simulation.refresh_from_db()
    assert result.code == 0
    assert result.out == f"{simulation.simulation_id}\tfailed\t{simulation.error}\n"


def test_nothing_to_do_is_said_but_is_no_data(command: Any, claimed: Any) -> None:
    claimed()
    result = command("recover")
    assert (result.code, result.out) == (0, "") and "Nothing" in result.err
