"""Which language model is connected, and what can be wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlsplit

from django.conf import settings


@dataclass(frozen=True)
class Endpoint:
    """An OpenAI-compatible endpoint; the key is never part of what is shown."""

    base_url: str
    model: str
    timeout_s: float
    key: str = field(default="", repr=False)

    @property
    def host(self) -> str:
        """Return host and port, without the name and password that an address may hold."""
        parts = urlsplit(self.base_url)
        return parts.netloc.rpartition("@")[2]


class ModelFailed(Exception):
    """The model gave no answer; the message says why, `status` is the HTTP answer's."""

    def __init__(self, message: str, status: int = 502) -> None:
        super().__init__(message)
        self.status = status


def configured() -> Endpoint | None:
    """Return the endpoint that the environment names, None without one."""
    environment = settings.ENVIRONMENT
    if not environment.llm_base_url:
        return None
    return Endpoint(
        base_url=environment.llm_base_url,
        model=environment.llm_model,
        timeout_s=environment.llm_timeout,
        key=environment.llm_api_key.get_secret_value(),
    )
