"""The root, health, devices, queue and validation over HTTP."""

from __future__ import annotations

import json
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from simulations import probes
from simulations.models import Simulation
from tests.servers import Valkey

pytestmark = pytest.mark.django_db
BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    probes._gpus.cache_clear()
    yield
    probes._gpus.cache_clear()


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json, text/html"])
def test_the_root_greets_programs(client: Client, accept: str | None) -> None:
    answer = client.get("/", headers={"accept": accept} if accept else {})
    assert answer.status_code == 200
    assert set(answer.json()) == {"message"}


def test_the_root_sends_browsers_to_the_list(client: Client) -> None:
    answer = client.get("/", headers={"accept": BROWSER})
    assert (answer.status_code, answer["Location"]) == (302, "/simulations/")


def redis_at(settings: Any, port: int) -> None:
    changed = settings.ENVIRONMENT.model_copy(
        update={"redis_url": f"redis://:canary-password@127.0.0.1:{port}/0"}
    )
    settings.ENVIRONMENT = changed


def test_health_without_redis_is_degraded(client: Client, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    redis_at(settings, port)
    answer = client.get("/api/health")
    assert answer.status_code == 200
    health = answer.json()
    assert (health["status"], health["redis"]) == ("degraded", "disconnected")
    assert (health["celery_workers"], health["execution_mode"]) == (0, "subprocess")
    assert health["database"] == "connected"
    assert health["version"]
    assert b"canary" not in answer.content


def test_health_with_a_silent_redis_answers(client: Client, settings: Any) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        redis_at(settings, server.getsockname()[1])
        assert client.get("/api/health").json()["redis"] == "disconnected"


def test_health_with_redis_is_healthy(client: Client, settings: Any, valkey: Valkey) -> None:
    settings.ENVIRONMENT = settings.ENVIRONMENT.model_copy(update={"redis_url": valkey.url})
    health = client.get("/api/health").json()
    assert (health["status"], health["redis"]) == ("healthy", "connected")
    assert (health["celery_workers"], health["execution_mode"]) == (0, "subprocess")


def test_devices_of_a_machine_without_a_gpu(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert client.get("/api/system/devices").json() == {
        "available_devices": ["cpu"],
        "gpu_available": False,
        "gpu_info": None,
        "recommended_device": "cpu",
    }


def driver(folder: Path, body: str) -> None:
    tool = folder / "nvidia-smi"
    tool.write_text(f"#!{sys.executable}\n{body}\n")
    tool.chmod(0o755)


def test_devices_of_a_machine_with_gpus(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    driver(tmp_path, "print('NVIDIA H100, 80GB HBM3, 81559\\nSecond, 1024')")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert client.get("/api/system/devices").json() == {
        "available_devices": ["cpu", "gpu"],
        "gpu_available": True,
        "gpu_info": {"name": "NVIDIA H100, 80GB HBM3", "vram_gb": 79.6},
        "recommended_device": "gpu",
    }


@pytest.mark.parametrize("body", ["raise SystemExit(9)", "print('')"])
def test_a_driver_that_fails_is_no_gpu(
    client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, body: str
) -> None:
    driver(tmp_path, body)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert client.get("/api/system/devices").json()["available_devices"] == ["cpu"]


def test_the_queue_is_counted(
    client: Client, submit: Callable[..., Simulation], end: Callable[..., Simulation]
) -> None:
    assert client.get("/api/queue/status").json()["is_empty"] is True
    end(submit())
    assert client.get("/api/queue/status").json()["is_empty"] is True
    submit()
    assert client.get("/api/queue/status").json() == {
        "queued": 1,
        "pending": 0,
        "running": 0,
        "completed": 1,
        "failed": 0,
        "stopped": 0,
        "total": 2,
        "is_empty": False,
    }


def validate(client: Client, config: Any) -> Any:
    answer = client.post("/api/validate", json.dumps(config), content_type="application/json")
    assert answer.status_code == 200
    return answer.json()


def test_a_good_configuration_is_valid_and_creates_nothing(
    client: Client, flat: dict[str, Any]
) -> None:
    assert validate(client, flat) == {"valid": True}
    assert not Simulation.objects.exists()


def test_all_errors_come_at_once_with_their_paths(client: Client) -> None:
    verdict = validate(
        client,
        {
            "shared_settings": {"num_of_rounds": 0, "dataset_keyword": "digits"},
            "simulation_strategies": [
                {"aggregation_strategy_keyword": "fedavg"},
                {"aggregation_strategy_keyword": "fedavg", "trim_ratio": 0.7},
            ],
        },
    )
    assert verdict["valid"] is False
    paths = [error.split(":")[0] for error in verdict["errors"]]
    assert "shared_settings.num_of_rounds" in paths
    assert "simulation_strategies.1.trim_ratio" in paths


def test_warnings_are_told(client: Client, flat: dict[str, Any]) -> None:
    verdict = validate(client, {**flat, "add_to_queue": True})
    assert verdict["valid"] is True
    assert verdict["warnings"]
