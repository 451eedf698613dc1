from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
import torch

from simulations.fl import aggregate
from simulations.fl.errors import AggregationError, ConfigError
from simulations.fl.strategies import STRATEGIES

ROWS = np.random.default_rng(0).normal(size=(11, 3))


def in_a_new_process(code: str) -> None:
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_importing_the_package_loads_no_torch() -> None:
    in_a_new_process("import sys, simulations.fl; assert 'torch' not in sys.modules")


def test_it_is_found_whatever_was_imported_before() -> None:
    in_a_new_process(
        "import simulations.fl.aggregation; from simulations.fl import aggregate; "
        "assert aggregate('fedavg', [[1.0], [3.0]]) == [2.0]"
    )


def test_the_package_has_nothing_else_to_offer() -> None:
    import simulations.fl

    with pytest.raises(AttributeError, match="agregate"):
        simulations.fl.agregate  # noqa: B018


@pytest.mark.parametrize("keyword", sorted(STRATEGIES))
def test_every_rule_answers_in_the_container_it_was_given(keyword: str) -> None:
    expected = aggregate(keyword, torch.from_numpy(ROWS), f=2)
    assert isinstance(expected, torch.Tensor) and expected.shape == (3,)
    array = aggregate(keyword, ROWS, f=2)
    assert isinstance(array, np.ndarray)
    np.testing.assert_array_equal(array, expected)
    assert aggregate(keyword, ROWS.tolist(), f=2) == expected.tolist()
    assert isinstance(aggregate(keyword, list(ROWS), f=2), np.ndarray)
    assert isinstance(aggregate(keyword, list(torch.from_numpy(ROWS)), f=2), torch.Tensor)
    single = aggregate(keyword, ROWS.astype(np.float32), f=2)
    assert single.dtype == np.float32


@pytest.mark.parametrize("keyword", sorted(STRATEGIES))
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_single_and_rounded_once(
    keyword: str, dtype: torch.dtype
) -> None:
    updates = torch.randn((11, 40), generator=torch.Generator().manual_seed(2)).to(dtype)
    answer = aggregate(keyword, updates, f=2)
    assert answer.dtype == dtype
    assert torch.equal(answer, aggregate(keyword, updates.float(), f=2).to(dtype))


def test_weights_are_numbers_of_examples() -> None:
    assert aggregate("fedavg", [[0.0], [1.0]], weights=[1, 3]) == [0.75]
    assert aggregate("fedavg", [[0], [1]]) == [0.5]


def test_settings_have_the_defaults_of_a_configuration() -> None:
    rows = np.array([[0.0], [1.0], [2.0], [3.0], [4.0], [5.0], [60.0], [-99.0], [7.0], [8.0]])
    assert aggregate("trimmed_mean", rows).item() == pytest.approx(
        (0 + 1 + 2 + 3 + 4 + 5 + 7 + 8) / 8
    )
    assert aggregate("trimmed_mean", rows, f=2).item() == pytest.approx((1 + 2 + 3 + 4 + 5 + 7) / 6)
    assert aggregate("trimmed_mean", rows, trim_ratio=0.0).item() == pytest.approx(rows.mean())
    assert aggregate("multi-krum", rows, f=2).item() == pytest.approx(
        (0 + 1 + 2 + 3 + 4 + 5 + 7 + 8) / 8
    )
    assert aggregate("multi-krum", rows, f=2, num_krum_selections=1) == aggregate("krum", rows, f=2)


@pytest.mark.parametrize(
    ("keyword", "given", "sentence"),
    [
        ("krumm", {}, "unknown strategy 'krumm'; did you mean 'krum'"),
        ("multi-krum", {"num_krum_selection": 3}, "did you mean 'num_krum_selections'"),
        ("pid", {"trim_ratio": 0.1}, "unknown setting of pid 'trim_ratio'; allowed are Kd, Ki, Kp"),
        ("krum", {"m": 3}, "krum has no settings.*'m'"),
        ("trimmed_mean", {"trim_ratio": 0.5}, "trim_ratio: must be less than 0.5, not 0.5"),
        ("multi-krum", {"num_krum_selections": 0}, "num_krum_selections: must be at least 1"),
        ("trust", {"beta_value": "high"}, "beta_value: must be a number, not 'high'"),
        ("krum", {"f": -1}, "f: must be a whole number of at least 0, not -1"),
        ("krum", {"f": 1.5}, "f: must be a whole number"),
    ],
)
def test_what_no_rule_knows_is_refused(keyword: str, given: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        aggregate(keyword, ROWS, **given)


@pytest.mark.parametrize(
    ("keyword", "f", "sentence"),
    [
        ("krum", 5, r"f = 5 malicious clients among n = 11: it needs at least 2f \+ 3 = 13"),
        ("multi-krum", 5, r"2f \+ 3 = 13"),
        ("multi-krum-based", 5, r"2f \+ 3 = 13"),
        ("bulyan", 3, r"f = 3 malicious clients among n = 11: it needs at least 4f \+ 3 = 15"),
        ("rfa", 12, "at least f = 12"),
    ],
)
def test_too_many_malicious_clients_are_refused(keyword: str, f: int, sentence: str) -> None:
    with pytest.raises(AggregationError, match=sentence):
        aggregate(keyword, ROWS, f=f)
    assert aggregate("krum", ROWS, f=4).shape == aggregate("bulyan", ROWS, f=2).shape == (3,)


@pytest.mark.parametrize(
    "updates", [[], [[]], np.zeros(3), np.zeros((2, 2, 2)), [[1, 2], [3]], [["a"], ["b"]], None, 7]
)
def test_what_is_no_matrix_is_refused(updates: Any) -> None:
    with pytest.raises(AggregationError, match="updates"):
        aggregate("fedavg", updates)


@pytest.mark.parametrize("weights", [[1.0], [[1.0] * 11], [-1.0] * 11, [np.nan] * 11])
def test_weights_that_are_no_numbers_of_examples_are_refused(weights: Any) -> None:
    with pytest.raises(AggregationError, match="weights"):
        aggregate("fedavg", ROWS, weights=weights)


def test_the_updates_stay_as_they_were() -> None:
    rows = ROWS.copy()
    for keyword in STRATEGIES:
        aggregate(keyword, rows, f=2)
    np.testing.assert_array_equal(rows, ROWS)
