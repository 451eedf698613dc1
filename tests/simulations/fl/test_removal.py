from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

from datasets_app.catalog.image_data import ImageData
from simulations.fl import build
from simulations.fl.config import SimulationConfig
from simulations.fl.errors import AggregationError
from simulations.fl.events import RoundFinished, StrategyFinished
from simulations.fl.removal import Standing, reason_to_end
from simulations.fl.simulation import run
from simulations.fl.strategies.base import Aggregation, Context, State
from simulations.fl.strategies.fedavg import aggregate

Resolved = Callable[..., SimulationConfig]


@pytest.fixture
def verdicts(monkeypatch: pytest.MonkeyPatch) -> dict[int, dict[str, tuple[int, ...]]]:
    """Let the strategy average, and remove or suspend whom the test names for a round."""
    told: dict[int, dict[str, tuple[int, ...]]] = {}

    def rule(updates: torch.Tensor, context: Context, state: State) -> Aggregation:
        answer = aggregate(updates, context, state)
        verdict = told.get(context.round_number, {})
        return Aggregation(
            aggregate=answer.aggregate,
            scores=answer.scores,
            included=answer.included,
            state={"asked": state.get("asked", 0) + 1},
            removed=verdict.get("removed", ()),
            suspended=verdict.get("suspended", ()),
        )

    monkeypatch.setattr(build, "strategy", lambda config: rule)
    return told


def play(config: SimulationConfig, data: ImageData) -> tuple[list[RoundFinished], StrategyFinished]:
    events = list(run(config, lambda _: data, workers=1))
    rounds = [event for event in events if isinstance(event, RoundFinished)]
    (finished,) = [event for event in events if isinstance(event, StrategyFinished)]
    return rounds, finished


def participants(told: RoundFinished) -> list[int]:
    return [client.client_id for client in told.clients if client.participated]


def test_a_removed_client_trains_on_but_enters_no_aggregate(
    resolved: Resolved, digits: ImageData, verdicts: dict[int, Any]
) -> None:
    verdicts[1], verdicts[2] = {"removed": (0,)}, {"removed": (3,)}
    config = resolved(remove_clients=True, begin_removing_from_round=2, num_of_rounds=4)
    rounds, finished = play(config, digits)
    assert [participants(r) for r in rounds] == [[0, 1, 2, 3], [0, 1, 2, 3], [0, 1, 2], [0, 1, 2]]
    assert [r.clients[3].is_removed for r in rounds] == [False, False, True, True]
    last = rounds[-1].clients[3]
    assert None not in (last.train_loss, last.loss, last.removal_criterion, last.absolute_distance)
    assert finished.reason is None
    losses = [client.loss for client in rounds[-1].clients[:3] if client.loss is not None]
    assert len(losses) == 3
    assert rounds[-1].aggregated_loss == pytest.approx(sum(losses) / 3)


def test_a_suspended_client_sits_out_the_next_round_only(
    resolved: Resolved, digits: ImageData, verdicts: dict[int, Any]
) -> None:
    verdicts[1] = {"suspended": (1, 2)}
    config = resolved(remove_clients=True, begin_removing_from_round=1)
    rounds, _ = play(config, digits)
    assert [participants(r) for r in rounds] == [[0, 1, 2, 3], [0, 3], [0, 1, 2, 3]]
    assert not any(client.is_removed for r in rounds for client in r.clients)


def test_without_removal_a_verdict_has_no_effect(
    resolved: Resolved, digits: ImageData, verdicts: dict[int, Any]
) -> None:
    verdicts[1] = {"removed": (0,), "suspended": (1,)}
    rounds, _ = play(resolved(), digits)
    assert participants(rounds[-1]) == [0, 1, 2, 3]
    assert rounds[-1].tp is None


def test_detection_counts_who_was_kept(
    resolved: Resolved, digits: ImageData, verdicts: dict[int, Any]
) -> None:
    verdicts[2] = {"removed": (1, 2)}
    attack = {
        "attack_type": "gradient_scaling",
        "start_round": 1,
        "end_round": 3,
        "selection_strategy": "specific",
        "malicious_client_ids": [0, 1],
    }
    config = resolved(remove_clients=True, begin_removing_from_round=2, attack_schedule=[attack])
    rounds, _ = play(config, digits)
    counts = [(r.tp, r.tn, r.fp, r.fn) for r in rounds]
    assert counts == [(2, 0, 2, 0), (2, 0, 2, 0), (1, 1, 1, 1)]


def test_a_round_without_anybody_to_aggregate_keeps_the_model(
    resolved: Resolved, digits: ImageData, verdicts: dict[int, Any]
) -> None:
    verdicts[1] = {"suspended": (0, 1, 2, 3)}
    config = resolved(remove_clients=True, begin_removing_from_round=1)
    rounds, finished = play(config, digits)
    assert [participants(r) for r in rounds] == [[0, 1, 2, 3], [], [0, 1, 2, 3]]
    assert rounds[1].global_loss == rounds[0].global_loss != rounds[2].global_loss
    assert rounds[1].score_calculation_time_ns is None
    assert rounds[1].clients[0].absolute_distance is not None
    assert finished.rounds == 3 and finished.reason is None


def test_a_round_that_cannot_be_aggregated_ends_the_strategy_with_the_reason(
    resolved: Resolved, digits: ImageData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rule(updates: torch.Tensor, context: Context, state: State) -> Aggregation:
        if context.round_number == 2:
            raise AggregationError("two updates are too few")
        return aggregate(updates, context, state)

    monkeypatch.setattr(build, "strategy", lambda config: rule)
    rounds, finished = play(resolved(), digits)
    assert len(rounds) == finished.rounds == 1
    assert finished.reason == "round 2 cannot be aggregated: two updates are too few"


def test_removing_everybody_ends_the_strategy_with_a_reason(
    resolved: Resolved, digits: ImageData, verdicts: dict[int, Any]
) -> None:
    verdicts[2] = {"removed": (0, 1, 2, 3)}
    config = resolved(remove_clients=True, begin_removing_from_round=2, num_of_rounds=5)
    rounds, finished = play(config, digits)
    assert len(rounds) == finished.rounds == 2
    assert finished.reason == (
        "0 of 4 clients are left after round 2, but termination_policy graceful needs at least 1"
    )


@pytest.mark.parametrize(
    ("policy", "given", "least"),
    [
        ("graceful", {}, 1),
        ("strict", {"min_fit_clients": 7, "fraction_fit": 0.5}, 7),
        ("adaptive", {"min_clients_ratio": 0.35}, 3),
        ("adaptive", {"min_clients_ratio": 0.0}, 1),
    ],
)
def test_each_policy_ends_below_its_least_number_of_clients(
    resolved: Resolved, policy: str, given: dict[str, Any], least: int
) -> None:
    config = resolved(
        num_of_clients=10,
        remove_clients=True,
        termination_policy=policy,
        **given,
    ).strategies[0]
    enough = Standing(removed=frozenset(range(10 - least)))
    assert reason_to_end(config, enough, 3) is None
    short = Standing(removed=frozenset(range(11 - least)))
    reason = reason_to_end(config, short, 3)
    assert reason is not None and f"needs at least {least}" in reason
