"""io: BytesIO and StringIO take a size to reserve; IOBase is what a class with readinto, write and ioctl is made of.

open() and the rest are CPython's.
"""

from __future__ import annotations

import io as _io
from typing import Any

EXTENDS = "io"


class BytesIO(_io.BytesIO):
    def __init__(self, initial: Any = b"") -> None:
        super().__init__(b"" if isinstance(initial, int) else initial.encode() if isinstance(initial, str) else initial)

    def write(self, data: Any) -> int:
        return super().write(data.encode() if isinstance(data, str) else data)


class StringIO(_io.StringIO):
    def __init__(self, initial: Any = "") -> None:
        super().__init__("" if isinstance(initial, int) else initial)


class IOBase:
    """A stream of the program's: print(file=...) and uselect know what to do with it."""


__all__ = ["BytesIO", "IOBase", "StringIO"]
