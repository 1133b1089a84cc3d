"""_thread, whose stack_size() takes the few kilobytes that a device's thread gets: it remembers them, no more. A
thread's arguments may be a list. Coverage and whoever else traces all threads sees those of _thread, too: a device has
no other way to start one.
"""

from __future__ import annotations

import _thread
import sys as _sys
import threading as _threading
from collections.abc import Callable, Iterable
from typing import Any

EXTENDS = "_thread"

_size = 0


def stack_size(size: int = 0) -> int:
    global _size
    before, _size = _size, size
    return before


def start_new_thread(function: Callable[..., Any], args: Iterable[Any], kwargs: dict[str, Any] | None = None) -> int:
    trace, profile = _threading.gettrace(), _threading.getprofile()
    if trace is None and profile is None:
        return _thread.start_new_thread(function, tuple(args), kwargs or {})

    def run() -> None:
        _sys.settrace(trace)
        _sys.setprofile(profile)
        function(*args, **kwargs or {})

    return _thread.start_new_thread(run, ())


__all__ = ["stack_size", "start_new_thread"]
