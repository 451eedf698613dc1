"""Rules about data, networks and where they run."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.util import find_spec

from pydantic import ValidationError

from datasets_app.catalog import CATALOG
from datasets_app.catalog.spec import DatasetSpec
from simulations.fl.config.fields import StrategyConfig
from simulations.fl.config.messages import sentence
from simulations.fl.config.spelling import unknown
from simulations.fl.networks import NETWORKS
from simulations.fl.partition import unreadable
from simulations.fl.partitions import PARTITIONS
from simulations.fl.partitions.base import Known

Problems = Iterator[tuple[str, str]]


def dataset_is_named_once(config: StrategyConfig) -> Problems:
    if config.dataset_keyword and config.hf_dataset_name:
        yield "dataset_keyword", "give either dataset_keyword or hf_dataset_name, not both"
    if not config.dataset_keyword and not config.hf_dataset_name:
        yield "dataset_keyword", "is required (or hf_dataset_name instead of it)"


def dataset_is_known(config: StrategyConfig) -> Problems:
    keyword = config.dataset_keyword
    if keyword is not None and keyword not in CATALOG:
        yield "dataset_keyword", unknown("dataset", keyword, CATALOG)


def partition_is_known(config: StrategyConfig) -> Problems:
    name, params = config.partitioning_strategy, config.partitioning_params
    if name is None:
        if params is not None:
            yield "partitioning_params", "needs partitioning_strategy beside it"
        return
    if name not in PARTITIONS:
        yield "partitioning_strategy", unknown("partition", name, PARTITIONS)
        return
    model = PARTITIONS[name].params
    try:
        model.model_validate(params or {})
    except ValidationError as error:
        for problem in error.errors():
            # Between them stands which form of a value was tried.
            place = [str(part) for part in problem["loc"][:1]]
            place += [str(part) for part in problem["loc"][1:] if isinstance(part, int)]
            yield f"partitioning_params.{'.'.join(place)}", sentence(problem, model.model_fields)


def partition_fits_dataset(config: StrategyConfig) -> Problems:
    """Refuse a partition that the number of clients or what is known of the dataset rules out."""
    dataset = CATALOG.get(config.dataset_keyword or "")
    name, params = config.partitioning_strategy, config.partitioning_params
    if name is None and dataset is not None:
        name, params = dataset.partitioning, dict(dataset.partitioning_params)
    spec = PARTITIONS.get(name or "")
    if name is None or spec is None:
        return
    try:
        checked = spec.params.model_validate(params or {})
    except ValidationError:
        return
    if dataset is None or dataset.is_detected:
        # The run knows what there is, and asks again.
        yield from checked.problems(Known(config.num_of_clients))
        return
    num_samples, num_classes = dataset.num_train or None, dataset.num_classes or None
    problems = [*unreadable(name, _told(dataset), dataset.keyword)]
    yield from problems or checked.problems(Known(config.num_of_clients, num_samples, num_classes))


def _told(dataset: DatasetSpec) -> set[str]:
    columns = {"label": dataset.label_column, "natural id": dataset.natural_id_column}
    return {"number", *(what for what, column in columns.items() if column is not None)}


def network_is_known(config: StrategyConfig) -> Problems:
    keyword = config.model_keyword
    if keyword is not None and keyword not in NETWORKS:
        yield "model_keyword", unknown("network", keyword, NETWORKS)
    elif keyword and config.model_type and NETWORKS[keyword].model_type != config.model_type:
        yield (
            "model_keyword",
            f"{keyword} is a {NETWORKS[keyword].model_type}, but model_type is {config.model_type}",
        )


def network_fits_dataset(config: StrategyConfig) -> Problems:
    dataset = CATALOG.get(config.dataset_keyword or "")
    if dataset is not None:
        yield from network_fits(config, dataset)


def network_fits(config: StrategyConfig, dataset: DatasetSpec) -> Problems:
    network = NETWORKS.get(config.model_keyword or "")
    if network is None or not dataset.shape:
        return
    side = min(dataset.shape[1:])
    if side < network.min_side:
        fitting = sorted(
            name
            for name, spec in NETWORKS.items()
            if spec.model_type == network.model_type and side >= spec.min_side
        )
        yield (
            "model_keyword",
            f"{config.model_keyword} needs images of {network.min_side} pixels or more, "
            f"{dataset.keyword} has {side}; fitting are {', '.join(fitting)}",
        )


def enough_samples(config: StrategyConfig) -> Problems:
    dataset = CATALOG.get(config.dataset_keyword or "")
    if dataset is not None and dataset.num_train:
        yield from enough(config, dataset)


def enough(config: StrategyConfig, dataset: DatasetSpec) -> Problems:
    if dataset.num_train < config.num_of_clients:
        yield (
            "num_of_clients",
            f"{config.num_of_clients} clients are too many for {dataset.keyword}, which has "
            f"{dataset.num_train} training samples; use at most as many clients",
        )


def engine_is_available(config: StrategyConfig) -> Problems:
    if config.engine == "ray" and find_spec("ray") is None:
        yield (
            "engine",
            "ray needs the package Ray, which is not installed; install intellifl[flower] or use "
            "local",
        )
