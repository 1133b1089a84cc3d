"""_thread, whose stack_size() takes the few kilobytes that a device's thread gets: it remembers them, no more."""

from __future__ import annotations

EXTENDS = "_thread"

_size = 0


def stack_size(size: int = 0) -> int:
    global _size
    before, _size = _size, size
    return before


__all__ = ["stack_size"]
