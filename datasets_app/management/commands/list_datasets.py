"""List the datasets and the text encoders that a configuration can name."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from datasets_app.catalog import CATALOG
from datasets_app.catalog.availability import size_bytes, where
from datasets_app.catalog.encoders import ENCODERS, Encoder
from datasets_app.catalog.reference import download_bytes, origin, sample_kind
from datasets_app.catalog.spec import DatasetSpec

HEADINGS = (
    *("keyword", "title", "here", "training", "test", "classes", "samples"),
    *("on disk", "to fetch", "from", "licence"),
)
ENCODER_HEADINGS = ("encoder", "title", "here", "to fetch", "from", "licence")


class Command(BaseCommand):
    help = "List datasets and encoders: whether they are here, samples, sizes, origin, licence."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="one JSON array of datasets instead of tables"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["json"]:
            self.stdout.write(json.dumps([_entry(spec) for spec in CATALOG.values()], indent=2))
            return
        self._table([HEADINGS, *(_row(spec) for spec in CATALOG.values())])
        self.stdout.write("")
        self._table([ENCODER_HEADINGS, *(_encoder(it) for it in ENCODERS.values())])

    def _table(self, rows: Iterable[tuple[str, ...]]) -> None:
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
            self.stdout.write("  ".join(cells).rstrip())


def _entry(spec: DatasetSpec) -> dict[str, Any]:
    """Return one dataset; null is what only the data or the hub tells."""
    place = where(spec, settings.DATA_DIR)
    return {
        "keyword": spec.keyword,
        "title": spec.title,
        "available": place is not None,
        "place": place,
        "modality": spec.modality,
        "num_train": spec.num_train or None,
        "num_test": spec.num_test or None,
        "num_classes": spec.num_classes or None,
        "shape": list(spec.shape) or None,
        "size_bytes": size_bytes(spec.keyword, settings.DATA_DIR),
        "download_bytes": download_bytes(spec),
        "origin": origin(spec),
        "licence": spec.licence,
    }


def _row(spec: DatasetSpec) -> tuple[str, ...]:
    return (
        spec.keyword,
        spec.title,
        where(spec, settings.DATA_DIR) or "no",
        f"{spec.num_train:,}" if spec.num_train else "–",
        f"{spec.num_test:,}" if spec.num_test else "–",
        str(spec.num_classes or "–"),
        sample_kind(spec),
        _megabytes(size_bytes(spec.keyword, settings.DATA_DIR)),
        _megabytes(download_bytes(spec)),
        origin(spec),
        spec.licence,
    )


def _encoder(encoder: Encoder) -> tuple[str, ...]:
    package = encoder.package
    folder = settings.DATA_DIR / encoder.keyword / package.version
    return (
        encoder.keyword,
        encoder.title,
        "fetched" if folder.is_dir() else "no",
        _megabytes(package.download_bytes),
        f"package {package.name} {package.version}",
        encoder.licence,
    )


def _megabytes(size: int | None) -> str:
    return f"{size / 1e6:.1f} MB" if size else "–"
