#!/usr/bin/env python3
"""How fast the module is on a microcontroller beside MicroPython's own for lwIP (extmod/modlwip.c), on the same board
with the same lwIP, options and driver: instructions of an operation, counted by QEMU. They do not depend on the machine
that this runs on.

    firmware_speed.py            builds both firmwares, without TLS, and prints the table
    firmware_speed.py --write    and writes it into bench/results/firmware.md
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import report

REPO = Path(__file__).resolve().parent.parent
WORKER = REPO / "bench" / "firmware_worker.py"
RESULT = REPO / "bench" / "results" / "firmware.md"
TIME_LIMIT_S = 300

Layout = Callable[[list[str], list[list[str]]], str]


@dataclass(frozen=True)
class Work:
    """A work item of firmware_worker.py, and how many times less than modlwip ours is to take."""

    name: str
    title: str
    goal: float | None


WORKS = (
    Work("lines_400", "lines of 400 B out of a full pipe", None),
    Work("lines_80", "lines of 80 B out of a full pipe", 20),
    Work("lines_8", "lines of 8 B out of a full pipe", None),
    Work("echo_line", "echo of a line of 80 B: both ends write it and read it", None),
    Work("round_trip", "64 B there and back: 2 sends, 2 recvs", 1),
    Work("recv_64", "recv(64), data there", None),
    Work("read_16", "read(16), data there", None),
    Work("readinto_1k", "readinto of 1 KiB, data there", 1),
    Work("bulk", "4 KiB over: write, readinto", 1),
    Work("read_eof", "read() to EOF of 32 KiB", 1),
    Work("datagram", "datagram of 64 B: sendto, recvfrom", None),
    Work("connect", "connect, accept, close", None),
    Work("poll_10", "poll, 1 of 10 ready", None),
    Work("poll_90", "poll, 1 of 90 ready", None),
)
HEADER = ["work", "usocket", "modlwip", "ratio", "goal", ""]


def build(name: str, *make: str) -> Path:
    """The runner of a firmware with nothing left out but TLS; `make`: words for make."""
    environment = {**os.environ, "FIRMWARE": name, "USOCKET_WITHOUT": ""}
    subprocess.run([str(REPO / "tools" / "firmware"), *make], env=environment, check=True)
    return REPO / "build" / "bin" / f"board-{name}"


def figures(board: Path) -> dict[str, float]:
    done = subprocess.run(
        [str(board), "--steady", WORKER.name],
        cwd=WORKER.parent,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        timeout=TIME_LIMIT_S,
        check=True,
    )
    return {item: float(value) for item, value in (line.split() for line in done.stdout.splitlines())}


def row(work: Work, ours: float, theirs: float) -> list[str]:
    ratio = theirs / ours
    goal = "" if work.goal is None else f"{work.goal:g}"
    verdict = "" if work.goal is None else "ok" if ratio >= work.goal else "below"
    return [work.title, f"{ours:,.0f}", f"{theirs:,.0f}", f"{ratio:.2f}", goal, verdict]


def tables() -> tuple[list[list[str]], list[str]]:
    """Rows, and notes."""
    ours = figures(build("whole"))
    theirs = figures(build("modlwip", f"USER_C_MODULES={REPO / 'bench' / 'firmware_peer'}"))
    notes = [
        f"a socket takes {ours['memory']:.0f} B of the heap, modlwip's {theirs['memory']:.0f} B",
        "figures are instructions of a Cortex-M3, all that the board does for an operation included: interpreter, "
        "lwIP, driver, interrupts. QEMU counts them, so they are the same on any machine.",
        f"compiler: {first_line('arm-none-eabi-gcc', '--version')}",
        f"QEMU: {first_line('qemu-system-arm', '--version')}",
        f"source: {first_line('git', '-C', str(REPO), 'describe', '--always', '--dirty')}",
    ]
    return [row(work, ours[work.name], theirs[work.name]) for work in WORKS], notes


def first_line(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]


def text(layout: Layout, rows: list[list[str]], notes: list[str]) -> str:
    return layout(HEADER, rows) + "\n\n" + "\n".join(f"- {note}" for note in notes) + "\n"


def run(*, writes: bool) -> None:
    found = tables()
    print(text(report.plain_table, *found))
    if writes:
        RESULT.write_text(f"# Firmware\n\n{text(report.markdown_table, *found)}")
        print(f"written: {RESULT.relative_to(REPO)}")


if __name__ == "__main__":
    run(writes="--write" in sys.argv[1:])
