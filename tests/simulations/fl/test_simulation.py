from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from datasets_app.catalog.image_data import ImageData
from simulations.fl import build, device
from simulations.fl.checkpoint import Checkpoints
from simulations.fl.config import SimulationConfig
from simulations.fl.errors import DataError, DeviceError
from simulations.fl.events import (
    Event,
    RoundFinished,
    SnapshotSaved,
    StrategyFinished,
    StrategyStarted,
)
from simulations.fl.generators import Purpose, generator, torch_seed
from simulations.fl.networks.cnn import build_wide
from simulations.fl.simulation import run

Resolved = Callable[..., SimulationConfig]
ATTACKS: list[dict[str, Any]] = [
    {
        "attack_type": "label_flipping",
        "start_round": 1,
        "end_round": 2,
        "selection_strategy": "specific",
        "malicious_client_ids": [1],
    },
    {
        "attack_type": "gradient_scaling",
        "scale_factor": -3.0,
        "start_round": 2,
        "end_round": 3,
        "selection_strategy": "random",
        "malicious_client_count": 2,
    },
    {
        "attack_type": "byzantine_perturbation",
        "start_round": 2,
        "end_round": 2,
        "selection_strategy": "specific",
        "malicious_client_ids": [0],
    },
]


def play(config: SimulationConfig, data: ImageData, **options: Any) -> list[Event]:
    return list(run(config, lambda _: data, **options))


def rounds(events: list[Event], strategy: int = 0) -> list[RoundFinished]:
    return [
        event
        for event in events
        if isinstance(event, RoundFinished) and event.strategy_number == strategy
    ]


def untimed(event: RoundFinished) -> RoundFinished:
    clients = [dataclasses.replace(client, train_seconds=None) for client in event.clients]
    return dataclasses.replace(
        event, clients=clients, round_seconds=None, score_calculation_time_ns=None
    )


def final_vector(run_dir: Path, config: SimulationConfig, strategy: int = 0) -> torch.Tensor:
    saved = Checkpoints(run_dir, strategy, config.strategies[strategy]).load()
    assert saved is not None
    return saved.vector


def test_events_come_in_order_and_every_round_is_told(
    resolved: Resolved, digits: ImageData
) -> None:
    events = play(resolved({}, {"num_of_rounds": 2}), digits, workers=1)
    one = ["strategy_started", *["round_finished"] * 3, "strategy_finished"]
    two = ["strategy_started", *["round_finished"] * 2, "strategy_finished"]
    assert [e.kind for e in events] == ["run_started", *one, *two, "run_finished"]
    assert [r.round_number for r in rounds(events)] == [1, 2, 3]
    assert events[5] == StrategyFinished(strategy_number=0, rounds=3, reason=None)
    started = events[1]
    assert isinstance(started, StrategyStarted)
    assert sum(started.client_sizes) == 240


def test_distances_are_the_scores_of_a_rule_without_its_own(
    resolved: Resolved, digits: ImageData
) -> None:
    events = play(resolved({}, {"aggregation_strategy_keyword": "krum"}), digits, workers=1)
    for strategy, are_distances in enumerate((True, False)):
        for client in rounds(events, strategy)[0].clients:
            assert (client.absolute_distance or 0) > 0 and client.removal_criterion is not None
            assert (client.removal_criterion == client.absolute_distance) is are_distances


def test_the_model_learns(resolved: Resolved, digits: ImageData) -> None:
    config = resolved(num_of_rounds=4, num_of_client_epochs=3, learning_rate=0.003)
    told = rounds(play(config, digits, workers=1))
    assert told[-1].global_accuracy is not None and told[-1].global_accuracy > 0.9
    assert told[-1].global_loss is not None and told[0].global_loss is not None
    assert told[-1].global_loss < told[0].global_loss


def test_a_round_is_what_plain_torch_computes(
    resolved: Resolved, digits: ImageData, tmp_path: Path
) -> None:
    """One client, so that federated averaging is local training: written out by hand."""
    config = resolved(num_of_clients=1, num_of_rounds=2, num_of_client_epochs=2)
    told = rounds(play(config, digits, workers=1, run_dir=tmp_path))

    with device.one_thread():
        torch.manual_seed(torch_seed(5, Purpose.INITIAL_WEIGHTS))
        network = build_wide((1, 8, 8), 10)
        everything = generator(5, Purpose.PARTITION).permutation(240)
        order = generator(5, Purpose.VALIDATION_SPLIT, 0).permutation(np.sort(everything))
        pixels = digits.train_images / 255
        x = torch.tensor((pixels - pixels.mean()) / pixels.std(), dtype=torch.float32)
        y = torch.tensor(digits.train_labels)
        mine, held_out = np.sort(order[:216]), np.sort(order[216:])
        for number in (1, 2):
            torch.manual_seed(torch_seed(5, Purpose.TRAINING_NOISE, 0, number))
            optimizer = torch.optim.Adam(network.parameters(), lr=0.001)
            batches = generator(5, Purpose.BATCHES, 0, number)
            network.train()
            for _ in range(2):
                shuffled = mine[batches.permutation(216)]
                for first in range(0, 216, 16):
                    batch = shuffled[first : first + 16]
                    optimizer.zero_grad()
                    functional.cross_entropy(network(x[batch]), y[batch]).backward()
                    optimizer.step()
        expected = torch.cat([t.detach().reshape(-1) for t in network.state_dict().values()])
        torch.testing.assert_close(final_vector(tmp_path, config), expected, rtol=1e-3, atol=2e-4)

        network.eval()
        with torch.no_grad():
            answers = network(x[held_out])
        assert told[-1].clients[0].loss == pytest.approx(
            float(functional.cross_entropy(answers, y[held_out])), rel=1e-3
        )
        assert told[-1].clients[0].accuracy == float(
            (answers.argmax(1) == y[held_out]).double().mean()
        )


def test_results_do_not_depend_on_the_number_of_workers(
    resolved: Resolved, digits: ImageData, tmp_path: Path
) -> None:
    config = resolved(attack_schedule=ATTACKS)
    results = {}
    for workers in (1, 2, 3):
        folder = tmp_path / str(workers)
        events = play(config, digits, workers=workers, run_dir=folder)
        results[workers] = [untimed(r) for r in rounds(events)], final_vector(folder, config)
    for workers in (2, 3):
        assert results[workers][0] == results[1][0]
        assert torch.equal(results[workers][1], results[1][1])


def test_running_means_and_batch_counters_travel_too(
    resolved: Resolved, digits: ImageData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def network(config: Any, given: Any = None) -> nn.Module:
        with device.seeded(config.seed, torch.device("cpu")):
            return nn.Sequential(
                nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 10)
            )

    monkeypatch.setattr(build, "network", network)
    saved = []
    for workers in (1, 2):
        folder = tmp_path / str(workers)
        play(resolved(num_of_rounds=2), digits, workers=workers, run_dir=folder)
        saved.append(Checkpoints(folder, 0, resolved(num_of_rounds=2).strategies[0]).load())
    one, two = saved
    assert one is not None and two is not None
    assert torch.equal(one.vector, two.vector)
    running_mean = one.vector[40 + 8 : 40 + 12]
    assert running_mean.any()
    assert one.integers.tolist() == two.integers.tolist() == [2 * 4]


def test_results_do_not_depend_on_what_ran_before(resolved: Resolved, digits: ImageData) -> None:
    attacked = {"attack_schedule": ATTACKS}
    alone = rounds(play(resolved(attacked), digits, workers=1))
    torch.manual_seed(99)
    second = rounds(play(resolved({"learning_rate": 0.1}, attacked), digits, workers=1), strategy=1)
    for one, other in zip(alone, second, strict=True):
        assert untimed(one) == untimed(dataclasses.replace(other, strategy_number=0))


def test_strategies_start_from_the_same_model_and_clients(
    resolved: Resolved, digits: ImageData
) -> None:
    events = play(
        resolved({}, {"aggregation_strategy_keyword": "trimmed_mean", "trim_ratio": 0.3}),
        digits,
        workers=2,
    )
    averaged, trimmed = rounds(events, 0)[0], rounds(events, 1)[0]
    assert [c.train_loss for c in averaged.clients] == [c.train_loss for c in trimmed.clients]
    assert averaged.global_loss != trimmed.global_loss


def test_another_seed_gives_another_run(resolved: Resolved, digits: ImageData) -> None:
    one = rounds(play(resolved(num_of_rounds=1), digits, workers=1))
    other = rounds(play(resolved(num_of_rounds=1, seed=6), digits, workers=1))
    assert one[0].global_loss != other[0].global_loss


def test_sampled_clients_train_and_evaluate(resolved: Resolved, digits: ImageData) -> None:
    config = resolved(num_of_clients=10, fraction_fit=0.3, fraction_evaluate=0.4, num_of_rounds=6)
    told = rounds(play(config, digits, workers=2))
    trained = [[c.client_id for c in r.clients if c.train_loss is not None] for r in told]
    evaluated = [[c.client_id for c in r.clients if c.accuracy is not None] for r in told]
    assert {len(ids) for ids in trained} == {3}
    assert {len(ids) for ids in evaluated} == {4}
    assert len({tuple(ids) for ids in trained}) > 1
    assert trained != evaluated
    first = told[0]
    assert all(c.participated == (c.train_loss is not None) for c in first.clients)
    assert all(c.num_examples == 0 for c in first.clients if c.train_loss is None)


def test_weighted_metrics_follow_from_the_clients(resolved: Resolved, digits: ImageData) -> None:
    config = resolved(
        partitioning_strategy="dirichlet",
        partitioning_params={"alpha": 0.7, "min_partition_size": 12},
        training_subset_fraction=0.7,
        attack_schedule=ATTACKS[:1],
    )
    events = play(config, digits, workers=1)
    started = events[1]
    assert isinstance(started, StrategyStarted)
    told = rounds(events)[0]
    weights = [
        size - client.num_examples
        for size, client in zip(started.client_sizes, told.clients, strict=True)
    ]
    assert len(set(weights)) > 1
    losses = [client.loss for client in told.clients if client.loss is not None]
    assert len(losses) == 4
    assert told.aggregated_loss == pytest.approx(np.average(losses, weights=weights))
    benign = [c.accuracy for c in told.clients if c.client_id != 1 and c.accuracy is not None]
    assert len(benign) == 3
    assert told.average_accuracy == pytest.approx(np.mean(benign))
    assert told.average_accuracy_std == pytest.approx(np.std(benign))
    assert [c.is_malicious for c in told.clients] == [False, True, False, False]


def test_malice_follows_the_schedule(resolved: Resolved, digits: ImageData) -> None:
    schedule = [{**ATTACKS[0], "start_round": 2, "end_round": 2}]
    told = rounds(play(resolved(attack_schedule=schedule), digits, workers=1))
    assert [r.clients[1].is_malicious for r in told] == [False, True, False]


def test_a_poisoned_client_leaves_the_others_alone(resolved: Resolved, digits: ImageData) -> None:
    honest = rounds(play(resolved(num_of_rounds=1), digits, workers=1))[0]
    config = resolved(num_of_rounds=1, attack_schedule=[{**ATTACKS[0], "end_round": 1}])
    attacked = rounds(play(config, digits, workers=1))[0]
    same = [
        one.train_loss == other.train_loss
        for one, other in zip(honest.clients, attacked.clients, strict=True)
    ]
    assert same == [True, False, True, True]


def test_a_backdoor_is_measured_from_its_first_round_on(
    resolved: Resolved, digits: ImageData
) -> None:
    entry = {
        "attack_type": "backdoor_trigger",
        "target_class": 3,
        "trigger_size": 2,
        "poison_ratio": 0.5,
        "start_round": 2,
        "end_round": 2,
        "selection_strategy": "specific",
        "malicious_client_ids": [0, 1],
    }
    config = resolved(num_of_clients=2, attack_schedule=[entry], num_of_client_epochs=8)
    told = rounds(play(config, digits, workers=2))
    rates = [r.attack_success_rate for r in told]
    assert rates[0] is None
    assert rates[1] is not None and rates[1] > 0.5
    assert rates[2] is not None


def test_a_client_without_validation_samples_has_no_accuracy(
    resolved: Resolved, digits: ImageData
) -> None:
    told = rounds(play(resolved(training_subset_fraction=1.0, num_of_rounds=1), digits, workers=1))
    assert [(c.loss, c.accuracy) for c in told[0].clients] == [(None, None)] * 4
    assert told[0].aggregated_loss is None and told[0].average_accuracy is None
    assert told[0].global_accuracy is not None


def test_divergence_ends_the_strategy_with_a_reason_and_the_next_one_runs(
    resolved: Resolved, digits: ImageData
) -> None:
    blow_up = {**ATTACKS[1], "scale_factor": 1e45, "start_round": 2, "malicious_client_count": 1}
    config = resolved({"attack_schedule": [blow_up]}, {"num_of_rounds": 1})
    events = play(config, digits, workers=2)
    told = rounds(events, 0)
    assert len(told) == 2
    attacker = next(c for c in told[1].clients if c.is_malicious)
    assert attacker.absolute_distance is None
    assert told[1].global_loss is None and told[1].global_accuracy is None
    assert all(c.absolute_distance is not None for c in told[1].clients if not c.is_malicious)
    finished = [e for e in events if isinstance(e, StrategyFinished)]
    assert finished[0].reason is not None
    assert f"client {attacker.client_id} sent NaN or infinity" in finished[0].reason
    assert finished[1].reason is None and len(rounds(events, 1)) == 1


def test_a_robust_rule_survives_what_is_not_finite(resolved: Resolved, digits: ImageData) -> None:
    blow_up = {**ATTACKS[1], "scale_factor": 1e45, "start_round": 1, "malicious_client_count": 1}
    config = resolved(
        aggregation_strategy_keyword="krum", num_of_clients=6, attack_schedule=[blow_up]
    )
    told = rounds(play(config, digits, workers=1))
    assert len(told) == 3
    assert told[-1].global_loss is not None


def test_torch_is_left_as_it_was(resolved: Resolved, digits: ImageData) -> None:
    torch.manual_seed(1)
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    play(resolved(num_of_rounds=1), digits, workers=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_data_that_does_not_fit_the_catalogue_is_refused(
    resolved: Resolved, digits: ImageData
) -> None:
    wide = dataclasses.replace(digits, train_images=digits.train_images.repeat(2, axis=3))
    with pytest.raises(DataError, match=r"expected \(n, \*\(1, 8, 8\)\)"):
        play(resolved(), wide)


def test_a_missing_gpu_is_an_error(resolved: Resolved, digits: ImageData) -> None:
    if torch.cuda.is_available():
        pytest.skip("this machine has a GPU")
    with pytest.raises(DeviceError, match="needs a CUDA GPU"):
        play(resolved(training_device="gpu"), digits)


@pytest.mark.parametrize("workers", [1, 2])
def test_examples_of_attacks_are_kept_and_told(
    resolved: Resolved, digits: ImageData, tmp_path: Path, workers: int
) -> None:
    config = resolved(
        attack_schedule=ATTACKS, save_attack_snapshots=True, attack_snapshot_format="pickle"
    )
    events = play(config, digits, run_dir=tmp_path, workers=workers)
    plain = play(resolved(attack_schedule=ATTACKS), digits, workers=workers)
    assert [untimed(r) for r in rounds(events)] == [untimed(r) for r in rounds(plain)]
    saved = [event for event in events if isinstance(event, SnapshotSaved)]
    told = {(s.round_number, s.client_id, s.attack_type) for s in saved}
    malicious = {
        (r.round_number, c.client_id) for r in rounds(events) for c in r.clients if c.is_malicious
    }
    assert {(number, client) for number, client, _ in told} == malicious
    assert {(1, 1, "label_flipping"), (2, 1, "label_flipping")} <= told
    for snapshot in saved:
        metadata = json.loads((tmp_path / snapshot.path / "metadata.json").read_text())
        assert metadata["attack_type"] == snapshot.attack_type
        assert metadata["client_id"] == snapshot.client_id
    summary = json.loads((tmp_path / "attack_snapshots_0" / "summary.json").read_text())
    assert summary["total_snapshots"] == len(saved)
    scaling = next(s for s in saved if s.attack_type == "gradient_scaling")
    metadata = json.loads((tmp_path / scaling.path / "metadata.json").read_text())
    assert metadata["sent_norm"] == pytest.approx(3 * metadata["honest_norm"], rel=1e-3)
    assert metadata["attacks"][0]["settings"] == {"scale_factor": -3.0}
