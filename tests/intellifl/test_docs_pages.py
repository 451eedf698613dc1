"""Swagger UI, ReDoc and the schema come from local files, and docs/api.md has every route."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from intellifl.api import api
from simulations.fl import strict_json

ROOT = Path(__file__).parents[2]
SCHEMA: dict[str, Any] = api.get_openapi_schema(path_prefix="/")
ROUTES = sorted(
    (method.upper(), path) for path, methods in SCHEMA["paths"].items() for method in methods
)
pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_a_documentation_page_loads_only_local_files(client: Client, path: str) -> None:
    page = client.get(path)
    assert page.status_code == 200
    text = page.content.decode()
    urls = re.findall(r"""(?:src|href)=["']([^"']+)["']""", text)
    assert len(urls) >= 2
    for url in urls:
        assert url.startswith("/static/"), url
        answer = client.get(url)
        assert answer.status_code == 200
        assert answer.content
    assert "/openapi.json" in text


def test_static_files_have_types_and_revalidate(client: Client) -> None:
    answer = client.get("/static/simulations/style.css")
    assert answer["Content-Type"].startswith("text/css")
    assert answer["Content-Length"] == str(len(answer.content))
    modified = answer["Last-Modified"]
    again = client.get("/static/simulations/style.css", headers={"If-Modified-Since": modified})
    assert (again.status_code, again.content) == (304, b"")
    part = client.get("/static/simulations/style.css", headers={"Range": "bytes=0-4"})
    assert (part.status_code, part.content) == (206, answer.content[:5])
    assert client.get("/static/../manage.py").status_code == 404


def test_the_schema_refers_only_to_what_it_holds(client: Client) -> None:
    text = client.get("/openapi.json").content.decode()
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', text))
    held = set(client.get("/openapi.json").json()["components"]["schemas"])
    assert {"Problem", "StrategyConfig", "StructuredConfig"} <= names
    assert names <= held


def test_the_schema_names_nothing_twice(client: Client) -> None:
    strict_json.loads(client.get("/openapi.json").content)


def test_every_operation_documents_the_error_shape() -> None:
    for methods in SCHEMA["paths"].values():
        for operation in methods.values():
            content = operation["responses"]["default"]["content"]
            assert list(content) == ["application/problem+json"]
            assert operation["description"]


def test_operation_ids_are_unique() -> None:
    ids = [one["operationId"] for methods in SCHEMA["paths"].values() for one in methods.values()]
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_route_is_documented(method: str, path: str) -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    assert f"`{method} {path}`" in text


def test_no_route_is_documented_that_does_not_exist() -> None:
    text = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^#+ `(?!WS )([A-Z]+) (/[^`]*)`", text, re.M))
    assert documented == set(ROUTES)
