"""A Hugging Face hub on this machine: real HTTP for the real client, with a few small things."""

from __future__ import annotations

import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

REVISION = "a" * 40
Answer = tuple[int, dict[str, str], bytes]
RANGE = re.compile(r"bytes=(\d+)-(\d+)")
MESSAGES = {
    "RepoNotFound": (404, "Repository not found"),
    "Private": (401, "Invalid username or password."),
    "GatedRepo": (403, "Access to this dataset is restricted; visit its page to ask for access."),
    "Broken": (503, "Service unavailable"),
}


class Hub:
    """Datasets and models by name: folders, or a key of MESSAGES for what is refused."""

    def __init__(self) -> None:
        self.datasets: dict[str, Path | str] = {}
        self.asked: list[str] = []

    def answer(self, path: str) -> Answer:
        parts = unquote(urlsplit(path).path).strip("/").split("/")
        is_api = parts[0] == "api"
        # The address of a model's file has no word for the kind of repository before its name.
        first = 1 + is_api if is_api or parts[0] == "datasets" else 0
        name, rest = "/".join(parts[first : first + 2]), parts[first + 2 :]
        found = self.datasets.get(name, "RepoNotFound")
        if isinstance(found, str):
            return _refusal(found)
        if not is_api:
            return _file(found / "/".join(rest[2:]))
        if rest[:1] == ["tree"]:
            pattern = "**/*" if "recursive=true" in path else "*"
            return _json(_tree(found, "/".join(rest[2:]), pattern))
        files = [entry for entry in _tree(found, "") if entry["type"] == "file"]
        siblings = [{"rfilename": entry["path"]} for entry in files]
        about = {"id": name, "sha": REVISION, "siblings": siblings, "gated": False}
        return _json(about | {"private": False, "tags": [], "downloads": 0, "likes": 0})

    def paths_info(self, path: str, wanted: list[str]) -> Answer:
        found = self.datasets.get(
            "/".join(unquote(path).strip("/").split("/")[2:4]), "RepoNotFound"
        )
        if isinstance(found, str):
            return _refusal(found)
        return _json([entry for entry in _tree(found, "") if entry["path"] in wanted])


@contextmanager
def serving() -> Iterator[tuple[Hub, str]]:
    """Give a hub and its address."""
    hub = Hub()

    class Requests(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Otherwise each answer waits 40 ms for the acknowledgement of its own headers.
        wbufsize = -1

        def do_GET(self) -> None:
            status, headers, body = hub.answer(self.path)
            asked = RANGE.fullmatch(self.headers.get("Range", ""))
            if status == 200 and asked is not None:
                first, last = int(asked[1]), int(asked[2])
                headers |= {"Content-Range": f"bytes {first}-{last}/{len(body)}"}
                status, body = 206, body[first : last + 1]
            self._send(status, headers, body)

        do_HEAD = do_GET

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._send(*hub.paths_info(self.path, parse_qs(form)["paths"]))

        def _send(self, status: int, headers: dict[str, str], body: bytes) -> None:
            hub.asked.append(f"{self.command} {self.path}")
            self.send_response(status)
            for key, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(key, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield hub, f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _tree(folder: Path, below: str, pattern: str = "**/*") -> list[dict[str, object]]:
    return [_entry(folder, path) for path in sorted((folder / below).glob(pattern))]


def _entry(folder: Path, path: Path) -> dict[str, object]:
    content = path.read_bytes() if path.is_file() else b""
    return {
        "type": "file" if path.is_file() else "directory",
        "path": str(path.relative_to(folder)),
        "size": len(content),
        "oid": hashlib.sha1(content).hexdigest(),
    }


def _file(path: Path) -> Answer:
    if not path.is_file():
        return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": REVISION}, b""
    body = path.read_bytes()
    etag = hashlib.sha1(body).hexdigest()
    return 200, {"ETag": f'"{etag}"', "X-Repo-Commit": REVISION}, body


def _json(value: object) -> Answer:
    return 200, {"Content-Type": "application/json"}, json.dumps(value).encode()


def _refusal(key: str) -> Answer:
    status, message = MESSAGES[key]
    code = {"Private": "RepoNotFound"}.get(key, key)
    headers = {"X-Error-Code": code, "X-Error-Message": message, "Content-Type": "application/json"}
    return status, headers, json.dumps({"error": message}).encode()
