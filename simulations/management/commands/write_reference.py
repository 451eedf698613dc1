"""Rewrite the generated parts of the documentation from the code they describe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from datasets_app.catalog.reference import datasets_reference
from intellifl.environment import variables_reference
from simulations.fl.config.reference import reference

PARTS = {
    "settings": reference,
    "environment": variables_reference,
    "datasets": datasets_reference,
}


def rewritten(text: str) -> str:
    """Return `text` with the content of each marked part made anew."""
    for name, make in PARTS.items():
        start, end = f"<!-- generated: {name} -->\n", "<!-- end -->"
        if start in text:
            before, rest = text.split(start, 1)
            text = f"{before}{start}{make()}\n{end}{rest.split(end, 1)[1]}"
    return text


class Command(BaseCommand):
    help = "Rewrite the generated parts of docs/ (settings, environment variables, datasets)."

    def handle(self, *args: Any, **options: Any) -> None:
        for path in sorted((Path(settings.BASE_DIR) / "docs").glob("*.md")):
            text = path.read_text(encoding="utf-8")
            new = rewritten(text)
            if new != text:
                path.write_text(new, encoding="utf-8")
                self.stdout.write(f"rewrote docs/{path.name}")
