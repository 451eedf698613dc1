"""The operators' desk shows everything, changes little, and acts through services."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import escape

from simulations import attempt, services
from simulations.models import Simulation, StrategyRun
from tests.servers import eventually

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
        assert len(desk.get(url).context["cl"].result_list) >= 6


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


def act(desk: Client, action: str, *rows: Simulation, **others: str) -> Any:
    data = {"action": action, "_selected_action": [row.pk for row in rows], **others}
    return desk.post(LIST, data, follow=True)


def test_stop_ends_what_is_active_and_tells_of_the_rest(
    desk: Client, submit: Callable[..., Simulation], end: Callable[..., Simulation]
) -> None:
    active, finished = submit(), end(submit())
    page = act(desk, "stop_selected", active, finished)
    active.refresh_from_db()
    assert active.status == "stopped"
    assert f"{finished.simulation_id}: the simulation is already completed" in content(page)


def test_delete_takes_only_finished_simulations_and_their_folders(
    desk: Client, submit: Callable[..., Simulation], end: Callable[..., Simulation], out_dir: Any
) -> None:
    active, finished = submit(), end(submit())
    asked = content(act(desk, "delete_finished", active, finished))
    assert "cannot be brought back" in asked and finished.simulation_id in asked
    assert Simulation.objects.count() == 2
    page = act(desk, "delete_finished", active, finished, is_sure="yes")
    assert list(Simulation.objects.all()) == [active]
    assert not (out_dir / finished.simulation_id).exists()
    assert "stop it first" in content(page)


def test_who_may_not_delete_is_not_offered_to(
    client: Client, submit: Callable[..., Simulation], end: Callable[..., Simulation]
) -> None:
    row = end(submit())
    reader = User.objects.create_user("eve", is_staff=True)
    names = ("view_simulation", "change_simulation")
    reader.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(reader)
    act(client, "delete_finished", row, is_sure="yes")
    assert Simulation.objects.exists()
    reader.user_permissions.set(Permission.objects.filter(codename="view_simulation"))
    act(client, "archive_selected", row)
    assert Simulation.objects.get().archived_at is None


def test_each_selected_simulation_is_answered_for(
    desk: Client, submit: Callable[..., Simulation], end: Callable[..., Simulation]
) -> None:
    shown, hidden = submit(), submit()
    services.archive([hidden.simulation_id])
    page = content(act(desk, "archive_selected", shown, hidden))
    assert f"{shown.simulation_id}: archived" in page
    assert f"{hidden.simulation_id}: it is archived already" in page
    page = content(act(desk, "unarchive_selected", shown))
    assert f"{shown.simulation_id}: shown again" in page
    assert list(Simulation.objects.filter(archived_at=None)) == [shown]


def test_one_runs_again_as_a_new_simulation(
    desk: Client, submit: Callable[..., Simulation], end: Callable[..., Simulation]
) -> None:
    row = end(submit(display_name="A", tags=["x"], seed=3), "failed", error="no")
    page = content(act(desk, "repeat_selected", row))
    new = Simulation.objects.exclude(pk=row.pk).get()
    assert (new.config, new.status, new.seed) == (row.config, "queued", 3)
    assert [tag.name for tag in new.tags.all()] == ["x"]
    assert f"{row.simulation_id}: queued again as {new.simulation_id}" in page


def test_files_of_what_is_finished_are_made_anew_by_another_process(
    desk: Client,
    submit: Callable[..., Simulation],
    end: Callable[..., Simulation],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    told = tmp_path / "told"
    script = f"import sys; open({str(told)!r}, 'w').write(' '.join(sys.argv[1:]))"
    command = [sys.executable, "-c", script]
    monkeypatch.setattr(
        attempt, "artifacts_command", lambda simulation_id: [*command, simulation_id]
    )
    active, one, other = submit(), end(submit()), end(submit(), "failed")
    page = content(act(desk, "rebuild_selected", active, one, other))
    assert page.count("its files are being made") == 2
    assert "the simulation is queued; its files are made at its end" in page
    ids = {"--quiet", one.simulation_id, other.simulation_id}
    assert eventually(lambda: told.exists() and set(told.read_text().split()) == ids)


def test_too_many_at_once_are_refused(
    desk: Client, submit: Callable[..., Simulation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulations.admin.actions.AT_ONCE", 1)
    page = content(act(desk, "archive_selected", submit(), submit()))
    assert "select at most 1 simulations at once" in page
    assert not Simulation.objects.exclude(archived_at=None).exists()


def test_filters_find_by_archive_and_strategy(
    desk: Client, submit: Callable[..., Simulation]
) -> None:
    krum = submit(aggregation_strategy_keyword="krum", num_of_clients=8, num_krum_selections=3)
    fedavg = submit()
    services.archive([fedavg.simulation_id])

    def found(query: str) -> list[Simulation]:
        return list(desk.get(f"{LIST}?{query}").context["cl"].result_list)

    assert found("strategy=krum") == [krum] and found("strategy=fedavg") == [fedavg]
    assert found("archived=yes") == [fedavg] and found("archived=no") == [krum]
    assert len(found("strategy=")) == len(found("engine=local")) == 2 and not found("engine=ray")


def test_rounds_are_found_by_their_simulation_or_keyword(
    desk: Client, recorded: Callable[[], Simulation]
) -> None:
    row, other = recorded(), recorded()
    for model in ("roundmetrics", "clientround"):
        url = reverse(f"admin:simulations_{model}_changelist")
        by_term = {row.simulation_id: {row}, "fedavg": {row, other}, "nothing": set()}
        for term, rows in by_term.items():
            found = desk.get(url, {"q": term}).context["cl"].result_list
            assert {one.strategy_run.simulation for one in found} == rows


def test_large_tables_are_counted_only_so_far(
    desk: Client, recorded: Callable[[], Simulation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("simulations.admin.recorded.COUNTED", 4)
    recorded()
    url = reverse("admin:simulations_clientround_changelist")
    with CaptureQueriesContext(connection) as queries:
        assert desk.get(url).context["cl"].result_count == 4
    counts = [one["sql"] for one in queries if "COUNT" in one["sql"]]
    [count] = [sql for sql in counts if "clientround" in sql]
    assert "LIMIT 4" in count


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
    for page in (strategies, text(desk, LIST)):
        assert f'href="/simulations/{row.simulation_id}/"' in page
    of_round = f"?strategy_run__id__exact={run.pk}&round_number=2"
    assert f"/admin/simulations/clientround/{escape(of_round)}" in text(desk, rounds)
    clients = desk.get(f"/admin/simulations/clientround/{of_round}")
    assert f"/admin/simulations/roundmetrics/{escape(of_round)}" in content(clients)
    assert clients.context["cl"].result_count == 3
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
