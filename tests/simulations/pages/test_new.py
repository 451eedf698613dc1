"""The form of a new simulation: every setting, what is wrong beside each, nothing lost."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import pytest
from django.test import Client

from intellifl.environment import ROOT
from simulations.fl.config import StrategyConfig
from simulations.models import Simulation
from simulations.pages.new import fields

URL = "/simulations/new/"
GOOD = {
    "aggregation_strategy_keyword": "krum",
    "dataset_keyword": "digits",
    "num_of_rounds": "4",
    "num_of_clients": "12",
    "learning_rate": "0.01",
    "tags": "paper, ablation",
    "remove_clients": "true",
    "attack_schedule.0.attack_type": "gradient_scaling",
    "attack_schedule.0.start_round": "1",
    "attack_schedule.0.end_round": "2",
    "attack_schedule.0.selection_strategy": "specific",
    "attack_schedule.0.malicious_client_ids": "1, 2",
    "attack_schedule.0.random_seed": "",
    "seed": "",
    "nonsense": "x",
}
PAGE = {"accept": "text/html"}
pytestmark = pytest.mark.django_db


def test_every_setting_has_a_field_with_help(client: Client) -> None:
    text = client.get(URL).content.decode()
    for name, info in StrategyConfig.model_fields.items():
        assert info.description
        if name not in fields.PARTS:
            assert f'name="{name}"' in text and f'id="{name}-help"' in text
    assert len(fields.setting_fields()) + len(fields.PARTS) == len(StrategyConfig.model_fields)


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
        "attack_schedule": [
            {
                "attack_type": "gradient_scaling",
                "start_round": 1,
                "end_round": 2,
                "selection_strategy": "specific",
                "malicious_client_ids": [1, 2],
            }
        ],
    }


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("num_of_rounds", "four", "must be a whole number, not"),
        ("num_of_rounds", "4.0", "must be a whole number, not"),
        ("learning_rate", "fast", "must be a number, not"),
        ("learning_rate", "nan", "must be a number, not"),
        ("num_of_rounds", "0", "0"),
        ("trim_ratio", "0.7", "0.7"),
        ("attack_schedule.0.malicious_client_ids", "1, x", "must be a whole number, not"),
        ("attack_schedule.0.malicious_client_ids", "99", "client 99 does not exist"),
        ("attack_schedule.0.attack_type", "", "unknown attack"),
        ("partitioning_params.alpha", "[", "not valid JSON"),
        ("other", "[]", "must be a JSON object"),
        ("other", '{"nonsense.a": 1, "attack_schedule.x": 2}', "entries of a list are numbers"),
        ("aggregation_strategy_keyword", "krun", "did you mean"),
    ],
)
def test_a_wrong_entry_is_marked_and_everything_is_kept(
    client: Client, name: str, value: str, sentence: str
) -> None:
    sent = {**GOOD, "partitioning_strategy": "dirichlet", name: value}
    answer = client.post(URL, sent, headers=PAGE)
    text = html.unescape(answer.content.decode())
    assert answer.status_code == 422 and not Simulation.objects.exists()
    field = text.split(f' id="{name}"')[1].split(f'id="{name}-errors"')
    assert 'aria-invalid="true"' in field[0]
    assert sentence in field[1].split("</div>")[0]
    assert posted_by(text)["tags"] == "paper, ablation"
    assert {key: posted_by(text)[key] for key in sent if key != "nonsense"} == {
        key: text for key, text in sent.items() if key != "nonsense"
    }


def test_several_things_are_told_at_once(client: Client) -> None:
    answer = client.post(URL, {**GOOD, "num_of_rounds": "0", "num_of_clients": "0"}, headers=PAGE)
    errors = re.findall(r'<div id="([a-z_]+)-errors" class="errors"><p>', answer.content.decode())
    assert {"num_of_rounds", "num_of_clients"} <= set(errors)


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
def test_an_example_fills_the_form_and_runs_as_it_is(client: Client, path: Any) -> None:
    text = client.get(f"{URL}?example={path.stem}").content.decode()
    assert client.post(URL, posted_by(text)).status_code == 302
    assert Simulation.objects.get().config == json.loads(path.read_text())


def test_examples_are_told_in_their_own_words(client: Client) -> None:
    text = html.unescape(client.get(URL).content.decode())
    for path in (ROOT / "examples").glob("*.json"):
        config = json.loads(path.read_text())
        told = config.get("shared_settings", config)
        assert told["display_name"] in text and told["notes"] in text


def test_an_earlier_one_is_duplicated_and_changes_are_told(
    client: Client, submit: Callable[..., Simulation]
) -> None:
    row = submit(learning_rate=0.125, tags=["a", "b"])
    text = client.get(f"{URL}?like={row.simulation_id}").content.decode()
    assert 'value="0.125"' in text and 'value="a, b"' in text
    assert "nothing is changed yet" in text
    sent = posted_by(text) | {"learning_rate": "0.25", "tags": "", "seed": "3", "action": "update"}
    changed = client.post(URL, sent).content.decode().split('id="changes"')[1].split("</ul>")[0]
    told = re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", "", changed)))
    assert "learning_rate: 0.125 → 0.25" in told and "seed: not given → 3" in told
    assert 'tags: ["a","b"] → not given' in told
    missing = client.get(f"{URL}?like=nobody").content.decode()
    assert "no simulation nobody" in missing


@pytest.mark.parametrize("query", ["example=../secret", "example=%00", "like=%2e%2e", "x=y"])
def test_odd_addresses_show_an_empty_form(client: Client, query: str) -> None:
    assert client.get(f"{URL}?{query}").status_code == 200


def test_json_that_the_form_cannot_show_is_kept_and_runs(client: Client) -> None:
    odd = {**services_config(), "a.b": 1}
    answer = client.post(URL, {"config_json": json.dumps(odd), "action": "update"}, headers=PAGE)
    assert answer.status_code == 422
    text = html.unescape(answer.content.decode())
    assert "The form cannot show all of this" in text and '"a.b": 1' in text
    assert client.post(URL, {"config_json": json.dumps(odd)}, headers=PAGE).status_code == 422


def test_json_is_shown_in_the_form(client: Client) -> None:
    config = {**services_config(), "_why": "figure 3", "notes": "", "num_of_rounds": 77}
    sent = {"config_json": json.dumps(config), "action": "update"}
    fields = posted_by(client.post(URL, sent).content.decode())
    assert fields["num_of_rounds"] == "77"
    assert json.loads(fields["other"]) == {"_why": "figure 3", "notes": ""}
    assert client.post(URL, fields).status_code == 302
    assert Simulation.objects.get().config == config


def test_strategies_are_added_side_by_side_without_losing_anything(client: Client) -> None:
    sent = {**GOOD, "num_of_malicious_clients": "3", "other": '{"_why": 1}'}
    text = client.post(URL, {**sent, "action": "add-strategy"}).content.decode()
    fields = posted_by(text)
    assert fields["strategies"] == "2"
    assert fields["simulation_strategies.0.aggregation_strategy_keyword"] == "krum"
    assert fields["simulation_strategies.0.num_of_malicious_clients"] == "3"
    fields["simulation_strategies.1.aggregation_strategy_keyword"] = "fedavg"
    assert client.post(URL, fields).status_code == 302
    config = Simulation.objects.get().config
    assert config["simulation_strategies"] == [
        {"aggregation_strategy_keyword": "krum", "num_of_malicious_clients": 3},
        {"aggregation_strategy_keyword": "fedavg"},
    ]
    assert config["shared_settings"]["learning_rate"] == 0.01
    assert config["shared_settings"]["_why"] == 1
    assert len(config["shared_settings"]["attack_schedule"]) == 1


def test_what_the_strategy_does_not_use_is_hidden_only_while_it_is_empty(client: Client) -> None:
    sent = {**GOOD, "num_krum_selections": "3", "optimizer": "adam", "action": "update"}
    text = client.post(URL, sent).content.decode()
    hidden = set(re.findall(r'class="setting unused">\s*<label for="([^"]+)"', text))
    assert {"trim_ratio", "Kp", "momentum", "lora_rank", "dataset_source"} <= hidden
    assert {"attack_schedule.0.random_seed", "attack_schedule.0.malicious_percentage"} <= hidden
    assert not {"num_of_malicious_clients", "begin_removing_from_round", "tags"} & hidden
    assert "num_krum_selections" not in hidden
    told = text.split('id="num_krum_selections-help"')[1].split("</p>")[0]
    assert "Changes nothing: krum does not read it." in told


def test_an_attack_has_its_own_parameters_and_keeps_those_of_another(client: Client) -> None:
    sent = {**GOOD, "action": "add-attack", "new_attack": "backdoor_trigger"}
    fields = posted_by(client.post(URL, sent).content.decode())
    assert fields["attack_schedule.1.attack_type"] == "backdoor_trigger"
    assert fields["attack_schedule.1.end_round"] == "4"
    assert "attack_schedule.1.trigger_size" in fields
    fields |= {"attack_schedule.1.trigger_size": "2", "action": "update"}
    fields |= {"attack_schedule.1.attack_type": "model_poisoning"}
    text = client.post(URL, fields).content.decode()
    assert posted_by(text)["attack_schedule.1.trigger_size"] == "2"
    assert "model_poisoning has no such parameter" in text
    gone = {**posted_by(text), "action": "remove-attack attack_schedule.0"}
    left = posted_by(client.post(URL, gone).content.decode())
    assert left["attack_schedule.0.attack_type"] == "model_poisoning"
    assert not any(path.startswith("attack_schedule.1.") for path in left)


def test_a_page_asks_the_database_as_often_for_many_strategies(
    client: Client, django_assert_num_queries: Any, submit: Callable[..., Simulation]
) -> None:
    submit()
    for count in (2, 9):
        fields = {"strategies": str(count), "action": "update", "num_of_rounds": "3"}
        fields["dataset_keyword"] = "digits"
        for number in range(count):
            fields[f"simulation_strategies.{number}.aggregation_strategy_keyword"] = "fedavg"
        with django_assert_num_queries(2):
            text = client.post(URL, fields).content.decode()
        assert "No earlier run on this dataset tells" in text


def test_as_many_strategies_as_can_run_are_sent_and_come_back(client: Client) -> None:
    text = client.get(f"{URL}?strategies=100").content.decode()
    sent = posted_by(text)
    assert len(sent) > 1000, "more than Django takes unless it is told"
    sent |= {name: "fedavg" for name in sent if name.endswith(".aggregation_strategy_keyword")}
    assert client.post(URL, sent).status_code == 302
    assert len(Simulation.objects.get().config["simulation_strategies"]) == 100


def test_earlier_runs_tell_how_long_it_takes(
    client: Client, submit: Callable[..., Simulation], record: Callable[..., Any]
) -> None:
    record(submit(), rounds=3, round_seconds=30.0)
    sent = {**GOOD, "num_of_rounds": "8", "num_of_clients": "10", "action": "update"}
    assert "about 4 min" in client.post(URL, sent).content.decode()


@pytest.mark.parametrize(
    "action",
    ["remove-strategy simulation_strategies.x", "remove-attack attack_schedule.9", "add-attack x",
     "remove-attack", "add-setting simulation_strategies.7.", "", "remove-strategy tags.0"],
)  # fmt: skip
def test_an_odd_action_changes_nothing(client: Client, action: str) -> None:
    text = client.post(URL, {**GOOD, "action": action}).content.decode()
    kept = posted_by(text)
    assert {name: kept[name] for name in GOOD if name != "nonsense"} == {
        name: text for name, text in GOOD.items() if name != "nonsense"
    }


def services_config() -> dict[str, Any]:
    return {"aggregation_strategy_keyword": "fedavg", "dataset_keyword": "digits",
            "num_of_rounds": 2}  # fmt: skip


class _Fields(HTMLParser):
    """Collects what a browser would send of the first form, without its buttons."""

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self._is_inside = False
        self._name: str | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = dict(attrs)
        if tag == "form":
            self._is_inside = values.get("id") == "settings"
        if not self._is_inside:
            return
        name = values.get("name")
        if tag == "input" and name:
            self.sent[name] = values.get("value") or ""
        elif tag in ("select", "textarea") and name:
            self._name = name if tag == "textarea" else None
            self.sent[name] = ""
            self._select = name
        elif tag == "option" and "selected" in values:
            self.sent[self._select] = values.get("value") or ""

    def handle_data(self, data: str) -> None:
        if self._is_inside and self._name:
            self.sent[self._name] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea" and self._is_inside and self._name:
            # A browser drops the line break that follows the tag.
            self.sent[self._name] = self.sent[self._name].removeprefix("\n")
            self._name = None
        if tag == "form":
            self._is_inside = False


def posted_by(page: str) -> dict[str, str]:
    parser = _Fields()
    parser.feed(page)
    del parser.sent["csrfmiddlewaretoken"]
    return parser.sent
