"""inspect, to which generators are coroutines, as on devices: an async function of the program makes generators. The
frames that it shows are none of ours.
"""

from __future__ import annotations

import inspect as _inspect
import sys as _sys
import types as _types
from typing import Any

from usocket.desktop import frames as _frames
from usocket.desktop import tracebacks as _tracebacks

EXTENDS = "inspect"


def iscoroutinefunction(what: Any) -> bool:
    return _inspect.iscoroutinefunction(what) or _inspect.isgeneratorfunction(what)


def iscoroutine(what: Any) -> bool:
    return _inspect.iscoroutine(what) or _inspect.isgenerator(what)


def isawaitable(what: Any) -> bool:
    return _inspect.isawaitable(what) or _inspect.isgenerator(what)


def currentframe() -> Any:
    return _frames.seen(_sys._getframe(1))


def stack(context: int = 1) -> list[Any]:
    return getouterframes(_sys._getframe(1), context)


def getouterframes(frame: Any, context: int = 1) -> list[Any]:
    return _inspect.getouterframes(_frames.seen(frame), context)


def trace(context: int = 1) -> list[Any]:
    return getinnerframes(_sys.exc_info()[2], context)


def getinnerframes(tb: _types.TracebackType | None, context: int = 1) -> list[Any]:
    entry: Any = _tracebacks.without_ours(tb)
    return _inspect.getinnerframes(entry, context)


__all__ = ["currentframe", "getinnerframes", "getouterframes", "isawaitable", "iscoroutine", "iscoroutinefunction"]
__all__ += ["stack", "trace"]
