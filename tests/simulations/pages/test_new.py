"""The form of a new simulation: every setting, what is wrong beside each, nothing lost."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from intellifl.environment import ROOT
from simulations import services
from simulations.fl.config import StrategyConfig
from simulations.models import Simulation
from simulations.pages import form_fields

URL = "/simulations/new/"
GOOD = {
    "aggregation_strategy_keyword": "krum",
    "dataset_keyword": "digits",
    "num_of_rounds": "4",
    "num_of_clients": "12",
    "learning_rate": "0.01",
    "tags": "paper, ablation",
    "remove_clients": "true",
    "attack_schedule": json.dumps(
        [
            {
                "attack_type": "gradient_scaling",
                "start_round": 1,
                "end_round": 2,
                "selection_strategy": "specific",
                "malicious_client_ids": [1, 2],
            }
        ]
    ),
    "seed": "",
}
PAGE = {"accept": "text/html"}
pytestmark = pytest.mark.django_db


def test_every_setting_has_a_field_with_help(client: Client) -> None:
    text = client.get(URL).content.decode()
    for name, info in StrategyConfig.model_fields.items():
        assert f'name="{name}"' in text and f'id="{name}-help"' in text
        assert info.description
    assert len(form_fields.form_fields()) == len(StrategyConfig.model_fields)


def test_what_is_entered_runs(client: Client) -> None:
    answer = client.post(URL, GOOD)
    row = Simulation.objects.get()
    assert (answer.status_code, answer["Location"]) == (302, f"/simulations/{row.simulation_id}/")
    assert row.config == {
        "aggregation_strategy_keyword": "krum",
        "dataset_keyword": "digits",
        "num_of_rounds": 4,
        "num_of_clients": 12,
        "learning_rate": 0.01,
        "tags": ["paper", "ablation"],
        "remove_clients": True,
        "attack_schedule": json.loads(GOOD["attack_schedule"]),
    }


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("num_of_rounds", "four", "must be a whole number, not"),
        ("learning_rate", "fast", "must be a number, not"),
        ("num_of_rounds", "0", "0"),
        ("trim_ratio", "0.7", "0.7"),
        ("attack_schedule", "[{", ""),
        ("aggregation_strategy_keyword", "krun", "krun"),
    ],
)
def test_a_wrong_entry_is_marked_and_everything_is_kept(
    client: Client, name: str, value: str, sentence: str
) -> None:
    answer = client.post(URL, {**GOOD, name: value}, headers=PAGE)
    text = answer.content.decode()
    assert answer.status_code == 422 and not Simulation.objects.exists()
    field = text.split(f'id="{name}"')[1].split(f'id="{name}-help"')
    assert "aria-invalid" in field[0]
    assert sentence in field[1].split("</p>")[0].replace("&#x27;", "'")
    assert ('value="paper, ablation"' in text and 'value="0.01"' in text) or name == "learning_rate"


def test_several_things_are_told_at_once(client: Client) -> None:
    answer = client.post(URL, {**GOOD, "num_of_rounds": "0", "num_of_clients": "0"}, headers=PAGE)
    assert answer.content.decode().count("<strong") >= 2


def test_checking_runs_nothing(client: Client) -> None:
    answer = client.post(URL, {**GOOD, "action": "check"})
    assert "It can run." in answer.content.decode() and not Simulation.objects.exists()


def test_json_is_taken_too_and_told_what_is_wrong(client: Client) -> None:
    config = {
        "shared_settings": {"num_of_rounds": 2, "dataset_keyword": "digits"},
        "simulation_strategies": [
            {"aggregation_strategy_keyword": "fedavg"},
            {"aggregation_strategy_keyword": "trust"},
        ],
    }
    assert client.post(URL, {"config_json": json.dumps(config)}).status_code == 302
    assert Simulation.objects.get().config == config
    for bad in ("{", "[]", '{"num_of_rounds": 2, "num_of_rounds": 3}', '{"shared_settings": 1}'):
        answer = client.post(URL, {"config_json": bad}, headers=PAGE)
        assert answer.status_code == 422
        assert bad.replace('"', "&quot;") in answer.content.decode()
    assert Simulation.objects.count() == 1


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.json")), ids=lambda p: p.stem)
def test_an_example_fills_the_form(client: Client, path: Any) -> None:
    text = client.get(f"{URL}?example={path.stem}").content.decode()
    config = json.loads(path.read_text())
    if "simulation_strategies" not in config:
        values = form_fields.shown(config)
        read, errors = form_fields.entered(values)
        assert errors == {} and read == config
    assert "&quot;num_of_rounds&quot;" in text


def test_an_earlier_one_is_duplicated(client: Client, submit: Callable[..., Simulation]) -> None:
    row = submit(learning_rate=0.125, tags=["a", "b"])
    text = client.get(f"{URL}?like={row.simulation_id}").content.decode()
    assert 'value="0.125"' in text and 'value="a, b"' in text
    missing = client.get(f"{URL}?like=nobody").content.decode()
    assert "no simulation nobody" in missing


@pytest.mark.parametrize("query", ["example=../secret", "example=%00", "like=%2e%2e", "x=y"])
def test_odd_addresses_show_an_empty_form(client: Client, query: str) -> None:
    assert client.get(f"{URL}?{query}").status_code == 200


def test_what_a_field_shows_is_read_as_it_was() -> None:
    config = services.check(
        {**{"aggregation_strategy_keyword": "krum", "dataset_keyword": "digits"},
         "num_of_rounds": 3, "num_of_clients": 9, "partitioning_strategy": "dirichlet",
         "partitioning_params": {"alpha": 0.3}, "notes": "a\nb", "seed": 2**62}
    ).strategies[0].model_dump(mode="json", exclude_none=True)  # fmt: skip
    read, errors = form_fields.entered(form_fields.shown(config))
    assert errors == {}
    empty = {name for name, value in config.items() if value in ("", [])}
    assert read == {name: value for name, value in config.items() if name not in empty}
