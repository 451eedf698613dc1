"""Bearer tokens: made once, stored as a hash, recognised in constant time, revoked for good.

A token is `ifl_`, a public prefix that finds its row, and 256 random bits. A plain sha256 is enough
to store it: slow hashes protect what people choose, and nobody guesses 256 random bits, while each
request would pay for one. The prefix is looked up, the digest is compared in constant time, so that
the time of an answer tells nothing about the secret.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from intellifl.access.models import AccessToken

TOKEN = re.compile(r"ifl_([0-9a-f]{12})_[A-Za-z0-9_-]{43}")
LONGEST_NAME = 100
LONGEST_DAYS = 36_500
LAST_USED_STEP = timedelta(minutes=1)
UNKNOWN = "The token is not known here; `manage.py create_token` makes one."


class Refused(Exception):
    """The token opens nothing; the message is a sentence for whoever sent it."""


def create(name: str, user: User | None = None, expires_in: timedelta | None = None) -> str:
    """Record a new token and return it; nobody can read it again."""
    token = AccessToken(name=name, user=user)
    draw(token)
    token.expires_at = token.created_at + expires_in if expires_in else None
    token.save()
    return token.text


def draw(token: AccessToken) -> None:
    """Make an unsaved row that of a new token, which is its `text`."""
    token.prefix = secrets.token_hex(6)
    token.text = f"ifl_{token.prefix}_{secrets.token_urlsafe(32)}"
    token.digest, token.created_at = _digest(token.text), timezone.now()


@sensitive_variables("text")
def check(text: str) -> AccessToken:
    """Return the row of a token that is valid now, and note its use; raise Refused otherwise."""
    found = TOKEN.fullmatch(text)
    rows = AccessToken.objects.select_related("user")
    token = rows.filter(prefix=found[1]).first() if found else None
    expected = token.digest if token else _digest("")
    if not secrets.compare_digest(_digest(text), expected) or token is None:
        raise Refused(UNKNOWN)
    now = timezone.now()
    _check_validity(token, now)
    _note_use(token, now)
    return token


def revoke(tokens: QuerySet[AccessToken]) -> int:
    """Let these tokens open nothing from now on; return how many did until now."""
    return tokens.filter(revoked_at__isnull=True).update(revoked_at=timezone.now())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _check_validity(token: AccessToken, now: datetime) -> None:
    if token.revoked_at is not None:
        raise Refused("The token was revoked.")
    if token.expires_at is not None and token.expires_at <= now:
        raise Refused(f"The token expired at {token.expires_at.isoformat(timespec='seconds')}.")
    if token.user is not None and not token.user.is_active:
        raise Refused("The account of the token is not active.")


def _note_use(token: AccessToken, now: datetime) -> None:
    # A read must not cost a write: most requests find that the minute is not over.
    since = now - LAST_USED_STEP
    if token.last_used_at is None or token.last_used_at <= since:
        stale = Q(last_used_at__isnull=True) | Q(last_used_at__lte=since)
        AccessToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
