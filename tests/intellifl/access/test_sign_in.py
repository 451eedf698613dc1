"""People sign in and out, look after their password and tokens, and cannot guess passwords."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from intellifl.access import tokens
from intellifl.access.models import AccessToken, SignInAttempts

PASSWORD = "a long sentence"
BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return User.objects.create_user("ada", password=PASSWORD)


@pytest.fixture
def signed_in(client: Client, ada: User) -> Client:
    client.force_login(ada)
    return client


def sign_in(client: Client, password: str = PASSWORD, name: str = "ada", **others: Any) -> Any:
    data = {"username": name, "password": password, "next": others.pop("next", "")}
    return client.post("/login/", data, headers=BROWSER, **others)


@pytest.mark.parametrize("is_staff", [False, True])
def test_everybody_signs_in_by_one_form_and_gets_where_they_wanted(
    client: Client, settings: Any, ada: User, is_staff: bool
) -> None:
    settings.REQUIRE_AUTH = True
    User.objects.update(is_staff=is_staff)
    sent = client.get("/simulations/new/?a=1", headers=BROWSER)
    assert sent["Location"] == "/login/?next=/simulations/new/%3Fa%3D1"
    form = client.get(sent["Location"], headers=BROWSER).content.decode()
    assert 'name="next" value="/simulations/new/?a=1"' in form
    answer = sign_in(client, next="/simulations/new/?a=1")
    assert answer["Location"] == "/simulations/new/?a=1"
    assert client.get("/simulations/new/", headers=BROWSER).status_code == 200


@pytest.mark.parametrize(
    "url",
    ["https://evil.example/", "//evil.example", "javascript:alert(1)", "http:///evil.example"],
)
def test_nobody_is_sent_to_another_server(client: Client, ada: User, url: str) -> None:
    assert sign_in(client, next=url)["Location"] == "/simulations/"


def test_a_wrong_password_opens_nothing_and_does_not_tell_whether_the_name_exists(
    client: Client, ada: User
) -> None:
    known, unknown = sign_in(client, "wrong"), sign_in(client, "wrong", name="eve")
    assert (known.status_code, unknown.status_code) == (200, 200)
    assert known.context["form"].errors == unknown.context["form"].errors
    assert "_auth_user_id" not in client.session


def test_an_account_that_is_not_active_cannot_sign_in(client: Client, ada: User) -> None:
    User.objects.update(is_active=False)
    sign_in(client)
    assert "_auth_user_id" not in client.session


def test_after_five_wrong_passwords_the_right_one_has_to_wait(client: Client, ada: User) -> None:
    for _ in range(5):
        assert sign_in(client, "wrong").status_code == 200
    answer = sign_in(client, name="ADA"), sign_in(client)
    for one in answer:
        assert one.status_code == 429
        assert "Too many attempts with this name. Try again in 15 min." in one.content.decode()
        assert 0 < int(one["Retry-After"]) <= 900
    assert "_auth_user_id" not in client.session
    SignInAttempts.objects.update(began_at=timezone.now() - timedelta(minutes=15))
    assert sign_in(client).status_code == 302


def test_others_are_not_kept_out_by_wrong_guesses(client: Client, ada: User) -> None:
    User.objects.create_user("eve", password=PASSWORD)
    for _ in range(6):
        sign_in(client, "wrong")
    assert sign_in(client, name="eve").status_code == 302
    client.logout()
    assert sign_in(client, REMOTE_ADDR="192.0.2.7").status_code == 302


def test_a_right_password_starts_the_count_anew(client: Client, ada: User) -> None:
    for _ in range(3):
        for _ in range(4):
            sign_in(client, "wrong")
        assert sign_in(client).status_code == 302
        client.logout()


def test_the_address_of_the_header_counts_only_behind_the_proxy(
    client: Client, ada: User, settings: Any
) -> None:
    for number in range(6):
        answer = sign_in(client, "wrong", HTTP_X_FORWARDED_FOR=f"192.0.2.{number}")
    assert answer.status_code == 429
    settings.TLS_PROXY = True
    assert sign_in(client, HTTP_X_FORWARDED_FOR="192.0.2.1").status_code == 302
    for number in range(6):
        answer = sign_in(client, "wrong", HTTP_X_FORWARDED_FOR=f"192.0.2.{number}, 198.51.100.1")
    assert answer.status_code == 429, "what the client wrote itself must not count"


def test_old_attempts_are_forgotten_and_none_holds_a_name(client: Client, ada: User) -> None:
    sign_in(client, "wrong", name="secret-typed-here")
    assert "secret" not in str(SignInAttempts.objects.values().get())
    SignInAttempts.objects.update(began_at=timezone.now() - timedelta(minutes=15))
    sign_in(client, "wrong", name="eve")
    assert SignInAttempts.objects.count() == 1


def test_only_a_post_signs_out(signed_in: Client) -> None:
    page = signed_in.get("/simulations/").content.decode()
    assert re.search(r'<form[^>]*method="post" action="/logout/"', page)
    assert ">ada</a>" in page
    assert signed_in.get("/logout/").status_code == 405
    assert "_auth_user_id" in signed_in.session
    assert signed_in.post("/logout/")["Location"] == "/login/"
    assert "_auth_user_id" not in signed_in.session


def test_who_is_not_signed_in_is_offered_to(client: Client) -> None:
    page = client.get("/simulations/?status=failed").content.decode()
    assert 'href="/login/?next=%2Fsimulations%2F%3Fstatus%3Dfailed"' in page


@pytest.mark.parametrize("path", ["/login/", "/logout/", "/account/", "/account/password/"])
def test_forms_without_the_page_s_token_are_refused(ada: User, path: str) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(ada)
    assert strict.post(path, {}, headers=BROWSER).status_code == 403


def test_the_admin_has_no_door_of_its_own(client: Client, ada: User) -> None:
    assert client.get("/admin/")["Location"] == "/admin/login/?next=/admin/"
    sent = client.post("/admin/login/?next=/admin/", {"username": "ada", "password": PASSWORD})
    assert sent["Location"] == "/login/?next=/admin/"
    assert "_auth_user_id" not in client.session
    sign_in(client)
    page = client.get("/login/?next=/admin/").content.decode()
    assert "signed in as ada, who may not open that page" in page


@pytest.mark.parametrize("path", ["/account/", "/account/password/"])
def test_the_account_is_for_who_is_signed_in(client: Client, path: str) -> None:
    assert client.get(path)["Location"] == f"/login/?next={path}"


def made(page: Any) -> str:
    [text] = re.findall(r'value="(ifl_[^"]+)"', page.content.decode())
    return str(text)


def test_a_new_token_is_shown_once_and_works(signed_in: Client, settings: Any) -> None:
    settings.REQUIRE_AUTH = True
    page = signed_in.post("/account/", {"name": "notebook", "days": "30"})
    text = made(page)
    assert "no-store" in page["Cache-Control"]
    header = {"Authorization": f"Bearer {text}"}
    assert Client().get("/api/simulations", headers=header).status_code == 200
    row = AccessToken.objects.get()
    assert row.user == User.objects.get()
    assert row.expires_at is not None
    assert timedelta(days=29) < row.expires_at - timezone.now() <= timedelta(days=30)
    later = signed_in.get("/account/").content.decode()
    assert text not in later and row.prefix in later


@pytest.mark.parametrize(
    "form", [{"name": ""}, {"name": "x" * 101}, {"name": "a\x07b"}, {"name": "a", "days": "0"}]
)
def test_a_token_needs_a_name_and_days_that_are_some(
    signed_in: Client, form: dict[str, str]
) -> None:
    assert 'role="alert"' in signed_in.post("/account/", form).content.decode()
    assert not AccessToken.objects.exists()


def test_one_revokes_one_s_own_tokens_only(signed_in: Client, ada: User) -> None:
    tokens.create("other", User.objects.create_user("eve"))
    tokens.create("own", ada)
    for row in AccessToken.objects.all():
        signed_in.post(f"/account/tokens/{row.prefix}/revoke/", follow=True)
    assert AccessToken.objects.get(name="own").state == "revoked"
    assert AccessToken.objects.get(name="other").state == "valid"
    page = signed_in.get("/account/").content.decode()
    assert "revoked" in page and "other" not in page


def test_a_token_opens_neither_the_account_nor_new_tokens(ada: User, settings: Any) -> None:
    settings.REQUIRE_AUTH = True
    header = {"Authorization": f"Bearer {tokens.create('a', ada)}", **BROWSER}
    answer = Client().post("/account/", {"name": "b"}, headers=header)
    assert answer["Location"] == "/login/?next=/account/"
    assert AccessToken.objects.count() == 1


def change(client: Client, new: str, old: str = PASSWORD) -> Any:
    form = {"old_password": old, "new_password1": new, "new_password2": new}
    return client.post("/account/password/", form)


def test_a_changed_password_ends_the_other_sessions(signed_in: Client, ada: User) -> None:
    other = Client()
    other.force_login(ada)
    assert change(signed_in, "quite another one")["Location"] == "/account/"
    assert signed_in.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302


@pytest.mark.parametrize(
    ("new", "old"),
    [("short", PASSWORD), ("password1", PASSWORD), ("20261124", PASSWORD), ("good enough", "no")],
)
def test_a_weak_password_or_a_wrong_old_one_changes_nothing(
    signed_in: Client, ada: User, new: str, old: str
) -> None:
    assert 'role="alert"' in change(signed_in, new, old).content.decode()
    assert User.objects.get().check_password(PASSWORD)
