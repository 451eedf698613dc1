"""`make bench`: engine and rules beside their peers, in one run, into docs/benchmarks.md.

Ratios are of medians of figures that were taken in turn, so that a busy machine slows all alike.
"""

from __future__ import annotations

import argparse
import os
import platform
import sys
from collections.abc import Iterator, Sequence
from importlib.metadata import version
from pathlib import Path

# Read when numpy is first imported: rules are timed on one thread, as runs use them.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import psutil

from intellifl.environment import ROOT
from tests.benchmarks import engine, growth, rules
from tests.benchmarks.tables import Table

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- measured by make bench -->", "<!-- end -->"
PACKAGES = ("torch", "numpy", "flwr", "ray", "byzfl")
PARTS = ("rules", "engine", "growth")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="all when none is named")
    parser.add_argument("--repetitions", type=int, default=5)
    parser.add_argument("--data-dir", type=Path, default=ROOT / "data")
    asked = parser.parse_args()
    parts = asked.parts or PARTS
    found = list(_measured(parts, asked.repetitions, asked.data_dir))
    text = "\n".join([_machine(asked.repetitions), *(table.markdown() for table in found)])
    print(text)
    if set(parts) == set(PARTS):
        _write(text)


def _measured(parts: Sequence[str], repetitions: int, data_dir: Path) -> Iterator[Table]:
    if "rules" in parts:
        yield from rules.measure(repetitions)
    if "engine" in parts:
        yield from engine.measure(repetitions, data_dir)
    if "growth" in parts:
        yield from growth.measure(repetitions, data_dir)


def _machine(repetitions: int) -> str:
    versions = ", ".join(f"{package} {version(package)}" for package in PACKAGES)
    memory = psutil.virtual_memory().total / 2**30
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{psutil.cpu_count()} cores ({platform.machine()}), {memory:.0f} GiB; "
        f"Python {platform.python_version()}, {versions}; medians of {repetitions} "
        f"(least to most); load at the end {load}.\n"
    )


def _write(text: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    if not rest or not after:
        sys.exit(f"{PAGE.name} has no part between {BEGIN} and {END}")
    PAGE.write_text(f"{before}{BEGIN}\n\n{text}\n{END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
