"""_thread, whose stack_size() takes the few kilobytes that a device's thread gets: it remembers them, no more. A
thread's arguments may be a list.
"""

from __future__ import annotations

import _thread
from collections.abc import Callable, Iterable
from typing import Any

EXTENDS = "_thread"

_size = 0


def stack_size(size: int = 0) -> int:
    global _size
    before, _size = _size, size
    return before


def start_new_thread(function: Callable[..., Any], args: Iterable[Any], kwargs: dict[str, Any] | None = None) -> int:
    return _thread.start_new_thread(function, tuple(args), kwargs or {})


__all__ = ["stack_size", "start_new_thread"]
