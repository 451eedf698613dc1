from __future__ import annotations

import pytest

from simulations.fl.metrics import Sums, deviation, finite, mean, total


def test_evaluations_add_up() -> None:
    whole = total([Sums(2.0, 1, 4), Sums(4.0, 3, 4)])
    assert (whole.loss, whole.accuracy) == (0.75, 0.5)


def test_what_was_not_measured_is_none() -> None:
    assert (Sums().loss, Sums().accuracy) == (None, None)
    assert (mean([]), deviation([])) == (None, None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_what_is_not_finite_is_none(value: float) -> None:
    assert finite(value) is None
    assert Sums(value, 1, 2).loss is None


def test_the_deviation_is_that_of_the_population() -> None:
    assert deviation([1.0, 3.0]) == 1.0
