"""The operators' desk shows everything, changes little, and acts through services."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from simulations.models import Simulation, StrategyRun

MODELS = ["simulation", "simulationtag", "strategyrun", "roundmetrics", "clientround", "runevent"]
RECORDED = ["strategyrun", "roundmetrics", "clientround", "runevent", "simulationtag"]
LIST = "/admin/simulations/simulation/"
pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ada"))
    return client


@pytest.fixture
def recorded(
    submit: Callable[..., Simulation], record: Callable[..., StrategyRun]
) -> Callable[[], Simulation]:
    def recorded() -> Simulation:
        row = submit(tags=["a"])
        record(row, rounds=2)
        return row

    return recorded


def row_of(model: str) -> Any:
    [found] = [one for one in admin.site._registry if one._meta.model_name == model]
    return found._default_manager.first()


@pytest.mark.parametrize("model", MODELS)
def test_every_model_is_listed_searched_and_shown(
    desk: Client, recorded: Callable[[], Simulation], model: str
) -> None:
    row = recorded()
    url = reverse(f"admin:simulations_{model}_changelist")
    page = desk.get(url, {"q": row.simulation_id})
    assert page.status_code == 200
    assert page.context["cl"].result_count >= 1
    detail = desk.get(reverse(f"admin:simulations_{model}_change", args=[row_of(model).pk]))
    assert detail.status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_a_list_takes_as_many_queries_for_many_rows_as_for_few(
    desk: Client,
    recorded: Callable[[], Simulation],
    django_assert_max_num_queries: Any,
    model: str,
) -> None:
    url = reverse(f"admin:simulations_{model}_changelist")
    recorded()
    with django_assert_max_num_queries(20) as few:
        desk.get(url)
    for _ in range(5):
        recorded()
    with django_assert_max_num_queries(len(few.captured_queries)):
        desk.get(url)


@pytest.mark.parametrize("model", RECORDED)
def test_recorded_rows_cannot_be_added_changed_or_deleted(
    desk: Client, recorded: Callable[[], Simulation], model: str
) -> None:
    recorded()
    pk = row_of(model).pk
    assert desk.get(reverse(f"admin:simulations_{model}_add")).status_code == 403
    change = reverse(f"admin:simulations_{model}_change", args=[pk])
    assert desk.post(change, {"name": "x"}).status_code == 403
    delete = reverse(f"admin:simulations_{model}_delete", args=[pk])
    assert desk.post(delete, {"post": "yes"}).status_code == 403
    assert row_of(model).pk == pk


def test_only_name_notes_and_tags_of_a_simulation_change(
    desk: Client, recorded: Callable[[], Simulation]
) -> None:
    row = recorded()
    url = reverse("admin:simulations_simulation_change", args=[row.pk])
    form = {
        "display_name": "New",
        "notes": "seen",
        "status": "completed",
        "seed": "1",
        "tags-TOTAL_FORMS": "0",
        "tags-INITIAL_FORMS": "0",
    }
    with CaptureQueriesContext(connection) as queries:
        assert desk.post(url, form).status_code == 302
    [update] = [one["sql"] for one in queries if 'UPDATE "simulations_simulation"' in one["sql"]]
    assert '"status"' not in update, "a run that moves on meanwhile would be set back"
    changed = Simulation.objects.get()
    assert (changed.display_name, changed.notes) == ("New", "seen")
    assert (changed.status, changed.seed) == (row.status, row.seed)


def test_simulations_are_neither_added_nor_deleted_around_the_services(
    desk: Client, recorded: Callable[[], Simulation]
) -> None:
    row = recorded()
    assert desk.get(f"{LIST}add/").status_code == 403
    assert desk.post(f"{LIST}{row.pk}/delete/", {"post": "yes"}).status_code == 403
    act(desk, "delete_selected", row)
    assert Simulation.objects.exists()


def act(desk: Client, action: str, *rows: Simulation) -> Any:
    data = {"action": action, "_selected_action": [row.pk for row in rows]}
    return desk.post(LIST, data, follow=True)


def test_stop_ends_what_is_active_and_tells_of_the_rest(
    desk: Client, submit: Callable[..., Simulation], end: Callable[..., Simulation]
) -> None:
    active, finished = submit(), end(submit())
    page = act(desk, "stop_selected", active, finished)
    active.refresh_from_db()
    assert active.status == "stopped"
    assert f"{finished.simulation_id[1:]}: the simulation is already completed" in content(page)


def test_delete_takes_only_finished_simulations_and_their_folders(
    desk: Client, submit: Callable[..., Simulation], end: Callable[..., Simulation], out_dir: Any
) -> None:
    active, finished = submit(), end(submit())
    page = act(desk, "delete_finished", active, finished)
    assert list(Simulation.objects.all()) == [active]
    assert not (out_dir / finished.simulation_id).exists()
    assert "stop it first" in content(page)


def test_links_lead_from_a_simulation_to_its_rounds_and_back(
    desk: Client, recorded: Callable[[], Simulation]
) -> None:
    other, row = recorded(), recorded()
    run = row.strategies.get()
    assert f"/admin/simulations/strategyrun/?simulation__id__exact={row.pk}" in text(desk, LIST)
    strategies = text(desk, f"/admin/simulations/strategyrun/?simulation__id__exact={row.pk}")
    assert row.simulation_id in strategies and other.simulation_id not in strategies
    rounds = f"/admin/simulations/roundmetrics/?strategy_run__id__exact={run.pk}"
    assert rounds in strategies
    assert f"/admin/simulations/strategyrun/{run.pk}/change/" in text(desk, rounds)


def content(page: Any) -> str:
    text: str = page.content.decode()
    return text


def text(desk: Client, url: str) -> str:
    return content(desk.get(url))


def test_names_are_inert_in_the_desk(desk: Client, submit: Callable[..., Simulation]) -> None:
    submit(display_name="<script>alert(1)</script>")
    assert "<script>alert" not in text(desk, LIST)
    assert "<script>alert" not in text(desk, "/admin/simulations/strategyrun/")
