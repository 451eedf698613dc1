"""How often a password may be guessed: a few times per address and name, then not for a while.

An attempt counts before the password is looked at, so that many at once are no way around it.
"""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from intellifl.access.models import SignInAttempts

MAX_ATTEMPTS = 5
WINDOW = timedelta(minutes=15)


def count_attempt(request: HttpRequest, username: str) -> timedelta | None:
    """Count an attempt to sign in; return how long to wait first, or None when it is allowed."""
    now = timezone.now()
    with transaction.atomic():
        SignInAttempts.objects.filter(began_at__lte=now - WINDOW).delete()
        attempts, _ = SignInAttempts.objects.select_for_update().get_or_create(
            digest=_digest(request, username), defaults={"began_at": now}
        )
        if attempts.count >= MAX_ATTEMPTS:
            return attempts.began_at + WINDOW - now
        attempts.count += 1
        attempts.save(update_fields=["count"])
    return None


def forget(request: HttpRequest, username: str) -> None:
    """Let a successful attempt start the count anew."""
    SignInAttempts.objects.filter(digest=_digest(request, username)).delete()


def address_of(request: HttpRequest) -> str:
    """Return the client's address; behind the trusted proxy, the one that the proxy has seen."""
    forwarded = request.headers.get("X-Forwarded-For", "")
    if settings.TLS_PROXY and forwarded:
        # The proxy appends; whatever stands before was sent by the client.
        return forwarded.rpartition(",")[2].strip()
    return str(request.META.get("REMOTE_ADDR", ""))


def _digest(request: HttpRequest, username: str) -> str:
    # Hashed: now and then somebody types a password where the name belongs.
    text = f"{address_of(request)}\0{username.casefold()}"
    return hashlib.sha256(text.encode()).hexdigest()
