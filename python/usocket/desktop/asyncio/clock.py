"""The clock of the loop: milliseconds, monotonic, that never wrap around."""

from __future__ import annotations

import time

_NS_PER_MS = 1_000_000


def ticks() -> int:
    """Now."""
    return time.monotonic_ns() // _NS_PER_MS


def ticks_add(ticks: int, delta: int) -> int:
    return ticks + delta


def ticks_diff(end: int, start: int) -> int:
    return end - start


def ms_until(ticks: int) -> float:
    """How long until then, exactly: waiting for whole milliseconds would be up to one too long."""
    return ticks - time.monotonic_ns() / _NS_PER_MS
