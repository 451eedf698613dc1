"""What holds for every rule of the table, whatever it computes."""

from __future__ import annotations

import copy
import dataclasses
import importlib
import io
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from simulations.fl.config import StrategyConfig
from simulations.fl.errors import AggregationError
from simulations.fl.strategies import STRATEGIES

ALL = sorted(STRATEGIES)
ROBUST = [keyword for keyword in ALL if keyword != "fedavg"]
WEIGHTED = {
    *("fedavg", "trust", "rfa"),
    *("pid", "pid_scaled", "pid_standardized", "pid_standardized_score_based"),
}
"""The rules that believe what a client says about its number of examples."""
REMOVING = [keyword for keyword in ALL if STRATEGIES[keyword].removes]
DEGREE = {"krum": 2, "multi-krum": 2, "multi-krum-based": 2, "arkrum": 2, "trust": 0}
"""The power of the scale by which scores grow; 1 unless given."""
DEGREE["trimmed_mean"] = 0
N, F, D = 15, 3, 5
"""With f = 2, two nearest neighbours tie for Bulyan's last pick, and their order decides."""


def crowd(seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(N, D)) + rng.normal(size=D)
    rows[:F] += 5 * rng.normal(size=(F, D))
    return torch.from_numpy(rng.permutation(rows)).to(dtype)


def worst_score(keyword: str) -> float:
    return -torch.inf if STRATEGIES[keyword].worst == "lowest" else torch.inf


def test_the_table_has_the_thirteen_rules() -> None:
    assert set(ALL) >= {
        *("fedavg", "trust", "pid", "pid_scaled", "pid_standardized"),
        *("pid_standardized_score_based", "krum", "multi-krum", "multi-krum-based"),
        *("trimmed_mean", "rfa", "bulyan", "arkrum"),
    }


@pytest.mark.parametrize("keyword", ALL)
def test_entries_lead_to_functions_and_name_settings(keyword: str) -> None:
    spec = STRATEGIES[keyword]
    module, name = spec.path.split(":")
    assert callable(getattr(importlib.import_module(module), name))
    own_file = f"simulations.fl.strategies.{keyword.replace('-', '_')}"
    assert module == (
        own_file if not keyword.startswith("pid") else "simulations.fl.strategies.pid"
    )
    assert set(spec.parameters) <= set(StrategyConfig.model_fields)
    assert spec.title and spec.criterion


@pytest.mark.parametrize("keyword", ALL)
def test_an_answer_stays_when_the_next_round_is_written_over_its_updates(
    apply: Any, keyword: str
) -> None:
    rows = crowd(1, torch.float32)
    answer = apply(keyword, rows, f=F, removing=True)
    before = copy.deepcopy(answer)
    rows.fill_(torch.nan)
    torch.testing.assert_close(dataclasses.asdict(answer), dataclasses.asdict(before))


@pytest.mark.parametrize("keyword", ALL)
@given(st.integers(0, 2**32))
@settings(max_examples=100)
def test_the_order_of_clients_does_not_matter(apply: Any, keyword: str, seed: int) -> None:
    before, rows = crowd(seed), crowd(seed + 1)
    order = torch.from_numpy(np.random.default_rng(seed).permutation(N))
    weights = torch.arange(1.0, N + 1)
    state = apply(keyword, before, f=F, weights=weights).state
    plain = apply(keyword, rows, f=F, weights=weights, state=state, t=2, removing=True)
    shuffled = apply(
        keyword,
        rows[order],
        f=F,
        weights=weights[order],
        ids=order.tolist(),
        state=state,
        t=2,
        removing=True,
    )
    np.testing.assert_allclose(shuffled.scores, plain.scores[order], rtol=1e-8, atol=1e-10)
    assert (shuffled.included == plain.included[order]).all()
    atol = 1e-4 if keyword == "rfa" else 1e-10
    np.testing.assert_allclose(shuffled.aggregate, plain.aggregate, rtol=1e-9, atol=atol)
    for mine, theirs in [
        (plain.removed, shuffled.removed),
        (plain.suspended, shuffled.suspended),
    ]:
        scores = [sorted(plain.scores[list(ids)].tolist()) for ids in (mine, theirs)]
        np.testing.assert_allclose(scores[0], scores[1], rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("keyword", ALL)
@given(st.integers(0, 2**32), st.sampled_from([-50.0, 0.5, 1e3]))
@settings(max_examples=100)
def test_translation_moves_the_aggregate_and_nothing_else(
    apply: Any, keyword: str, seed: int, shift: float
) -> None:
    rows = crowd(seed)
    offset = shift * torch.linspace(0.5, 1, D, dtype=torch.float64)
    plain = apply(keyword, rows, f=F)
    moved = apply(keyword, rows + offset, f=F, start=offset)
    np.testing.assert_allclose(moved.aggregate, plain.aggregate + offset, rtol=1e-9, atol=1e-5)
    np.testing.assert_allclose(moved.scores, plain.scores, rtol=1e-6, atol=1e-6)
    assert (moved.included == plain.included).all()


@pytest.mark.parametrize("keyword", ALL)
@given(st.integers(0, 2**32), st.sampled_from([1e-6, 0.25, 3.0, 1e9]))
@settings(max_examples=100)
def test_scaling_scales_the_aggregate_and_the_scores_by_their_degree(
    apply: Any, keyword: str, seed: int, factor: float
) -> None:
    rows = crowd(seed)
    plain, scaled = apply(keyword, rows, f=F), apply(keyword, rows * factor, f=F)
    np.testing.assert_allclose(
        scaled.aggregate, plain.aggregate * factor, rtol=1e-6, atol=1e-8 * factor
    )
    grown = plain.scores * factor ** DEGREE.get(keyword, 1)
    np.testing.assert_allclose(scaled.scores, grown, rtol=1e-6, atol=1e-12)
    assert (scaled.included == plain.included).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("keyword", ALL)
def test_identical_updates_return_that_update(apply: Any, keyword: str, dtype: torch.dtype) -> None:
    update = (torch.arange(1, D + 1) / 3).to(dtype)
    answer = apply(keyword, update.repeat(N, 1), f=F, weights=torch.arange(1.0, N + 1))
    assert answer.aggregate.dtype == dtype
    rtol = 0 if dtype == torch.float32 else 1e-15
    np.testing.assert_allclose(answer.aggregate, update, rtol=rtol)
    assert len(set(answer.scores.tolist())) == 1


@pytest.mark.parametrize("keyword", ALL)
@given(st.integers(0, 2**32), st.integers(0, N - 1))
@settings(max_examples=30)
def test_claimed_numbers_of_examples_count_only_where_the_page_says_so(
    apply: Any, keyword: str, seed: int, liar: int
) -> None:
    rows = crowd(seed)
    claimed = torch.ones(N)
    claimed[liar] = 1e6
    honest = apply(keyword, rows, f=F)
    deceived = apply(keyword, rows, f=F, weights=claimed)
    if keyword not in WEIGHTED:
        assert torch.equal(deceived.aggregate, honest.aggregate)
        assert torch.equal(deceived.scores, honest.scores)
        return
    np.testing.assert_allclose(deceived.aggregate, rows[liar], atol=1e-3)
    assert not np.allclose(honest.aggregate, rows[liar], atol=1e-3)
    if keyword != "rfa":
        assert torch.equal(deceived.scores, honest.scores)


@pytest.mark.parametrize("bad", [torch.nan, torch.inf, -torch.inf])
@pytest.mark.parametrize("keyword", ROBUST)
@given(st.integers(0, 2**32), st.integers(0, N - 1), st.booleans())
@settings(max_examples=30)
def test_a_reply_that_is_not_finite_scores_worst_and_has_no_effect(
    apply: Any, keyword: str, bad: float, seed: int, victim: int, everywhere: bool
) -> None:
    rows = crowd(seed)
    others = [i for i in range(N) if i != victim]
    alone = apply(keyword, rows[others], f=F - 1, ids=others, num_krum_selections=5, trim_ratio=0.2)
    rows[victim, slice(None) if everywhere else seed % D] = bad
    answer = apply(keyword, rows, f=F, num_krum_selections=5, trim_ratio=0.2)
    assert answer.rejected == (victim,)
    assert answer.scores[victim] == worst_score(keyword)
    assert not answer.included[victim]
    assert torch.equal(answer.aggregate, alone.aggregate)
    assert torch.equal(answer.scores[others], alone.scores)


@pytest.mark.parametrize("keyword", REMOVING)
def test_a_reply_that_is_not_finite_is_the_first_to_go(apply: Any, keyword: str) -> None:
    rows = crowd(7)
    rows[4, 0] = torch.nan
    ids = list(range(100, 100 + N))
    answer = apply(keyword, rows, f=F, ids=ids, num_krum_selections=5, removing=True, t=2)
    assert 104 in answer.removed + answer.suspended
    assert answer.rejected == (104,)
    calm = apply(keyword, rows, f=F, ids=ids, num_krum_selections=5, t=2)
    assert calm.removed == calm.suspended == ()


@pytest.mark.parametrize("keyword", ALL)
def test_a_client_left_out_does_not_touch_the_aggregate(apply: Any, keyword: str) -> None:
    rows = crowd(3)
    kept = [i not in (2, 5) for i in range(N)]
    plain = apply(keyword, rows, f=F, kept=kept, t=2)
    rows[2], rows[5] = 1e6, -1e3
    changed = apply(keyword, rows, f=F, kept=kept, t=2)
    np.testing.assert_allclose(plain.aggregate, changed.aggregate, rtol=1e-6)
    assert not plain.included[[2, 5]].any() and not changed.included[[2, 5]].any()
    assert changed.scores.isfinite().all()


@pytest.mark.parametrize("keyword", ALL)
def test_a_round_without_anybody_to_aggregate_is_refused(apply: Any, keyword: str) -> None:
    with pytest.raises(AggregationError, match="all of the 15 clients are removed or suspended"):
        apply(keyword, crowd(0), f=F, kept=[False] * N, t=4)


@pytest.mark.parametrize("keyword", ROBUST)
def test_a_round_of_only_diverged_updates_is_refused(apply: Any, keyword: str) -> None:
    with pytest.raises(AggregationError, match="none of the 15 updates"):
        apply(keyword, torch.full((N, D), torch.nan), f=F)


@pytest.mark.parametrize("shape", [(1, 1), (1, 3), (N, 1), (N, D)])
@pytest.mark.parametrize("keyword", ALL)
def test_updates_and_state_stay_as_they_were(
    apply: Any, keyword: str, shape: tuple[int, int]
) -> None:
    rows = torch.from_numpy(np.random.default_rng(0).normal(size=shape))
    before = rows.clone()
    first = apply(keyword, rows, f=F)
    remembered = repr(first.state)
    first.aggregate.add_(1)
    apply(keyword, rows, f=F, state=first.state, t=2, removing=True)
    assert torch.equal(rows, before)
    assert repr(first.state) == remembered


@pytest.mark.parametrize("keyword", ALL)
def test_a_state_saved_and_loaded_goes_on_the_same(apply: Any, keyword: str) -> None:
    state: dict[str, Any] = {}
    for t in range(1, 4):
        answer = apply(keyword, crowd(t), f=F, state=state, t=t, removing=t == 3)
        state = answer.state
    file = io.BytesIO()
    torch.save(state, file)
    file.seek(0)
    loaded = torch.load(file, weights_only=True)
    assert loaded == state
    expected = apply(keyword, crowd(4), f=F, state=state, t=4, removing=True)
    resumed = apply(keyword, crowd(4), f=F, state=loaded, t=4, removing=True)
    assert torch.equal(resumed.scores, expected.scores)
    assert torch.equal(resumed.aggregate, expected.aggregate)
    assert (resumed.removed, resumed.state) == (expected.removed, expected.state)


@pytest.mark.parametrize("keyword", ALL)
def test_float32_updates_rank_as_their_exact_values_do(apply: Any, keyword: str) -> None:
    """Norm 1e4 and differences of 1e-4, where float32 inner products lose every digit."""
    rng = np.random.default_rng(5)
    rows = torch.zeros((N, 400))
    rows[:, :4] = 5000
    rows[:, 4:] += torch.from_numpy(5e-6 * rng.normal(size=(N, 396))).float()
    single = apply(keyword, rows, f=F, num_krum_selections=7)
    double = apply(keyword, rows.double(), f=F, num_krum_selections=7)
    assert torch.equal(single.included, double.included)
    rtol = 1e-5 if keyword in ("rfa", "bulyan") else 1e-9
    np.testing.assert_allclose(single.scores, double.scores, rtol=rtol)
    assert single.scores.argsort().tolist() == double.scores.argsort().tolist()


@pytest.mark.parametrize("huge", [1e19, 1e30, 3e38])
@pytest.mark.parametrize("keyword", ROBUST)
def test_a_huge_but_finite_reply_overflows_nothing_and_is_the_worst(
    apply: Any, keyword: str, huge: float
) -> None:
    """Its square is beyond float32. Rules that average whoever is kept are moved, but no NaN."""
    rows = crowd(1, torch.float32)
    rows[6] = huge
    answer = apply(keyword, rows, f=F, num_krum_selections=7, removing=True, t=2)
    assert answer.aggregate.isfinite().all() and answer.scores.isfinite().all()
    assert answer.rejected == ()
    worst = answer.scores.argmin() if worst_score(keyword) < 0 else answer.scores.argmax()
    assert int(worst) == 6
    if keyword not in WEIGHTED - {"rfa"}:
        others = rows[[i for i in range(N) if i != 6]]
        assert (answer.aggregate >= others.min(0).values - 1e-3).all()
        assert (answer.aggregate <= others.max(0).values + 1e-3).all()


@pytest.mark.parametrize("bad", [2, 5, N - 1])
@pytest.mark.parametrize("keyword", ROBUST)
def test_many_replies_that_are_not_finite_leave_the_rest_alone(
    apply: Any, keyword: str, bad: int
) -> None:
    """Even more of them than f, down to a single client that is left."""
    rows = crowd(2)
    rows[:bad:2], rows[1:bad:2] = torch.nan, torch.inf
    answer = apply(keyword, rows, f=F, num_krum_selections=5, trim_ratio=0.2)
    assert answer.aggregate.isfinite().all()
    assert answer.rejected == tuple(range(bad))
    assert not answer.included[:bad].any()
    assert (answer.scores[:bad] == worst_score(keyword)).all()


@pytest.mark.parametrize("keyword", ALL)
def test_a_single_client_is_the_aggregate(apply: Any, keyword: str) -> None:
    answer = apply(keyword, [[1.5, -2.0]])
    assert answer.aggregate.tolist() == [1.5, -2.0]
    assert answer.included.tolist() == [True]
