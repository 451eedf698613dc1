"""Attacks by keyword. Adding one is a file in this folder and a line in this table."""

from __future__ import annotations

from simulations.fl.attacks.base import Attack
from simulations.fl.attacks.gradient_scaling import GradientScaling

ATTACKS: dict[str, type[Attack]] = {
    "gradient_scaling": GradientScaling,
}
