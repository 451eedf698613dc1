from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

VARIANTS = ("pid", "pid_scaled", "pid_standardized", "pid_standardized_score_based")
GAINS = {"Kp": 2.0, "Ki": 0.5, "Kd": 0.1, "num_std_dev": 1.0}
# Four clients on a line. Their distances to the centroid are 3, 2, 1, 6; then 4, 2, 0, 6;
# then 1, 1, 1, 3.
ROUNDS = ([[0.0], [1.0], [2.0], [9.0]], [[0.0], [2.0], [4.0], [10.0]], [[0.0], [0.0], [0.0], [4.0]])
ROOT = 3.5**0.5
"""std of the sums 3, 2, 1, 6, whose mean is 3; that of 7, 4, 1, 12 around 6 is √16.5."""


@pytest.mark.parametrize(
    ("keyword", "second", "third"),
    [
        ("pid", [9.6, 5.0, 0.4, 15.0], [5.2, 3.9, 2.6, 11.7]),
        (
            "pid_scaled",
            [8.85, 4.5, 0.15, 13.5],
            [1.7 + 7 / 6, 1.9 + 4 / 6, 2.1 + 1 / 6, 5.7 + 12 / 6],
        ),
        (
            "pid_standardized",
            [8.1, 4.0 - 0.5 / ROOT, -0.1 - 1 / ROOT, 12.0 + 1.5 / ROOT],
            [
                1.7 + 0.5 / 16.5**0.5,
                1.9 - 1 / 16.5**0.5,
                2.1 - 2.5 / 16.5**0.5,
                5.7 + 3 / 16.5**0.5,
            ],
        ),
    ],
)
def test_three_rounds_by_hand(
    apply: Any, keyword: str, second: list[float], third: list[float]
) -> None:
    """P = 2d, I of the sums 3, 2, 1, 6 and then 7, 4, 1, 12, D = 0.1 (d − d')."""
    expected = [[6.0, 4.0, 2.0, 12.0], second, third]
    names = [keyword] if keyword != "pid_standardized" else [keyword, VARIANTS[3]]
    for name in names:
        state: dict[str, Any] = {}
        for t, (rows, scores) in enumerate(zip(ROUNDS, expected, strict=True), start=1):
            answer = apply(name, rows, state=state, t=t, **GAINS)
            np.testing.assert_allclose(answer.scores, scores, rtol=1e-12, atol=1e-12)
            state = answer.state


@pytest.mark.parametrize(
    ("keyword", "mean", "variance"),
    [
        ("pid", 7.5, (2.1**2 + 2.5**2 + 7.1**2 + 7.5**2) / 4),
        ("pid_scaled", 3, 5),
        ("pid_standardized", 3, 5),
    ],
)
def test_the_threshold_of_the_second_round(
    apply: Any, keyword: str, mean: float, variance: float
) -> None:
    """Over the scores 9.6, 5, 0.4, 15 or over the distances 4, 2, 0, 6."""
    first = apply(keyword, ROUNDS[0], **GAINS)
    second = apply(keyword, ROUNDS[1], state=first.state, t=2, **GAINS)
    assert second.threshold == pytest.approx(mean + variance**0.5)


class Plain:
    """The formulas of the four variants for one client after another, in plain Python."""

    def __init__(self, keyword: str) -> None:
        self.keyword = keyword
        self.seen: dict[int, list[float]] = {}

    def round(self, t: int, distances: dict[int, float]) -> dict[int, float]:
        sums = {client: sum(self.seen.get(client, [])) for client in distances}
        mean = sum(sums.values()) / len(sums)
        std = (sum((value - mean) ** 2 for value in sums.values()) / len(sums)) ** 0.5
        scores = {}
        for client, d in distances.items():
            score = GAINS["Kp"] * d
            if t > 1:
                integral = sums[client]
                if self.keyword == "pid_scaled":
                    integral = sums[client] / t
                elif self.keyword != "pid":
                    integral = (sums[client] - mean) / std if std > 1e-12 else 0.0
                last = self.seen[client][-1] if client in self.seen else d
                score += GAINS["Ki"] * integral + GAINS["Kd"] * (d - last)
            scores[client] = score
        for client, d in distances.items():
            self.seen.setdefault(client, []).append(d)
        return scores


@pytest.mark.parametrize("keyword", VARIANTS)
@given(st.integers(0, 2**32))
@settings(max_examples=100)
def test_many_rounds_of_sampled_clients_with_removal(apply: Any, keyword: str, seed: int) -> None:
    """1.1 standard deviations, as at 1 the higher of two clients is exactly at the threshold."""
    rng = np.random.default_rng(seed)
    given_settings = GAINS | {"num_std_dev": 1.1}
    plain = Plain(keyword)
    state: dict[str, Any] = {}
    gone: set[int] = set()
    for t in range(1, 7):
        ids = rng.permutation(9)[: rng.integers(3, 10)].tolist()
        rows = rng.normal(size=(len(ids), 3)) + 4.0 * (np.array(ids) >= 7)[:, None]
        kept = [client not in gone for client in ids]
        if not any(kept):
            continue
        answer = apply(
            keyword, rows, state=state, t=t, ids=ids, kept=kept, removing=t >= 3, **given_settings
        )
        near = {
            client: float(np.linalg.norm(row - rows.mean(0)))
            for client, row in zip(ids, rows, strict=True)
        }
        scores = plain.round(t, near)
        np.testing.assert_allclose(answer.scores, list(scores.values()), rtol=1e-9, atol=1e-9)
        judged = near if keyword in ("pid_scaled", "pid_standardized") else scores
        values = np.array([judged[client] for client in ids if client not in gone])
        threshold = values.mean() + 1.1 * values.std()
        assert answer.threshold == pytest.approx(threshold, rel=1e-9)
        above = {c for c in ids if scores[c] > threshold and c not in gone} if t >= 3 else set()
        assert set(answer.removed) == above
        np.testing.assert_allclose(answer.aggregate, rows[kept].mean(0), rtol=1e-9, atol=1e-12)
        gone |= above
        state = answer.state


@pytest.mark.parametrize("keyword", VARIANTS)
def test_equal_sums_integrate_to_nothing_when_standardised(apply: Any, keyword: str) -> None:
    rows = [[-1.0], [1.0]]
    first = apply(keyword, rows, **GAINS)
    second = apply(keyword, rows, state=first.state, t=2, **GAINS)
    integral = {"pid": 0.5, "pid_scaled": 0.25}.get(keyword, 0.0)
    assert second.scores.tolist() == pytest.approx([2 + integral] * 2)


def test_all_above_the_threshold_go_for_good_and_examples_weigh(apply: Any) -> None:
    rows = np.array([[0.0], [0.1], [0.2], [0.3], [0.4], [9.0], [-9.0]])
    weights = [1, 1, 1, 1, 6, 1, 1]
    answer = apply("pid", rows, weights=weights, num_std_dev=1.0, removing=True, t=2)
    assert answer.removed == (5, 6)
    assert answer.included.all()
    kept = [True] * 5 + [False] * 2
    answer = apply("pid", rows, weights=weights, num_std_dev=1.0, kept=kept, removing=True, t=3)
    assert answer.aggregate.item() == pytest.approx((0.1 + 0.2 + 0.3 + 6 * 0.4) / 10)
    assert not set(answer.removed) & {5, 6}
