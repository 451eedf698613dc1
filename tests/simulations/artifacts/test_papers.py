from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulations.artifacts.papers import PAPERS, bibtex, reference, used
from simulations.fl.attacks import ATTACKS
from simulations.fl.strategies import STRATEGIES


@pytest.mark.parametrize("keyword", STRATEGIES)
def test_the_paper_of_every_strategy_is_known(keyword: str) -> None:
    paper = STRATEGIES[keyword].paper
    assert not paper or paper in PAPERS


@pytest.mark.parametrize("keyword", ATTACKS)
def test_the_paper_of_every_attack_is_known(keyword: str) -> None:
    assert ATTACKS[keyword].paper in PAPERS


@pytest.mark.parametrize(
    ("page", "keyword", "paper"),
    [
        *(("strategies", keyword, spec.paper) for keyword, spec in STRATEGIES.items()),
        *(("attacks", keyword, attack.paper) for keyword, attack in ATTACKS.items()),
    ],
)
def test_the_documentation_cites_the_same_authors_and_year(
    page: str, keyword: str, paper: str
) -> None:
    text = (Path(__file__).parents[3] / "docs" / f"{page}.md").read_text(encoding="utf-8")
    (section,) = [part for part in text.split("\n## ") if part.startswith(f"{keyword}\n")]
    if not paper:
        assert "Paper: none" in section
        return
    family = PAPERS[paper].authors.partition(",")[0]
    year = PAPERS[paper].year
    assert re.search(rf"{family}[\w ,.-]* {year}", section), f"{family} … {year}"


def test_keys_are_unique_and_arxiv_ids_are_those_of_the_table() -> None:
    assert len({paper.key for paper in PAPERS.values()}) == len(PAPERS)
    for paper_id, paper in PAPERS.items():
        assert paper.arxiv in ("", paper_id)


def config(strategy: str, *attacks: str) -> dict[str, object]:
    entries = [{"attack_type": attack} for attack in attacks]
    return {"aggregation_strategy_keyword": strategy, "attack_schedule": entries}


def test_each_paper_that_is_used_is_cited_once() -> None:
    cited = used([config("krum", "gradient_scaling"), config("multi-krum", "gradient_scaling")])
    assert [paper.arxiv for paper in cited] == ["1703.02757", "1807.00459"]


def test_a_rule_without_a_paper_is_no_error() -> None:
    assert used([config("pid")]) == []


def test_bibtex_is_well_formed() -> None:
    text = bibtex(PAPERS.values())
    entries = re.findall(r"^@(\w+)\{(\w+),\n((?:  \w+ = \{.*\},\n)+)\}$", text, re.M)
    assert len(entries) == len(PAPERS)
    assert text.count("{") == text.count("}")
    for kind, _, fields in entries:
        names = re.findall(r"^  (\w+) =", fields, re.M)
        assert {"author", "title", "year"} <= set(names)
        assert ("journal" in names) == (kind == "article")
        assert ("booktitle" in names) == (kind == "inproceedings")


def test_references_read_like_a_bibliography() -> None:
    assert reference(PAPERS["1803.01498"]) == (
        "D. Yin, Y. Chen, K. Ramchandran and P. Bartlett. Byzantine-Robust Distributed Learning: "
        "Towards Optimal Statistical Rates. International Conference on Machine Learning (ICML), "
        "2018. arXiv:1803.01498."
    )
    assert "D. A. Alber, Z. Yang, A. Alyakin et al." in reference(PAPERS["Alber et al. 2025"])
