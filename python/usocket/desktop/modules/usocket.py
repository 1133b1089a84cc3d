"""usocket as a program for devices sees it: CPython's, whose sockets take a callback besides (SOCK-11), and whose
getaddrinfo() has IPv4 first: devices know no other, and take the first.
"""

from __future__ import annotations

from typing import Any

from usocket import _usocket
from usocket.desktop import callbacks

EXTENDS = "usocket"

# The name of the option that sets a callback; an integer value is the system's option of that number.
SO_CALLBACK = 20
# lwIP's number of SO_BROADCAST, which programs write: the ports have no name for it. Linux's of that number sets the
# size of a queue, as nobody but root may.
_LWIP_SO_BROADCAST = 0x20


class socket(_usocket.socket):
    """usocket's socket. What accept() and dup() make is of the class that they are called on."""

    def accept(self) -> tuple[socket, Any]:
        return self._accept_as(self.__class__)

    def dup(self) -> socket:
        return self._dup_as(self.__class__)

    def setsockopt(self, level: int, optname: int, value: Any) -> None:
        if level == _usocket.SOL_SOCKET and optname == SO_CALLBACK and (value is None or callable(value)):
            callbacks.set_callback(self, value)
        else:
            if level == _usocket.SOL_SOCKET and optname == _LWIP_SO_BROADCAST:
                optname = _usocket.SO_BROADCAST
            super().setsockopt(level, optname, value)

    def close(self) -> None:
        callbacks.set_callback(self, None)
        super().close()


def socketpair(
    af: int = _usocket.AF_UNIX, type: int = _usocket.SOCK_STREAM, proto: int = 0, /
) -> tuple[socket, socket]:
    return _usocket._socketpair_as(socket, af, type, proto)


def getaddrinfo(
    host: str | bytes | None, port: int | str | None, af: int = 0, type: int = 0, proto: int = 0, flags: int = 0, /
) -> list[tuple[int, int, int, str, Any]]:
    found = _usocket.getaddrinfo(host, port, af, type, proto, flags)
    return found if af else sorted(found, key=lambda one: one[0] != _usocket.AF_INET)


__all__ = ["getaddrinfo", "socket", "socketpair"]
