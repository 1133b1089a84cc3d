#!/usr/bin/env python3
"""How large our module is in MicroPython: what it adds to the stock binary, and what a socket takes of the heap."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
TEXT_LIMIT = 40 * 1024
OBJECT_LIMIT = 40  # module.h asserts it: a larger one does not compile
BLOCK = 32  # of the collector

# What one more socket takes of the heap, rounded to its blocks: many, so that nothing else counts.
OBJECT_SCRIPT = """
import gc
try:
    import usocket as socket
except ImportError:
    import socket
n = 200
kept = [None] * n
gc.collect()
before = gc.mem_alloc()
for i in range(n):
    kept[i] = socket.socket()
print((gc.mem_alloc() - before) // n)
"""


@dataclass(frozen=True)
class Size:
    text: int
    data: int


def size_of(program: Path) -> Size:
    """text (code and constants) and data, as size(1) adds them up."""
    words = run("size", str(program)).splitlines()[1].split()
    return Size(int(words[0]), int(words[1]))


def object_size(program: Path) -> int:
    return int(run(str(program), "-c", OBJECT_SCRIPT))


def run(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def report(programs: Path = REPO / "build" / "bin") -> list[str]:
    """Lines to print; says what is missing if the binaries are not there."""
    ours, stock = programs / "micropython", programs / "micropython-stock"
    missing = [program.name for program in (ours, stock) if not program.exists()]
    if missing:
        return [f"{' and '.join(missing)} not there: make micropython"]
    our_size, stock_size = size_of(ours), size_of(stock)
    text = our_size.text - stock_size.text
    heap = object_size(ours)
    return [
        f"MicroPython, text: {our_size.text:,} B, stock {stock_size.text:,} B: our module adds {text:,} B "
        f"(goal: at most {TEXT_LIMIT:,}): {'ok' if text <= TEXT_LIMIT else 'below'}",
        f"MicroPython, data: {our_size.data:,} B, stock {stock_size.data:,} B",
        f"MicroPython, a socket object: at most {OBJECT_LIMIT} B, or it would not compile "
        f"(goal: at most {OBJECT_LIMIT}): ok; it takes {heap // BLOCK} blocks of {BLOCK} B, {heap} B of the heap, "
        f"stock's {object_size(stock)} B",
    ]


if __name__ == "__main__":
    print("\n".join(report(Path(sys.argv[1]) if len(sys.argv) > 1 else REPO / "build" / "bin")))
