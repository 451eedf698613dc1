"""Fetch datasets ahead of the runs that train on them."""

from __future__ import annotations

from argparse import ArgumentParser
from difflib import get_close_matches
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from datasets_app.catalog import CATALOG
from datasets_app.catalog.loading import DataUnavailable, load

UNKNOWN = 2
UNAVAILABLE = 4


class Command(BaseCommand):
    help = "Fetch datasets by keyword; exit code 2: unknown keyword, 4: data unavailable."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("keywords", nargs="+", metavar="KEYWORD")

    def handle(self, *args: Any, **options: Any) -> None:
        keywords = list(dict.fromkeys(options["keywords"]))
        unknown = [keyword for keyword in keywords if keyword not in CATALOG]
        if unknown:
            raise CommandError("\n".join(_refusal(name) for name in unknown), returncode=UNKNOWN)
        problems = [problem for keyword in keywords if (problem := self._fetch(keyword))]
        if problems:
            raise CommandError("\n".join(problems), returncode=UNAVAILABLE)

    def _fetch(self, keyword: str) -> str | None:
        try:
            data = load(CATALOG[keyword], settings.DATA_DIR)
        except DataUnavailable as error:
            return str(error)
        train, test = len(data.train_labels), len(data.test_labels)
        self.stdout.write(f"{keyword}: {train:,} training and {test:,} test images are ready")
        return None


def _refusal(name: str) -> str:
    near = get_close_matches(name, CATALOG, n=1, cutoff=0.6)
    hint = f"did you mean {near[0]!r}?" if near else f"known are {', '.join(sorted(CATALOG))}"
    return f"unknown dataset {name[:100]!r}; {hint}"
