from __future__ import annotations

from terminal.replay import MAX_BYTES, OTHER_SCREEN, Replay


def of(*chunks: bytes) -> bytes:
    replay = Replay()
    for chunk in chunks:
        replay.append(chunk)
    return replay.content()


def test_what_is_little_is_kept_whole() -> None:
    assert of(b"$ ls\r\n", b"a  b\r\n", b"$ ") == b"$ ls\r\na  b\r\n$ "


def test_of_much_the_end_is_kept_from_the_start_of_a_line() -> None:
    lines = [f"line {number} größe\r\n".encode() for number in range(100_000)]
    kept = of(*lines)
    assert MAX_BYTES - 40 < len(kept) <= MAX_BYTES
    assert kept.startswith(b"line ") and b"".join(lines).endswith(kept)


def test_memory_is_bounded_while_output_comes() -> None:
    replay = Replay()
    for _ in range(200):
        replay.append(b"y\r\n" * 20_000)
        assert len(replay._kept) <= 2 * MAX_BYTES + 60_000


def test_one_line_without_an_end_is_bounded_too() -> None:
    assert len(of(b"x" * (5 * MAX_BYTES))) == MAX_BYTES


def test_an_editor_that_is_still_open_gets_its_own_screen() -> None:
    much = b"text\r\n" * MAX_BYTES
    assert of(b"\x1b[?1049h", much).startswith(OTHER_SCREEN + b"text")
    assert of(b"\x1b[?1047h", much).startswith(OTHER_SCREEN)
    assert of(b"\x1b[?1049h", b"\x1b[?1049l", much).startswith(b"text")
    # Left in what is kept, so it must be there to be left.
    assert of(b"\x1b[?1049h", much, b"\x1b[?1049l$ ").startswith(OTHER_SCREEN)
    assert of(much).startswith(b"text")
