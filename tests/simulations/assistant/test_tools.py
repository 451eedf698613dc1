"""Each tool against recorded rows whose figures are computed by hand here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from simulations import services
from simulations.assistant import documents, names
from simulations.assistant.reading import WriteRefused, only_reading
from simulations.assistant.tools import TOOLS
from simulations.assistant.turn import Turn
from simulations.fl.attacks import ATTACKS
from simulations.fl.strategies import STRATEGIES
from simulations.models import ClientRound, RoundMetrics, Simulation, StrategyRun

Make = Callable[..., Any]
ATTACK = {
    "attack_type": "label_flipping",
    "start_round": 1,
    "end_round": 4,
    "selection_strategy": "specific",
    "malicious_client_ids": [1],
}
pytestmark = pytest.mark.django_db


def ask(tool: str, **arguments: Any) -> dict[str, Any]:
    return Turn().call(tool, **arguments)


def test_simulations_are_listed_newest_first_with_their_accuracy(finished: Make) -> None:
    finished("First", 0.5)
    finished("Second", 0.75, aggregation_strategy_keyword="rfa")
    told = ask("list_simulations")
    assert [row["name"] for row in told["simulations"]] == ["Second", "First"]
    assert [row["best_final_accuracy"] for row in told["simulations"]] == [0.75, 0.5]
    assert told["total"] == 2
    assert ask("list_simulations", strategy="rfa")["total"] == 1
    assert ask("list_simulations", search="irs", limit=1)["simulations"][0]["name"] == "First"
    assert "no status" in ask("list_simulations", status="lost")["problem"]


@pytest.mark.parametrize("tool", ["list_simulations", "queue_status"])
def test_lists_cost_the_same_for_few_and_many(submit: Make, tool: str) -> None:
    counts = []
    for _ in range(2):
        for _ in range(4):
            submit(tags=["a"])
        with CaptureQueriesContext(connection) as queries:
            ask(tool)
        counts.append(len(queries))
    assert counts[0] == counts[1]


def test_a_list_is_bounded_in_rows_and_text(submit: Make) -> None:
    for _ in range(30):
        submit(display_name="n" * 100, tags=["t" * 50] * 5)
    told = ask("list_simulations", limit=10**9)
    assert told["total"] == 30 and len(told["simulations"]) == 25
    assert len(str(told)) < 16_000


def test_the_state_of_a_failed_run_has_its_error(submit: Make, end: Make) -> None:
    row = end(submit(display_name="Broken"), "failed", error="disk full " * 500)
    told = ask("get_simulation", simulation="broken")
    assert (told["status"], told["simulation_id"]) == ("failed", row.simulation_id)
    assert told["error"].startswith("disk full") and len(told["error"]) == 1000
    assert told["strategies"][0]["keyword"] == "fedavg"


def test_the_time_left_follows_from_measured_rounds(submit: Make, end: Make) -> None:
    done = end(submit())
    run = done.strategies.get()
    for number, seconds in ((1, 2.0), (2, 4.0), (3, 6.0)):
        RoundMetrics.objects.create(
            strategy_run=run, round_number=number, round_seconds=seconds, recorded_at=timezone.now()
        )
    submit(display_name="Next")
    told = ask("get_simulation", simulation="Next")
    assert told["seconds_left_about"] == 16.0  # 4 rounds of 4 s, the median
    assert told["queue_position"] == 1


def test_the_best_is_the_highest_final_accuracy(finished: Make) -> None:
    finished("A", 0.6)
    finished("B", 0.8)
    finished("C", 0.7, aggregation_strategy_keyword="rfa", attack_schedule=[ATTACK])
    told = ask("best_strategies", strategies=[])
    assert [row["simulation"] for row in told["ranking"]] == ["B", "C", "A"]
    summed = {row["keyword"]: row for row in told["by_strategy"]}
    assert summed["fedavg"] == {"keyword": "fedavg", "count": 2, "mean": 0.7, "highest": 0.8}
    attacked = ask("best_strategies", strategies=[], attack="label_flipping")
    assert [row["simulation"] for row in attacked["ranking"]] == ["C"]
    assert ask("best_strategies", strategies=["krum"])["ranking"] == []


def test_simulations_are_compared_in_figures_and_settings(finished: Make) -> None:
    finished("A", 0.6)
    finished("B", 0.8, num_of_clients=5)
    told = ask("compare_simulations", simulations=["A", "B"])
    assert [row["global_accuracy"] for row in told["strategies"]] == [0.6, 0.8]
    assert told["different_settings"]["num_of_clients"] == ["10", "5"]
    assert "seed" not in told["different_settings"]


def test_seeds_are_joined_with_their_spread(finished: Make) -> None:
    for name, accuracy, seed in (("A", 0.6, 1), ("B", 0.8, 2)):
        run = finished(name, accuracy)
        run.config["seed"] = seed
        run.save()
    (group,) = ask("compare_simulations", simulations=["A", "B"])["groups"]
    assert group["seeds"] == 2
    assert group["global_accuracy"] == {"mean": 0.7, "std": 0.141421, "count": 2}


def test_a_removed_client_is_explained_by_the_round_that_decided(removal: StrategyRun) -> None:
    told = ask("explain_client", simulation="Removal", client_id=4)["strategies"][0]
    assert (told["removed"], told["removed_from"], told["decided_in"]) == (True, 4, 3)
    assert told["score"] == 50.0
    # Clients 0, 1, 2, 3 and 5 had 1, 2, 3, 4 and 6.
    assert told["others"] == {"count": 5, "lowest": 1.0, "median": 3.0, "highest": 6.0}
    assert "Krum score was 50, the highest of the 6 clients still in" in told["reason"]
    assert told["rule"] == "the highest score, one a round."
    assert (told["was_attacker"], told["rounds_attacked"]) == (True, 3)


def test_the_threshold_is_named_where_the_rule_has_one(removal: StrategyRun) -> None:
    removal.rounds.update(removal_threshold=9.5)
    told = ask("explain_client", simulation="Removal", client_id=4)["strategies"][0]
    assert "above the threshold of 9.5" in told["reason"] and told["threshold"] == 9.5


def test_where_low_is_suspicious_the_lowest_is_named(removal: StrategyRun) -> None:
    StrategyRun.objects.update(keyword="trust")
    ClientRound.objects.filter(client_id=4, round_number=3).update(removal_criterion=0.01)
    removal.rounds.update(removal_threshold=0.15)
    told = ask("explain_client", simulation="Removal", client_id=4)["strategies"][0]
    assert "trust was 0.01, below the threshold of 0.15, the lowest of the 6" in told["reason"]


def test_a_score_that_is_no_number_is_said_to_be_none(removal: StrategyRun) -> None:
    ClientRound.objects.filter(client_id=4, round_number=3).update(removal_criterion=None)
    told = ask("explain_client", simulation="Removal", client_id=4)["strategies"][0]
    assert "its update was not finite" in told["reason"]


def test_a_client_that_stayed_is_explained_too(removal: StrategyRun) -> None:
    kept = ask("explain_client", simulation="Removal", client_id=0)["strategies"][0]
    assert not kept["removed"] and "from round 3 on" in kept["reason"]
    left_out = ask("explain_client", simulation="Removal", client_id=2)["strategies"][0]
    assert "left out of the aggregate in 4 of 4 rounds" in left_out["reason"]
    removal.config["remove_clients"] = False
    removal.save()
    off = ask("explain_client", simulation="Removal", client_id=0)["strategies"][0]
    assert "remove_clients is off" in off["reason"]
    assert "clients 0 to 5" in ask("explain_client", simulation="Removal", client_id=6)["problem"]
    assert "problem" in ask("explain_client", simulation="Removal", client_id=2**80)


def test_explaining_a_client_costs_the_same_for_many_strategies(submit: Make) -> None:
    counts = []
    for number in (1, 6):
        strategies = [{"aggregation_strategy_keyword": "rfa"}] * number
        shared = {"num_of_rounds": 2, "dataset_keyword": "digits", "display_name": f"N{number}"}
        row = submit_structured(shared, strategies)
        for run in row.strategies.all():
            ClientRound.objects.bulk_create(
                ClientRound(
                    strategy_run=run,
                    round_number=turn,
                    client_id=1,
                    participated=False,
                    is_malicious=False,
                    is_removed=turn == 2,
                    num_examples=1,
                )
                for turn in (1, 2)
            )
        with CaptureQueriesContext(connection) as queries:
            told = ask("explain_client", simulation=f"N{number}", client_id=1)
        assert sum(one["removed"] for one in told["strategies"]) == number
        counts.append(len(queries))
    assert counts[0] == counts[1]


def submit_structured(shared: dict[str, Any], strategies: list[dict[str, Any]]) -> Simulation:
    config = {"shared_settings": shared, "simulation_strategies": strategies}
    return services.create(config).simulation


@pytest.mark.parametrize("name", [*STRATEGIES, *ATTACKS])
def test_every_strategy_and_attack_is_explained_from_the_docs(name: str) -> None:
    told = ask("explain", name=name)
    assert told["name"] == name and len(told["text"]) > 100


@pytest.mark.parametrize("name", [name for name, spec in STRATEGIES.items() if spec.removes])
def test_every_rule_that_removes_says_whom(name: str) -> None:
    assert documents.removal_rule(name)


@pytest.mark.parametrize(
    ("said", "name", "kind"),
    [
        ("the geometric median", "rfa", "strategy"),
        ("Label Flipping", "label_flipping", "attack"),
        ("targeted label flipping", "targeted_label_flipping", "attack"),
        ("multi krum", "multi-krum", "strategy"),
        ("trim_ratio", "trim_ratio", "setting"),
        ("mnist", "mnist5k", "dataset"),
        ("bulyann", "bulyan", "strategy"),
    ],
)
def test_terms_are_found_as_people_say_them(said: str, name: str, kind: str) -> None:
    told = ask("explain", name=said)
    assert (told["name"], told["kind"]) == (name, kind)


def test_an_unknown_term_is_told_with_what_is_near() -> None:
    assert "near it are femnist" in ask("explain", name="famnist_iid")["problem"]
    assert "Nothing called “zzz”" in ask("explain", name="zzz")["problem"]


@pytest.mark.parametrize("attack", ["", *ATTACKS])
@pytest.mark.parametrize("strategy", STRATEGIES)
def test_every_draft_for_fitting_data_can_run(strategy: str, attack: str) -> None:
    dataset = "reuters_r8" if attack == "token_replacement" else "mnist5k"
    turn = Turn()
    told = turn.call("draft_config", strategies=[strategy], dataset=dataset, attack=attack)
    assert told["valid"], told["errors"]
    assert turn.proposal == told["config"]
    assert not Simulation.objects.exists()


def test_a_draft_that_cannot_run_is_not_proposed() -> None:
    turn = Turn()
    told = turn.call("draft_config", strategies=["krum"], num_of_clients=3, attack="label_flipping")
    assert not told["valid"] and told["errors"] and turn.proposal is None


def test_validation_tells_everything_that_is_wrong() -> None:
    told = ask("validate_config", config={"num_of_rounds": 0, "x": 1})
    assert not told["valid"]
    assert any("num_of_rounds" in error for error in told["errors"])
    assert any("'x'" in error for error in told["errors"])


def test_the_end_of_a_log_is_read_and_bounded(submit: Make, out_dir: Path) -> None:
    row = submit(display_name="Logged")
    log = out_dir / row.simulation_id / "output.log"
    log.write_text("".join(f"line {number} ä {'x' * 1000}\n" for number in range(500)))
    told = ask("read_log", simulation="Logged", lines=3)
    assert [line.split()[1] for line in told["lines"]] == ["497", "498", "499"]
    assert all(len(line) == 300 for line in told["lines"])
    assert len(ask("read_log", simulation="Logged", lines=10**9)["lines"]) <= 50
    log.unlink()
    assert ask("read_log", simulation="Logged")["lines"] == []


def test_a_log_that_is_a_link_is_not_followed(submit: Make, out_dir: Path) -> None:
    row = submit(display_name="Linked")
    secret = out_dir.parent / "secret.txt"
    secret.write_text("nobody may read this")
    log = out_dir / row.simulation_id / "output.log"
    log.unlink(missing_ok=True)
    log.symlink_to(secret)
    assert ask("read_log", simulation="Linked")["lines"] == []


def test_a_name_means_one_simulation_or_lists_those_it_may_mean(submit: Make) -> None:
    first, second = submit(display_name="Krum on digits"), submit(display_name="Krum on mnist")
    assert names.simulation("krum on DIGITS").pk == first.pk
    assert names.simulation("mnist").pk == second.pk
    assert names.simulation(first.simulation_id).pk == first.pk
    assert names.simulation("latest").pk == second.pk
    assert names.simulation("Krum on digitz").pk == first.pk
    with pytest.raises(names.NotFound) as several:
        names.simulation("krum")
    assert first.simulation_id in str(several.value) and second.simulation_id in str(several.value)
    with pytest.raises(names.NotFound, match="No simulation is called"):
        names.simulation("zzz\0")


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM auth_user",
        " update auth_user SET username = ''",
        "INSERT INTO auth_group (name) VALUES ('x')",
        "WITH x AS (SELECT 1) DELETE FROM auth_user",
        "PRAGMA query_only = 0",
    ],
)
def test_nothing_but_reading_gets_through(statement: str) -> None:
    with only_reading():
        assert list(User.objects.all()) == []
        with connection.cursor() as cursor, pytest.raises(WriteRefused):
            cursor.execute(statement)
        with connection.cursor() as cursor, pytest.raises(WriteRefused):
            cursor.executemany(statement, [])


def test_every_tool_reads_only(removal: StrategyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def writes() -> dict[str, Any]:
        Simulation.objects.update(notes="changed")
        return {}

    monkeypatch.setitem(TOOLS, "queue_status", writes)
    with pytest.raises(WriteRefused):
        ask("queue_status")
