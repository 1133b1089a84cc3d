"""The enumerations: the standard library's own, so that both modules agree on what is what.

Constants that only usocket has (NAME-3) are plain numbers.
"""

from __future__ import annotations

import enum
from socket import AddressFamily, AddressInfo, MsgFlag, SocketKind
from typing import TypeVar, cast

__all__ = ["AddressFamily", "AddressInfo", "MsgFlag", "SocketKind"]

_Member = TypeVar("_Member", bound=enum.IntEnum)


def _intenum_converter(number: int, of: type[_Member]) -> _Member:
    """The member, or the number where CPython has no name for it; typed as a member all the same, as in CPython."""
    try:
        return of(number)
    except ValueError:
        return cast(_Member, number)
