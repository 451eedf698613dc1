"""Files: looked into, downloaded all at once, and never anything that may not be fetched."""

from __future__ import annotations

import asyncio
import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from django.http import StreamingHttpResponse
from django.test import Client

from simulations import result_files
from simulations.models import Simulation
from simulations.pages.run.archive import zip_chunks
from simulations.pages.run.previews import MAX_BYTES, preview

Submit = Callable[..., Simulation]


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    folder = tmp_path / "run"
    (folder / "csv").mkdir(parents=True)
    (folder / "csv" / "a.csv").write_text("x,y\n1,<b>\n")
    (folder / "plots").mkdir()
    (folder / "plots" / "p.png").write_bytes(os.urandom(200_000))
    (folder / "output.log").write_text("line\n" * 50_000)
    (folder / "secret").write_text("no suffix")
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "c.json").write_text("{}")
    outside = tmp_path / "outside.txt"
    outside.write_text("outside")
    (folder / "link.txt").symlink_to(outside)
    return folder


def unpacked(chunks: list[bytes]) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(b"".join(chunks))) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_zip_has_what_can_be_fetched_and_nothing_else(run_dir: Path) -> None:
    found = unpacked(list(zip_chunks(run_dir, "top")))
    assert set(found) == {"top/csv/a.csv", "top/plots/p.png", "top/output.log"}
    for name, content in found.items():
        assert content == (run_dir / name.removeprefix("top/")).read_bytes()


def test_the_zip_is_sent_in_pieces(run_dir: Path) -> None:
    (run_dir / "big.txt").write_bytes(os.urandom(3_000_000))
    assert max(map(len, zip_chunks(run_dir, "top"))) < 300_000


def test_a_file_that_grows_shrinks_or_goes_meanwhile_breaks_nothing(run_dir: Path) -> None:
    (run_dir / "a_first.txt").write_bytes(os.urandom(400_000))
    (run_dir / "shrinks.txt").write_text("x" * 500_000)
    (run_dir / "zz_goes.txt").write_text("gone")
    chunks = zip_chunks(run_dir, "top")
    taken = [next(chunks)]
    with (run_dir / "a_first.txt").open("ab") as grown:
        grown.write(b"more" * 100_000)
    (run_dir / "zz_goes.txt").unlink()
    (run_dir / "shrinks.txt").write_text("short")
    found = unpacked([*taken, *chunks])
    assert len(found["top/a_first.txt"]) == 400_000
    assert found["top/shrinks.txt"] == b"short" and "top/zz_goes.txt" not in found


def test_a_zip_that_nobody_reads_to_its_end_leaves_no_file_open(run_dir: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    chunks = zip_chunks(run_dir, "top")
    next(chunks)
    del chunks
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.django_db
def test_the_route_gives_the_zip_and_knows_unknown_simulations(
    client: Client, submit: Submit
) -> None:
    row = submit()
    answer = client.get(f"/simulations/{row.simulation_id}/files.zip")
    assert isinstance(answer, StreamingHttpResponse)
    assert answer["Content-Disposition"] == f'attachment; filename="{row.simulation_id}.zip"'

    async def read() -> list[bytes]:
        return [chunk async for chunk in answer]

    found = unpacked(asyncio.run(read()))
    assert f"{row.simulation_id}/config.json" in found
    assert client.get("/simulations/none/files.zip").status_code == 404


def test_texts_and_tables_are_shown_and_cut(run_dir: Path) -> None:
    table = preview(run_dir, "csv/a.csv")
    assert (table.headings, table.rows, table.is_cut) == (["x", "y"], [["1", "<b>"]], False)
    log = preview(run_dir, "output.log")
    assert len(log.text) == MAX_BYTES and log.is_cut
    (run_dir / "j.json").write_text('{"a":[1]}')
    assert preview(run_dir, "j.json").text == '{\n  "a": [\n    1\n  ]\n}'
    (run_dir / "bad.json").write_text('{"a":')
    assert preview(run_dir, "bad.json").text == '{"a":'
    assert preview(run_dir, "plots/p.png").is_picture
    (run_dir / "wide.csv").write_text(",".join("abc" for _ in range(99)) + "\n1\n")
    assert preview(run_dir, "wide.csv").is_cut and len(preview(run_dir, "wide.csv").headings) == 40


@pytest.mark.parametrize(
    "name", ["../outside.txt", "link.txt", "checkpoints/c.json", "secret", "none.txt", "/etc/x.txt"]
)
def test_nothing_else_can_be_looked_into(run_dir: Path, name: str) -> None:
    found = preview(run_dir, name)
    assert found.problem and not found.text


@pytest.mark.django_db
def test_the_files_are_listed_searched_and_shown_as_figures(
    client: Client, submit: Submit, out_dir: Path
) -> None:
    row = submit()
    folder = out_dir / row.simulation_id
    (folder / "plots").mkdir()
    (folder / "plots" / "loss 0.png").write_bytes(b"x")
    (folder / "evil.csv").write_text("<i>,b\n<script>,2\n")
    address = f"/simulations/{row.simulation_id}/?tab=files"
    results = f"/api/simulations/{row.simulation_id}/results/"
    text = client.get(address).content.decode()
    assert f'href="{results}plots/loss%200.png?download=true"' in text
    assert all(name in text for name in result_files.listed(folder))
    assert "config.json</a>" not in client.get(f"{address}&search=EVIL").content.decode()
    figures = client.get(f"{address}&view=figures").content.decode()
    assert f'<img src="{results}plots/loss%200.png"' in figures
    shown = client.get(f"{address}&file=evil.csv").content.decode()
    assert "<td>&lt;script&gt;</td>" in shown and "<script>," not in shown
