"""How long a configuration is likely to run, from earlier runs, in words."""

from __future__ import annotations

from simulations.estimates import Estimator
from simulations.fl.config import SimulationConfig


def estimate(config: SimulationConfig | None) -> str:
    """Return the likely time in words; empty for a configuration that cannot run."""
    if config is None:
        return ""
    estimator = Estimator()
    times = [
        estimator.seconds(
            one.dataset_keyword or one.hf_dataset_name or "", one.num_of_clients, one.num_of_rounds
        )
        for one in config.strategies
    ]
    known = [seconds for seconds in times if seconds is not None]
    if len(known) < len(times):
        return "No earlier run on this dataset tells how long it will take."
    return f"Likely to take {_words(sum(known))}, as earlier runs on this dataset did."


def _words(seconds: float) -> str:
    if seconds < 1:
        return "less than a second"
    for unit, size, most in (("s", 1, 90), ("min", 60, 90), ("h", 3600, 48)):
        if seconds < size * most:
            return f"about {seconds / size:.0f} {unit}"
    return f"about {seconds / 86400:.0f} days"
