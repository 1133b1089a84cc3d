"""How much of a device the module takes."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hosts import OURS, REPO, SLIM, STOCK

MOST_TEXT_OF_THE_FIRST = 43_008  # 42 KiB, of what the module had at first: without what is counted below
MOST_TEXT = 67_584  # 66 KiB, with `select`, callbacks and the race of create_connection
MOST_TEXT_FOR_TLS = 22_528  # 22 KiB, less what the host's own `tls` takes; the library is there either way


def size_of(binary: Path) -> dict[str, int]:
    titles, numbers = subprocess.run(["size", binary], check=True, capture_output=True, text=True).stdout.splitlines()
    return {title: int(number) for title, number in zip(titles.split()[:3], numbers.split()[:3], strict=True)}


def test_text_that_the_module_adds() -> None:
    assert size_of(OURS.path)["text"] - size_of(STOCK.path)["text"] <= MOST_TEXT + MOST_TEXT_FOR_TLS


@pytest.mark.parts
@pytest.mark.timeout(900)
def test_text_of_what_the_module_had_at_first() -> None:
    subprocess.run([REPO / "tools" / "micropython", "stock", "slim"], check=True, capture_output=True)
    assert size_of(SLIM.path)["text"] - size_of(STOCK.path)["text"] <= MOST_TEXT_OF_THE_FIRST


@pytest.mark.parametrize(("windows", "size", "memory"), [(0, 65536, 0), (1, 1024, 1024), (2, 4096, 8192)])
def test_memory_of_the_windows(windows: int, size: int, memory: int, tmp_path: Path) -> None:
    """USOCKET_WINDOWS and USOCKET_WINDOW_SIZE say what readline() may take, and next to nothing comes on top."""
    flags = [f"-DUSOCKET_WINDOWS={windows}", f"-DUSOCKET_WINDOW_SIZE={size}", "-DUSOCKET_SMALL"]
    includes = [f"-I{REPO / 'include'}", f"-I{REPO / 'src'}"]
    source, compiled = REPO / "src" / "stream" / "window.cpp", tmp_path / "window.o"
    subprocess.run(["g++", "-std=c++20", "-Os", *flags, *includes, "-c", source, "-o", compiled], check=True)
    assert memory <= size_of(compiled)["bss"] <= memory + 8 + 72 * max(windows, 1)
