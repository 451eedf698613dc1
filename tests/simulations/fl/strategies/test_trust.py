from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

BETA = 0.75


def test_two_rounds_by_hand(apply: Any) -> None:
    """Distances 3, 2, 1, 6 to the centroid, then 4, 2, 0, 6; β = 0.5."""
    first = apply("trust", [[0.0], [1.0], [2.0], [9.0]], beta_value=0.5)
    value = [0.6, 0.8, 1.0, 0.0]
    trust = [
        0.5 * (math.hypot(0.6, 0.6) - math.hypot(0.4, 0.4)),
        0.5 * (math.hypot(0.8, 0.8) - math.hypot(0.2, 0.2)),
        0.5 * math.hypot(1, 1),
        0.0,
    ]
    assert list(first.state["reputation"].values()) == pytest.approx(value)
    assert first.scores.tolist() == pytest.approx(trust)

    second = apply("trust", [[0.0], [2.0], [4.0], [10.0]], state=first.state, t=2, beta_value=0.5)
    reputation = [
        # v = 1/3 < 0.5, R = 0.6: q = 0.6 + 1/3 − exp(−(1 − (1/3)·0.6/2))
        0.5 * (0.6 + 1 / 3 - math.exp(-0.9)) + 0.5 * 0.6,
        # v = 2/3, R = 0.8: q = 0.8 + 2/3 − 0.4
        0.5 * (0.8 + 2 / 3 - 0.4) + 0.5 * 0.8,
        # v = 1, R = 1: q = 1 + 1 − 0.5, clipped
        1.0,
        # v = 0, R = 0: q = −exp(−1), clipped
        0.0,
    ]
    assert list(second.state["reputation"].values()) == pytest.approx(reputation)
    later = [
        min(1.0, max(0.0, 0.5 * (math.hypot(r, v) - math.hypot(1 - r, 1 - v)) + 0.5 * t))
        for r, v, t in zip(reputation, [1 / 3, 2 / 3, 1.0, 0.0], trust, strict=True)
    ]
    assert second.scores.tolist() == pytest.approx(later)


class Plain:
    """The formulas for one client after another, in plain Python."""

    def __init__(self) -> None:
        self.reputation: dict[int, float] = {}
        self.trust: dict[int, float] = {}

    def round(self, t: int, distances: dict[int, float]) -> dict[int, float]:
        low, high = min(distances.values()), max(distances.values())
        for client, d in distances.items():
            v = 1 - ((d - low) / (high - low) if high > low else 0.0)
            if client not in self.reputation:
                r = v
            else:
                old = self.reputation[client]
                loss = old / t if v >= 0.5 else math.exp(-(1 - v * old / t))
                q = old + v - loss
                r = min(1.0, max(0.0, BETA * q + (1 - BETA) * old))
            best = math.sqrt(r**2 + v**2)
            worst = math.sqrt((1 - r) ** 2 + (1 - v) ** 2)
            trust = BETA * (best - worst) + (1 - BETA) * self.trust.get(client, 0.0)
            self.reputation[client] = r
            self.trust[client] = min(1.0, max(0.0, trust))
        return {client: self.trust[client] for client in distances}


@given(st.integers(0, 2**32), st.integers(1, 4))
@settings(max_examples=200)
def test_many_rounds_of_sampled_clients_with_removal(apply: Any, seed: int, begin: int) -> None:
    rng = np.random.default_rng(seed)
    plain, rounds = Plain(), 0
    state: dict[str, Any] = {}
    gone: set[int] = set()
    for t in range(1, 8):
        ids = rng.permutation(9)[: rng.integers(3, 10)].tolist()
        rows = rng.normal(size=(len(ids), 3)) + 4.0 * (np.array(ids) >= 7)[:, None]
        kept = [client not in gone for client in ids]
        if not any(kept):
            continue
        answer = apply("trust", rows, state=state, t=t, ids=ids, kept=kept, removing=t >= begin)
        trust = plain.round(
            t,
            {
                client: float(np.linalg.norm(row - rows.mean(0)))
                for client, row in zip(ids, rows, strict=True)
            },
        )
        np.testing.assert_allclose(answer.scores, list(trust.values()), rtol=1e-9, atol=1e-9)
        staying = [client for client in ids if client not in gone]
        expected: set[int] = set()
        if t >= begin:
            rounds += 1
            if rounds == 1:
                expected = {min(staying, key=trust.__getitem__)}
            else:
                expected = {client for client in staying if trust[client] < 0.15}
        assert set(answer.removed) == expected
        np.testing.assert_allclose(answer.aggregate, rows[kept].mean(0), rtol=1e-9, atol=1e-12)
        gone |= expected
        state = answer.state


def test_the_least_trusted_goes_first_and_later_all_below_the_threshold(apply: Any) -> None:
    """Of those whose trust is equal, here 0, the first."""
    rows = np.array([[0.0], [0.1], [0.2], [0.3], [9.0], [-9.0], [8.0]])
    state: dict[str, Any] = {}
    kept = np.ones(7, dtype=bool)
    removed = []
    for t in range(1, 5):
        answer = apply("trust", rows, state=state, t=t, kept=kept, removing=t >= 2)
        removed.append(answer.removed)
        kept[list(answer.removed)] = False
        state = answer.state
        assert answer.threshold == 0.15
    assert removed == [(), (4,), (5, 6), ()]


def test_equally_far_clients_are_all_trusted(apply: Any) -> None:
    answer = apply("trust", [[-1.0], [1.0]], beta_value=0.5)
    assert answer.scores.tolist() == pytest.approx([0.5 * math.sqrt(2)] * 2)
