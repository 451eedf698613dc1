"""Rules about transformers, texts and what they learn."""

from __future__ import annotations

from collections.abc import Iterator

from datasets_app.catalog import CATALOG
from simulations.fl.attacks import ATTACKS
from simulations.fl.config.fields import StrategyConfig
from simulations.fl.config.text import TEXT_FIELDS, is_transformer
from simulations.fl.networks import NETWORKS

Problems = Iterator[tuple[str, str]]
MODEL_FIELDS = ("model_type", "model_keyword", "use_llm", "dataset_keyword")


def transformer_is_meant(config: StrategyConfig) -> Problems:
    network = NETWORKS.get(config.model_keyword or "")
    if config.use_llm and "cnn" in (config.model_type, network and network.model_type):
        name = "model_type" if config.model_type == "cnn" else "model_keyword"
        yield (
            name,
            f"use_llm trains a transformer, not {getattr(config, name)}; leave {name} out or set "
            "use_llm to false",
        )


def network_takes_the_data(config: StrategyConfig) -> Problems:
    dataset = CATALOG.get(config.dataset_keyword or "")
    if dataset is None:
        return
    asking = (name for name in ("model_keyword", "use_llm") if getattr(config, name))
    name = next(asking, "model_type")
    if is_transformer(config) and dataset.modality == "image":
        yield (
            name,
            f"a transformer takes texts, but {dataset.keyword} is image data; use a network of "
            f"images or one of {', '.join(_keywords('text'))}",
        )
    if not is_transformer(config) and dataset.modality == "text":
        yield (
            name,
            f"{dataset.keyword} is text data, which networks of images cannot take; use "
            '"model_type": "transformer" and leave model_keyword out',
        )


def text_settings_need_a_transformer(config: StrategyConfig) -> Problems:
    if is_transformer(config):
        return
    for name in TEXT_FIELDS:
        if getattr(config, name) != StrategyConfig.model_fields[name].default:
            yield name, 'has an effect only with "model_type": "transformer"; remove it or set that'


def finetuning_is_clear(config: StrategyConfig) -> Problems:
    if config.use_lora and config.llm_finetuning == "full":
        yield (
            "use_lora",
            "asks for adapters, but llm_finetuning is full; set one of them to what you want",
        )


def task_has_labels(config: StrategyConfig) -> Problems:
    dataset = CATALOG.get(config.dataset_keyword or "")
    if dataset is None or dataset.modality != "text" or dataset.label_column is not None:
        return
    if config.llm_task == "classification":
        yield (
            "llm_task",
            f"{dataset.keyword} has no labels to learn, so there is nothing to classify; use mlm",
        )


def attacks_find_labels(config: StrategyConfig) -> Problems:
    if not is_transformer(config) or config.llm_task != "mlm":
        return
    for index, entry in enumerate(config.attack_schedule):
        if ATTACKS[entry.attack_type].needs_labels:
            yield (
                f"attack_schedule.{index}.attack_type",
                f"{entry.attack_type} changes labels, but llm_task mlm has none; use llm_task "
                "classification, token_replacement or an attack on weights",
            )


def attacks_fit_the_network(config: StrategyConfig) -> Problems:
    """Refuse, for datasets outside the catalogue, what `attack_fits_data` refuses within it."""
    if config.dataset_keyword:
        return
    learnt = "text" if is_transformer(config) else "image"
    for index, entry in enumerate(config.attack_schedule):
        modality = ATTACKS[entry.attack_type].modality
        if modality not in ("any", learnt):
            yield (
                f"attack_schedule.{index}.attack_type",
                f"{entry.attack_type} acts on {modality} data, but the network learns {learnt} "
                "data; use another attack or another model_type",
            )


def _keywords(modality: str) -> list[str]:
    return sorted(keyword for keyword, spec in CATALOG.items() if spec.modality == modality)
