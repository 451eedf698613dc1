"""`manage.py create_token` prints a token once, and refuses what makes no sense."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from intellifl.access.models import AccessToken
from tests.intellifl.access.bearer import ask

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("closed")]


def make(*arguments: str) -> tuple[str, str]:
    out, err = StringIO(), StringIO()
    call_command("create_token", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def test_the_command_prints_the_token_alone_on_standard_output() -> None:
    User.objects.create_user("ada")
    out, err = make(" notebook ", "--user", "ada", "--expires", "30")
    assert ask(out.strip()).status_code == 200
    assert out.count("\n") == 1 and out.strip() not in err
    assert "30 days" in err
    row = AccessToken.objects.get()
    assert (row.name, row.user and row.user.username) == ("notebook", "ada")
    assert row.expires_at is not None
    assert row.expires_at - row.created_at == timedelta(days=30)


def test_without_days_a_token_is_valid_until_it_is_revoked() -> None:
    assert "until it is revoked" in make("a")[1]
    assert AccessToken.objects.get().expires_at is None


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [""],
        ["  "],
        ["x" * 101],
        ["a\nb"],
        ["a", "--expires", "0"],
        ["a", "--expires", "-1"],
        ["a", "--expires", "1.5"],
        ["a", "--expires", "soon"],
        ["a", "--expires", "36501"],
        ["a", "--expires", "9" * 5000],
        ["a", "--expires", "²"],
        ["a", "--user", "nobody"],
    ],
)
def test_the_command_refuses_what_makes_no_sense(arguments: list[str]) -> None:
    with pytest.raises(CommandError) as refused:
        make(*arguments)
    assert "Traceback" not in str(refused.value)
    assert not AccessToken.objects.exists()
