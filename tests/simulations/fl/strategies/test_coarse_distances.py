"""Distances of float32 products: how exact they are, and that they decide only what is certain."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from simulations.fl.strategies import distances
from simulations.fl.strategies.krum_scores import is_certain

D = 50_077
N = 9


def crowds() -> dict[str, torch.Tensor]:
    """Return float32 updates (n, d) of kinds that lose digits in different ways."""
    rng = np.random.default_rng(8)
    noise = rng.normal(size=(N, D))
    scale = rng.random(D) ** 4
    around = noise * 1e-3 + rng.normal(size=D)
    pairs = noise.copy()
    pairs[1::2] = pairs[:-1:2] + 1e-3 * rng.normal(size=(N // 2, D))
    attacked = noise.copy()
    attacked[:3] *= 1e4
    colluding = around.copy()
    colluding[:4] = around[0] + 50 + 1e-3 * rng.normal(size=(4, D))
    neighbours = np.float32(1) + np.round(250 * noise).astype(np.float32) * np.float32(2**-23)
    rows = {
        "noise": noise,
        "a few hundred neighbouring numbers apart": neighbours,
        "of one sign": rng.random((N, D)),
        "around a far point": around,
        "of many scales": noise * scale + 2 * scale,
        "in close pairs": pairs,
        "attacked": attacked,
        "colluding far away": colluding,
    }
    return {name: torch.tensor(value, dtype=torch.float32) for name, value in rows.items()}


CROWDS = crowds()


def exact(updates: torch.Tensor) -> torch.Tensor:
    rows = updates.double()
    return torch.stack([((rows - row) ** 2).sum(1) for row in rows])


def test_sums_of_squares_that_are_always_rounded_down_are_among_them() -> None:
    """Or the stated error would be measured on what is kind to it."""
    rows = CROWDS["a few hundred neighbouring numbers apart"]
    found, expected = distances.squared(rows, torch.float32), exact(rows)
    assert 1e-6 < ((expected - found) / expected).nan_to_num().max() < distances.COARSE_ERROR


@pytest.mark.parametrize("name", sorted(CROWDS))
def test_the_error_is_below_what_is_stated(name: str) -> None:
    expected = exact(CROWDS[name])
    found = distances.squared(CROWDS[name], torch.float32)
    assert ((found - expected).abs() <= distances.COARSE_ERROR * expected).all()
    assert not torch.equal(found, distances.squared(CROWDS[name])) or name == "in close pairs"


def asked(updates: torch.Tensor, answers: Callable[[float], Any]) -> list[float]:
    errors: list[float] = []

    def decide(squared: torch.Tensor, error: float) -> Any:
        assert squared.shape == (N, N)
        errors.append(error)
        return answers(error)

    distances.settle(updates, decide)
    return errors


def test_exact_distances_are_taken_only_where_the_others_do_not_decide() -> None:
    rows = CROWDS["noise"]
    assert asked(rows, lambda error: "decided") == [distances.COARSE_ERROR]
    assert asked(rows, lambda error: None if error else "decided") == [distances.COARSE_ERROR, 0.0]
    assert asked(rows.double(), lambda error: "decided") == [0.0]
    assert asked(rows[:, :100], lambda error: "decided") == [0.0]


def test_what_the_error_could_turn_round_is_not_certain() -> None:
    scores = torch.tensor([3.0, 1.0, 2.0, 2.0 + 1e-6], dtype=torch.float64)
    assert is_certain(scores, 1, 1e-7)
    assert is_certain(scores, 2, 1e-7)
    assert not is_certain(scores, 2, 1e-6)
    assert is_certain(scores, 2, 0.0)
    # The highest may be removed, whatever is selected.
    assert not is_certain(torch.tensor([1.0, 5.0, 5.0 + 1e-7]), 1, 1e-6)
    assert not is_certain(torch.tensor([1.0, 5.0, torch.nan]), 1, 1e-6)
    assert is_certain(torch.tensor([4.0]), 1, 1e-6)


@pytest.mark.parametrize("keyword", ["krum", "multi-krum", "multi-krum-based"])
def test_near_ties_are_decided_as_exact_distances_do(apply: Any, keyword: str) -> None:
    """The two best hold the same numbers in another order, but for a hair that one has more of."""
    rng = np.random.default_rng(3)
    levels = np.array([0, 0, 4, -4, 8, -8, 12, -12, 16], dtype=np.float32)
    rows = np.tile(levels[:, None], D)
    rows[0] = rng.normal(size=D)
    rows[1] = rng.permutation(rows[0])
    for worse in (0, 1) * 3:
        near = rows.copy()
        near[1] = rng.permutation(rows[0])
        place = int(near[worse].argmax())
        near[worse, place] += np.float32(1e-5)
        parameters = {"num_krum_selections": 1} if keyword != "krum" else {}
        found = apply(keyword, near, f=3, **parameters)
        assert found.included.nonzero().item() == 1 - worse
