"""Rules about data, networks and where they run."""

from __future__ import annotations

from collections.abc import Iterator

from pydantic import ValidationError

from datasets_app.catalog import CATALOG
from simulations.fl.config import absent
from simulations.fl.config.fields import StrategyConfig
from simulations.fl.config.messages import sentence
from simulations.fl.networks import NETWORKS
from simulations.fl.partitions import PARTITIONS

Problems = Iterator[tuple[str, str]]
TEXT_FIELDS = tuple(
    name
    for name, field in StrategyConfig.model_fields.items()
    if isinstance(field.json_schema_extra, dict) and field.json_schema_extra["group"] == "Text"
)


def dataset_is_named_once(config: StrategyConfig) -> Problems:
    if config.dataset_keyword and config.hf_dataset_name:
        yield "dataset_keyword", "give either dataset_keyword or hf_dataset_name, not both"
    if not config.dataset_keyword and not config.hf_dataset_name:
        yield "dataset_keyword", "is required (or hf_dataset_name instead of it)"


def dataset_is_known(config: StrategyConfig) -> Problems:
    keyword = config.dataset_keyword
    if keyword is not None and keyword not in CATALOG:
        yield "dataset_keyword", absent.refusal("dataset", keyword, CATALOG, absent.DATASETS)
    if config.hf_dataset_name:
        yield (
            "hf_dataset_name",
            "hub datasets outside the catalogue are not available in this version yet; "
            f"use dataset_keyword with one of {', '.join(sorted(CATALOG))}",
        )


def partition_is_known(config: StrategyConfig) -> Problems:
    name, params = config.partitioning_strategy, config.partitioning_params
    if name is None:
        if params is not None:
            yield "partitioning_params", "needs partitioning_strategy beside it"
        return
    if name not in PARTITIONS:
        yield (
            "partitioning_strategy",
            absent.refusal("partition", name, PARTITIONS, absent.PARTITIONS),
        )
        return
    model = PARTITIONS[name].params
    try:
        model.model_validate(params or {})
    except ValidationError as error:
        for problem in error.errors():
            location = ".".join(str(part) for part in problem["loc"])
            yield f"partitioning_params.{location}", sentence(problem, model.model_fields)


def network_is_known(config: StrategyConfig) -> Problems:
    keyword = config.model_keyword
    if config.model_type == "transformer" or config.use_llm:
        yield "model_type", "transformers are not available in this version yet; use cnn"
    elif keyword is not None and keyword not in NETWORKS:
        yield "model_keyword", absent.refusal("network", keyword, NETWORKS, frozenset())
    elif keyword and config.model_type and NETWORKS[keyword].model_type != config.model_type:
        yield (
            "model_keyword",
            f"{keyword} is a {NETWORKS[keyword].model_type}, but model_type is {config.model_type}",
        )


def network_fits_dataset(config: StrategyConfig) -> Problems:
    dataset = CATALOG.get(config.dataset_keyword or "")
    network = NETWORKS.get(config.model_keyword or "")
    if dataset is None or network is None:
        return
    side = min(dataset.shape[1:])
    if side < network.min_side:
        fitting = sorted(name for name, spec in NETWORKS.items() if side >= spec.min_side)
        yield (
            "model_keyword",
            f"{config.model_keyword} needs images of {network.min_side} pixels or more, "
            f"{dataset.keyword} has {side}; fitting are {', '.join(fitting)}",
        )


def enough_samples(config: StrategyConfig) -> Problems:
    dataset = CATALOG.get(config.dataset_keyword or "")
    if dataset is not None and dataset.num_train < config.num_of_clients:
        yield (
            "num_of_clients",
            f"{config.num_of_clients} clients are too many for {dataset.keyword}, which has "
            f"{dataset.num_train} training samples; use at most as many clients",
        )


def text_settings_need_a_transformer(config: StrategyConfig) -> Problems:
    if config.model_type == "transformer" or config.use_llm:
        return
    for name in TEXT_FIELDS:
        if getattr(config, name) != StrategyConfig.model_fields[name].default:
            yield name, 'has an effect only with "model_type": "transformer"; remove it or set that'


def engine_is_available(config: StrategyConfig) -> Problems:
    if config.engine == "ray":
        yield "engine", "ray is not available in this version yet; use local"
