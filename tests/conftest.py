"""Fixtures for all tests: nothing ever touches the developer's own database or `out/`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import hypothesis
import pytest

pytest_plugins = ["tests.servers"]

hypothesis.settings.register_profile(
    "any machine", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow]
)
hypothesis.settings.load_profile("any machine")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--screenshots", help="folder to keep screenshots of the pages in")


NO_REDIS = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="session")
def database_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("database") / "test.sqlite3"


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, database_path: Path
) -> None:
    """Use a database file, as in production: other processes and threads see what is committed."""
    from django.conf import settings

    default = settings.DATABASES["default"]
    if default["ENGINE"] == "django.db.backends.sqlite3":
        default.setdefault("TEST", {})["NAME"] = str(database_path)


@pytest.fixture(scope="session")
def database_url(django_db_setup: None, database_path: Path) -> str:
    """Return the address of the test's database for other processes."""
    from django.db import connection

    if connection.vendor == "sqlite":
        return f"sqlite:///{database_path}"
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    return f"{server}/{connection.settings_dict['NAME']}"


@pytest.fixture(autouse=True)
def out_dir(settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give each test its own folder for runs, in this process and in those it starts."""
    folder = tmp_path / "out"
    settings.OUT_DIR = folder
    monkeypatch.setenv("INTELLIFL_OUT_DIR", str(folder))
    return folder


@pytest.fixture(autouse=True)
def redis_url(settings: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Keep each test off the developer's own Redis, in this process and in those it starts."""
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"redis_url": NO_REDIS})
    monkeypatch.setenv("REDIS_URL", NO_REDIS)
    return NO_REDIS


@pytest.fixture
def shared_database(
    transactional_db: None, settings: Any, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let processes that the test starts use the test's database and data folder.

    The test's rows are committed, and removed after it.
    """
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("INTELLIFL_DATA_DIR", str(Path(settings.DATA_DIR).resolve()))
