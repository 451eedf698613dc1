"""The documentation holds what the code holds."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.core.management import get_commands

from datasets_app.catalog import CATALOG
from intellifl.environment import Environment, variable_name
from simulations.fl.partitions import PARTITIONS
from simulations.management.commands.write_reference import rewritten

ROOT = Path(__file__).parent.parent
DOCS = sorted((ROOT / "docs").glob("*.md"))
OUR_APPS = ("simulations", "datasets_app", "intellifl.access")
OUR_COMMANDS = sorted(name for name, app in get_commands().items() if app in OUR_APPS)


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("path", DOCS, ids=lambda path: path.name)
def test_generated_parts_are_up_to_date(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert rewritten(text) == text, "run make docs"


@pytest.mark.parametrize("path", [*DOCS, ROOT / "README.md"], ids=lambda path: path.name)
def test_relative_links_lead_somewhere(path: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8")):
        if "://" not in target:
            assert (path.parent / target).exists(), f"{path.name} links to {target}"


@pytest.mark.parametrize("keyword", sorted(CATALOG))
def test_every_dataset_is_documented(keyword: str) -> None:
    assert f"`{keyword}`" in text_of("docs/datasets.md")


@pytest.mark.parametrize("keyword", sorted(PARTITIONS))
def test_every_partition_is_documented(keyword: str) -> None:
    assert f"`{keyword}`" in text_of("docs/datasets.md")


@pytest.mark.parametrize("name", OUR_COMMANDS)
def test_every_command_is_documented(name: str) -> None:
    assert f"manage.py {name}" in text_of("docs/operations.md")


@pytest.mark.parametrize("field", sorted(Environment.model_fields))
def test_every_variable_is_documented(field: str) -> None:
    assert f"`{variable_name(field)}`" in text_of("docs/configuration.md")


def test_every_test_that_the_docs_name_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", text_of("docs/operations.md")))
    written = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    defined = set(re.findall(r"def (test_\w+)\(", written))
    assert len(named) > 30 and named <= defined
