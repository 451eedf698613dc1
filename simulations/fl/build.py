"""From a resolved configuration to objects: the only module that looks names up and loads data.

What only texts need is imported where texts are met: loading transformers takes seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import numpy as np
import torch
from torch import nn

from datasets_app.catalog.checks import check, class_names, complete
from datasets_app.catalog.errors import DataUnavailable
from datasets_app.catalog.image_data import ImageData
from datasets_app.catalog.spec import DatasetSpec
from simulations.fl import lean_torch
from simulations.fl.adversary import Adversary
from simulations.fl.backends import BACKENDS
from simulations.fl.backends.base import Backend, Staff
from simulations.fl.client import local_training
from simulations.fl.config import StrategyConfig
from simulations.fl.config.dataset import described
from simulations.fl.config.found import check_found
from simulations.fl.config.participation import fit_clients
from simulations.fl.device import clients_at_once, seeded
from simulations.fl.errors import ConfigError, DataError
from simulations.fl.federated_data import FederatedData
from simulations.fl.generators import Purpose, generator, torch_seed
from simulations.fl.images import FederatedImages
from simulations.fl.label_distribution import LabelDistribution, class_counts
from simulations.fl.networks import NETWORKS
from simulations.fl.optimizers import optimizer
from simulations.fl.parameters import FlatModel
from simulations.fl.partition import Population, Share, hold_out, partition
from simulations.fl.paths import resolve_path
from simulations.fl.strategies import STRATEGIES
from simulations.fl.strategies.base import Strategy
from simulations.fl.success import goals
from simulations.fl.workload import Workload

if TYPE_CHECKING:
    from simulations.fl.joint_training import JointTraining
    from simulations.fl.text.corpus import Corpus
    from simulations.fl.witness import Witness

Given: TypeAlias = "ImageData | Corpus"
DataSource = Callable[[StrategyConfig], Given]
T = TypeVar("T")


def from_catalogue(data_dir: Path) -> DataSource:
    """Return a source that loads datasets by keyword and keeps the last one in memory.

    Texts are tokenised for the encoder that the configuration names.
    """
    from datasets_app.catalog.loading import Data, load

    last: list[tuple[DatasetSpec, Data]] = []

    def source(config: StrategyConfig) -> Given:
        spec = dataset(config)
        if not last or last[0][0] != spec:
            last.clear()
            try:
                last.append((spec, load(spec, data_dir)))
            except DataUnavailable as error:
                raise DataError(str(error)) from error
        ((_, data),) = last
        if isinstance(data, ImageData):
            return data
        from simulations.fl import build_text

        return build_text.tokenised(config, data, data_dir)

    return source


def workload(
    config: StrategyConfig, given: Given, device: torch.device, witness: Witness | None = None
) -> Workload:
    """Build everything the clients of one strategy need; raise DataError for unfitting data."""
    seed = resolved("seed", config.seed)
    data = _federated(config, given, device)
    spec = found(config, given)
    if spec.is_detected:
        check_found(config, spec)
    model = FlatModel(network(config, given).to(device))
    adversary = Adversary(config.attack_schedule, spec.num_classes, seed)
    return Workload(
        seed=seed,
        device=device,
        model=model,
        training=local_training(config, model),
        data=data,
        shares=shares(config, given),
        adversary=adversary,
        goals=goals(adversary, data),
        witness=witness,
        joint=_joint_training(config, given, model, device),
    )


def _joint_training(
    config: StrategyConfig, given: Given, model: FlatModel, device: torch.device
) -> JointTraining | None:
    """Return how clients train together, on a GPU that several may use at a time."""
    if device.type != "cuda" or clients_at_once(config) == 1:
        return None
    if not isinstance(given, ImageData) or any(model.module.buffers()):
        return None
    lean_torch.complete()
    from simulations.fl.joint_training import JointTraining

    epochs, batch_size = config.num_of_client_epochs, config.batch_size
    return JointTraining(model, epochs, batch_size, partial(optimizer, config))


def _federated(config: StrategyConfig, given: Given, device: torch.device) -> FederatedData:
    """Return the data as clients use it; raise DataError if it is not what the spec describes."""
    spec = dataset(config)
    try:
        if isinstance(given, ImageData):
            return FederatedImages(check(spec, given, "the data"), device)
        check(spec, given.data, "the data")
    except DataUnavailable as error:
        raise DataError(str(error)) from error
    from simulations.fl import build_text

    return build_text.federated(config, given, device)


def witness(config: StrategyConfig, run_dir: Path | None, strategy_number: int) -> Witness | None:
    """Return who keeps snapshots of attacks, where the configuration wants them."""
    if run_dir is None or not config.save_attack_snapshots or not config.attack_schedule:
        return None
    # It draws with matplotlib, which a run without snapshots need not load.
    from simulations.fl import witness as witnesses

    return witnesses.witness(config, run_dir, strategy_number)


def network(config: StrategyConfig, given: Given) -> nn.Module:
    """Build the network with initial weights that follow from the seed, on the CPU."""
    keyword = resolved("model_keyword", config.model_keyword)
    construct: Callable[..., nn.Module] = resolve_path(NETWORKS[keyword].path)
    initial = torch_seed(resolved("seed", config.seed), Purpose.INITIAL_WEIGHTS)
    spec = found(config, given)
    with seeded(initial, torch.device("cpu")):
        if isinstance(given, ImageData):
            return construct(spec.shape, spec.num_classes)
        from simulations.fl import build_text

        return construct(build_text.network_settings(config, given, spec.num_classes))


def shares(config: StrategyConfig, given: Given) -> list[Share]:
    """Divide the training samples among the clients."""
    seed = resolved("seed", config.seed)
    parts = partition(
        resolved("partitioning_strategy", config.partitioning_strategy),
        resolved("partitioning_params", config.partitioning_params),
        population(config, given),
        config.num_of_clients,
        generator(seed, Purpose.PARTITION),
    )
    return hold_out(parts, config.training_subset_fraction, seed)


def population(config: StrategyConfig, given: Given) -> Population:
    """Return what partitions may know of the training samples."""
    ids = given.train_ids if isinstance(given, ImageData) else given.data.train_ids
    labels = given.train_labels
    return Population(len(labels), labels if found(config, given).num_classes else None, ids)


def label_distribution(
    config: StrategyConfig, given: Given, shares: list[Share]
) -> LabelDistribution:
    """Return what each client got, and which clients attack."""
    spec, labels = found(config, given), given.train_labels
    parts = [np.concatenate([share.training, share.validation]) for share in shares]
    sizes = np.array([len(part) for part in parts])
    data = given if isinstance(given, ImageData) else given.data
    schedule = config.attack_schedule
    return LabelDistribution(
        sizes=sizes,
        counts=class_counts(parts, labels, spec.num_classes) if spec.num_classes else None,
        class_names=(data.class_names or class_names(spec)) if spec.num_classes else (),
        unused=len(labels) - int(sizes.sum()),
        attackers=sorted({client for e in schedule for client in e.selected_client_ids or ()}),
        target_classes=sorted({e.target_class for e in schedule if hasattr(e, "target_class")}),
        partitioning_strategy=resolved("partitioning_strategy", config.partitioning_strategy),
        partitioning_params=resolved("partitioning_params", config.partitioning_params),
    )


def backend(
    config: StrategyConfig,
    work: Workload,
    num_workers: int,
    rebuild: Callable[[], Workload],
    folder: Path | None = None,
) -> Backend:
    """Start the workers; `rebuild` builds `work` again in processes that are no forks of this."""
    start: Callable[..., Backend] = resolve_path(BACKENDS[config.engine])
    at_once = clients_at_once(config) if work.joint else 1
    staff = Staff(
        num_workers=num_workers,
        cpus_per_client=config.cpus_per_client,
        gpus_per_client=config.gpus_per_client,
        rebuild=rebuild,
        at_once=at_once,
        folder=folder,
    )
    return start(work, fit_clients(config), staff)


def strategy(config: StrategyConfig) -> Strategy:
    rule: Strategy = resolve_path(STRATEGIES[config.aggregation_strategy_keyword].path)
    return rule


def strategy_parameters(config: StrategyConfig) -> dict[str, Any]:
    """Return the settings that the strategy declares to be its own."""
    names = STRATEGIES[config.aggregation_strategy_keyword].parameters
    return {name: getattr(config, name) for name in names}


def dataset(config: StrategyConfig) -> DatasetSpec:
    resolved("dataset_keyword", config.dataset_keyword or config.hf_dataset_name)
    return described(config)


def found(config: StrategyConfig, given: Given) -> DatasetSpec:
    """Return the dataset's spec, with what only its data tells where the catalogue does not."""
    spec, num_train = dataset(config), len(given.train_labels)
    completed = complete(spec, given if isinstance(given, ImageData) else given.data)
    return replace(completed, num_train=num_train) if spec.is_detected else completed


def resolved(name: str, value: T | None) -> T:
    """Return `value`; raise ConfigError when `resolve` has not filled it in."""
    if value is None:
        raise ConfigError([f"{name}: is not resolved; pass the configuration through resolve()"])
    return value
