"""traceback, without our lines."""

from __future__ import annotations

import sys as _sys
import traceback as _traceback
import types as _types
from typing import Any

from usocket.desktop import tracebacks as _tracebacks

EXTENDS = "traceback"


def bind(world: Any) -> None:
    _tracebacks.teach_traceback()  # pytest's process, too


def print_exc(limit: int | None = None, file: Any = None, chain: bool = True) -> None:
    _tracebacks.hide_ours(_sys.exc_info()[1])
    _traceback.print_exc(limit, file, chain)


def format_exc(limit: int | None = None, chain: bool = True) -> str:
    _tracebacks.hide_ours(_sys.exc_info()[1])
    return _traceback.format_exc(limit, chain)


def extract_tb(tb: _types.TracebackType | None, limit: int | None = None) -> _traceback.StackSummary:
    return _traceback.extract_tb(_tracebacks.without_ours(tb), limit)


def format_tb(tb: _types.TracebackType | None, limit: int | None = None) -> list[str]:
    return _traceback.format_tb(_tracebacks.without_ours(tb), limit)


def print_tb(tb: _types.TracebackType | None, limit: int | None = None, file: Any = None) -> None:
    _traceback.print_tb(_tracebacks.without_ours(tb), limit, file)


__all__ = ["extract_tb", "format_exc", "format_tb", "print_exc", "print_tb"]
