"""Real shells: what is typed and printed, and that nothing of them is left."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from terminal import keeper
from terminal.pty import MAX_PENDING_BYTES, READ_BYTES, Ending, Pty, Size
from tests.servers import eventually
from tests.terminal.live import is_alive

ROOT = Path(__file__).parents[2]
SHELL = ["/bin/bash", "--norc", "--noprofile"]
ENVIRONMENT = {"PATH": os.environ["PATH"], "TERM": "xterm", "LANG": "C.UTF-8", "PS1": "$ "}
HOSTILE = {
    "in the background": "sleep 600 &",
    "nohup": "nohup sleep 600 > /dev/null 2>&1 &",
    "disowned": "sleep 600 & disown",
    "its own session": "setsid sleep 600 &",
    "forked twice": "(setsid sh -c 'setsid sleep 600 & exit' &)",
    "deaf to signals": 'python3 -c "import signal, time; '
    '[signal.signal(n, signal.SIG_IGN) for n in (1, 2, 15)]; time.sleep(600)" &',
    "stopped": "sleep 600 & sleep 0.3; kill -STOP $!",
    "a shell in a shell": "bash -c 'trap \"\" HUP TERM; sleep 600; :' &",
}

Scene = Callable[[Pty], Awaitable[None]]


def play(scene: Scene, folder: Path = ROOT, max_processes: int = 200) -> Ending:
    """Run a scene with a shell; return how the shell ended."""

    async def whole() -> Ending:
        pty = Pty(SHELL, ENVIRONMENT, folder, max_processes)
        try:
            await asyncio.wait_for(scene(pty), 60)
        finally:
            ending = await pty.end()
            pty.close()
        return ending

    return asyncio.run(whole())


async def until(pty: Pty, text: str | bytes) -> bytes:
    wanted = text.encode() if isinstance(text, str) else text
    printed = b""
    while wanted not in printed:
        chunk = await asyncio.wait_for(pty.read(), 60)
        assert chunk, printed
        printed += chunk
    return printed


def count_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def family(pty: Pty) -> list[psutil.Process]:
    return [p for p in psutil.Process(pty.pid).children(recursive=True) if is_alive(p)]


def test_a_shell_runs_in_the_folder_on_a_terminal_of_the_size(tmp_path: Path) -> None:
    async def scene(pty: Pty) -> None:
        pty.resize(Size(rows=33, cols=111))
        pty.write(b"pwd; stty size; tty; echo $-; echo fi''n\n")
        printed = (await until(pty, "fin\r\n")).decode()
        assert f"{tmp_path}\r\n33 111\r\n/dev/pts/" in printed
        assert "i" in printed.splitlines()[-2], "interactive"
        assert "job control" not in printed

    play(scene, tmp_path)


def test_exit_tells_its_code_and_the_last_words() -> None:
    async def scene(pty: Pty) -> None:
        pty.write(b"echo last words; exit 7\n")
        printed = b""
        while chunk := await asyncio.wait_for(pty.read(), 60):
            printed += chunk
        assert b"\rlast words\r\n" in printed
        assert await pty.ended == Ending(7, keeper.ENDED)

    assert play(scene).exit_code == 7


def test_a_signal_is_a_negative_code() -> None:
    async def scene(pty: Pty) -> None:
        pty.write(b"kill -KILL $$\n")
        await asyncio.wait_for(pty.ended, 60)

    assert play(scene) == Ending(-9, keeper.ENDED)


@pytest.mark.parametrize("ends_by_itself", [True, False], ids=["exit", "closed"])
def test_nothing_a_shell_started_survives_it(ends_by_itself: bool) -> None:
    found: list[psutil.Process] = []

    async def scene(pty: Pty) -> None:
        for command in HOSTILE.values():
            pty.write(f"{command}\n".encode())
        pty.write(b"echo read''y\n")
        await until(pty, "ready\r\n")
        await asyncio.sleep(0.5)
        found.extend(family(pty))
        names = [process.name() for process in found]
        assert names.count("sleep") == 7 and "python3" in " ".join(names), names
        if ends_by_itself:
            pty.write(b"exit\n")
            pty.write(b"exit\n")  # bash warns of stopped jobs once.
            await asyncio.wait_for(pty.ended, 60)

    ending = play(scene)
    assert ending.reason == (keeper.ENDED if ends_by_itself else keeper.ASKED)
    assert [process for process in found if is_alive(process)] == []


def test_one_deaf_to_signals_is_killed_after_the_grace() -> None:
    async def scene(pty: Pty) -> None:
        pty.write(HOSTILE["deaf to signals"].encode() + b"\necho read''y\n")
        await until(pty, "ready\r\n")
        found = family(pty)
        await pty.end()
        assert [process for process in found if is_alive(process)] == []

    play(scene)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_survives_a_server_that_is_killed(number: int, tmp_path: Path) -> None:
    code = f"""
import asyncio
from pathlib import Path
from terminal.pty import Pty
async def main():
    pty = Pty({SHELL!r}, {ENVIRONMENT!r}, Path("/"), 200)
    pty.write(b"setsid sleep 600 & nohup sleep 600 & echo read''y\\n")
    while b"ready\\r\\n" not in await pty.read(): pass
    print(pty.pid, flush=True)
    await asyncio.sleep(600)
asyncio.run(main())
"""
    server = subprocess.Popen([sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE)
    assert server.stdout is not None
    own_keeper = psutil.Process(int(server.stdout.readline()))
    eventually(lambda: len(own_keeper.children(recursive=True)) >= 3)
    found = [own_keeper, *own_keeper.children(recursive=True)]
    server.send_signal(number)
    server.communicate(timeout=60)
    eventually(lambda: not any(is_alive(process) for process in found))


def test_a_keeper_that_is_killed_is_told_and_the_shell_hung_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shells: list[psutil.Process] = []

    async def scene(pty: Pty) -> None:
        pty.write(b"echo read''y\n")
        await until(pty, "ready\r\n")
        shells.extend(family(pty))
        os.kill(pty.pid, signal.SIGKILL)
        await asyncio.wait_for(pty.ended, 60)

    assert play(scene).exit_code is None
    eventually(lambda: not any(is_alive(shell) for shell in shells))
    assert "ended by itself" in caplog.text


def test_too_many_processes_end_the_shell(tmp_path: Path) -> None:
    """A bomb that stops growing by itself, should the keeper fail."""
    bomb = tmp_path / "bomb.sh"
    bomb.write_text('[ "$1" -gt 0 ] && for i in 1 2; do bash "$0" $(($1 - 1)) & done; sleep 60\n')
    found: list[psutil.Process] = []

    async def scene(pty: Pty) -> None:
        pty.write(f"bash {bomb} 6 &\n".encode())
        while not pty.ended.done():
            with suppress(psutil.NoSuchProcess):
                found.extend(family(pty))
            await asyncio.sleep(0.01)

    ending = play(scene, max_processes=40)
    assert ending.reason == keeper.FULL
    assert found and [process for process in found if is_alive(process)] == []


def test_who_does_not_read_stops_the_shell() -> None:
    async def scene(pty: Pty) -> None:
        pty.write(b"yes\n")
        await until(pty, "y\r\ny\r\n")
        yes = next(p for p in family(pty) if p.name() == "yes")
        await asyncio.sleep(0.3)
        before = yes.cpu_times().user + yes.cpu_times().system
        await asyncio.sleep(1)
        after = yes.cpu_times().user + yes.cpu_times().system
        assert after - before < 0.1
        pty.write(b"\x03")
        await until(pty, "^C")

    play(scene)


def test_a_read_is_bounded() -> None:
    async def scene(pty: Pty) -> None:
        pty.write(b"head -c 3000000 /dev/zero | tr '\\0' x; echo fi''n\n")
        total = 0
        while b"fin" not in (chunk := await asyncio.wait_for(pty.read(), 60)):
            assert len(chunk) <= READ_BYTES
            total += len(chunk)
        assert total + len(chunk) > 3_000_000

    play(scene)


def test_what_is_typed_waits_for_a_program_that_does_not_read_but_only_so_much() -> None:
    async def scene(pty: Pty) -> None:
        pty.write(b"stty raw -echo; echo read''y; sleep 1; head -c 200000 | wc -c; stty sane\n")
        await until(pty, "ready")
        assert pty.write(b"k" * 200_000)
        assert not pty.write(b"k" * MAX_PENDING_BYTES)
        assert b"200000" in await until(pty, "200000")

    play(scene)


def test_backspace_erases_a_whole_character() -> None:
    async def scene(pty: Pty) -> None:
        pty.write(b"cat > /dev/null\n")
        await until(pty, "null\r\n")
        pty.write("ü\x7f\x7f".encode())
        assert (await until(pty, "\b \b")).count(b"\b \b") == 1
        pty.write(b"\x04")

    play(scene)


def test_no_file_of_the_server_reaches_the_shell(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("nobody may read this")

    async def scene(pty: Pty) -> None:
        pty.write(b"ls -l /proc/$$/fd; echo fi''n\n")
        printed = (await until(pty, "fin\r\n")).decode()
        links = [line for line in printed.splitlines() if " -> " in line]
        assert links and all(" -> /dev/pts/" in line or " -> /dev/tty" in line for line in links)

    with secret.open():
        play(scene)


def test_a_shell_that_cannot_start_is_told() -> None:
    async def whole() -> Ending:
        pty = Pty(["/no/such/shell"], ENVIRONMENT, ROOT, 10)
        ending = await asyncio.wait_for(pty.ended, 60)
        assert await pty.read() == b""
        pty.close()
        return ending

    assert "/no/such/shell" in asyncio.run(whole()).reason


def test_all_files_are_given_back() -> None:
    async def scene(pty: Pty) -> None:
        await pty.read()

    play(scene)
    before = count_files()
    for _ in range(3):
        play(scene)
    assert count_files() == before
