"""struct, as lenient as on devices.

A buffer may be longer than the format, text is as good as its UTF-8, integers that are too large lose their upper
bits, values that are missing are zero, and those that are too many are left out.
"""

from __future__ import annotations

import re as _re
import struct as _struct
from typing import Any

from usocket.desktop.runtime import buffer as _buffer

EXTENDS = "struct"

_BITS = {"b": 8, "B": 8, "h": 16, "H": 16, "i": 32, "I": 32, "q": 64, "Q": 64}


def calcsize(fmt: str | bytes) -> int:
    return _struct.calcsize(fmt)


def _kinds(fmt: str | bytes) -> tuple[list[str], dict[str, int]]:
    """The kind of each value of the format, and how many bits an integer of a kind has."""
    text = fmt.decode() if isinstance(fmt, bytes) else fmt
    order = text[0] if text[:1] in ("@", "=", "<", ">", "!") else "@"
    bits = {**_BITS, **{kind: 8 * _struct.calcsize(order + kind) for kind in "lL"}}
    kinds: list[str] = []
    for count, kind in _re.findall(r"(\d*)([a-zA-Z?])", text):
        if kind in "sp":
            kinds.append(kind)
        elif kind != "x":
            kinds += kind * int(count or 1)
    return kinds, bits


def _values(fmt: str | bytes, values: tuple[Any, ...]) -> list[Any]:
    kinds, bits = _kinds(fmt)
    result: list[Any] = []
    for index, kind in enumerate(kinds):
        value = values[index] if index < len(values) else (b"" if kind in "spc" else 0)
        if kind in bits and isinstance(value, int):
            size = bits[kind]
            value &= (1 << size) - 1
            if kind.islower() and value >> (size - 1):
                value -= 1 << size
        result.append(_buffer(value))
    return result


def pack(fmt: str | bytes, *values: Any) -> bytes:
    return _struct.pack(fmt, *_values(fmt, values))


def pack_into(fmt: str | bytes, buffer: Any, offset: int, *values: Any) -> None:
    _struct.pack_into(fmt, buffer, offset, *_values(fmt, values))


def unpack(fmt: str | bytes, data: Any) -> tuple[Any, ...]:
    return _struct.unpack_from(fmt, _buffer(data))


def unpack_from(fmt: str | bytes, data: Any, offset: int = 0) -> tuple[Any, ...]:
    data = _buffer(data)
    return _struct.unpack_from(fmt, data, offset)


__all__ = ["calcsize", "pack", "pack_into", "unpack", "unpack_from"]
