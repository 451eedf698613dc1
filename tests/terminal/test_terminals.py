"""Terminals with real shells, and clients that note what they are sent."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import psutil
import pytest

from terminal import clients, shell, terminals
from terminal.clients import Client
from terminal.pty import Size
from terminal.terminals import Owner, Terminal, Terminals, TooMany
from tests.terminal.live import is_alive

Scene = Callable[[Terminals], Awaitable[None]]


class Viewer(Client):
    """Takes everything, or nothing once it is `stalled`."""

    def __init__(self) -> None:
        super().__init__(self._note)
        self.printed = b""
        self.begun: list[tuple[bytes, bool]] = []
        self.code: int | None = None
        self.reason = ""
        self.stalled = False

    async def _note(self, code: int) -> None:
        self.code = code

    async def begin(self, terminal_id: str, replay: bytes, is_resumed: bool) -> None:
        self.begun.append((replay, is_resumed))

    async def output(self, data: bytes) -> None:
        while self.stalled and not self.is_gone:
            await asyncio.sleep(0.01)
        if not self.is_gone:
            self.printed += data

    async def error(self, detail: str) -> None:
        raise AssertionError(detail)

    async def ended(self, reason: str, code: int) -> None:
        self.reason = reason
        await super().ended(reason, code)


class Permission:
    is_given = True

    async def ask(self) -> bool:
        return self.is_given


def owner(user_id: int = 1, permission: Permission | None = None) -> Owner:
    return Owner(user_id, "ada", "127.0.0.1:5", (permission or Permission()).ask)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "CHECK_S", 0.05)
    monkeypatch.setattr(shell, "command", lambda: ["/bin/bash", "--norc", "--noprofile"])


def play(scene: Scene) -> None:
    async def whole() -> None:
        all_terminals = Terminals()
        try:
            await asyncio.wait_for(scene(all_terminals), 60)
        finally:
            for terminal in list(all_terminals._open):
                await all_terminals.end(terminal, "the test is over")
        assert all_terminals._open == {}

    asyncio.run(whole())


async def eventually(condition: Callable[[], Any], within_s: float = 60.0) -> Any:
    async with asyncio.timeout(within_s):
        while not (answer := condition()):
            await asyncio.sleep(0.02)
    return answer


@asynccontextmanager
async def opened(all_terminals: Terminals, whose: Owner) -> AsyncIterator[tuple[Terminal, Viewer]]:
    terminal, viewer = await all_terminals.open(whose), Viewer()
    await terminal.attach(viewer)
    yield terminal, viewer


async def say(terminal: Terminal, viewer: Viewer, word: str) -> None:
    assert terminal.type(f" echo {word[:1]}''{word[1:]}\n".encode())
    await eventually(lambda: word.encode() in viewer.printed)


def is_gone(terminal: Terminal) -> bool:
    return not psutil.pid_exists(terminal.pty.pid)


def test_a_shell_that_exits_ends_its_terminal() -> None:
    async def scene(all_terminals: Terminals) -> None:
        async with opened(all_terminals, owner()) as (terminal, viewer):
            terminal.type(b"exit 3\n")
            await eventually(lambda: viewer.code)
            assert (viewer.code, viewer.reason) == (1000, "exit 3")
            assert is_gone(terminal) and not all_terminals._open
            assert all_terminals.find(terminal.id, 1) is None

    play(scene)


def test_who_comes_back_sees_what_was_printed_and_goes_on() -> None:
    async def scene(all_terminals: Terminals) -> None:
        async with opened(all_terminals, owner()) as (terminal, first):
            await say(terminal, first, "before")
            terminal.detach(first)
            terminal.type(b" echo while''away\n")
            await asyncio.sleep(0.5)
            assert b"whileaway" not in first.printed

            second = Viewer()
            found = all_terminals.find(terminal.id, 1)
            assert found is terminal
            await found.attach(second, is_resumed=True)
            replay, is_resumed = second.begun[0]
            assert is_resumed and b"before\r\n" in replay and b"whileaway\r\n" in replay
            await say(terminal, second, "after")
            assert b"before" not in second.printed

    play(scene)


def test_the_newest_browser_takes_a_terminal_over_without_loss_or_repetition() -> None:
    async def scene(all_terminals: Terminals) -> None:
        async with opened(all_terminals, owner()) as (terminal, first):
            first.stalled = True
            terminal.type(b" for i in $(seq 3000); do echo n$i; done; echo fi''n\n")
            await asyncio.sleep(0.5)
            second = Viewer()
            await terminal.attach(second, is_resumed=True)
            assert first.code == clients.REPLACED
            terminal.detach(first)
            assert terminal.client is second, "the former one leaving changes nothing"
            await eventually(lambda: b"fin\r\n" in second.printed)
            numbers = re.findall(rb"n(\d+)\r\n", second.begun[0][0] + second.printed)
            assert [int(number) for number in numbers] == list(range(1, 3001))

    play(scene)


def test_another_user_does_not_find_it() -> None:
    async def scene(all_terminals: Terminals) -> None:
        async with opened(all_terminals, owner(1)) as (terminal, _):
            assert all_terminals.find(terminal.id, 2) is None
            assert all_terminals.find(terminal.id + "x", 1) is None
            assert all_terminals.find("größe", 1) is None

    play(scene)


def test_nothing_happening_for_long_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "IDLE_S", 0.6)

    async def scene(all_terminals: Terminals) -> None:
        async with opened(all_terminals, owner()) as (terminal, viewer):
            for _ in range(6):
                await asyncio.sleep(0.2)
                terminal.type(b" ")
            assert viewer.code is None, "keys are something"
            terminal.type(b"\x15while :; do echo o; sleep 0.2; done\n")
            await asyncio.sleep(1.5)
            assert viewer.code is None, "output is something"
            terminal.type(b"\x03")
            code = await eventually(lambda: viewer.code)
            assert (code, viewer.reason) == (clients.IDLE, "idle")
            assert is_gone(terminal)

    play(scene)


def test_a_terminal_that_was_left_ends_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminals, "DETACHED_S", 0.8)

    async def scene(all_terminals: Terminals) -> None:
        async with opened(all_terminals, owner()) as (terminal, viewer):
            await asyncio.sleep(1.2)
            assert not is_gone(terminal), "it was not left"
            terminal.type(b"setsid sleep 600 &\n")
            await asyncio.sleep(0.2)
            found = psutil.Process(terminal.pty.pid).children(recursive=True)
            assert len(found) == 2
            terminal.detach(viewer)
            await eventually(lambda: is_gone(terminal))
            assert not any(is_alive(process) for process in found)

    play(scene)


def test_a_user_who_signs_out_loses_it() -> None:
    permission = Permission()

    async def scene(all_terminals: Terminals) -> None:
        async with opened(all_terminals, owner(permission=permission)) as (terminal, viewer):
            await asyncio.sleep(0.3)
            assert viewer.code is None
            permission.is_given = False
            code = await eventually(lambda: viewer.code)
            assert (code, viewer.reason) == (clients.NOT_ALLOWED, "signed out")
            assert is_gone(terminal)

    play(scene)


def test_no_more_than_four_but_left_ones_of_the_same_user_make_way() -> None:
    async def scene(all_terminals: Terminals) -> None:
        opening = [opened(all_terminals, owner(1)).__aenter__() for _ in range(4)]
        opened_ones = [await one for one in opening]
        for whose in (1, 2):
            with pytest.raises(TooMany):
                await all_terminals.open(owner(whose))
        for terminal, viewer in (opened_ones[2], opened_ones[1]):
            terminal.detach(viewer)
            await asyncio.sleep(0.02)
        with pytest.raises(TooMany):
            await all_terminals.open(owner(2))
        fifth = await all_terminals.open(owner(1))
        assert is_gone(opened_ones[2][0]), "the one that was left first"
        assert not is_gone(opened_ones[1][0]) and not is_gone(fifth)
        assert len(all_terminals._open) == 4

    play(scene)


def test_two_that_open_at_once_do_not_exceed_the_number() -> None:
    async def scene(all_terminals: Terminals) -> None:
        for _ in range(4):
            await all_terminals.open(owner(1))  # Nobody looks at them.
        await asyncio.gather(*(all_terminals.open(owner(1)) for _ in range(3)))
        assert len(all_terminals._open) == 4

    play(scene)


def test_a_viewer_that_takes_nothing_does_not_delay_the_end() -> None:
    async def scene(all_terminals: Terminals) -> None:
        async with opened(all_terminals, owner()) as (terminal, viewer):
            await say(terminal, viewer, "ready")
            viewer.stalled = True
            terminal.type(b"yes\n")
            await asyncio.sleep(0.3)
            async with asyncio.timeout(terminals.DRAIN_S + 4):
                await all_terminals.end(terminal, "closed by its user")
            assert viewer.reason == "closed by its user"

    play(scene)


def test_what_is_left_open_is_read_slowly_and_bounded() -> None:
    async def scene(all_terminals: Terminals) -> None:
        async with opened(all_terminals, owner()) as (terminal, viewer):
            await say(terminal, viewer, "ready")
            terminal.detach(viewer)
            terminal.type(b"yes\n")
            await asyncio.sleep(1.5)
            assert len(terminal._replay._kept) < 3 << 20
            second = Viewer()
            await terminal.attach(second, is_resumed=True)
            terminal.type(b"\x03")
            await eventually(lambda: b"^C" in second.printed)

    play(scene)


def test_the_size_reaches_the_shell() -> None:
    async def scene(all_terminals: Terminals) -> None:
        async with opened(all_terminals, owner()) as (terminal, viewer):
            terminal.resize(Size(rows=17, cols=71))
            terminal.type(b"stty size\n")
            await eventually(lambda: b"17 71" in viewer.printed)

    play(scene)


def test_opening_and_closing_are_logged_without_what_is_typed(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")

    async def scene(all_terminals: Terminals) -> None:
        async with opened(all_terminals, owner()) as (terminal, viewer):
            await say(terminal, viewer, "canary")
            terminal.type(b"exit\n")
            await eventually(lambda: viewer.code)

    play(scene)
    lines = [record.getMessage() for record in caplog.records if record.name == "terminal.audit"]
    assert len(lines) == 2
    assert "opened by 'ada' from 127.0.0.1:5" in lines[0]
    assert "of 'ada' from 127.0.0.1:5 closed after" in lines[1] and "exit 0" in lines[1]
    assert "canary" not in caplog.text


def test_a_shell_that_cannot_start_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> list[str]:
        raise FileNotFoundError("there is no shell")

    monkeypatch.setattr(shell, "command", none)

    async def scene(all_terminals: Terminals) -> None:
        for _ in range(6):
            with pytest.raises(FileNotFoundError):
                await all_terminals.open(owner())
        assert all_terminals._open == {}

    play(scene)
