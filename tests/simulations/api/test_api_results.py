"""The files of a run over HTTP, and that nothing else can be read through them."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.http import StreamingHttpResponse
from django.test import AsyncClient

from simulations.models import Simulation

SECRET = "nobody may read this"
pytestmark = pytest.mark.django_db(transaction=True)


@dataclass(frozen=True)
class Answer:
    """A response whose body was read to its end, streamed or not."""

    status_code: int
    headers: Mapping[str, str]
    body: bytes

    def __getitem__(self, name: str) -> str:
        return self.headers[name]


class Files:
    """The folder of a run, and how its files are asked for."""

    def __init__(self, row: Simulation, out_dir: Path) -> None:
        self.row, self.folder = row, out_dir / row.simulation_id

    def write(self, name: str, content: bytes | str = "x") -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def get(self, name: str, query: str = "") -> Answer:
        return async_to_sync(self._get)(name, query)

    async def _get(self, name: str, query: str) -> Answer:
        url = f"/api/simulations/{self.row.simulation_id}/results/{name}{query}"
        answer = await AsyncClient().get(url)
        if not answer.streaming:
            return Answer(answer.status_code, answer.headers, answer.content)
        assert isinstance(answer, StreamingHttpResponse)
        body = b"".join([part async for part in answer])
        await sync_to_async(answer.close)()
        return Answer(answer.status_code, answer.headers, body)


@pytest.fixture
def files(submit: Callable[..., Simulation], out_dir: Path) -> Files:
    (out_dir.parent / "secret.txt").write_text(SECRET)
    return Files(submit(), out_dir)


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("plots/loss.png", "image/png"),
        ("plots/loss.PDF", "application/pdf"),
        ("plot_data_0.json", "application/json"),
        ("report.html", "text/html; charset=utf-8"),
        ("a b+%.txt", "text/plain; charset=utf-8"),
        ("output.log", "text/plain; charset=utf-8"),
        ("latex/table.tex", "text/plain; charset=utf-8"),
    ],
)
def test_a_file_is_served_with_its_type(files: Files, name: str, kind: str) -> None:
    content = bytes(range(256)) * 1000
    files.write(name, content)
    answer = files.get(quote(name))
    assert answer.status_code == 200
    assert answer.body == content
    assert answer["Content-Type"] == kind
    assert answer["Content-Length"] == str(len(content))
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_download_makes_an_attachment_of_any_type(files: Files) -> None:
    files.write("plots/loss.png", b"png")
    files.write("csv/metrics.csv", "a\n1\n")
    png = files.get("plots/loss.png", "?download=true")
    table = files.get("csv/metrics.csv", "?download=true")
    assert png["Content-Disposition"] == 'attachment; filename="loss.png"'
    assert table["Content-Disposition"] == 'attachment; filename="metrics.csv"'
    assert (table.body, table["Content-Type"]) == (b"a\n1\n", "text/csv; charset=utf-8")


def test_html_is_put_into_a_sandbox(files: Files) -> None:
    files.write("report.html", "<script>alert(1)</script>")
    assert files.get("report.html")["Content-Security-Policy"] == "sandbox"


def test_csv_is_an_array_of_records(files: Files) -> None:
    files.write(
        "csv/t.csv",
        'round,loss,note,empty,bad\r\n1,2.5e-1,"a, b",,nan\r\n2,-3,007,,inf\r\n',
    )
    answer = files.get("csv/t.csv")
    assert answer["Content-Type"] == "application/json"
    assert json.loads(answer.body) == [
        {"round": 1, "loss": 0.25, "note": "a, b", "empty": None, "bad": None},
        {"round": 2, "loss": -3, "note": 7.0, "empty": None, "bad": None},
    ]


@pytest.mark.parametrize("count", [0, 1, 499, 500, 501, 1500])
def test_csv_of_any_length_is_one_array(files: Files, count: int) -> None:
    files.write("t.csv", "n\n" + "".join(f"{number}\n" for number in range(count)))
    assert json.loads(files.get("t.csv").body) == [{"n": number} for number in range(count)]


def test_an_encoded_slash_is_a_slash(files: Files) -> None:
    files.write("csv/t.txt", "yes")
    assert files.get("csv%2Ft.txt").body == b"yes"


@pytest.mark.parametrize(
    "name", ["model.pkl", "noext", "run.py", "x.svg", "db.sqlite3", "a.csv.gz"]
)
def test_another_type_is_400(files: Files, name: str) -> None:
    files.write(name)
    answer = files.get(name)
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"
    assert ".png" in json.loads(answer.body)["detail"]


@pytest.mark.parametrize(
    "name",
    [
        "missing.txt",
        "../secret.txt",
        "../../secret.txt",
        "%2e%2e/%2e%2e/secret.txt",
        "..%2f..%2fsecret.txt",
        "%2e%2e%2f%2e%2e%2fsecret.txt",
        "%252e%252e%252fsecret.txt",
        "plots/../../secret.txt",
        "plots/./../../secret.txt",
        "..%5c..%5csecret.txt",
        "plots%5C..%5Csecret.txt",
        "C:%5Csecret.txt",
        "%00secret.txt",
        "secret.txt%00.png",
        "..%c0%af..%c0%afsecret.txt",
        "....//....//secret.txt",
        "/etc/hostname.txt",
        "//etc/passwd.txt",
        "%2fetc%2fpasswd.txt",
        "link.txt",
        "linked/secret.txt",
        "inner.txt",
        "folder.txt",
        "pipe.txt",
        ".hidden.txt",
        ".git/config.txt",
        "checkpoints/state.json",
        "datasets/client.csv",
        "x" * 300 + ".txt",
        "a/" * 3000 + "b.txt",
    ],
)
def test_nothing_leads_out_of_the_folder(files: Files, out_dir: Path, name: str) -> None:
    files.write("plots/real.png")
    files.write(".hidden.txt", SECRET)
    files.write(".git/config.txt", SECRET)
    files.write("checkpoints/state.json", SECRET)
    files.write("datasets/client.csv", SECRET)
    (files.folder / "link.txt").symlink_to(out_dir.parent / "secret.txt")
    (files.folder / "inner.txt").symlink_to(files.folder / "status.json")
    (files.folder / "linked").symlink_to(out_dir.parent)
    (files.folder / "folder.txt").mkdir()
    os.mkfifo(files.folder / "pipe.txt")
    answer = files.get(name)
    assert answer.status_code in (400, 404)
    assert answer["Content-Type"] == "application/problem+json"
    assert SECRET.encode() not in answer.body
    assert str(out_dir).encode() not in answer.body


def test_only_files_that_are_served_are_listed(files: Files, out_dir: Path) -> None:
    for name in ("plots/loss.png", "model.pkl", ".writing-x.json", "checkpoints/state.json"):
        files.write(name)
    (files.folder / "link.txt").symlink_to(out_dir.parent / "secret.txt")
    (files.folder / "linked").symlink_to(out_dir.parent)
    os.mkfifo(files.folder / "pipe.txt")
    detail = async_to_sync(AsyncClient().get)(f"/api/simulations/{files.row.simulation_id}").json()
    assert detail["result_files"] == ["config.json", "plots/loss.png", "status.json"]
    for name in detail["result_files"]:
        assert files.get(name).status_code == 200


@pytest.mark.parametrize("simulation_id", ["..", "a.b", "%2e%2e", "x" * 65, "a b", "%00", "ü"])
def test_a_bad_simulation_id_is_400(files: Files, simulation_id: str) -> None:
    url = f"/api/simulations/{simulation_id}/results/secret.txt"
    assert async_to_sync(AsyncClient().get)(url).status_code in (400, 404)


def test_an_open_file_is_closed_after_it_was_sent(files: Files) -> None:
    files.write("a.txt")
    before = open_files()
    for _ in range(20):
        files.get("a.txt")
    assert open_files() <= before + 2


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))
