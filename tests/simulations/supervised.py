"""Supervise an attempt until its end."""

from __future__ import annotations

import threading
from collections.abc import Callable

from simulations.attempt import Options
from simulations.models import Simulation
from simulations.supervisor import supervise

Claimed = Callable[..., tuple[Simulation, str]]
InThread = Callable[..., threading.Thread]


def run(simulation: Simulation, token: str, options: Options) -> Simulation:
    supervise(simulation.pk, token, options)
    simulation.refresh_from_db()
    return simulation
