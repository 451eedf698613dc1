"""List, create, read, stop, rename and delete over HTTP."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from simulations.models import Simulation

LIST = "/api/simulations"
pytestmark = pytest.mark.django_db


def post(client: Client, config: Any, **headers: str) -> Any:
    return client.post(LIST, json.dumps(config), content_type="application/json", headers=headers)


def test_a_flat_configuration_is_queued(client: Client, flat: dict[str, Any]) -> None:
    answer = post(client, flat)
    assert answer.status_code == 201
    simulation_id = answer.json()["simulation_id"]
    assert answer.json() == {"simulation_id": simulation_id}
    assert re.fullmatch(r"api_run_\d{8}_\d{6}_\d{6}", simulation_id)
    assert answer["Location"] == f"{LIST}/{simulation_id}"
    assert client.get(answer["Location"]).json()["status"] == "queued"


def test_a_structured_configuration_is_queued(client: Client) -> None:
    config = {
        "shared_settings": {"num_of_rounds": 2, "dataset_keyword": "digits"},
        "simulation_strategies": [
            {"aggregation_strategy_keyword": "fedavg"},
            {"aggregation_strategy_keyword": "fedavg", "learning_rate": 0.1},
        ],
    }
    detail = client.get(post(client, config)["Location"]).json()
    assert detail["config"] == config
    assert detail["total_strategies"] == 2
    assert [one["strategy_number"] for one in detail["strategies"]] == [0, 1]


@pytest.mark.parametrize(
    "content_type",
    ["application/x-www-form-urlencoded", "application/vnd.api+json", "Application/JSON", ""],
)
def test_json_is_read_under_the_types_that_clients_declare(
    client: Client, flat: dict[str, Any], content_type: str
) -> None:
    answer = client.generic("POST", LIST, json.dumps(flat), content_type=content_type)
    assert answer.status_code == 201


def test_retired_settings_are_told_as_warnings(client: Client, flat: dict[str, Any]) -> None:
    answer = post(client, {**flat, "add_to_queue": True}).json()
    assert answer["warnings"] == ["add_to_queue: has no effect: every run is queued"]


def test_a_repeated_idempotency_key_gives_the_earlier_simulation(
    client: Client, flat: dict[str, Any]
) -> None:
    headers = {"Idempotency-Key": "one"}
    first, second = post(client, flat, **headers), post(client, flat, **headers)
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert Simulation.objects.count() == 1
    assert post(client, {**flat, "num_of_rounds": 9}, **headers).status_code == 422
    assert Simulation.objects.count() == 1


def test_an_unprintable_idempotency_key_is_refused(client: Client, flat: dict[str, Any]) -> None:
    for key in ("x" * 201, "a b", "ü"):
        answer = post(client, flat, **{"Idempotency-Key": key})
        assert answer.status_code == 422
        assert answer.json()["errors"][0].startswith("Idempotency-Key: ")
    assert not Simulation.objects.exists()


def test_a_folder_that_cannot_be_written_is_507_and_leaves_no_row(
    client: Client, flat: dict[str, Any], out_dir: Path
) -> None:
    out_dir.write_text("a file where the folder should be")
    answer = post(client, flat)
    assert answer.status_code == 507
    assert "cannot write" in answer.json()["detail"].lower()
    assert not Simulation.objects.exists()


def test_the_list_has_the_fields_of_the_contract(
    client: Client, submit: Callable[..., Simulation]
) -> None:
    row = submit(display_name="First", tags=["b", "a"])
    answer = client.get(LIST)
    assert answer["X-Total-Count"] == "1"
    [summary] = answer.json()
    created_at = summary.pop("created_at")
    assert datetime.fromisoformat(created_at) == row.created_at
    assert summary == {
        "simulation_id": row.simulation_id,
        "display_name": "First",
        "strategy_name": "fedavg",
        "num_of_rounds": 4,
        "num_of_clients": 10,
        "status": "queued",
        "progress": 0.0,
        "dataset_keyword": "digits",
        "num_of_strategies": 1,
        "tags": ["a", "b"],
    }


def test_the_list_is_newest_first_and_pages(
    client: Client, submit: Callable[..., Simulation]
) -> None:
    ids = [submit().simulation_id for _ in range(5)]
    page = client.get(LIST, {"limit": 2, "offset": 1})
    assert [row["simulation_id"] for row in page.json()] == [ids[3], ids[2]]
    assert page["X-Total-Count"] == "5"


@pytest.mark.parametrize(
    "query",
    [
        {"status": "happy"},
        {"ordering": "password"},
        {"limit": 0},
        {"limit": "all"},
        {"limit": 10**30},
        {"offset": -1},
        {"search": "x" * 201},
    ],
)
def test_a_bad_filter_is_refused_by_name(client: Client, query: dict[str, Any]) -> None:
    answer = client.get(LIST, query)
    assert answer.status_code == 422
    [name] = query
    assert answer.json()["errors"][0].startswith(f"{name}: ")


def test_a_nul_in_a_filter_is_refused(client: Client) -> None:
    assert client.get(f"{LIST}?search=%00").status_code == 400


def test_the_list_takes_three_queries_however_long_it_is(
    client: Client, submit: Callable[..., Simulation], django_assert_num_queries: Any
) -> None:
    for number in range(3):
        submit(tags=[f"t{number}"])
    with django_assert_num_queries(3):
        client.get(LIST)
    for number in range(9):
        submit(tags=[f"u{number}", "v"])
    with django_assert_num_queries(3):
        assert len(client.get(LIST, {"tag": "v", "search": "digits"}).json()) == 9


def test_the_detail_has_the_fields_of_the_contract(
    client: Client, submit: Callable[..., Simulation], end: Callable[..., Simulation]
) -> None:
    row = end(submit(), "failed", error="The disk is full.", started_at=None)
    detail = client.get(f"{LIST}/{row.simulation_id}").json()
    assert detail["error"] == "The disk is full."
    assert detail["result_files"] == ["config.json", "status.json"]
    assert detail["seed"] == row.seed
    assert detail["finished_at"].endswith("Z")
    [strategy] = detail["strategies"]
    assert strategy["status"] == "failed"
    assert {"strategy_number", "keyword", "status", "final_loss", "final_accuracy"} <= set(strategy)


def test_the_status_has_an_error_only_when_failed(
    client: Client, submit: Callable[..., Simulation], end: Callable[..., Simulation]
) -> None:
    row = end(submit(), "stopped", error="left over", rounds_done=1)
    assert client.get(f"{LIST}/{row.simulation_id}/status").json() == {
        "status": "stopped",
        "progress": 0.25,
        "current_round": 0,
        "total_rounds": 4,
        "current_strategy": 0,
        "total_strategies": 1,
        "error": None,
    }


def test_total_rounds_are_those_of_the_strategy_that_runs(client: Client) -> None:
    entry = {"aggregation_strategy_keyword": "fedavg"}
    config = {
        "shared_settings": {"num_of_rounds": 3, "dataset_keyword": "digits"},
        "simulation_strategies": [{**entry, "num_of_rounds": 2}, entry],
    }
    location = post(client, config)["Location"]
    assert client.get(f"{location}/status").json()["total_rounds"] == 2
    Simulation.objects.update(current_strategy=1)
    assert client.get(f"{location}/status").json()["total_rounds"] == 3


def test_stop_ends_a_queued_simulation_and_then_conflicts(
    client: Client, submit: Callable[..., Simulation]
) -> None:
    row = submit()
    url = f"{LIST}/{row.simulation_id}/stop"
    answer = client.post(url)
    assert (answer.status_code, answer.json()) == (
        200,
        {"message": "stopped", "simulation_id": row.simulation_id},
    )
    again = client.post(url)
    assert again.status_code == 409
    assert again.json()["detail"] == "The simulation is already stopped."


def test_rename_trims_and_shows_in_the_configuration(
    client: Client, submit: Callable[..., Simulation], flat: dict[str, Any]
) -> None:
    row = submit()
    url = f"{LIST}/{row.simulation_id}"
    config = client.get(f"{url}/config").json()
    assert config == flat
    answer = client.patch(
        f"{url}/rename", {"display_name": "  Näme  "}, content_type="application/json"
    )
    assert answer.json() == {
        "message": "renamed",
        "simulation_id": row.simulation_id,
        "display_name": "Näme",
    }
    assert client.get(f"{url}/config").json() == {**flat, "display_name": "Näme"}


def test_a_renamed_structured_configuration_can_be_submitted_again(client: Client) -> None:
    config = {
        "shared_settings": {"num_of_rounds": 2, "dataset_keyword": "digits"},
        "simulation_strategies": [{"aggregation_strategy_keyword": "fedavg"}],
    }
    location = post(client, config)["Location"]
    client.patch(f"{location}/rename", {"display_name": "A"}, content_type="application/json")
    again = client.get(f"{location}/config").json()
    assert again["shared_settings"]["display_name"] == "A"
    assert post(client, again).status_code == 201


@pytest.mark.parametrize(("name", "status"), [("", 400), ("  ", 400), ("x" * 101, 400), (5, 422)])
def test_a_bad_name_is_refused(
    client: Client, submit: Callable[..., Simulation], name: Any, status: int
) -> None:
    url = f"{LIST}/{submit(display_name='Old').simulation_id}/rename"
    answer = client.patch(url, {"display_name": name}, content_type="application/json")
    assert answer.status_code == status
    assert Simulation.objects.get().display_name == "Old"


def test_delete_removes_row_and_folder_but_not_of_an_active_simulation(
    client: Client,
    submit: Callable[..., Simulation],
    end: Callable[..., Simulation],
    out_dir: Path,
) -> None:
    row = submit()
    url = f"{LIST}/{row.simulation_id}"
    assert client.delete(url).status_code == 409
    assert (out_dir / row.simulation_id / "config.json").is_file()
    end(row)
    assert client.delete(url).json() == {"message": "deleted", "simulation_id": row.simulation_id}
    assert not (out_dir / row.simulation_id).exists()
    assert client.get(url).status_code == 404


def test_bulk_delete_tells_what_became_of_each(
    client: Client, submit: Callable[..., Simulation], end: Callable[..., Simulation]
) -> None:
    finished, active = end(submit()).simulation_id, submit().simulation_id
    answer = client.delete(
        LIST,
        {"simulation_ids": [finished, active, "nope", "../x", finished]},
        content_type="application/json",
    )
    assert answer.status_code == 200
    assert answer.json()["deleted"] == [finished]
    assert [one["simulation_id"] for one in answer.json()["failed"]] == [active, "nope", "../x"]
    assert Simulation.objects.get().simulation_id == active
