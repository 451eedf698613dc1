"""Servers of each kind, and one who may open a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from django.contrib.auth.models import User

from tests.terminal.live import Live, cookie_of, running, variables
from tests.web_server import COMMANDS


@pytest.fixture
def staff(shared_database: None) -> User:
    return User.objects.create_user("ada", is_staff=True)


@pytest.fixture
def cookie(staff: User) -> str:
    return cookie_of(staff)


@pytest.fixture(scope="module", params=list(COMMANDS))
def shared(
    request: pytest.FixtureRequest, database_url: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Live]:
    """Return a server that all tests of a module use."""
    folder = tmp_path_factory.mktemp(request.param)
    with running(request.param, folder, **variables(database_url, folder)) as server:
        yield server


@pytest.fixture
def live(shared: Live, shared_database: None) -> Iterator[Live]:
    """Return a server without a terminal."""
    shared.begin()
    yield shared
    shared.clear()


@pytest.fixture(params=list(COMMANDS))
def fresh(
    request: pytest.FixtureRequest, shared_database: None, database_url: str, tmp_path: Path
) -> Iterator[Live]:
    """Return a server that was just started, and may be ended."""
    with running(request.param, tmp_path, **variables(database_url, tmp_path)) as server:
        yield server
