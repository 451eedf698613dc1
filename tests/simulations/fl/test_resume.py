"""A run that was cut off and resumed ends as one that was not, to the last bit, whatever the rule.

`test_command.py` kills the engine's process; here the rules are gone through one by one.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from datasets_app.catalog.image_data import ImageData
from simulations.fl import build, device
from simulations.fl.checkpoint import Checkpoints
from simulations.fl.config import SimulationConfig
from simulations.fl.events import Event, RoundFinished, StrategyFinished
from simulations.fl.progress import Progress
from simulations.fl.removal import Standing
from simulations.fl.simulation import run
from simulations.fl.strategies import STRATEGIES

ROUNDS = 5
REMOVING = sorted(keyword for keyword, spec in STRATEGIES.items() if spec.removes)
WITH_HISTORY = ["trust", "pid", "pid_scaled", "pid_standardized", "pid_standardized_score_based"]
SETTINGS: dict[str, dict[str, Any]] = {
    "trust": {"beta_value": 0.5, "trust_threshold": 0.05},
    **{keyword: {"num_std_dev": 1.5} for keyword in WITH_HISTORY[1:]},
    "multi-krum-based": {"num_krum_selections": 4},
}


@pytest.fixture(autouse=True)
def logistic_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients train the smallest model there is, with dropout, so that noise counts too."""

    def network(config: Any, given: Any = None) -> nn.Module:
        with device.seeded(config.seed, torch.device("cpu")):
            return nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(64, 10))

    monkeypatch.setattr(build, "network", network)


@pytest.fixture
def config(resolved: Callable[..., SimulationConfig]) -> Callable[..., SimulationConfig]:
    """Return nine clients, eight a round, two scaled in turn, and removal from round 2 on."""

    def of(keyword: str, **changes: Any) -> SimulationConfig:
        attack = {
            "attack_type": "gradient_scaling",
            "scale_factor": -4.0,
            "start_round": 1,
            "end_round": ROUNDS,
            "selection_strategy": "specific",
        }
        return resolved(
            {"aggregation_strategy_keyword": keyword, **SETTINGS.get(keyword, {})},
            num_of_clients=9,
            num_of_rounds=ROUNDS,
            remove_clients=True,
            begin_removing_from_round=2,
            num_of_malicious_clients=1,
            attack_schedule=[
                {**attack, "malicious_client_ids": [4], "end_round": 2},
                {**attack, "malicious_client_ids": [7], "start_round": 3},
            ],
            **{"fraction_fit": 0.9, **changes},
        )

    return of


def play(
    config: SimulationConfig,
    data: ImageData,
    folder: Path,
    *,
    until: int | None = None,
    resume: bool = False,
) -> list[Event]:
    """Run in one process, and stop for good when round `until` was told, before it is saved."""
    told: list[Event] = []
    events = run(config, lambda _: data, run_dir=folder, workers=1, resume=resume)
    for event in events:
        told.append(event)
        if isinstance(event, RoundFinished) and event.round_number == until:
            break
    events.close()
    return [_untimed(e) for e in told if isinstance(e, RoundFinished | StrategyFinished)]


def _untimed(event: Event) -> Event:
    if not isinstance(event, RoundFinished):
        return event
    clients = [dataclasses.replace(client, train_seconds=None) for client in event.clients]
    return dataclasses.replace(
        event, clients=clients, round_seconds=None, score_calculation_time_ns=None
    )


def saved(folder: Path, config: SimulationConfig) -> Progress:
    progress = Checkpoints(folder, 0, config.strategies[0]).load()
    assert progress is not None
    return progress


@pytest.mark.parametrize("keyword", sorted(STRATEGIES))
def test_a_run_cut_off_after_any_round_goes_on_to_the_same_end(
    config: Callable[..., SimulationConfig], digits: ImageData, tmp_path: Path, keyword: str
) -> None:
    resolved = config(keyword)
    expected = play(resolved, digits, tmp_path / "whole")
    whole = saved(tmp_path / "whole", resolved)
    assert len(expected) == ROUNDS + 1
    for finished in range(1, ROUNDS):
        folder = tmp_path / str(finished)
        before = play(resolved, digits, folder, until=finished + 1)
        assert before == expected[: finished + 1]
        assert play(resolved, digits, folder, resume=True) == expected[finished:]
        again = saved(folder, resolved)
        assert torch.equal(again.vector, whole.vector)
        assert again.strategy_state == whole.strategy_state
        assert again.standing == whole.standing


@pytest.mark.parametrize("keyword", ["trust", "trimmed_mean"])
def test_rounds_after_the_last_checkpoint_are_played_again(
    config: Callable[..., SimulationConfig], digits: ImageData, tmp_path: Path, keyword: str
) -> None:
    resolved = config(keyword, checkpoint_every=2)
    expected = play(resolved, digits, tmp_path / "whole")
    play(resolved, digits, tmp_path / "cut", until=5)
    assert play(resolved, digits, tmp_path / "cut", resume=True) == expected[4:]
    assert torch.equal(
        saved(tmp_path / "cut", resolved).vector, saved(tmp_path / "whole", resolved).vector
    )


@pytest.mark.parametrize(
    ("forgotten", "keyword"),
    [("strategy_state", keyword) for keyword in WITH_HISTORY]
    + [("standing", keyword) for keyword in REMOVING],
)
def test_a_rule_that_forgot_what_it_knew_would_be_noticed(
    config: Callable[..., SimulationConfig],
    digits: ImageData,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    forgotten: str,
    keyword: str,
) -> None:
    """The control: the runs above depend on the history and on who was removed or suspended."""
    resolved = config(keyword, fraction_fit=1.0)
    expected = play(resolved, digits, tmp_path / "whole")
    play(resolved, digits, tmp_path / "cut", until=4)
    load = Checkpoints.load
    nothing: Any = {} if forgotten == "strategy_state" else Standing()

    def forget(checkpoints: Checkpoints) -> Progress | None:
        progress = load(checkpoints)
        assert progress is not None
        assert getattr(progress, forgotten) != nothing
        return dataclasses.replace(progress, **{forgotten: nothing})

    monkeypatch.setattr(Checkpoints, "load", forget)
    assert play(resolved, digits, tmp_path / "cut", resume=True) != expected[3:]
