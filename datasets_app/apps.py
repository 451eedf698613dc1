from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class DatasetsConfig(AppConfig):
    name = "datasets_app"
    verbose_name = "datasets"

    def ready(self) -> None:
        post_migrate.connect(_sync, sender=self)


def _sync(**_: Any) -> None:
    # The models can be imported only when all apps are ready.
    from datasets_app import services

    services.sync()
