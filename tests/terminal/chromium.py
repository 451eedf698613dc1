"""Debian's Chromium, driven through its debugging protocol."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from websockets.sync.client import ClientConnection, connect

from tests.servers import eventually

CHROMIUM = shutil.which("chromium")
OPTIONS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
QUIET = ["--no-first-run", "--disable-background-networking", "--disable-component-update"]


class Page:
    """A page, what it asked for and what it complained about."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._calls = 0
        self.requests: list[str] = []
        self.complaints: list[str] = []

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._calls += 1
        call = {"id": self._calls, "method": method, "params": parameters}
        self._connection.send(json.dumps(call))
        while (message := json.loads(self._connection.recv(20))).get("id") != self._calls:
            self._note(message)
        assert "error" not in message, message
        return dict(message["result"])

    def _note(self, message: dict[str, Any]) -> None:
        told = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(told["exceptionDetails"]))
            case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                self.complaints.append(told["entry"]["text"])
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning", "assert"):
                self.complaints.append(json.dumps(told["args"]))

    def evaluate(self, script: str) -> Any:
        told = self.call(
            "Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True
        )
        assert "exceptionDetails" not in told, told
        return told["result"].get("value")

    def open(self, url: str) -> None:
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def wait(self, script: str, within_s: float = 60.0) -> Any:
        return eventually(lambda: self.evaluate(script), within_s)

    def click(self, selector: str) -> None:
        box = self.evaluate(
            f"(({{x, y, width, height}}) => [x + width / 2, y + height / 2])"
            f"(document.querySelector({selector!r}).getBoundingClientRect())"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, *box)

    def mouse(self, kind: str, x: float, y: float) -> None:
        left = {"button": "left", "buttons": 1, "clickCount": 1}
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **left)

    def type(self, text: str) -> None:
        for character in text:
            key = {"text": "\r", "key": "Enter", "code": "Enter", "windowsVirtualKeyCode": 13}
            if character != "\n":
                key = {"text": character, "key": character}
            self.call("Input.dispatchKeyEvent", type="keyDown", **key)
            self.call("Input.dispatchKeyEvent", type="keyUp", **{**key, "text": ""})

    def press(self, code: str, key: str, number: int, ctrl: bool = False) -> None:
        pressed = {"code": code, "key": key, "windowsVirtualKeyCode": number}
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, modifiers=2 * ctrl, **pressed)

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot")["data"]))


@contextmanager
def page(profile: Path, width: int = 1280, height: int = 800) -> Iterator[Page]:
    """Start Chromium with an empty profile; yield its page."""
    assert CHROMIUM is not None
    window = [f"--window-size={width},{height}", f"--user-data-dir={profile}"]
    with (profile.parent / "chromium.log").open("wb") as log:
        browser = subprocess.Popen(
            [CHROMIUM, *OPTIONS, *QUIET, *window, "about:blank"], stdout=log, stderr=log
        )
    try:
        port = eventually(lambda: _port(profile))
        with connect(_address(port), proxy=None, max_size=None) as connection:
            found = Page(connection)
            for domain in ("Page", "Runtime", "Log", "Network"):
                found.call(f"{domain}.enable")
            yield found
    finally:
        browser.terminate()
        browser.wait(60)
        time.sleep(0.2)  # Its helpers still write into the profile.


def _port(profile: Path) -> str | None:
    told = profile / "DevToolsActivePort"
    return told.read_text().split()[0] if told.exists() and told.read_text() else None


def _address(port: str) -> str:
    def first_page() -> str | None:
        with urlopen(f"http://127.0.0.1:{port}/json", timeout=5) as answer:
            targets = json.loads(answer.read())
        found = [target for target in targets if target["type"] == "page"]
        return str(found[0]["webSocketDebuggerUrl"]) if found else None

    return str(eventually(first_page, 20))
