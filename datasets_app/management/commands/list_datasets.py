"""List the datasets that a configuration can name."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from datasets_app.catalog import CATALOG
from datasets_app.catalog.availability import is_available
from datasets_app.catalog.spec import DatasetSpec, PackageSource

HEADINGS = ("keyword", "title", "here", "training", "test", "classes", "image", "licence")


class Command(BaseCommand):
    help = "List the datasets: keyword, whether it is on this machine, samples, size, licence."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON array instead of a table")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"]:
            self.stdout.write(json.dumps([_entry(spec) for spec in CATALOG.values()], indent=2))
            return
        rows = [HEADINGS, *(_row(spec) for spec in CATALOG.values())]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def _entry(spec: DatasetSpec) -> dict[str, Any]:
    """Return one dataset; `download_bytes` is null where the hub decides."""
    source = spec.source
    return {
        "keyword": spec.keyword,
        "title": spec.title,
        "available": is_available(spec, settings.DATA_DIR),
        "num_train": spec.num_train,
        "num_test": spec.num_test,
        "num_classes": spec.num_classes,
        "shape": list(spec.shape),
        "download_bytes": source.download_bytes if isinstance(source, PackageSource) else None,
        "licence": spec.licence,
    }


def _row(spec: DatasetSpec) -> tuple[str, ...]:
    channels, height, width = spec.shape
    return (
        spec.keyword,
        spec.title,
        "yes" if is_available(spec, settings.DATA_DIR) else "no",
        f"{spec.num_train:,}",
        f"{spec.num_test:,}",
        str(spec.num_classes),
        f"{width}x{height} {'grey' if channels == 1 else 'RGB'}",
        spec.licence,
    )
