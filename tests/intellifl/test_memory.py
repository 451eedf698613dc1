from __future__ import annotations

import platform
import subprocess
import sys

import pytest

ARENAS = """
import ctypes, sys, tempfile, threading
from intellifl.memory import use_one_arena

if sys.argv[1] == "one":
    use_one_arena()
all_hold = threading.Barrier(5)

def hold():
    held = [bytearray(10_000) for _ in range(100)]
    all_hold.wait()
    all_hold.wait()

threads = [threading.Thread(target=hold) for _ in range(4)]
for thread in threads:
    thread.start()
all_hold.wait()
libc = ctypes.CDLL(None)
libc.fopen.restype = ctypes.c_void_p
with tempfile.NamedTemporaryFile() as told:
    file = ctypes.c_void_p(libc.fopen(told.name.encode(), b"w"))
    libc.malloc_info(0, file)
    libc.fclose(file)
    print(told.read().count(b"<heap nr="))
all_hold.wait()
"""


def arenas(wish: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", ARENAS, wish], capture_output=True, text=True, check=True, timeout=60
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has arenas")
def test_threads_share_one_place_for_memory() -> None:
    assert arenas("as it is") > 1
    assert arenas("one") == 1
