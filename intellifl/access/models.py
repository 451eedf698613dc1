"""What is recorded of bearer tokens; the token itself is not."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone


class AccessToken(models.Model):
    """A token that programs send instead of a session; `digest` is its sha256 in hexadecimal."""

    name = models.CharField(max_length=100, help_text="What it is for.")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.CASCADE,
        null=True,
        blank=True,
        related_name="access_tokens",
        help_text="Whose it is; it ends with the account.",
    )
    prefix = models.CharField(
        max_length=12, unique=True, editable=False, help_text="Its public part, to recognise it by."
    )
    digest = models.CharField(max_length=64, editable=False)
    created_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True, help_text="To the minute.")
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    text = ""
    """The token itself, for whoever has just made it; it is not stored."""

    class Meta:
        ordering = ["-created_at", "-id"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"

    @property
    def state(self) -> str:
        """Tell whether it is `valid` now, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        has_expired = self.expires_at is not None and self.expires_at <= timezone.now()
        return "expired" if has_expired else "valid"


class SignInAttempts(models.Model):
    """Attempts to sign in from one address under one name since `began_at`."""

    digest = models.CharField(max_length=64, unique=True, help_text="Of address and name.")
    count = models.PositiveIntegerField(default=0)
    began_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name_plural = "sign-in attempts"

    def __str__(self) -> str:
        return f"{self.count} since {self.began_at:%H:%M:%S}"
