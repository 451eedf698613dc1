from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from simulations.fl.adversary import Adversary
from simulations.fl.attacks import ATTACKS
from simulations.fl.attacks.base import Layout, Setup
from simulations.fl.config import SimulationConfig
from simulations.fl.generators import Purpose, generator

WHO = {"start_round": 2, "end_round": 4, "selection_strategy": "specific"}
SCHEDULE: list[dict[str, Any]] = [
    {**WHO, "attack_type": "gradient_scaling", "malicious_client_ids": [1], "scale_factor": 2.0},
    {**WHO, "attack_type": "gaussian_noise", "malicious_client_ids": [1, 2]}
    | {"target_noise_snr": 5.0, "attack_ratio": 0.5},
    {**WHO, "attack_type": "label_flipping", "malicious_client_ids": [1]},
    {**WHO, "attack_type": "byzantine_perturbation", "malicious_client_ids": [1]},
]
LAYOUT = Layout((("a", 0, 3), ("b", 3, 2)))
Resolved = Callable[..., SimulationConfig]


def adversary(resolved: Resolved) -> tuple[Adversary, list[Any]]:
    config = resolved(num_of_rounds=5, attack_schedule=SCHEDULE).strategies[0]
    attacks = [
        ATTACKS[entry.attack_type](entry, Setup(10, generator(5, Purpose.ATTACK_SETUP, index)))
        for index, entry in enumerate(config.attack_schedule)
    ]
    return Adversary(config.attack_schedule, 10, 5), attacks


def test_attacks_follow_each_other_in_schedule_order_with_their_own_draws(
    resolved: Resolved,
) -> None:
    acting, attacks = adversary(resolved)
    images = np.random.default_rng(0).random((6, 1, 4, 4), dtype=np.float32)
    labels = np.arange(6)
    noisy = attacks[1].poison(images, labels, generator(5, Purpose.DATA_ATTACK, 1, 3, 1))
    flipped = attacks[2].poison(*noisy, generator(5, Purpose.DATA_ATTACK, 1, 3, 2))
    stages = acting.poison(images, labels, 1, 3)
    assert [stage.campaign.attack_type for stage in stages] == ["gaussian_noise", "label_flipping"]
    assert np.array_equal(stages[-1].samples, flipped[0])
    assert np.array_equal(stages[-1].labels, flipped[1])

    trained, start = torch.arange(5.0), torch.ones(5)
    scaled = attacks[0].forge(trained, start, LAYOUT, generator(5, Purpose.WEIGHT_ATTACK, 1, 3, 0))
    wanted = attacks[3].forge(scaled, start, LAYOUT, generator(5, Purpose.WEIGHT_ATTACK, 1, 3, 3))
    assert torch.equal(acting.forge(trained, start, LAYOUT, 1, 3), wanted)
    assert [forger.index for forger in acting.forgers(1, 3)] == [0, 3]


def test_nothing_happens_to_others_or_in_other_rounds(resolved: Resolved) -> None:
    acting, _ = adversary(resolved)
    trained = torch.arange(5.0)
    for client, round_number in [(0, 3), (1, 1), (1, 5)]:
        assert not acting.is_malicious(client, round_number)
        assert not acting.poisons(client, round_number)
        assert acting.forge(trained, torch.ones(5), LAYOUT, client, round_number) is trained
    assert acting.is_malicious(2, 2) and acting.poisons(2, 4)
    assert not acting.forgers(2, 3)


def test_a_campaign_knows_its_settings_only(resolved: Resolved) -> None:
    acting, _ = adversary(resolved)
    assert acting.campaigns[0].settings == {"scale_factor": 2.0}
    assert acting.campaigns[1].settings == {"target_noise_snr": 5.0, "attack_ratio": 0.5}
