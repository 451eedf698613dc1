"""What people fill in: name and password, and what a new token is for."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.core.exceptions import ValidationError

from intellifl.access import throttle
from intellifl.access.tokens import LONGEST_DAYS, LONGEST_NAME


class SignInForm(AuthenticationForm):
    """Name and password; after some wrong ones it asks to wait, and `wait` says how long."""

    wait: timedelta | None = None

    def clean(self) -> dict[str, Any]:
        username, password = self.cleaned_data.get("username"), self.cleaned_data.get("password")
        assert self.request is not None, "the view gives the request"
        if not username or not password:
            return self.cleaned_data
        self.wait = throttle.count_attempt(self.request, username)
        if self.wait is not None:
            minutes = -(-int(self.wait.total_seconds()) // 60)
            raise ValidationError(
                f"Too many attempts with this name. Try again in {minutes} min.", code="throttled"
            )
        cleaned: dict[str, Any] = super().clean()
        throttle.forget(self.request, username)
        return cleaned


class TokenForm(forms.Form):
    """A new token: what it is for, and for how many days."""

    name = forms.CharField(max_length=LONGEST_NAME, label="What it is for")
    days = forms.IntegerField(
        required=False, min_value=1, max_value=LONGEST_DAYS, label="Valid for days"
    )

    @property
    def lifetime(self) -> timedelta | None:
        days = self.cleaned_data["days"]
        return timedelta(days=days) if days else None

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if not name.isprintable():
            raise ValidationError("A name has only printable characters.")
        return name
