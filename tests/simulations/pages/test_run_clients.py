"""The table of clients: what it shows, its order, its pages, why clients were removed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.test import Client

from simulations.models import ClientRound, RoundMetrics, Simulation, StrategyRun
from simulations.pages.run.removals import reason
from simulations.pages.run.sparklines import HEIGHT, WIDTH, sparkline

Submit = Callable[..., Simulation]
Record = Callable[..., StrategyRun]


def rows(client: Client, row: Simulation, query: str = "") -> list[list[str]]:
    text = client.get(f"/simulations/{row.simulation_id}/?tab=clients&{query}").content.decode()
    body = text[text.index("<tbody>") : text.index("</tbody>")]
    cells = [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", one, re.S) for one in body.split("</tr>")]
    return [[re.sub(r"<svg.*</svg>|<[^>]+>", "", cell) for cell in one] for one in cells if one]


@pytest.fixture
def judged(submit: Submit, record: Record) -> Simulation:
    """Return a run in which client 1 attacks in rounds 2 and 3 and is removed after round 2."""
    entry = {"attack_type": "gradient_scaling", "scale_factor": 2.0, "start_round": 2}
    who = {"end_round": 3, "selection_strategy": "specific", "malicious_client_ids": [1]}
    row = submit(
        aggregation_strategy_keyword="pid",
        num_of_clients=3,
        remove_clients=True,
        attack_schedule=[entry | who],
    )
    run = record(row, rounds=3, removal_threshold=2.5)
    run.client_sizes = [30, 20, 10]
    run.save()
    scored = ClientRound.objects.filter(client_id=1)
    scored.filter(round_number=2).update(removal_criterion=7.25)
    scored.filter(round_number=3).update(is_removed=True)
    ClientRound.objects.filter(client_id=0).update(accuracy=0.5)
    return row


@pytest.mark.django_db
def test_each_client_has_attacks_and_removal_with_its_reason(
    client: Client, judged: Simulation
) -> None:
    first, second, _ = rows(client, judged)
    assert first[:3] == ["0", "30", "benign"]
    assert first[5:] == ["0.5000", "3.0000"]
    assert second[2] == "gradient_scaling (2–3)"
    assert second[4] == "after round 2: PID score 7.25 above the threshold 2.5"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("order", "first"),
    [("client", "0"), ("-client", "2"), ("samples", "2"), ("removed", "1"), ("-loss", "2")],
)
def test_the_order_is_chosen_and_what_has_no_value_comes_last(
    client: Client, judged: Simulation, order: str, first: str
) -> None:
    found = rows(client, judged, f"sort={order}")
    assert found[0][0] == first and len(found) == 3


@pytest.mark.django_db
def test_a_page_has_a_hundred_clients(client: Client, submit: Submit, record: Record) -> None:
    row = submit(num_of_clients=205)
    record(row, rounds=1, clients=205)
    assert [one[0] for one in rows(client, row, "page=3")] == [str(n) for n in range(200, 205)]
    assert len(rows(client, row)) == 100


@pytest.mark.django_db
def test_a_client_judged_before_it_was_left_out_of_a_round_has_no_reason(
    client: Client, judged: Simulation
) -> None:
    ClientRound.objects.filter(client_id=1, round_number=2).update(num_examples=0)
    assert rows(client, judged)[1][4] == "before round 3"


@pytest.mark.parametrize(
    ("keyword", "score", "threshold", "sentence"),
    [
        ("pid", 3.0, 2.0, "PID score 3 above the threshold 2"),
        ("trust", 0.1, 0.2, "trust 0.1 below the threshold 0.2"),
        ("trust", 0.4, 0.2, "lowest trust of those left, 0.4"),
        ("krum", 9.5, None, "highest Krum score of those left, 9.5"),
        ("krum", None, None, "its update was not finite"),
    ],
)
def test_the_reason_is_that_of_the_rule(
    keyword: str, score: float | None, threshold: float | None, sentence: str
) -> None:
    assert reason(StrategyRun(keyword=keyword), score, threshold) == sentence


def test_a_sparkline_lies_within_its_box_and_has_gaps() -> None:
    drawn = sparkline([1.0, 5.0, None, 3.0], [2.0, 2.0, 2.0, 2.0])
    assert drawn is not None
    assert drawn.path.count("M") == 2 and drawn.path.count("L") == 1
    places = [tuple(map(float, p)) for p in re.findall(r"[ML]([\d.]+),([\d.]+)", drawn.path)]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in places)
    assert places[1][1] < places[2][1] < places[0][1], "5 is above 3 is above 1"
    limit = float(re.findall(r"M[\d.]+,([\d.]+)", drawn.threshold)[0])
    assert places[2][1] < limit < places[0][1], "the threshold 2 is between 3 and 1"
    assert sparkline([None, float("nan")], [1.0, 1.0]) is None


@pytest.mark.django_db
def test_without_rounds_the_clients_are_there_already(client: Client, submit: Submit) -> None:
    RoundMetrics.objects.all().delete()
    assert len(rows(client, submit(num_of_clients=4))) == 4
