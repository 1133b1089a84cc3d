"""traceback, without our lines."""

from __future__ import annotations

import sys as _sys
import traceback as _traceback
from typing import Any

from usocket.desktop import tracebacks as _tracebacks

EXTENDS = "traceback"


def print_exc(limit: int | None = None, file: Any = None, chain: bool = True) -> None:
    _tracebacks.hide_ours(_sys.exc_info()[1])
    _traceback.print_exc(limit, file, chain)


def format_exc(limit: int | None = None, chain: bool = True) -> str:
    _tracebacks.hide_ours(_sys.exc_info()[1])
    return _traceback.format_exc(limit, chain)


__all__ = ["format_exc", "print_exc"]
