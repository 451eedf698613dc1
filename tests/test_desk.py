"""Every model of ours has its place in the operators' desk, and no list asks once per row."""

from __future__ import annotations

from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_celery_results.models import TaskResult

from intellifl.access import tokens
from intellifl.access.models import SignInAttempts
from terminal.models import OneTimeToken

OURS = ("simulations", "datasets_app", "access", "terminal")
MODELS = [model for label in OURS for model in apps.get_app_config(label).get_models()]
pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("ada"))
    return client


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_every_model_is_in_the_desk(desk: Client, model: Any) -> None:
    assert admin.site.is_registered(model)
    url = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
    assert desk.get(url, {"q": "a"}).status_code == 200
    assert desk.get(url).status_code == 200


def add_rows(first: int, last: int) -> None:
    now, owner = timezone.now(), User.objects.get(username="ada")
    for number in range(first, last):
        user = User.objects.create(username=f"user {number}")
        tokens.create("a", user)
        SignInAttempts.objects.create(digest=str(number), began_at=now)
        OneTimeToken.objects.create(digest=str(number), user=owner, expires_at=now)
        TaskResult.objects.create(task_id=str(number), result="x", worker="w")


@pytest.mark.parametrize(
    "path",
    [
        "access/accesstoken",
        "access/signinattempts",
        "terminal/onetimetoken",
        "django_celery_results/taskresult",
        "auth/user",
    ],
)
def test_a_list_asks_as_often_for_fifty_rows_as_for_five(desk: Client, path: str) -> None:
    counts = []
    for first, last in ((0, 5), (5, 50)):
        add_rows(first, last)
        with CaptureQueriesContext(connection) as queries:
            shown = desk.get(f"/admin/{path}/").context["cl"].result_list
        assert len(shown) >= last
        counts.append(len(queries))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("path", ["django_celery_results/taskresult", "terminal/onetimetoken"])
def test_what_the_server_wrote_is_neither_added_nor_changed(desk: Client, path: str) -> None:
    add_rows(0, 1)
    assert desk.get(f"/admin/{path}/add/").status_code == 403
    [pk] = (TaskResult if "task" in path else OneTimeToken).objects.values_list("pk", flat=True)
    assert desk.get(f"/admin/{path}/{pk}/change/").status_code == 200
    assert desk.post(f"/admin/{path}/{pk}/change/", {}).status_code == 403
