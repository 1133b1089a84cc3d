"""io: BytesIO and StringIO take a size to reserve; IOBase is what a class with readinto, write and ioctl is made of.

open() and the rest are CPython's.
"""

from __future__ import annotations

import io as _io
import struct as _struct
from typing import Any

EXTENDS = "io"


class BytesIO(_io.BytesIO):
    def __init__(self, initial: Any = b"") -> None:
        super().__init__(b"" if isinstance(initial, int) else initial.encode() if isinstance(initial, str) else initial)

    def write(self, data: Any) -> int:
        return super().write(data.encode() if isinstance(data, str) else data)

    def readinto(self, buffer: Any, nbytes: int | None = None) -> int:
        return super().readinto(buffer if nbytes is None else memoryview(buffer)[:nbytes])

    def writebin(self, fmt: str, value: Any) -> None:
        """Pycopy's: a value as struct packs it."""
        self.write(_struct.pack(fmt, value))

    def readbin(self, fmt: str) -> Any:
        return _struct.unpack(fmt, self.read(_struct.calcsize(fmt)))[0]


class StringIO(_io.StringIO):
    def __init__(self, initial: Any = "") -> None:
        super().__init__("" if isinstance(initial, int) else initial)


class IOBase:
    """A stream of the program's: print(file=...) and uselect know what to do with it."""


__all__ = ["BytesIO", "IOBase", "StringIO"]
