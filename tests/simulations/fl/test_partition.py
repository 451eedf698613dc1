from __future__ import annotations

import numpy as np
import pytest

from simulations.fl.errors import DataError
from simulations.fl.partition import hold_out, partition
from simulations.fl.partitions import PARTITIONS

LABELS = np.random.default_rng(0).integers(0, 10, 500)


def rng() -> np.random.Generator:
    return np.random.default_rng(7)


@pytest.mark.parametrize("name", sorted(PARTITIONS))
def test_every_sample_has_one_client_and_the_seed_decides(name: str) -> None:
    parts = partition(name, {}, LABELS, 8, rng())
    assert len(parts) == 8
    assert sorted(np.concatenate(parts)) == list(range(500))
    again = partition(name, {}, LABELS, 8, rng())
    assert all(np.array_equal(one, other) for one, other in zip(parts, again, strict=True))
    other_seed = partition(name, {}, LABELS, 8, np.random.default_rng(8))
    assert not np.array_equal(parts[0], other_seed[0])


def test_iid_parts_differ_by_one_sample_at_most() -> None:
    sizes = {len(part) for part in partition("iid", {}, LABELS, 7, rng())}
    assert sizes == {71, 72}


def test_a_small_alpha_skews_the_labels() -> None:
    def largest_class_share(alpha: float) -> float:
        parts = partition("dirichlet", {"alpha": alpha}, LABELS, 8, rng())
        return float(np.mean([np.bincount(LABELS[p]).max() / len(p) for p in parts]))

    assert largest_class_share(0.1) > 0.5 > 0.3 > largest_class_share(100.0)


@pytest.mark.filterwarnings("ignore:The specified min_partition_size")  # one an attempt
def test_an_impossible_dirichlet_partition_is_refused() -> None:
    with pytest.raises(DataError, match="partitioning_params"):
        partition("dirichlet", {"min_partition_size": 200}, LABELS, 8, rng())


def test_a_client_without_a_sample_is_refused() -> None:
    with pytest.raises(DataError, match="leaves 2 of 6 clients without a sample"):
        partition("iid", {}, LABELS[:4], 6, rng())


def test_held_out_samples_are_disjoint_and_of_the_wanted_share() -> None:
    parts = partition("iid", {}, LABELS, 5, rng())
    shares = hold_out(parts, 0.8, seed=1)
    for part, share in zip(parts, shares, strict=True):
        assert (len(share.training), len(share.validation)) == (80, 20)
        assert sorted([*share.training, *share.validation]) == sorted(part)
    other = hold_out(parts, 0.8, seed=2)
    assert not np.array_equal(shares[0].training, other[0].training)


def test_one_client_splits_alike_whatever_the_others_hold() -> None:
    parts = partition("iid", {}, LABELS, 5, rng())
    alone = hold_out(parts[:1], 0.8, seed=1)
    assert np.array_equal(alone[0].training, hold_out(parts, 0.8, seed=1)[0].training)


def test_a_single_sample_is_for_training() -> None:
    (share,) = hold_out([np.array([3])], 0.1, seed=0)
    assert share.training.tolist() == [3] and len(share.validation) == 0
