"""The admin's tokens: shown once, revoked, and never changed."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from intellifl.access import tokens
from intellifl.access.models import AccessToken, SignInAttempts
from tests.intellifl.access.bearer import ask, refusal

ADMIN = "/admin/access/accesstoken/"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("closed")]


@pytest.fixture
def desk() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def test_the_desk_lists_tokens_and_shows_no_secret(desk: Client) -> None:
    text = tokens.create("<b>notebook</b>")
    row = AccessToken.objects.get()
    for url in (ADMIN, f"{ADMIN}?q={row.prefix}", f"{ADMIN}{row.pk}/change/"):
        page = desk.get(url).content.decode()
        assert "&lt;b&gt;notebook" in page and "<b>notebook" not in page
        assert row.prefix in page
        assert row.digest not in page and text not in page


def test_the_desk_takes_as_many_queries_for_many_tokens_as_for_few(
    desk: Client, django_assert_max_num_queries: Any
) -> None:
    def several(number: int) -> None:
        for _ in range(number):
            tokens.create("a", User.objects.create_user(f"user{User.objects.count()}"))

    several(1)
    with django_assert_max_num_queries(20) as few:
        desk.get(ADMIN)
    several(5)
    with django_assert_max_num_queries(len(few.captured_queries)):
        desk.get(ADMIN)


def test_the_desk_revokes(desk: Client) -> None:
    text, other = tokens.create("a"), tokens.create("b")
    row = AccessToken.objects.get(name="a")
    action = {"action": "revoke_selected", "_selected_action": [row.pk]}
    assert b"Revoked 1." in desk.post(ADMIN, action, follow=True).content
    assert refusal(text) == "The token was revoked."
    assert ask(other).status_code == 200


def test_who_may_only_look_revokes_nothing() -> None:
    tokens.create("a")
    ada = User.objects.create_user("ada", is_staff=True)
    ada.user_permissions.add(Permission.objects.get(codename="view_accesstoken"))
    client = Client()
    client.force_login(ada)
    assert client.get(ADMIN).status_code == 200
    action = {"action": "revoke_selected", "_selected_action": [AccessToken.objects.get().pk]}
    client.post(ADMIN, action)
    rows: QuerySet[AccessToken] = AccessToken.objects.all()
    assert rows.get().revoked_at is None


def test_the_desk_shows_a_new_token_once(desk: Client) -> None:
    eve = User.objects.create_user("eve")
    page = desk.post(f"{ADMIN}add/", {"name": "for Eve", "user": eve.pk})
    assert "no-store" in page["Cache-Control"]
    [text] = re.findall(r'value="(ifl_[^"]+)"', page.content.decode())
    assert ask(text).status_code == 200
    row = AccessToken.objects.get()
    assert (row.user, row.expires_at) == (eve, None)
    for url in (ADMIN, f"{ADMIN}{row.pk}/change/"):
        assert text not in desk.get(url).content.decode()
        assert row.digest not in desk.get(url).content.decode()


def test_the_desk_changes_no_token(desk: Client) -> None:
    tokens.create("a")
    row = AccessToken.objects.get()
    desk.post(f"{ADMIN}{row.pk}/change/", {"name": "b", "expires_at": "", "digest": "0"})
    fresh = AccessToken.objects.get()
    assert (fresh.name, fresh.digest) == ("a", row.digest)


def test_only_a_superuser_makes_tokens_for_others(client: Client) -> None:
    boss = User.objects.create_superuser("root")
    clerk = User.objects.create_user("eve", is_staff=True)
    codenames = ("add_accesstoken", "view_accesstoken")
    clerk.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    client.force_login(clerk)
    for owner in (boss.pk, ""):
        client.post(f"{ADMIN}add/", {"name": "a", "user": owner})
        assert not AccessToken.objects.exists()
    client.post(f"{ADMIN}add/", {"name": "a", "user": clerk.pk})
    assert AccessToken.objects.get().user == clerk


def test_a_deleted_count_lets_a_name_try_again(desk: Client) -> None:
    row = SignInAttempts.objects.create(digest="0" * 64, count=5, began_at=timezone.now())
    url = f"/admin/access/signinattempts/{row.pk}"
    assert desk.get(f"{url}/change/").status_code == 200
    assert desk.get("/admin/access/signinattempts/add/").status_code == 403
    desk.post(f"{url}/delete/", {"post": "yes"})
    assert not SignInAttempts.objects.exists()
