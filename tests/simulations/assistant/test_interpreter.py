"""The fixed rules: which tools a question becomes, and that no text is too much for them."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from simulations.assistant import answering, interpreter
from simulations.assistant.bounds import MAX_ANSWER
from simulations.assistant.question import Question
from simulations.assistant.turn import Turn
from simulations.models import Simulation, StrategyRun

pytestmark = pytest.mark.django_db
CLIENT = ("explain_client", {"simulation": "Removal", "client_id": 4})


class Recorded(Turn):
    """Notes what is asked of the tools."""

    def call(self, tool: str, **arguments: Any) -> Any:
        given = {name: value for name, value in arguments.items() if value not in ("", [])}
        self.__dict__.setdefault("asked", []).append((tool, given))
        return super().call(tool, **arguments)


def asked(text: str, about: str = "") -> list[tuple[str, dict[str, Any]]]:
    turn = Recorded()
    interpreter.answer(Question(text, about), turn)
    found: list[tuple[str, dict[str, Any]]] = turn.__dict__.get("asked", [])
    return found


@pytest.mark.parametrize(
    ("text", "tool", "arguments"),
    [
        ("status", "queue_status", {}),
        ("What is running?", "queue_status", {}),
        ("status of Removal", "get_simulation", {"simulation": "Removal"}),
        ("How far is the run Removal?", "get_simulation", {"simulation": "Removal"}),
        ("list", "list_simulations", {}),
        (
            "show failed runs with krum on digits under label flipping",
            "list_simulations",
            {
                "status": "failed",
                "strategy": "krum",
                "dataset": "digits",
                "attack": "label_flipping",
            },
        ),
        ("best", "best_strategies", {}),
        ("Which rule is best on mnist?", "best_strategies", {"dataset": "mnist5k"}),
        (
            "compare Removal and latest",
            "compare_simulations",
            {"simulations": ["Removal", "latest"]},
        ),
        ("Removal vs latest", "compare_simulations", {"simulations": ["Removal", "latest"]}),
        (
            "compare krum with trimmed mean",
            "best_strategies",
            {"strategies": ["krum", "trimmed_mean"]},
        ),
        ("why was client 4 removed in Removal?", *CLIENT),
        ("Why did the rule remove client #4 from Removal", *CLIENT),
        ("log of Removal", "read_log", {"simulation": "Removal"}),
        ("why did Removal fail?", "get_simulation", {"simulation": "Removal"}),
        ("explain bulyan", "explain", {"name": "bulyan"}),
        ("What does the trust rule do?", "explain", {"name": "the trust rule"}),
        ("krum", "explain", {"name": "krum"}),
        ('check this {"num_of_rounds": 1}', "validate_config", {"config": {"num_of_rounds": 1}}),
        (
            "draft a config for rfa on digits with 3 backdoor attackers from round 2, 20 clients,"
            " 15 rounds, seed 0, removing clients",
            "draft_config",
            {
                "strategies": ["rfa"],
                "dataset": "digits",
                "attack": "backdoor_trigger",
                "num_of_attackers": 3,
                "first_attack_round": 2,
                "num_of_clients": 20,
                "num_of_rounds": 15,
                "seed": 0,
                "remove_clients": True,
            },
        ),
        ("run krum on digits", "draft_config", {"strategies": ["krum"], "dataset": "digits"}),
    ],
)
def test_a_question_becomes_a_tool(
    removal: StrategyRun, text: str, tool: str, arguments: dict[str, Any]
) -> None:
    assert asked(text)[0] == (tool, arguments)


@pytest.mark.parametrize(
    ("text", "tool"),
    [
        ("status of it", "get_simulation"),
        ("how far is this run?", "get_simulation"),
        ("why was client 4 removed?", "explain_client"),
        ("show the log", "read_log"),
        ("why did it fail", "get_simulation"),
    ],
)
def test_it_means_the_simulation_of_the_page(
    removal: StrategyRun, submit: Callable[..., Simulation], text: str, tool: str
) -> None:
    submit(display_name="Newer")
    about = removal.simulation.simulation_id
    assert asked(text, about)[0][0] == tool
    assert asked(text, about)[0][1]["simulation"] == about


def test_strategies_of_the_page_are_compared(removal: StrategyRun) -> None:
    about = removal.simulation.simulation_id
    assert asked("compare strategies", about) == [("compare_simulations", {"simulations": [about]})]


@pytest.mark.parametrize("text", ["delete Removal", "please stop it", "start", "rename Removal"])
def test_what_changes_something_is_refused(removal: StrategyRun, text: str) -> None:
    turn = Turn()
    assert "I only read" in interpreter.answer(Question(text), turn)
    assert turn.used == []


@pytest.mark.parametrize("text", ["", "help", "what can you do?", "xyzzy plugh"])
def test_what_can_be_asked_is_told(text: str) -> None:
    assert "**compare**" in interpreter.answer(Question(text), Turn())


def test_everything_it_says_it_can_do_it_can(removal: StrategyRun) -> None:
    """Each example of the help is understood as something other than a wish for help."""
    examples = [
        "status of Removal",
        "list failed runs with krum on mnist5k",
        "best strategy against label flipping on mnist5k",
        "compare krum and trimmed mean",
        "why was client 4 removed in Removal",
        "explain bulyan",
        "log of Removal",
        "draft a config for krum and rfa on digits with 2 gradient scaling attackers",
    ]
    told = re.sub(r"\*", "", interpreter.answer(Question("help"), Turn()))
    for example in examples:
        assert asked(example), example
    for example in (examples[1], examples[2], examples[3], examples[7]):
        assert example in told


def test_an_ambiguous_name_is_asked_back(submit: Callable[..., Simulation]) -> None:
    first, second = submit(display_name="Sweep one"), submit(display_name="Sweep two")
    said = interpreter.answer(Question("status of sweep"), Turn())
    for row in (first, second):
        assert row.display_name in said
    assert "Which one?" in said


PHRASE = "status of list best compare and vs why was client 7 removed in explain draft a config for"
NAMES = ["validate", "krum", "the", "this", "it", "log", "latest", "rounds", "mnist", "Removal"]
ODD = ["{}", "{", "}", "\0", "|", "`", "<", "\ud800", "99999999999999"]
WORDS = st.sampled_from([*PHRASE.split(), *NAMES, *ODD])
TEXTS = st.one_of(
    st.text(max_size=300),
    st.lists(WORDS, max_size=25).map(" ".join),
    st.text("{[\"': }", max_size=60),
)


@settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(text=TEXTS, about=st.sampled_from(["", "nope"]))
def test_no_text_is_too_much(removal: StrategyRun, out_dir: Path, text: str, about: str) -> None:
    before = (Simulation.objects.count(), sorted(out_dir.rglob("*")))
    answer = answering.by_rules(Question(text, about))
    assert 0 < len(answer.text) <= MAX_ANSWER
    assert "<script" not in answer.html
    assert before == (Simulation.objects.count(), sorted(out_dir.rglob("*")))


@pytest.mark.parametrize(
    "text", ["why " + " " * 7900, "." * 8000, "{" * 8000, "explain " + "a " * 4000]
)
def test_long_texts_are_answered(text: str) -> None:
    assert answering.by_rules(Question(text)).text
