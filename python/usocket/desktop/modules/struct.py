"""struct, as lenient as on devices.

A buffer may be longer than the format, text is as good as its UTF-8, integers that are too large lose their upper
bits, values that are missing are zero, and those that are too many are left out. What is wrong is a ValueError, or a
TypeError if it is a value's type.
"""

from __future__ import annotations

import re as _re
import struct as _struct
from collections.abc import Callable
from typing import Any

from usocket.desktop.runtime import buffer as _buffer
from usocket.desktop.runtime import shown_as_its_base as _shown_as_its_base

EXTENDS = "struct"

_BITS = {"b": 8, "B": 8, "h": 16, "H": 16, "i": 32, "I": 32, "q": 64, "Q": 64}


@_shown_as_its_base
class _WrongValue(ValueError, _struct.error):
    pass


@_shown_as_its_base
class _WrongType(TypeError, _struct.error):
    pass


def _checked(function: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return function(*arguments)
    except _struct.error as error:
        is_type = "required argument is not" in str(error) or "must be" in str(error)
        raise (_WrongType if is_type else _WrongValue)(*error.args) from None


def calcsize(fmt: str | bytes) -> int:
    size: int = _checked(_struct.calcsize, fmt)
    return size


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
    packed: bytes = _checked(_struct.pack, fmt, *_values(fmt, values))
    return packed


def pack_into(fmt: str | bytes, buffer: Any, offset: int, *values: Any) -> None:
    _checked(_struct.pack_into, fmt, buffer, offset, *_values(fmt, values))


def unpack_from(fmt: str | bytes, data: Any, offset: int = 0) -> tuple[Any, ...]:
    values: tuple[Any, ...] = _checked(_struct.unpack_from, fmt, _buffer(data), offset)
    return values


def unpack(fmt: str | bytes, data: Any) -> tuple[Any, ...]:
    return unpack_from(fmt, data)


__all__ = ["calcsize", "pack", "pack_into", "unpack", "unpack_from"]
