"""From a resolved configuration to objects: the only module that looks names up and loads data."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import nn

from datasets_app.catalog import CATALOG
from datasets_app.catalog.image_data import DataUnavailable, ImageData, Labels, check
from datasets_app.catalog.spec import DatasetSpec
from simulations.fl.adversary import Adversary
from simulations.fl.backends import BACKENDS
from simulations.fl.backends.base import Backend
from simulations.fl.client import local_training
from simulations.fl.config import StrategyConfig
from simulations.fl.config.participation import fit_clients
from simulations.fl.device import seeded
from simulations.fl.errors import ConfigError, DataError
from simulations.fl.generators import Purpose, generator, torch_seed
from simulations.fl.networks import NETWORKS
from simulations.fl.parameters import FlatModel
from simulations.fl.partition import Share, hold_out, partition
from simulations.fl.paths import resolve_path
from simulations.fl.samples import scaling_of
from simulations.fl.strategies import STRATEGIES
from simulations.fl.strategies.base import Strategy
from simulations.fl.success import goals
from simulations.fl.workload import Workload

if TYPE_CHECKING:
    from simulations.fl.witness import Witness

DataSource = Callable[[StrategyConfig], ImageData]
T = TypeVar("T")


def from_catalogue(data_dir: Path) -> DataSource:
    """Return a source that loads datasets by keyword and keeps the last one in memory."""
    from datasets_app.catalog.loading import load

    last: dict[str, ImageData] = {}

    def source(config: StrategyConfig) -> ImageData:
        spec = dataset(config)
        if spec.keyword not in last:
            last.clear()
            try:
                last[spec.keyword] = load(spec, data_dir)
            except DataUnavailable as error:
                raise DataError(str(error)) from error
        return last[spec.keyword]

    return source


def workload(
    config: StrategyConfig, data: ImageData, device: torch.device, witness: Witness | None = None
) -> Workload:
    """Build everything the clients of one strategy need; raise DataError for unfitting data."""
    spec, seed = dataset(config), resolved("seed", config.seed)
    try:
        check(spec, data, "the data")
    except DataUnavailable as error:
        raise DataError(str(error)) from error
    module = network(config).to(device)
    adversary = Adversary(config.attack_schedule, spec.num_classes, seed)
    return Workload(
        seed=seed,
        device=device,
        model=FlatModel(module),
        training=local_training(config, module),
        data=data,
        scaling=scaling_of(data.train_images, device),
        shares=shares(config, data.train_labels),
        adversary=adversary,
        goals=goals(adversary, data.test_images, data.test_labels),
        witness=witness,
    )


def witness(config: StrategyConfig, run_dir: Path | None, strategy_number: int) -> Witness | None:
    """Return who keeps snapshots of attacks, where the configuration wants them."""
    if run_dir is None or not config.save_attack_snapshots or not config.attack_schedule:
        return None
    # It draws with matplotlib, which a run without snapshots need not load.
    from simulations.fl import witness as witnesses

    return witnesses.witness(config, run_dir, strategy_number)


def network(config: StrategyConfig) -> nn.Module:
    """Build the network with initial weights that follow from the seed, on the CPU."""
    keyword = resolved("model_keyword", config.model_keyword)
    construct: Callable[..., nn.Module] = resolve_path(NETWORKS[keyword].path)
    initial = torch_seed(resolved("seed", config.seed), Purpose.INITIAL_WEIGHTS)
    spec = dataset(config)
    with seeded(initial, torch.device("cpu")):
        return construct(spec.shape, spec.num_classes)


def shares(config: StrategyConfig, labels: Labels) -> list[Share]:
    """Divide the training samples among the clients."""
    seed = resolved("seed", config.seed)
    parts = partition(
        resolved("partitioning_strategy", config.partitioning_strategy),
        resolved("partitioning_params", config.partitioning_params),
        labels,
        config.num_of_clients,
        generator(seed, Purpose.PARTITION),
    )
    return hold_out(parts, config.training_subset_fraction, seed)


def backend(config: StrategyConfig, work: Workload, num_workers: int) -> Backend:
    start: Callable[..., Backend] = resolve_path(BACKENDS[config.engine])
    return start(work, fit_clients(config), num_workers)


def strategy(config: StrategyConfig) -> Strategy:
    rule: Strategy = resolve_path(STRATEGIES[config.aggregation_strategy_keyword].path)
    return rule


def strategy_parameters(config: StrategyConfig) -> dict[str, Any]:
    """Return the settings that the strategy declares to be its own."""
    names = STRATEGIES[config.aggregation_strategy_keyword].parameters
    return {name: getattr(config, name) for name in names}


def dataset(config: StrategyConfig) -> DatasetSpec:
    return CATALOG[resolved("dataset_keyword", config.dataset_keyword)]


def resolved(name: str, value: T | None) -> T:
    """Return `value`; raise ConfigError when `resolve` has not filled it in."""
    if value is None:
        raise ConfigError([f"{name}: is not resolved; pass the configuration through resolve()"])
    return value
