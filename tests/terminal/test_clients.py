"""Output is held back until the browser has shown what was sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import pytest

from terminal.clients import HIGH_BYTES, LOW_BYTES, PanelClient, PlainClient
from terminal.messages import MessageError

CHUNK = 64 << 10


class Wire:
    """What a client sent."""

    def __init__(self) -> None:
        self.frames: list[Any] = []
        self.codes: list[int] = []

    async def text(self, text: str) -> None:
        self.frames.append(text)

    async def binary(self, data: bytes) -> None:
        self.frames.append(data)

    async def close(self, code: int) -> None:
        self.codes.append(code)

    def panel(self) -> PanelClient:
        return PanelClient(self.text, self.binary, self.close)

    def size(self) -> int:
        return sum(len(frame) for frame in self.frames if isinstance(frame, bytes))


def play(scene: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(scene, 60))


async def print_for_ever(client: PanelClient) -> None:
    while not client.is_gone:
        await client.output(b"y" * CHUNK)


def test_output_waits_between_the_marks_for_what_is_shown() -> None:
    async def scene() -> None:
        wire = Wire()
        client = wire.panel()
        printing = asyncio.create_task(print_for_ever(client))
        await asyncio.sleep(0.05)
        assert wire.size() == HIGH_BYTES
        client.acknowledge(HIGH_BYTES - LOW_BYTES - 1)
        await asyncio.sleep(0.05)
        assert wire.size() == HIGH_BYTES, "not before the low mark"
        client.acknowledge(1)
        await asyncio.sleep(0.05)
        assert wire.size() == 2 * HIGH_BYTES - LOW_BYTES
        client.leave()
        await printing

    play(scene())


def test_nothing_is_sent_after_the_client_has_left() -> None:
    async def scene() -> None:
        wire = Wire()
        client = wire.panel()
        printing = asyncio.create_task(print_for_ever(client))
        await asyncio.sleep(0.05)
        client.leave()
        await printing
        await client.output(b"late")
        await client.error("late")
        await client.close(1000)
        assert wire.size() == HIGH_BYTES and wire.codes == []

    play(scene())


def test_more_than_was_sent_cannot_be_acknowledged() -> None:
    async def scene() -> None:
        wire = Wire()
        client = wire.panel()
        await client.output(b"12345")
        with pytest.raises(MessageError, match="at most 5, not 6"):
            client.acknowledge(6)
        client.acknowledge(5)

    play(scene())


def test_the_replay_comes_before_what_is_printed_meanwhile() -> None:
    async def scene() -> None:
        wire = Wire()
        client = wire.panel()
        await asyncio.gather(client.begin("x", b"old", True), client.output(b"new"))
        assert json.loads(wire.frames[0]) == {
            "type": "attached",
            "terminal": "x",
            "resumed": True,
            "replay": 3,
        }
        assert wire.frames[1:] == [b"old", b"new"]

    play(scene())


def test_a_character_in_two_reads_is_whole_for_a_plain_client() -> None:
    async def scene() -> None:
        wire = Wire()
        client = PlainClient(wire.text, wire.close)
        data = "größe 日本 🙂".encode()
        for index in range(len(data)):
            await client.output(data[index : index + 1])
        assert "".join(wire.frames) == "größe 日本 🙂"
        await client.output(b"\xff|")
        assert wire.frames[-1] == "�|"

    play(scene())


def test_the_end_is_told_once() -> None:
    async def scene() -> None:
        wire = Wire()
        client = wire.panel()
        await client.ended("exit 0", 1000)
        await client.ended("again", 1000)
        assert json.loads(wire.frames[0]) == {"type": "ended", "reason": "exit 0"}
        assert len(wire.frames) == 1 and wire.codes == [1000]

    play(scene())
