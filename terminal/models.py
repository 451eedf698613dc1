"""What the terminal keeps in the database: nothing but tokens that were not used yet."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class OneTimeToken(models.Model):
    """Opens one terminal, once, soon; the token itself is not kept."""

    digest = models.CharField(max_length=64, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE)
    expires_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"of {self.user}, until {self.expires_at:%H:%M:%S}"
