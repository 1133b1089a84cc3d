"""Puts a class between the program and its sockets, for --trace. Without it nothing is in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import usocket
from usocket import _usocket
from usocket.desktop.modules import socket as stand_in
from usocket.desktop.modules import usocket as stand_in_usocket

# Every public call on a socket but for those that only ask something of the object; what a for loop calls is one, too.
CALLS = [
    name
    for name in vars(_usocket.socket)
    if (name == "__next__" or not name.startswith("_"))
    and callable(getattr(_usocket.socket, name))
    and name not in ("readable", "writable", "seekable", "flush", "fileno", "gettimeout", "getblocking")
]


class _Socket(_usocket.socket):
    """usocket's socket, whose accept() and dup() make more of the class that they are called on."""

    def accept(self) -> tuple[_Socket, _usocket.Address]:
        return self._accept_as(self.__class__)

    def dup(self) -> _Socket:
        return self._dup_as(self.__class__)


def put_between(layer: Callable[..., type[Any]]) -> None:
    """Lays layer(*bases) over the sockets of `usocket` and `socket`, for the whole process. They are derived from one
    another afterwards as they were before.
    """
    base = usocket.socket if issubclass(usocket.socket, _Socket) else _Socket
    usocket.socket = layer(base)  # type: ignore[misc]
    stand_in_usocket.socket = layer(stand_in_usocket.socket, usocket.socket)  # type: ignore[misc]
    stand_in.socket = layer(stand_in.socket, stand_in_usocket.socket)  # type: ignore[misc]

    def socketpair(*arguments: Any) -> Any:
        defaults = (usocket.AF_UNIX, usocket.SOCK_STREAM, 0)
        return _usocket._socketpair_as(usocket.socket, *arguments, *defaults[len(arguments) :])

    usocket.socketpair = socketpair
