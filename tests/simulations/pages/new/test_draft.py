"""The form says exactly what a configuration says, whatever that is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from intellifl.environment import ROOT
from simulations.fl.attacks import ATTACKS
from simulations.fl.config.fields import StrategyConfig
from simulations.fl.config.schedule import AttackEntry
from simulations.pages.new import draft as drafts
from simulations.pages.new.draft import Draft, NotShown

EXAMPLES = sorted((ROOT / "examples").glob("*.json"))
SPECIAL = {"attack_schedule", "partitioning_params"}
PARAMETERS = sorted({name for attack in ATTACKS.values() for name in attack.Params.model_fields})
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=9)
WORDS = ["krum", "dirichlet", "gaussian_noise", "specific", "sgd", "digits", " 1", "a\r\nb", "a\nb"]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
    st.sampled_from(WORDS),
)
VALUES = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=3), st.dictionaries(TEXT, SCALARS, max_size=2)
)
PATHS = [
    "num_of_rounds",
    "tags",
    "attack_schedule.0.start_round",
    "attack_schedule.00000000000000000000000000007.end_round",
    "attack_schedule.²2.end_round",
    "attack_schedule.x.y",
    "partitioning_params.alpha",
    "simulation_strategies.0",
    "simulation_strategies.0.seed",
    "simulation_strategies.5.seed",
]


def objects(names: list[str]) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects with some of the names, comments and names that nobody knows."""
    keys = st.one_of(st.sampled_from(names), st.sampled_from(["_comment", "a.b", "", "0", "notes"]))
    return st.dictionaries(keys, VALUES, max_size=6)


ENTRIES = st.lists(objects([*AttackEntry.model_fields, *PARAMETERS]), max_size=3)
PLAIN = objects([name for name in StrategyConfig.model_fields if name not in SPECIAL])


@st.composite
def flats(draw: Any) -> dict[str, Any]:
    config: dict[str, Any] = draw(PLAIN)
    if draw(st.booleans()):
        config["attack_schedule"] = draw(st.one_of(ENTRIES, VALUES))
    if draw(st.booleans()):
        config["partitioning_params"] = draw(st.one_of(objects(["alpha", "seed", "mode"]), VALUES))
    return config


@st.composite
def configs(draw: Any) -> dict[str, Any]:
    if draw(st.booleans()):
        config: dict[str, Any] = draw(flats())
        return config
    config = {"simulation_strategies": draw(st.one_of(st.lists(flats(), max_size=3), VALUES))}
    if draw(st.booleans()):
        config["shared_settings"] = draw(st.one_of(flats(), VALUES))
    if draw(st.booleans()):
        config["seed"] = draw(SCALARS)
    return config


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def sent(draft: Draft) -> Draft:
    """Return the draft as a browser sends it back: it has its own ways with line breaks."""
    texts = {}
    for name, text in draft.texts.items():
        known = draft.field_at(name)
        assert known is not None
        lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
        texts[name] = ("\r\n" if known.kind in ("lines", "json") else "").join(lines)
    other = draft.other.replace("\n", "\r\n")
    return drafts.posted({**texts, "strategies": str(draft.count), "other": other})


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_goes_through_the_form_unchanged(path: Any) -> None:
    config = json.loads(path.read_text())
    draft = drafts.drafted(config)
    assert draft.other == "", "every setting of an example has a field"
    assert canonical(sent(draft).config()[0]) == canonical(config)


@settings(max_examples=400)
@given(configs())
def test_any_configuration_goes_through_the_form_unchanged_or_is_not_shown(
    config: dict[str, Any],
) -> None:
    try:
        draft = drafts.drafted(config)
    except NotShown:
        assert any("." in key or not key for key in config), "only odd names keep it from the form"
        return
    read, errors = sent(draft).config()
    assert errors == {} and canonical(read) == canonical(config)


@settings(max_examples=400)
@given(
    st.dictionaries(st.sampled_from(PATHS), st.text(max_size=8)),
    st.sampled_from(["", "0", "2", "-1", "1e9", "9" * 50, "²"]),
    st.one_of(st.text(max_size=8), VALUES.map(json.dumps), configs().map(json.dumps)),
)
def test_nothing_that_is_sent_breaks_the_form(
    texts: dict[str, str], strategies: str, other: str
) -> None:
    draft = drafts.posted({**texts, "strategies": strategies, "other": other})
    config, _ = draft.config()
    json.dumps(config)


def test_numbers_stay_whole_or_not() -> None:
    config = {"learning_rate": 1, "trim_ratio": 1.0, "num_of_rounds": 3}
    draft = drafts.drafted(config)
    assert draft.texts["learning_rate"] == "1" and draft.texts["trim_ratio"] == "1.0"
    assert canonical(draft.config()[0]) == canonical(config)


def test_an_empty_entry_keeps_its_number() -> None:
    texts = {
        "attack_schedule.0.attack_type": "",
        "attack_schedule.1.attack_type": "model_poisoning",
    }
    config, _ = drafts.posted(texts).config()
    assert config["attack_schedule"] == [{}, {"attack_type": "model_poisoning"}]


def test_a_huge_configuration_is_left_to_json() -> None:
    entries = [{"attack_type": "label_flipping", "start_round": 1}] * 1001
    with pytest.raises(NotShown, match="at most 2000 settings"):
        drafts.drafted({"attack_schedule": entries})
