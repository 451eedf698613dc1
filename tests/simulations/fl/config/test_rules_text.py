from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from simulations.fl import strict_json
from simulations.fl.attacks import ATTACKS
from simulations.fl.config import as_json, parse, resolve
from simulations.fl.errors import ConfigError

TEXT = {
    "aggregation_strategy_keyword": "fedavg",
    "num_of_rounds": 10,
    "dataset_keyword": "reuters_r8",
}
IMAGES = TEXT | {"dataset_keyword": "mnist5k"}
FOUND_LATER = {
    "aggregation_strategy_keyword": "fedavg",
    "num_of_rounds": 10,
    "hf_dataset_name": "someone/some-set",
}
NEEDED: dict[str, dict[str, Any]] = {
    "targeted_label_flipping": {"source_class": 3, "target_class": 7},
    "gaussian_noise": {"target_noise_snr": 10.0, "attack_ratio": 0.5},
    "backdoor_trigger": {"target_class": 2},
}
LABEL_ATTACKS = ("label_flipping", "targeted_label_flipping")
IMAGE_ATTACKS = ("gaussian_noise", "backdoor_trigger")


def attack(name: str) -> dict[str, Any]:
    entry = {
        "attack_type": name,
        "start_round": 1,
        "end_round": 2,
        "selection_strategy": "specific",
        "malicious_client_ids": [1],
    }
    return {"attack_schedule": [entry | NEEDED.get(name, {})]}


def refused(config: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(config)
    return "\n".join(caught.value.errors)


@pytest.mark.parametrize(
    ("config", "path", "words"),
    [
        (IMAGES | {"lora_rank": 4}, "lora_rank", 'only with "model_type": "transformer"'),
        (IMAGES | {"llm_num_layers": 2}, "llm_num_layers", "has an effect only with"),
        (IMAGES | {"model_type": "cnn", "llm_task": "classification"}, "llm_task", "only with"),
        (IMAGES | {"model_type": "transformer"}, "model_type", "mnist5k is image data; use a netw"),
        (IMAGES | {"use_llm": True}, "use_llm", "or one of financial_phrasebank, lexglue, medal"),
        (TEXT | {"model_type": "cnn"}, "model_type", "reuters_r8 is text data, which networks of"),
        (TEXT | {"model_keyword": "cnn"}, "model_keyword", "leave model_keyword out"),
        (TEXT | {"use_llm": True, "model_type": "cnn"}, "model_type", "use_llm trains a transform"),
        (TEXT | {"use_llm": True, "model_keyword": "cnn"}, "model_keyword", "not cnn; leave"),
        (TEXT | {"use_lora": True, "llm_finetuning": "full"}, "use_lora", "llm_finetuning is full"),
        (
            TEXT | {"dataset_keyword": "medquad", "llm_task": "classification"},
            "llm_task",
            "medquad has no labels to learn, so there is nothing to classify; use mlm",
        ),
        (
            TEXT | {"dataset_keyword": "medal", "partitioning_strategy": "dirichlet"},
            "partitioning_strategy",
            "dirichlet divides by label, but medal has none; use iid",
        ),
        (TEXT | {"llm_model": ""}, "llm_model", "at least 1 characters"),
        (TEXT | {"mlm_probability": 1.0}, "mlm_probability", "must be less than 1"),
    ],
)
def test_what_does_not_go_together_is_refused(
    config: dict[str, Any], path: str, words: str
) -> None:
    message = refused(config)
    assert f"{path}: " in message
    assert words in message


@pytest.mark.parametrize("name", LABEL_ATTACKS)
def test_attacks_on_labels_are_refused_where_there_are_none(name: str) -> None:
    message = refused(TEXT | {"llm_task": "mlm"} | attack(name))
    assert message == (
        f"attack_schedule.0.attack_type: {name} changes labels, but llm_task mlm has none; use "
        "llm_task classification, token_replacement or an attack on weights"
    )
    parse(TEXT | {"llm_task": "classification"} | attack(name))


@pytest.mark.parametrize("name", IMAGE_ATTACKS)
def test_attacks_on_images_are_refused_for_texts(name: str) -> None:
    for config in (TEXT | {"llm_task": "classification"}, FOUND_LATER | {"use_llm": True}):
        assert f"{name} acts on image data" in refused(config | attack(name))


def test_attacks_on_texts_are_refused_for_images() -> None:
    for config in (IMAGES, FOUND_LATER):
        assert "token_replacement acts on text data" in refused(
            config | attack("token_replacement")
        )


def test_every_attack_says_whether_it_needs_labels() -> None:
    needing = {name for name, kind in ATTACKS.items() if kind.needs_labels}
    assert needing >= {*LABEL_ATTACKS, "backdoor_trigger"}
    assert "token_replacement" not in needing
    assert not any(ATTACKS[name].kind == "weight" for name in needing)


@pytest.mark.parametrize("way", [{}, {"use_llm": True}, {"model_type": "transformer"}])
def test_each_way_to_ask_for_a_transformer_means_the_same(way: dict[str, Any]) -> None:
    (config,) = resolve(parse(TEXT | way), drawn_seed=0).strategies
    assert config.model_type == config.model_keyword == "transformer"
    assert config.use_llm and config.use_lora
    assert (config.llm_model, config.llm_task, config.max_seq_length) == ("minilm", "mlm", None)


def test_classification_keeps_128_tokens_of_a_text_unless_told_otherwise() -> None:
    task = {"llm_task": "classification"}
    lengths = [
        resolve(parse(TEXT | task | more), drawn_seed=0).strategies[0].max_seq_length
        for more in ({}, {"max_seq_length": 48})
    ]
    assert lengths == [128, 48]


def test_a_network_of_images_keeps_its_text_settings_untouched() -> None:
    (config,) = resolve(parse(IMAGES), drawn_seed=0).strategies
    assert (config.use_llm, config.use_lora, config.llm_model) == (False, False, None)


@pytest.mark.parametrize("more", [{}, {"llm_finetuning": "full"}, {"llm_task": "classification"}])
def test_what_is_resolved_can_be_read_again(more: dict[str, Any]) -> None:
    (config,) = resolve(parse(TEXT | more), drawn_seed=0).strategies
    assert resolve(parse(as_json(config)), drawn_seed=1).strategies == (config,)


def test_a_network_that_fits_images_is_none_of_texts() -> None:
    message = refused(IMAGES | {"dataset_keyword": "digits", "model_keyword": "cnn"})
    assert "transformer" not in message


def test_the_example_is_a_configuration_of_lora() -> None:
    path = Path(__file__).parents[4] / "examples" / "reuters_lora.json"
    (config,) = resolve(parse(strict_json.loads(path.read_bytes())), drawn_seed=0).strategies
    assert (config.llm_model, config.llm_finetuning) == ("minilm", "lora")
