"""sys, with print_exception(), and the implementation that a program for devices asks about.

implementation.name is "micropython", so that the program goes the way that it goes on a device; platform is what the
system is ("linux"), as MicroPython's unix port says. modules are those that the program has loaded, _getframe() and the
frames behind it are none of ours. All else is the interpreter's own sys.
"""

from __future__ import annotations

import collections as _collections
import sys as _sys
from typing import Any

from usocket.desktop import frames as _frames
from usocket.desktop import tracebacks as _tracebacks

EXTENDS = "sys"

modules: Any = {}  # bind() sets it


def bind(world: Any) -> None:
    global modules
    from usocket.desktop.loaded import Loaded

    modules = Loaded(world)


def print_exception(exc: BaseException, file: Any = None, *rest: Any) -> None:
    """Prints it with its traceback, to stdout if nothing else is said, as devices do."""
    _tracebacks.print_exception(exc, _sys.stdout if file is None else file)


def _getframe(depth: int = 0) -> Any:
    frame = _frames.seen(_sys._getframe(1))
    for _ in range(depth):
        frame = frame and frame.f_back
    if frame is None:
        raise ValueError("call stack is not deep enough")
    return frame


_Implementation = _collections.namedtuple("_Implementation", "name version machine")
_Implementation._machine = _Implementation.machine  # type: ignore[attr-defined]
implementation = _Implementation("micropython", (1, 25, 0, ""), "usocket on a desktop")


__all__ = ["_getframe", "implementation", "modules", "print_exception"]
