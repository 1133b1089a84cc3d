"""inspect, to which generators are coroutines, as on devices: an async function of the program makes generators."""

from __future__ import annotations

import inspect as _inspect
from typing import Any

EXTENDS = "inspect"


def iscoroutinefunction(what: Any) -> bool:
    return _inspect.iscoroutinefunction(what) or _inspect.isgeneratorfunction(what)


def iscoroutine(what: Any) -> bool:
    return _inspect.iscoroutine(what) or _inspect.isgenerator(what)


def isawaitable(what: Any) -> bool:
    return _inspect.isawaitable(what) or _inspect.isgenerator(what)


__all__ = ["isawaitable", "iscoroutine", "iscoroutinefunction"]
