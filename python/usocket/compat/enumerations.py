"""The enumerations and constants: the standard library's own members, so that both modules agree on what is what.

Constants that only usocket has (NAME-3) are plain numbers.
"""

from __future__ import annotations

import enum
import socket as _standard
from socket import AddressFamily, AddressInfo, MsgFlag, SocketKind
from typing import Any, TypeVar

from usocket import _usocket

__all__ = ["AddressFamily", "AddressInfo", "MsgFlag", "SocketKind", "constants", "family_of", "kind_of"]

_Member = TypeVar("_Member", bound=enum.IntEnum)


def _member(number: int, of: type[_Member]) -> Any:
    try:
        return of(number)
    except ValueError:
        return number


def family_of(number: int) -> Any:
    """AddressFamily, or the number where CPython has no name for it."""
    return _member(number, AddressFamily)


def kind_of(number: int) -> Any:
    """SocketKind, or the number where CPython has no name for it."""
    return _member(number, SocketKind)


def constants() -> dict[str, Any]:
    """Every constant by its name."""
    ours = {name: getattr(_usocket, name) for name in _usocket.__all__ if name.isupper()}
    theirs = {name: getattr(_standard, name) for name in _standard.__all__}
    return ours | {
        name: value for name, value in theirs.items() if isinstance(value, int) and not isinstance(value, bool)
    }
