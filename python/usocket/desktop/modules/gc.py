"""gc, with mem_free(), mem_alloc() and threshold(amount).

The memory is the system's: what is free is what it says is, what is allocated is what the process holds.
"""

from __future__ import annotations

import gc as _gc
import os as _os
import resource as _resource

EXTENDS = "gc"

_threshold = -1


def mem_free() -> int:
    """In bytes."""
    return _os.sysconf("SC_AVPHYS_PAGES") * _os.sysconf("SC_PAGE_SIZE")


def mem_alloc() -> int:
    """In bytes."""
    return _resource.getrusage(_resource.RUSAGE_SELF).ru_maxrss * 1024


def threshold(amount: int | None = None) -> int | None:
    """Remembers the amount; CPython collects when it sees fit."""
    global _threshold
    if amount is None:
        return _threshold
    _threshold = amount
    return None


def collect(generation: int = 2) -> int:
    return _gc.collect(generation)


__all__ = ["collect", "mem_alloc", "mem_free", "threshold"]
