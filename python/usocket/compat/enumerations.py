"""The enumerations: the standard library's own, so that both modules agree on what is what.

Constants that only usocket has (NAME-3) are plain numbers.
"""

from __future__ import annotations

import enum
from socket import AddressFamily, AddressInfo, MsgFlag, SocketKind
from typing import TypeVar, cast

__all__ = ["AddressFamily", "AddressInfo", "MsgFlag", "SocketKind", "family_of", "kind_of"]

_Member = TypeVar("_Member", bound=enum.IntEnum)


# A number that has no name is typed as one that has: so it is in CPython.
def _member(number: int, of: type[_Member]) -> _Member:
    try:
        return of(number)
    except ValueError:
        return cast(_Member, number)


def family_of(number: int) -> AddressFamily:
    """AddressFamily, or the number where CPython has no name for it."""
    return _member(number, AddressFamily)


def kind_of(number: int) -> SocketKind:
    """SocketKind, or the number where CPython has no name for it."""
    return _member(number, SocketKind)
