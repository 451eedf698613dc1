"""Encoders from a hub that lives on this machine, by the hub's real client."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.datasets_app.hub_server import Hub, serving

pytestmark = pytest.mark.slow
PROJECT = Path(__file__).parents[4]
LOCATE = """
from pathlib import Path
from simulations.fl.errors import DataError
from simulations.fl.text.encoders import locate

try:
    print(sorted(file.name for file in locate({name!r}, Path("nowhere")).iterdir()))
except DataError as error:
    print(error)
"""


@pytest.fixture
def hub(encoder: Path, tmp_path: Path) -> Iterator[tuple[Hub, dict[str, str]]]:
    """A hub with one encoder, and the environment of a process that uses it."""
    with serving() as (server, address):
        (encoder / "training_args.bin").write_bytes(b"not wanted")
        server.datasets["someone/tiny-bert"] = encoder
        yield server, {"HF_ENDPOINT": address, "HF_HOME": str(tmp_path / "home")}


def located(name: str, variables: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LOCATE.format(name=name)],
        capture_output=True,
        text=True,
        cwd=PROJECT,
        env={**os.environ, **variables},
        timeout=120,
        check=True,
    )
    assert "%" not in done.stderr, "no progress bar"
    return done.stdout.strip()


def test_an_encoder_is_fetched_once_without_what_is_not_needed(
    hub: tuple[Hub, dict[str, str]],
) -> None:
    server, variables = hub
    expected = "['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json']"
    assert located("someone/tiny-bert", variables) == expected
    server.asked.clear()
    assert located("someone/tiny-bert", variables) == expected
    assert located("someone/tiny-bert", variables | {"HF_HUB_OFFLINE": "1"}) == expected
    assert server.asked == []


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ("RepoNotFound", "the hub refuses it (HTTP 404)"),
        ("GatedRepo", "the hub refuses it (HTTP 403)"),
        ("Private", "the hub refuses it (HTTP 401)"),
        ("Broken", "the Hugging Face hub cannot be reached"),
    ],
)
def test_what_the_hub_does_not_give_is_told_with_the_ways_to_get_an_encoder(
    hub: tuple[Hub, dict[str, str]], answer: str, words: str
) -> None:
    server, variables = hub
    server.datasets["someone/other"] = answer
    message = located("someone/other", variables)
    assert message.startswith("llm_model: someone/other is not on this machine: ")
    assert words in message and "manage.py fetch_dataset minilm" in message
