from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from intellifl.environment import ROOT
from simulations.fl.errors import DataError
from simulations.fl.partition import Population, hold_out, partition
from simulations.fl.partitions import PARTITIONS

LABELS = np.random.default_rng(0).integers(0, 10, 500)
IDS = np.array([f"writer {number}" for number in np.random.default_rng(1).integers(0, 40, 500)])
DIGITS = Population(500, LABELS, IDS)
REQUIRED: dict[str, dict[str, Any]] = {
    "size": {"partition_sizes": [30, 50] * 5},
    "inner_dirichlet": {"partition_sizes": [50] * 10, "alpha": 1.0},
    "pathological": {"num_classes_per_partition": 3},
    "shard": {"num_shards_per_partition": 2},
    "distribution": {
        "distribution_array": [[1.0, 2.0, 3.0]] * 10,
        "num_unique_labels_per_partition": 3,
        "preassigned_num_samples_per_label": 1,
    },
    "continuous": {"strictness": 0.5},
    "grouped_natural_id": {"group_size": 3},
}
CLIENTS = {"exponential": 5}


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("name", sorted(PARTITIONS))
def test_the_seed_decides_who_gets_a_sample_and_nobody_shares_one(name: str) -> None:
    params, clients = REQUIRED.get(name, {}), CLIENTS.get(name, 10)
    parts = partition(name, params, DIGITS, clients, rng())
    assert len(parts) == clients and all(len(part) > 0 for part in parts)
    together = np.concatenate(parts)
    assert len(set(together.tolist())) == len(together)
    assert all(np.array_equal(part, np.sort(part)) for part in parts)
    again = partition(name, params, DIGITS, clients, rng())
    assert all(np.array_equal(one, other) for one, other in zip(parts, again, strict=True))
    others = partition(name, params, DIGITS, clients, np.random.default_rng(8))
    assert not all(np.array_equal(one, other) for one, other in zip(parts, others, strict=True))


@pytest.mark.parametrize("name", sorted(PARTITIONS))
def test_a_seed_of_its_own_makes_it_independent_of_the_run(name: str) -> None:
    params = {**REQUIRED.get(name, {}), "seed": 3}
    clients = CLIENTS.get(name, 10)
    parts = partition(name, params, DIGITS, clients, rng())
    others = partition(name, params, DIGITS, clients, np.random.default_rng(8))
    assert all(np.array_equal(one, other) for one, other in zip(parts, others, strict=True))


def test_iid_parts_differ_by_one_sample_at_most() -> None:
    sizes = {len(part) for part in partition("iid", {}, DIGITS, 7, rng())}
    assert sizes == {71, 72}


def test_a_small_alpha_skews_the_labels() -> None:
    def largest_class_share(alpha: float) -> float:
        parts = partition("dirichlet", {"alpha": alpha}, DIGITS, 8, rng())
        return float(np.mean([np.bincount(LABELS[p]).max() / len(p) for p in parts]))

    assert largest_class_share(0.1) > 0.5 > 0.3 > largest_class_share(100.0)


@pytest.mark.parametrize(
    ("name", "params", "num_clients", "words"),
    [
        ("dirichlet", {"alpha": 0.01, "min_partition_size": 45}, 10, "in each of 11 attempts"),
        ("dirichlet", {"min_partition_size": 51}, 10, "51 for each of 10 clients is more than"),
        ("dirichlet", {"alpha": [1.0] * 9}, 10, "alpha: must have one entry for each client, 10"),
        ("size", {"partition_sizes": [10] * 9}, 10, "one entry for each client, 10 in all, not 9"),
        ("size", {"partition_sizes": [51] * 10}, 10, "asks for 510 samples, but there are 500"),
        ("linear", {}, 32, "use at most 31 clients"),
        ("square", {}, 11, "use at most 10 clients"),
        ("exponential", {}, 8, "use at most 6 clients"),
        ("inner_dirichlet", {"partition_sizes": [50] * 10, "alpha": 0.001}, 10, "have used up"),
        (
            "inner_dirichlet",
            {"partition_sizes": [50] * 10, "alpha": [1.0] * 3},
            10,
            "alpha: must have one entry for each class, 10 in all, not 3",
        ),
        ("pathological", {"num_classes_per_partition": 11}, 10, "at most the 10 classes"),
        (
            "pathological",
            {"num_classes_per_partition": 10},
            80,
            "to 80 clients, but it has",
        ),
        ("shard", {}, 10, "is required, or shard_size instead of it"),
        ("shard", {"shard_size": 60}, 10, "needs 10 shards of 60 samples for 10 clients"),
        ("shard", {"num_shards_per_partition": 60}, 10, "needs 600 shards of 1 samples"),
        (
            "shard",
            {"num_shards_per_partition": 2, "shard_size": 26},
            10,
            "needs 20 shards of 26 samples",
        ),
        ("distribution", REQUIRED["distribution"], 12, "must be a multiple of the 10 classes"),
        (
            "distribution",
            {**REQUIRED["distribution"], "num_unique_labels_per_partition": 2},
            10,
            "must have rows of 2 numbers",
        ),
        (
            "distribution",
            {**REQUIRED["distribution"], "distribution_array": [[0.0, 0.0, 0.0]] * 10},
            10,
            "must have a number above 0 in each row",
        ),
        (
            "distribution",
            {**REQUIRED["distribution"], "preassigned_num_samples_per_label": 20},
            10,
            "preassigned_num_samples_per_label: distribution needs 63 samples of class",
        ),
        (
            "distribution",
            {
                **REQUIRED["distribution"],
                "distribution_array": [[30.0, 30.0, 30.0]] * 10,
                "rescale": False,
            },
            10,
            "distribution_array: distribution needs 90 samples of class",
        ),
        ("natural_id", {}, 41, "41 clients are more than the 40 natural ids"),
        ("grouped_natural_id", {"group_size": 3}, 15, "more than the 14 groups of 3"),
        (
            "grouped_natural_id",
            {"group_size": 3, "mode": "drop-reminder"},
            14,
            "more than the 13 groups",
        ),
        (
            "grouped_natural_id",
            {"group_size": 3, "mode": "strict"},
            10,
            "3 does not divide the 40 natural ids",
        ),
        (
            "grouped_natural_id",
            {"group_size": 50, "mode": "allow-bigger"},
            1,
            "more than the 0 groups",
        ),
    ],
)
def test_what_cannot_be_is_refused(
    name: str, params: dict[str, Any], num_clients: int, words: str
) -> None:
    with pytest.raises(DataError, match=re.escape(words)):
        partition(name, params, DIGITS, num_clients, rng())


def test_the_largest_number_of_clients_named_is_possible() -> None:
    for name, most in (("linear", 31), ("square", 10), ("exponential", 6)):
        sizes = [len(part) for part in partition(name, {}, DIGITS, most, rng())]
        assert sizes[0] >= 1 and sizes == sorted(sizes) and sum(sizes) == 500


def test_without_labels_only_what_needs_none_is_possible() -> None:
    unlabelled = Population(500, None, IDS)
    for name, spec in PARTITIONS.items():
        if spec.reads == "label":
            with pytest.raises(DataError, match=f"{name} divides by label, but this dataset has"):
                partition(name, REQUIRED.get(name, {}), unlabelled, 5, rng())
        elif name not in REQUIRED:
            assert len(partition(name, {}, unlabelled, 5, rng())) == 5


def test_natural_ids_are_needed_where_they_are_read() -> None:
    with pytest.raises(DataError, match="natural_id divides by natural id, but this dataset has"):
        partition("natural_id", {}, Population(500, LABELS), 5, rng())


def test_a_client_without_a_sample_is_refused() -> None:
    with pytest.raises(DataError, match="leaves 2 of 6 clients without a sample"):
        partition("iid", {}, Population(4, LABELS[:4]), 6, rng())


def test_pathological_gives_exactly_so_many_classes() -> None:
    for mode in ("random", "deterministic", "first-deterministic"):
        params = {"num_classes_per_partition": 3, "class_assignment_mode": mode}
        parts = partition("pathological", params, DIGITS, 10, rng())
        assert {len(set(LABELS[part].tolist())) for part in parts} == {3}


def test_strictly_continuous_is_sorted_by_class() -> None:
    parts = partition("continuous", {"strictness": 1.0}, DIGITS, 5, rng())
    assert [LABELS[one].max() <= LABELS[two].min() for one, two in pairwise(parts)] == [True] * 4


def test_each_client_is_one_writer() -> None:
    parts = partition("natural_id", {}, DIGITS, 12, rng())
    writers = [set(IDS[part].tolist()) for part in parts]
    assert all(len(who) == 1 for who in writers)
    assert sum(map(len, parts)) == sum(np.isin(IDS, list(set.union(*writers))))


def test_dirichlet_keeps_its_balance_and_its_minimum() -> None:
    params = {"alpha": 0.1, "min_partition_size": 5}
    sizes = [len(part) for part in partition("dirichlet", params, DIGITS, 10, rng())]
    assert min(sizes) >= 5 and sum(sizes) == 500
    # Beyond its equal share of 50 a client gets at most what one class has.
    assert max(sizes) <= 50 + np.bincount(LABELS).max()


def test_every_parameter_is_documented_with_its_default() -> None:
    text = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
    for name, spec in PARTITIONS.items():
        row = re.search(rf"^\| `{name}` \|.*$", text, re.MULTILINE)
        assert row is not None, name
        for parameter, field in spec.params.model_fields.items():
            if parameter != "seed":
                default = None if field.is_required() else field.default
                shown = "" if default is None else f" ({str(default).lower()})"
                assert f"`{parameter}`{shown}" in row[0], (name, parameter)


def test_held_out_samples_are_disjoint_and_of_the_wanted_share() -> None:
    parts = partition("iid", {}, DIGITS, 5, rng())
    shares = hold_out(parts, 0.8, seed=1)
    for part, share in zip(parts, shares, strict=True):
        assert (len(share.training), len(share.validation)) == (80, 20)
        assert sorted([*share.training, *share.validation]) == sorted(part)
    other = hold_out(parts, 0.8, seed=2)
    assert not np.array_equal(shares[0].training, other[0].training)


def test_one_client_splits_alike_whatever_the_others_hold() -> None:
    parts = partition("iid", {}, DIGITS, 5, rng())
    alone = hold_out(parts[:1], 0.8, seed=1)
    assert np.array_equal(alone[0].training, hold_out(parts, 0.8, seed=1)[0].training)


def test_a_single_sample_is_for_training() -> None:
    (share,) = hold_out([np.array([3])], 0.1, seed=0)
    assert share.training.tolist() == [3] and len(share.validation) == 0
