"""ByzFL 0.0.11 as an independent oracle, where its rules are ours or ours in another dialect.

`make test` installs its 60 kB without what its training code needs (torchvision, seaborn), so its
aggregators are imported without the package's own `__init__`.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from simulations.fl.strategies.near_median import mean_near_median

Rows = NDArray[np.float64]


@pytest.fixture(scope="module")
def byzfl() -> Iterator[Any]:
    found = importlib.util.find_spec("byzfl")
    if found is None or found.submodule_search_locations is None:
        pytest.skip("byzfl is not installed; make test installs it")
    package = ModuleType("byzfl")
    package.__path__ = list(found.submodule_search_locations)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(sys.modules, "byzfl", package)
        if importlib.util.find_spec("scipy") is None:
            distance = ModuleType("scipy.spatial.distance")
            distance.cdist = _cdist  # type: ignore[attr-defined]
            spatial = ModuleType("scipy.spatial")
            spatial.distance = distance  # type: ignore[attr-defined]
            patch.setitem(sys.modules, "scipy", ModuleType("scipy"))
            patch.setitem(sys.modules, "scipy.spatial", spatial)
        yield importlib.import_module("byzfl.aggregators.aggregators")
        for name in [name for name in sys.modules if name.startswith("byzfl.")]:
            patch.delitem(sys.modules, name)


def _cdist(a: Rows, b: Rows) -> Rows:
    """Do what ByzFL uses SciPy for."""
    return np.array([[np.sqrt(np.sum((x - y) ** 2)) for y in b] for x in a])


@st.composite
def crowds(draw: st.DrawFn) -> tuple[Rows, int]:
    """Honest rows around a point and f ≥ 1 attackers elsewhere, 2f < n."""
    f = draw(st.integers(1, 4))
    n = draw(st.integers(2 * f + 1, 2 * f + 8))
    d = draw(st.integers(1, 6))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = rng.normal(size=(n, d)) * draw(st.sampled_from([1e-3, 1.0, 100.0])) + rng.normal(size=d)
    rows[:f] += rng.normal(size=(f, d)) * draw(st.sampled_from([0.1, 10.0, 1e5]))
    return rng.permutation(rows), f


@given(crowds())
@settings(max_examples=300)
def test_krum_told_one_attacker_less_is_byzfls_krum(
    apply: Any, byzfl: Any, crowd: tuple[Rows, int]
) -> None:
    """It takes the n − f − 1 nearest others where the paper takes n − f − 2, so its f is our f − 1.
    That it averages their distances and we add them up ranks the same.
    """
    rows, f = crowd
    np.testing.assert_array_equal(apply("krum", rows, f=f - 1).aggregate, byzfl.Krum(f)(rows))


@given(crowds())
@settings(max_examples=300)
def test_multi_krum_told_one_attacker_less_and_m_is_byzfls_multi_krum(
    apply: Any, byzfl: Any, crowd: tuple[Rows, int]
) -> None:
    """The same neighbours, and m = n − f, which is our default for f."""
    rows, f = crowd
    for keyword in ("multi-krum", "multi-krum-based"):
        ours = apply(keyword, rows, f=f - 1, num_krum_selections=len(rows) - f)
        np.testing.assert_allclose(ours.aggregate, byzfl.MultiKrum(f)(rows), rtol=1e-12, atol=1e-12)


def test_with_the_same_f_byzfls_krum_can_choose_another(apply: Any, byzfl: Any) -> None:
    rows = np.array([0.0, 2.0, 3.4, 9.0, 9.5])[:, None]
    assert apply("krum", rows, f=1).aggregate.item() == 2.0
    assert byzfl.Krum(1)(rows).item() == 3.4


@given(crowds(), st.booleans())
@settings(max_examples=300)
def test_the_trimmed_mean_with_a_ratio_of_f_to_n_is_byzfls(
    apply: Any, byzfl: Any, crowd: tuple[Rows, int], nothing: bool
) -> None:
    """It takes the count to trim at each end where we take its ratio to n."""
    rows, f = crowd[0], 0 if nothing else crowd[1]
    ours = apply("trimmed_mean", rows, trim_ratio=f / len(rows)).aggregate
    np.testing.assert_allclose(ours, byzfl.TrMean(f)(rows), rtol=1e-12, atol=1e-11)


@given(crowds())
@settings(max_examples=100)
def test_trimming_all_but_one_value_is_byzfls_median(
    apply: Any, byzfl: Any, crowd: tuple[Rows, int]
) -> None:
    rows = crowd[0] if len(crowd[0]) % 2 else crowd[0][1:]
    ours = apply("trimmed_mean", rows, trim_ratio=0.4999).aggregate
    np.testing.assert_array_equal(ours, byzfl.Median()(rows))


@given(crowds())
@settings(max_examples=100)
def test_the_average_of_equally_many_examples_is_byzfls(
    apply: Any, byzfl: Any, crowd: tuple[Rows, int]
) -> None:
    ours = apply("fedavg", crowd[0]).aggregate
    np.testing.assert_allclose(ours, byzfl.Average()(crowd[0]), rtol=1e-12, atol=1e-11)


@given(crowds())
@settings(max_examples=200)
def test_what_bulyan_averages_around_the_median_is_byzfls_mean_around_median(
    byzfl: Any, crowd: tuple[Rows, int]
) -> None:
    """ByzFL has no Bulyan, but its Meamed averages the n − f values nearest to the median."""
    rows, f = crowd
    everyone = torch.ones(len(rows), dtype=torch.bool)
    ours = mean_near_median(torch.from_numpy(rows), everyone, len(rows) - f)
    np.testing.assert_allclose(ours, byzfl.Meamed(f)(rows), rtol=1e-9, atol=1e-9)


def total_distance(point: Any, rows: Rows) -> float:
    return float(np.linalg.norm(rows - np.asarray(point), axis=1).sum())


@given(crowds())
@settings(max_examples=50)
def test_rfa_is_byzfls_geometric_median_when_it_takes_steps_enough(
    apply: Any, byzfl: Any, crowd: tuple[Rows, int]
) -> None:
    """Compared by what both minimise; ByzFL starts at zero and takes T steps, always."""
    rows, _ = crowd
    ours = total_distance(apply("rfa", rows).aggregate, rows)
    theirs = total_distance(byzfl.GeometricMedian(nu=1e-9, T=500)(rows), rows)
    assert ours == pytest.approx(theirs, rel=1e-4)


def test_byzfls_three_default_steps_from_zero_fall_short_of_the_median(
    apply: Any, byzfl: Any
) -> None:
    rng = np.random.default_rng(0)
    rows = 100 + rng.normal(size=(12, 5))
    rows[:5] += 1000
    ours, theirs = apply("rfa", rows).aggregate, byzfl.GeometricMedian()(rows)
    long = byzfl.GeometricMedian(nu=1e-9, T=500)(rows)
    assert np.linalg.norm(np.asarray(ours) - long) < 0.01
    assert np.linalg.norm(theirs - long) > 1
