"""Ask with a token and without a session."""

from __future__ import annotations

from typing import Any

from django.test import Client

LIST = "/api/simulations"


def ask(text: str, url: str = LIST, scheme: str = "Bearer", **headers: str) -> Any:
    """Ask as a client without a session."""
    return Client().get(url, headers={"Authorization": f"{scheme} {text}", **headers})


def refusal(text: str) -> str:
    answer = ask(text)
    assert answer.status_code == 401
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == 'Bearer realm="intellifl", error="invalid_token"'
    detail: str = answer.json()["detail"]
    return detail
