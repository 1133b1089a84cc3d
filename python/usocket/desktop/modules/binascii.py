"""binascii, which takes a str wherever CPython's takes bytes."""

from __future__ import annotations

import binascii as _binascii
from typing import Any

from usocket.desktop.runtime import buffer as _buffer

EXTENDS = "binascii"


def hexlify(data: Any, sep: str | bytes | None = None) -> bytes:
    return _binascii.hexlify(_buffer(data)) if sep is None else _binascii.hexlify(_buffer(data), sep)


def unhexlify(data: Any) -> bytes:
    return _binascii.unhexlify(_buffer(data))


def a2b_base64(data: Any) -> bytes:
    return _binascii.a2b_base64(data)


def b2a_base64(data: Any, *, newline: bool = True) -> bytes:
    return _binascii.b2a_base64(_buffer(data), newline=newline)


def crc32(data: Any, value: int = 0) -> int:
    return _binascii.crc32(_buffer(data), value)


__all__ = ["a2b_base64", "b2a_base64", "crc32", "hexlify", "unhexlify"]
