"""Sockets as arguments of multiprocessing's processes, and through its queues: spawn and forkserver (COMPAT-2)."""

from __future__ import annotations

from multiprocessing import reduction
from typing import Any

from usocket.compat.sockets import socket


def _rebuild(duplicate: Any, family: int, type: int, proto: int) -> socket:
    return socket(family, type, proto, fileno=duplicate.detach())


def _reduce(sock: socket) -> Any:
    if sock._is_wrapped:  # the other process would write into the connection in the clear
        raise TypeError("cannot pickle a socket that has TLS: two holders cannot share one TLS")
    return _rebuild, (reduction.DupFd(sock.fileno()), sock.family, sock.type, sock.proto)


def register() -> None:
    """Only multiprocessing's own pickler knows how: pickle.dumps() of a socket stays a TypeError."""
    reduction.register(socket, _reduce)
