"""Flower: our clients on its simulation runtime, and our rules in the apps of its users."""

from __future__ import annotations

import os

# Read by flwr and ray when they are imported: without these both report their use to their makers.
os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")
os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
# What Ray will do by default, of which it warns at each start.
os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
