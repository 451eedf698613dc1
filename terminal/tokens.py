"""Tokens that open one terminal each, for programs that have no session's cookie."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.contrib.auth.models import AbstractBaseUser
from django.utils import timezone

from terminal.models import OneTimeToken

LIFETIME_S = 60


def issue(user: AbstractBaseUser) -> str:
    """Return a new token of the user, good for LIFETIME_S seconds and one use."""
    token = secrets.token_urlsafe(32)
    now = timezone.now()
    OneTimeToken.objects.filter(expires_at__lte=now).delete()
    OneTimeToken.objects.create(
        digest=_digest(token), user_id=user.pk, expires_at=now + timedelta(seconds=LIFETIME_S)
    )
    return token


def redeem(token: str) -> int | None:
    """Use the token up; return the id of its user, or None when it is not, or no more, good."""
    good = OneTimeToken.objects.filter(digest=_digest(token), expires_at__gt=timezone.now())
    user_id = good.values_list("user_id", flat=True).first()
    # Whoever deletes the row has used the token.
    return user_id if user_id is not None and good.delete()[0] else None


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode(errors="replace")).hexdigest()
