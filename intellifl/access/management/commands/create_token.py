"""Make a bearer token and print it, this once."""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from intellifl.access import tokens
from intellifl.access.tokens import LONGEST_DAYS, LONGEST_NAME

NOT_FOUND = 3


class Command(BaseCommand):
    help = "Make a bearer token for /api and /query and print it, this once."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("name", type=_name, help="what it is for, such as 'notebook of Ada'")
        parser.add_argument("--user", help="whose it is; it ends with the account")
        parser.add_argument("--expires", type=_days, metavar="DAYS", help="default: never")

    def handle(self, *args: Any, **options: Any) -> None:
        days = options["expires"]
        text = tokens.create(
            options["name"], _user(options["user"]), timedelta(days=days) if days else None
        )
        self.stdout.write(text, style_func=str)
        until = f"for {days} days" if days else "until it is revoked"
        self.stderr.write(
            f"It is valid {until} and cannot be shown again. Send it as the header"
            " `Authorization: Bearer …`; the admin lists and revokes it.",
            style_func=str,
        )


def _name(text: str) -> str:
    name = text.strip()
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
        raise ArgumentTypeError(f"a name has 1 to {LONGEST_NAME} printable characters")
    return name


def _days(text: str) -> int:
    is_number = text.isascii() and text.isdigit() and len(text) < 9
    if not is_number or not 1 <= int(text) <= LONGEST_DAYS:
        raise ArgumentTypeError(f"days are a whole number from 1 to {LONGEST_DAYS}, not {text!r}")
    return int(text)


def _user(name: str | None) -> User | None:
    if name is None:
        return None
    user = User.objects.filter(username=name).first()
    if user is None:
        raise CommandError(
            f"there is no user {name!r}; `manage.py createsuperuser` makes one",
            returncode=NOT_FOUND,
        )
    return user
