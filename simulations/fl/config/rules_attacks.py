"""Rules about the attack schedule."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from datasets_app.catalog import CATALOG
from datasets_app.catalog.spec import DatasetSpec
from simulations.fl.attacks import ATTACKS
from simulations.fl.config.fields import StrategyConfig
from simulations.fl.config.schedule import NEEDED, AttackEntry

Problems = Iterator[tuple[str, str]]
CLASS_FIELDS = ("target_class", "source_class")


def rounds_exist(config: StrategyConfig) -> Problems:
    for index, entry in enumerate(config.attack_schedule):
        if entry.start_round > entry.end_round:
            yield (
                f"attack_schedule.{index}.end_round",
                f"must not be before start_round ({entry.start_round}), not {entry.end_round}",
            )
        if entry.end_round > config.num_of_rounds:
            yield (
                f"attack_schedule.{index}.end_round",
                f"must be at most num_of_rounds ({config.num_of_rounds}), not {entry.end_round}",
            )


def attackers_are_chosen(config: StrategyConfig) -> Problems:
    for index, entry in enumerate(config.attack_schedule):
        needed = NEEDED[entry.selection_strategy]
        if getattr(entry, needed) is None:
            yield (
                f"attack_schedule.{index}.{needed}",
                f"is required with selection_strategy {entry.selection_strategy!r}",
            )


def attackers_are_clients(config: StrategyConfig) -> Problems:
    last = config.num_of_clients - 1
    for index, entry in enumerate(config.attack_schedule):
        for field in ("malicious_client_ids", "selected_client_ids"):
            outside = [c for c in getattr(entry, field) or () if not 0 <= c <= last]
            if outside:
                yield (
                    f"attack_schedule.{index}.{field}",
                    f"client {outside[0]} does not exist; clients are 0 to {last}",
                )
        count = entry.malicious_client_count
        if count is not None and count > config.num_of_clients:
            yield (
                f"attack_schedule.{index}.malicious_client_count",
                f"must be at most num_of_clients ({config.num_of_clients}), not {count}",
            )


def same_attack_does_not_overlap(config: StrategyConfig) -> Problems:
    for (first, one), (second, other) in combinations(enumerate(config.attack_schedule), 2):
        apart = one.end_round < other.start_round or other.end_round < one.start_round
        if one.attack_type != other.attack_type or apart:
            continue
        shared = _shared_clients(one, other, config.num_of_clients)
        if shared:
            yield (
                f"attack_schedule.{second}",
                f"overlaps entry {first} ({one.attack_type}) in rounds and {shared}; "
                "separate the rounds or the clients",
            )


def _shared_clients(one: AttackEntry, other: AttackEntry, num_clients: int) -> str:
    if one.selection_strategy == other.selection_strategy == "specific":
        both = set(one.malicious_client_ids or ()) & set(other.malicious_client_ids or ())
        return f"both name client {min(both)}" if both else ""
    total = one.number_of_attackers(num_clients) + other.number_of_attackers(num_clients)
    too_many = total > num_clients
    return f"together they need {total} of {num_clients} clients" if too_many else ""


def attack_fits_data(config: StrategyConfig) -> Problems:
    dataset = CATALOG.get(config.dataset_keyword or "")
    if dataset is None:
        return
    for index, entry in enumerate(config.attack_schedule):
        modality = ATTACKS[entry.attack_type].modality
        if modality not in ("any", dataset.modality):
            yield (
                f"attack_schedule.{index}.attack_type",
                f"{entry.attack_type} acts on {modality} data, but {dataset.keyword} is "
                f"{dataset.modality} data",
            )


def target_classes_exist(config: StrategyConfig) -> Problems:
    dataset = CATALOG.get(config.dataset_keyword or "")
    if dataset is not None and not dataset.is_detected:
        yield from classes_exist(config, dataset)


def classes_exist(config: StrategyConfig, dataset: DatasetSpec) -> Problems:
    for index, entry in enumerate(config.attack_schedule):
        for field in CLASS_FIELDS:
            value = getattr(entry, field, None)
            if isinstance(value, int) and not 0 <= value < dataset.num_classes:
                yield (
                    f"attack_schedule.{index}.{field}",
                    f"{dataset.keyword} has classes 0 to {dataset.num_classes - 1}, not {value}",
                )


def data_is_not_preserved(config: StrategyConfig) -> Problems:
    if config.attack_schedule and config.preserve_dataset:
        yield (
            "preserve_dataset",
            "would keep poisoned data as if it were the dataset; leave it false when there is an "
            "attack_schedule",
        )
