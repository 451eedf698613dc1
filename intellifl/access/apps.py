"""Who may use this server without a session: the project's own app, which knows no other."""

from __future__ import annotations

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "intellifl.access"
    label = "access"
    verbose_name = "Access"
