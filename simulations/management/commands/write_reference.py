"""Rewrite the generated parts of the documentation from the code they describe."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from intellifl.environment import variables_reference
from simulations.fl.config.reference import reference

PARTS = {"settings": reference, "environment": variables_reference}
MARKED = r"(<!-- generated: {name} -->\n).*?(<!-- end -->)"


def rewritten(text: str) -> str:
    """Return `text` with the content of each marked part made anew."""
    for name, make in PARTS.items():
        content = make()
        text = re.sub(
            MARKED.format(name=name),
            lambda match, content=content: f"{match[1]}{content}\n{match[2]}",
            text,
            flags=re.DOTALL,
        )
    return text


class Command(BaseCommand):
    help = "Rewrite the generated parts of docs/ (settings and environment variables)."

    def handle(self, *args: Any, **options: Any) -> None:
        for path in sorted((Path(settings.BASE_DIR) / "docs").glob("*.md")):
            text = path.read_text(encoding="utf-8")
            new = rewritten(text)
            if new != text:
                path.write_text(new, encoding="utf-8")
                self.stdout.write(f"rewrote docs/{path.name}")
