"""docs/strategies.md holds what the table holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulations.fl.config import StrategyConfig
from simulations.fl.strategies import STRATEGIES

PAGE = Path(__file__).parents[4] / "docs" / "strategies.md"
SECTIONS = {
    part.split("\n", 1)[0]: part for part in PAGE.read_text(encoding="utf-8").split("\n## ")
}


WITH_DIALECTS = {"krum", "multi-krum", "trimmed_mean", "rfa", "bulyan", "arkrum"}
"""Rules that other libraries compute too, and tests compare or the page tells apart."""


@pytest.mark.parametrize("keyword", sorted(STRATEGIES))
def test_every_strategy_has_a_section_with_its_paper_settings_and_bound(keyword: str) -> None:
    spec, section = STRATEGIES[keyword], SECTIONS[keyword]
    assert (f"arXiv {spec.paper}" if spec.paper else "Paper: none") in section
    for name in spec.parameters:
        default = StrategyConfig.model_fields[name].default
        assert f"`{name}`" + (f" {default}" if default is not None else "") in section
    assert "Parameters: none" in section or spec.parameters
    assert ("Dialects" in section) == (keyword in WITH_DIALECTS)
    if spec.bound:
        assert f"Precondition: n ≥ {spec.bound.formula}." in section
    else:
        assert "Precondition: none" in section or "Precondition: `trim_ratio` < 0.5" in section
    assert all(word in section for word in ("Criterion", "Removal", "Use it", "Weakness"))


@pytest.mark.parametrize("keyword", sorted(STRATEGIES))
def test_the_overview_links_to_every_section_with_its_bound_and_criterion(keyword: str) -> None:
    spec = STRATEGIES[keyword]
    (row,) = [
        line
        for line in PAGE.read_text(encoding="utf-8").splitlines()
        if line.startswith("|") and f"[{keyword}](#{keyword})" in line
    ]
    assert (f"n ≥ {spec.bound.formula}" in row) if spec.bound else "n ≥" not in row
    criterion, removes = (row.split(" | ")[place].strip(" |") for place in (2, -1))
    assert criterion.startswith(spec.criterion)
    assert ("low is suspicious" in criterion) == (spec.worst == "lowest")
    assert (removes == "nobody" or removes.startswith("for this round only")) != spec.removes


def test_the_page_names_no_strategy_that_does_not_exist() -> None:
    named = set(re.findall(r"\]\(#([\w-]+)\)", PAGE.read_text(encoding="utf-8")))
    assert named == set(STRATEGIES)
    assert set(list(SECTIONS)[1:]) == {"Common to all", *STRATEGIES}


def test_formulas_of_the_bounds_are_what_is_computed() -> None:
    for spec in STRATEGIES.values():
        if spec.bound:
            slope, constant = map(int, re.findall(r"\d+", spec.bound.formula))
            assert [spec.bound.least(f) for f in range(5)] == [
                slope * f + constant for f in range(5)
            ]
