"""An installation that demands a login."""

from __future__ import annotations

from typing import Any

import pytest


@pytest.fixture
def closed(settings: Any) -> None:
    """Demand a login."""
    settings.REQUIRE_AUTH = True
