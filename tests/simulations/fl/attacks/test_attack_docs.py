"""docs/attacks.md tells of every attack what its class says."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from simulations.fl.attacks import ATTACKS

PAGE = Path(__file__).parents[4] / "docs" / "attacks.md"


def section(heading: str) -> str:
    text = PAGE.read_text(encoding="utf-8")
    found = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"docs/attacks.md has no section {heading}"
    return found[1]


@pytest.mark.parametrize("keyword", ATTACKS)
def test_every_attack_has_a_section_with_its_paper(keyword: str) -> None:
    text = section(keyword)
    assert ATTACKS[keyword].paper in text
    assert "**Use it**" in text and "**Success:**" in text


def test_there_is_a_section_for_each_attack_in_order_and_no_other() -> None:
    found = re.findall(r"^## (\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert found == [*ATTACKS, "Snapshots"]


@pytest.mark.parametrize("keyword", ATTACKS)
def test_every_parameter_is_listed_with_its_default(keyword: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `?([^|`]+?)`? \|", section(keyword), re.MULTILINE))
    fields = ATTACKS[keyword].Params.model_fields
    expected = {
        name: "required" if field.is_required() else str(field.default).replace("None", "null")
        for name, field in fields.items()
    }
    assert rows == expected


def test_the_overview_tells_kind_and_modality() -> None:
    text = PAGE.read_text(encoding="utf-8")
    rows = re.findall(
        r"^\| \[(\w+)\]\(#\1\) \| ([^|]+) \| (\w+) \| (yes|no) \|", text, re.MULTILINE
    )
    assert [row[0] for row in rows] == list(ATTACKS)
    for keyword, target, modality, goal in rows:
        attack = ATTACKS[keyword]
        assert modality == attack.modality
        assert (target.strip() == "weights") == (attack.kind == "weight")
        assert (goal == "yes") == ("success_set" in vars(attack))


@pytest.mark.parametrize(
    "name", sorted(re.findall(r"`(\w+\.(?:png|html|json|pickle))`", section("Snapshots")))
)
def test_the_listed_files_are_those_that_are_written(name: str) -> None:
    sources = (PAGE.parents[1] / "simulations" / "fl" / "snapshots").glob("*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
    assert Path(name).stem in text
