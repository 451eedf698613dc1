"""Tokens: what is stored, who gets in, who is refused and why, what is noted and what is not."""

from __future__ import annotations

import hashlib
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser, User
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from django.utils import timezone

from intellifl.access import tokens
from intellifl.access.models import AccessToken
from intellifl.middleware import LoginMiddleware
from tests.intellifl.access.bearer import LIST, ask, refusal

BROWSER = "text/html,application/xhtml+xml,*/*;q=0.8"
FLAT = {"aggregation_strategy_keyword": "fedavg", "num_of_rounds": 4, "dataset_keyword": "digits"}
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("closed")]


def test_a_token_is_long_random_and_stored_as_a_hash_only() -> None:
    one, other = tokens.create("a"), tokens.create("a")
    assert one != other
    assert re.fullmatch(r"ifl_[0-9a-f]{12}_[\w-]{43}", one)
    row = AccessToken.objects.get(prefix=one[4:16])
    stored = " ".join(str(value) for value in vars(row).values())
    assert row.digest == hashlib.sha256(one.encode()).hexdigest()
    assert one not in stored and one[17:] not in stored


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "Bearer "])
def test_a_token_opens_the_api(scheme: str) -> None:
    assert ask(tokens.create("a"), scheme=scheme).status_code == 200


def test_a_token_may_do_what_a_session_may() -> None:
    headers = {"Authorization": f"Bearer {tokens.create('a')}"}
    client = Client(enforce_csrf_checks=True)
    answer = client.post(LIST, FLAT, content_type="application/json", headers=headers)
    assert answer.status_code == 201
    assert client.delete(answer["Location"], headers=headers).status_code == 409


def test_a_token_makes_the_request_its_users(rf: RequestFactory) -> None:
    seen: list[Any] = []

    def view(request: HttpRequest) -> HttpResponse:
        seen.append(request.user)
        return HttpResponse()

    ada = User.objects.create_user("ada")
    for text in (tokens.create("a", ada), tokens.create("b")):
        request = rf.get(LIST, headers={"Authorization": f"Bearer {text}"})
        request.user = AnonymousUser()
        assert LoginMiddleware(view)(request).status_code == 200
    assert seen[0] == ada
    assert not seen[1].is_authenticated


@pytest.mark.parametrize("url", ["/simulations/", "/admin/", "/docs", "/openapi.json", "/nothing"])
def test_a_token_opens_nothing_but_the_apis(url: str) -> None:
    assert ask(tokens.create("a"), url).status_code in (302, 401)
    assert ask(tokens.create("a"), url, accept=BROWSER)["Location"].startswith("/login/?next=")


@pytest.mark.parametrize(
    "change",
    [
        lambda text: "",
        lambda text: "x",
        lambda text: text[:-1],
        lambda text: text + "x",
        lambda text: text.upper(),
        lambda text: text.removeprefix("ifl_"),
        lambda text: text[:17] + "A" * 43,
        lambda text: "ifl_" + "0" * 12 + text[16:],
        lambda text: f"{text} {text}",
        lambda text: text[4:16],
        lambda text: hashlib.sha256(text.encode()).hexdigest(),
        lambda text: text.replace("ifl_", "ifl_'; --"),
        lambda text: "ü" * 60,
        lambda text: "x" * 5000,
    ],
)
def test_anything_but_the_token_is_refused(change: Callable[[str], str]) -> None:
    wrong = change(tokens.create("a"))
    assert "not known" in refusal(wrong.encode().decode("latin-1"))


def test_a_wrong_token_is_refused_though_there_is_a_session(client: Client) -> None:
    client.force_login(User.objects.create_user("ada"))
    assert client.get(LIST).status_code == 200
    wrong = {"Authorization": "Bearer x", "accept": BROWSER}
    answer = client.get(LIST, headers=wrong)
    assert answer.status_code == 401


def test_other_schemes_are_no_token(client: Client) -> None:
    text = tokens.create("a")
    for scheme in ("Basic", "Token", "", "Bearer:"):
        answer = ask(text, scheme=scheme)
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'Bearer realm="intellifl"'
    client.force_login(User.objects.create_user("ada"))
    assert client.get(LIST, headers={"Authorization": "Basic YTpi"}).status_code == 200


def test_a_token_in_the_address_is_none() -> None:
    text = tokens.create("a")
    for name in ("token", "access_token", "bearer"):
        assert Client().get(f"{LIST}?{name}={text}").status_code == 401


def test_an_expired_token_is_refused() -> None:
    text = tokens.create("a", expires_in=timedelta(days=1))
    assert ask(text).status_code == 200
    AccessToken.objects.update(expires_at=timezone.now())
    assert "expired at" in refusal(text)


def test_a_revoked_token_is_refused_and_others_are_not() -> None:
    text, other = tokens.create("a"), tokens.create("b")
    assert tokens.revoke(AccessToken.objects.filter(name="a")) == 1
    assert tokens.revoke(AccessToken.objects.filter(name="a")) == 0
    assert refusal(text) == "The token was revoked."
    assert ask(other).status_code == 200


def test_a_token_ends_with_its_account() -> None:
    ada = User.objects.create_user("ada")
    text = tokens.create("a", ada)
    ada.is_active = False
    ada.save()
    assert "not active" in refusal(text)
    ada.delete()
    assert "not known" in refusal(text)


def test_only_who_has_the_secret_learns_that_a_token_was_revoked() -> None:
    text = tokens.create("a")
    tokens.revoke(AccessToken.objects.all())
    assert "not known" in refusal(text[:17] + "A" * 43)


def test_the_comparison_takes_constant_time_whether_or_not_the_prefix_exists(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared: list[tuple[str, str]] = []

    def compare(one: str, other: str) -> bool:
        compared.append((one, other))
        return one == other

    monkeypatch.setattr("secrets.compare_digest", compare)
    text = tokens.create("a")
    for sent in (text, text[:17] + "A" * 43, "ifl_" + "0" * 12 + text[16:], "x"):
        compared.clear()
        ask(sent)
        assert [tuple(map(len, pair)) for pair in compared] == [(64, 64)]


def test_its_use_is_noted_at_most_once_a_minute(django_assert_num_queries: Any) -> None:
    text = tokens.create("a")
    before = timezone.now()
    with django_assert_num_queries(2):
        tokens.check(text)
    first = AccessToken.objects.get().last_used_at
    assert first is not None and first >= before
    with django_assert_num_queries(1):
        tokens.check(text)
    AccessToken.objects.update(last_used_at=first - timedelta(seconds=61))
    with django_assert_num_queries(2):
        tokens.check(text)
    second = AccessToken.objects.get().last_used_at
    assert second is not None and second >= first


def test_a_refused_token_notes_no_use() -> None:
    text = tokens.create("a")
    tokens.revoke(AccessToken.objects.all())
    refusal(text)
    assert AccessToken.objects.get().last_used_at is None


def test_where_no_login_is_demanded_no_token_is_looked_at(
    settings: Any, django_assert_num_queries: Any
) -> None:
    settings.REQUIRE_AUTH = False
    assert ask("x").status_code == 200
    with django_assert_num_queries(0):
        assert ask("x", "/api/simulations/not.an.id").status_code == 400


def test_a_database_that_fails_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(tokens, "check", fail)
    answer = ask("x")
    assert answer.status_code == 503
    assert answer["Retry-After"] == "2"


@pytest.mark.parametrize("debug", [False, True])
def test_no_token_is_ever_logged_or_answered(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, settings: Any, debug: bool
) -> None:
    settings.DEBUG = debug

    def fail(*_: Any) -> None:
        raise RuntimeError("canary")

    text = tokens.create("a")
    with caplog.at_level(logging.DEBUG):
        answers = [ask(text), ask(text + "x"), ask(text, "/api/nothing")]
        monkeypatch.setattr(AccessToken.objects, "select_related", fail)
        client = Client(raise_request_exception=False)
        for accept in ("application/json", BROWSER):
            headers = {"Authorization": f"Bearer {text}", "accept": accept}
            answers.append(client.get(LIST, headers=headers))
    assert [answer.status_code for answer in answers] == [200, 401, 404, 500, 500]
    told = caplog.text + "".join(str(vars(record)) for record in caplog.records)
    told += "".join(answer.content.decode() + str(answer.headers) for answer in answers)
    assert text[17:] not in told


def test_a_token_of_staff_opens_no_terminal(settings: Any) -> None:
    settings.TERMINAL = "on"
    header = {
        "Authorization": f"Bearer {tokens.create('a', User.objects.create_superuser('root'))}"
    }
    for path in ("/api/terminal/token", "/api/terminal/token/"):
        assert Client().post(path, headers=header).status_code == 401
