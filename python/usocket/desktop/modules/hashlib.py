"""hashlib, which takes a str wherever CPython's takes bytes. There is no limit to how often digest() is called."""

from __future__ import annotations

import hashlib as _hashlib
from typing import Any

from usocket.desktop.runtime import buffer as _buffer

EXTENDS = "hashlib"


class _Hash:
    def __init__(self, name: str, data: Any = b"") -> None:
        self._hash = _hashlib.new(name, _buffer(data))

    def update(self, data: Any) -> None:
        self._hash.update(_buffer(data))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._hash, name)


def md5(data: Any = b"") -> _Hash:
    return _Hash("md5", data)


def sha1(data: Any = b"") -> _Hash:
    return _Hash("sha1", data)


def sha256(data: Any = b"") -> _Hash:
    return _Hash("sha256", data)


def sha512(data: Any = b"") -> _Hash:
    return _Hash("sha512", data)


__all__ = ["md5", "sha1", "sha256", "sha512"]
