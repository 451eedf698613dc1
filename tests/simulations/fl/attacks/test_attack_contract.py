"""What holds for every attack of the table, whoever wrote it."""

from __future__ import annotations

import random
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from datasets_app.catalog import CATALOG
from simulations.fl.attacks import ATTACKS
from simulations.fl.attacks.base import DataAttack, Layout, Setup, WeightAttack
from simulations.fl.config import parse
from simulations.fl.config.schedule import entry_class
from simulations.fl.errors import ConfigError

LAYOUT = Layout((("a", 0, 60), ("b", 60, 40), ("c", 100, 1)))
TEXTS = ["The patient had fever and acute pain.", "Chronic disease, high BLOOD PRESSURE."] * 10

# The table of the specification, in its order; an ellipsis stands for "required".
SPECIFIED: dict[str, dict[str, Any]] = {
    "label_flipping": {},
    "targeted_label_flipping": {"source_class": ..., "target_class": ..., "flip_ratio": 1.0},
    "gaussian_noise": {"target_noise_snr": ..., "attack_ratio": ...},
    "backdoor_trigger": {
        "target_class": ...,
        "trigger_pattern": "square",
        "trigger_size": 4,
        "trigger_position": "bottom_right",
        "trigger_value": 1.0,
        "poison_ratio": 0.1,
    },
    "token_replacement": {
        "target_vocabulary": "medical",
        "replacement_strategy": "random",
        "replacement_prob": 0.2,
    },
    "model_poisoning": {"poison_ratio": 0.1, "magnitude": 5.0},
    "gradient_scaling": {"scale_factor": 2.0},
    "boosted_scaling": {"n_total": ..., "n_malicious": 1, "boost_factor": 1.0},
    "byzantine_perturbation": {"noise_scale": 3.0, "clip_norm": None},
    "inner_product_manipulation": {
        "perturbation_strength": 0.5,
        "target_direction": "negative",
    },
    "alternating_min_poisoning": {
        "n_total": ...,
        "n_malicious": 1,
        "tau_factor": 1.0,
        "pgd_steps": 20,
        "pgd_step_size": 0.1,
    },
}
DATA = [keyword for keyword, attack in ATTACKS.items() if attack.kind == "data"]
WEIGHT = [keyword for keyword, attack in ATTACKS.items() if attack.kind == "weight"]


def samples_for(keyword: str) -> tuple[Any, np.ndarray]:
    labels = np.arange(20, dtype=np.int64) % 10
    if ATTACKS[keyword].modality == "text":
        return list(TEXTS), labels
    return np.random.default_rng(5).random((20, 3, 9, 11), dtype=np.float32), labels


def vectors() -> tuple[torch.Tensor, torch.Tensor]:
    made = np.random.default_rng(6).standard_normal((2, 101)).astype(np.float32)
    return torch.from_numpy(made[0]), torch.from_numpy(made[1])


def same(one: Any, other: Any) -> bool:
    return one == other if isinstance(one, list) else np.array_equal(one, other)


def test_the_table_holds_the_specified_attacks() -> None:
    assert list(ATTACKS) == list(SPECIFIED)


@pytest.mark.parametrize("keyword", ATTACKS)
def test_parameters_and_defaults_are_the_specified_ones(keyword: str) -> None:
    fields = ATTACKS[keyword].Params.model_fields
    declared = {
        name: ... if field.is_required() else field.default for name, field in fields.items()
    }
    assert declared == SPECIFIED[keyword]
    assert all(type(declared[name]) is type(value) for name, value in SPECIFIED[keyword].items())


@pytest.mark.parametrize("keyword", ATTACKS)
def test_every_attack_describes_itself(keyword: str) -> None:
    attack = ATTACKS[keyword]
    assert issubclass(attack, DataAttack if attack.kind == "data" else WeightAttack)
    assert attack.modality in ("image", "text", "any")
    assert attack.summary.endswith(".") and attack.summary.count(".") == 1
    assert attack.paper
    assert all(field.description for field in attack.Params.model_fields.values())


@pytest.mark.parametrize("keyword", ATTACKS)
def test_an_unknown_parameter_is_refused(keyword: str, required: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="Extra inputs"):
        ATTACKS[keyword].Params(**{**required.get(keyword, {}), "no_such_parameter": 1})


@pytest.mark.parametrize("keyword", [k for k, v in SPECIFIED.items() if ... in v.values()])
def test_required_parameters_are_required(keyword: str) -> None:
    with pytest.raises(ValidationError) as caught:
        ATTACKS[keyword].Params()
    missing = {problem["loc"][0] for problem in caught.value.errors()}
    assert missing == {name for name, value in SPECIFIED[keyword].items() if value is ...}


@pytest.mark.parametrize("keyword", ATTACKS)
def test_settings_are_the_attacks_own(keyword: str, build: Any, required: dict[str, Any]) -> None:
    expected = {**SPECIFIED[keyword], **required.get(keyword, {})}
    assert build(keyword).settings == expected
    entry = entry_class(keyword)(
        start_round=1,
        end_round=2,
        attack_type=keyword,
        selection_strategy="specific",
        malicious_client_ids=[0],
        **required.get(keyword, {}),
    )
    attack = ATTACKS[keyword](entry, Setup(10, np.random.default_rng(0)))
    assert attack.settings == expected


@pytest.mark.parametrize("keyword", DATA)
def test_data_attacks_change_something_and_keep_shape_and_type(keyword: str, build: Any) -> None:
    samples, labels = samples_for(keyword)
    poisoned, relabelled = build(keyword).poison(samples, labels, np.random.default_rng(3))
    assert not same(poisoned, samples) or not same(relabelled, labels)
    assert len(poisoned) == len(samples)
    assert relabelled.shape == labels.shape and relabelled.dtype == np.int64
    if not isinstance(samples, list):
        assert poisoned.shape == samples.shape and poisoned.dtype == np.float32
        assert poisoned.min() >= 0 and poisoned.max() <= 1


@pytest.mark.parametrize("keyword", DATA)
def test_data_attacks_leave_the_originals_alone(keyword: str, build: Any) -> None:
    samples, labels = samples_for(keyword)
    kept, kept_labels = samples.copy(), labels.copy()
    attack = build(keyword)
    poisoned, relabelled = attack.poison(samples, labels, np.random.default_rng(3))
    attack.success_set(samples, labels)
    if not isinstance(samples, list):
        poisoned[:] = 0.5
    relabelled[:] = 0
    assert same(samples, kept) and same(labels, kept_labels)


@pytest.mark.parametrize("keyword", DATA)
def test_data_attacks_are_seeded(keyword: str, build: Any) -> None:
    samples, labels = samples_for(keyword)
    attack = build(keyword)
    one, other = (attack.poison(samples, labels, np.random.default_rng(8)) for _ in range(2))
    assert same(one[0], other[0]) and same(one[1], other[1])


@pytest.mark.parametrize("keyword", WEIGHT)
def test_weight_attacks_change_something_and_keep_shape_and_type(keyword: str, build: Any) -> None:
    trained, start = vectors()
    kept, kept_start = trained.clone(), start.clone()
    sent = build(keyword).forge(trained, start, LAYOUT, np.random.default_rng(3))
    assert sent.shape == trained.shape and sent.dtype == torch.float32
    assert not torch.equal(sent, trained) and torch.isfinite(sent).all()
    sent.zero_()
    assert torch.equal(trained, kept) and torch.equal(start, kept_start)


@pytest.mark.parametrize("keyword", WEIGHT)
def test_weight_attacks_are_seeded(keyword: str, build: Any) -> None:
    attack = build(keyword)
    one, other = (attack.forge(*vectors(), LAYOUT, np.random.default_rng(8)) for _ in range(2))
    assert torch.equal(one, other)


@pytest.mark.parametrize("dataset", CATALOG)
@pytest.mark.parametrize("keyword", ATTACKS)
def test_an_attack_on_data_of_the_wrong_modality_is_refused(
    keyword: str, dataset: str, required: dict[str, Any]
) -> None:
    """It would do nothing, and the rule would look like a defence."""
    entry = {"attack_type": keyword, "start_round": 1, "end_round": 1, **required.get(keyword, {})}
    chosen = {"selection_strategy": "specific", "malicious_client_ids": [0]}
    config = {
        "aggregation_strategy_keyword": "fedavg",
        "dataset_keyword": dataset,
        "num_of_rounds": 1,
        "attack_schedule": [{**entry, **chosen}],
    }
    errors = []
    try:
        parse(config)
    except ConfigError as error:
        errors = [line for line in error.errors if "acts on" in line]
    fits = ATTACKS[keyword].modality in ("any", CATALOG[dataset].modality)
    assert len(errors) == (0 if fits else 1)
    assert all(line.startswith("attack_schedule.0.attack_type: ") for line in errors)


def global_generators() -> tuple[torch.Tensor, tuple[bytes, int], object]:
    """Return the states of torch's, numpy's and Python's own generator."""
    state = np.random.get_state(legacy=False)["state"]
    # A few draws only move the position in the key.
    return torch.get_rng_state(), (state["key"].tobytes(), state["pos"]), random.getstate()


@pytest.mark.parametrize("keyword", ATTACKS)
def test_attacks_touch_no_global_generator(keyword: str, build: Any) -> None:
    before = global_generators()
    attack = build(keyword)
    if attack.kind == "data":
        attack.poison(*samples_for(keyword), np.random.default_rng(3))
    else:
        attack.forge(*vectors(), LAYOUT, np.random.default_rng(3))
    after = global_generators()
    assert torch.equal(before[0], after[0]) and before[1:] == after[1:]


def test_the_table_loads_neither_torch_nor_matplotlib() -> None:
    code = "import sys, simulations.fl.attacks; print({'torch', 'matplotlib'} & set(sys.modules))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "set()"
