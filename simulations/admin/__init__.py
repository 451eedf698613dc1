"""The operators' desk: look at everything, rename and annotate, act through services."""

from __future__ import annotations

from simulations.admin import measured, simulation, strategies

__all__ = ["measured", "simulation", "strategies"]
