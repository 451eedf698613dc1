"""The schema and the documentation tell what the server takes and answers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from simulations.models import Simulation
from simulations.query.views import RESOURCES
from tests.simulations.query.asking import Ask

DOCS = (Path(__file__).parents[3] / "docs" / "query.md").read_text(encoding="utf-8")
TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


@pytest.fixture
def schema(ask: Ask) -> dict[str, Any]:
    answer = ask("schema")
    assert answer.headers["Content-Type"] == "application/json"
    content: dict[str, Any] = answer.json()
    return content


def test_the_schema_has_every_resource_and_valid_references(schema: dict[str, Any]) -> None:
    assert set(schema["paths"]) == {
        f"/query/{name}/{end}" for name in RESOURCES for end in ("", "{key}/")
    }
    operations = [one["get"] for one in schema["paths"].values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    references = set(re.findall(r"#/components/schemas/(\w+)", str(schema)))
    assert references == set(schema["components"]["schemas"])


def example_of(schema: dict[str, Any]) -> str:
    kind = schema.get("items", schema)
    if "enum" in kind:
        return str(kind["enum"][0])
    by_type = {"integer": "1", "number": "0.5", "boolean": "true"}
    is_time = kind.get("format") == "date-time"
    return "2026-11-24T06:00:00Z" if is_time else by_type.get(kind["type"], "x")


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_documented_parameter_is_accepted(
    ask: Ask, recorded: list[Simulation], schema: dict[str, Any], resource: str
) -> None:
    parameters = schema["paths"][f"/query/{resource}/"]["get"]["parameters"]
    named = {one["name"]: one["schema"] for one in parameters}
    paging = set() if resource == "datasets" else {"cursor", "page_size", "simulation"}
    assert {"ordering", "fields", "format", *paging} <= set(named)
    for name, kind in named.items():
        value = recorded[0].simulation_id if name == "simulation" else example_of(kind)
        if name != "cursor":
            assert ask(f"{resource}/", **{name: value}).status == 200, name
    for name in ("ordering", "fields"):
        for value in named[name]["items"]["enum"]:
            assert ask(f"{resource}/", **{name: value}).status == 200


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_row_is_as_the_schema_says(
    ask: Ask, recorded: list[Simulation], schema: dict[str, Any], resource: str
) -> None:
    content = schema["paths"][f"/query/{resource}/{{key}}/"]["get"]["responses"]["200"]["content"]
    name = content["application/json"]["schema"]["$ref"].rpartition("/")[2]
    properties = schema["components"]["schemas"][name]["properties"]
    for row in ask(f"{resource}.json", fields=",".join(properties)).json():
        for field, value in row.items():
            kind = properties[field]
            if value is None:
                assert kind.get("nullable"), field
            elif "type" in kind:
                assert isinstance(value, TYPES[kind["type"]]), field


@pytest.mark.parametrize("resource", RESOURCES)
def test_the_documentation_names_every_filter_and_field(resource: str) -> None:
    section = DOCS.partition(f"### `/query/{resource}/`\n")[2].partition("\n### ")[0]
    assert section
    for name in RESOURCES[resource].filterset_class.base_filters:
        assert f"`{name}`" in section, name
    for name in RESOURCES[resource].serializer_class.Meta.fields:
        assert f"`{name}`" in section, name


def test_every_address_in_the_documentation_is_answered(
    ask: Ask, recorded: list[Simulation]
) -> None:
    named = set(re.findall(r"(?:8000|\$query|\{query\})/([\w./-]*(?:\?[^\s\"'`)]*)?)", DOCS))
    addresses = {re.sub(r"^query(/|$)", "", address) for address in named}
    assert len(addresses) >= 8
    for address in addresses:
        # One of the recorded runs stands for the run of the examples.
        path = re.sub(r"(simulation=)\w+", rf"\g<1>{recorded[0].simulation_id}", address)
        assert ask(path).status == (400 if "stratgy" in address else 200), address
