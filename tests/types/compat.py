"""What a checker knows of usocket.compat (COMPAT-1): as of CPython's own module. As user.py, it is not run."""

from __future__ import annotations

import io
import socket as standard

import usocket.compat as socket
from typing_extensions import assert_type


def names() -> None:
    assert_type(socket.AF_INET, standard.AddressFamily)
    assert_type(socket.SOCK_STREAM, standard.SocketKind)
    assert_type(socket.MSG_PEEK, standard.MsgFlag)
    assert_type(socket.AI_PASSIVE, standard.AddressInfo)
    assert_type(socket.SOL_SOCKET, int)
    assert_type(socket.AF_DECnet, int)  # nor has CPython's enumeration
    assert_type(socket.CAN_RAW, int)
    assert_type(socket.UDP_CORK, int)  # CPython has none
    assert_type(socket.has_ipv6, bool)
    assert_type(socket.gethostname(), str)
    assert_type(socket.getfqdn("localhost"), str)
    failures: tuple[type[OSError], ...] = (socket.error, socket.timeout, socket.gaierror, socket.herror)
    print(failures, socket.SocketIO, socket.SocketType, socket.AddressFamily, socket.CMSG_LEN(4))


def sockets() -> None:
    with socket.create_server(("127.0.0.1", 0), family=socket.AF_INET, backlog=5) as server:
        assert_type(server, socket.socket)
        assert_type(server.family, standard.AddressFamily)
        assert_type(server.type, standard.SocketKind)
        conn, (host, port) = server.accept()
        assert_type(conn, socket.socket)
        print(host, port)
    assert_type(socket.create_connection(("localhost", 80), timeout=1), socket.socket)
    assert_type(socket.socketpair(), tuple[socket.socket, socket.socket])
    for family, kind, proto, name, address in socket.getaddrinfo("localhost", 80):
        assert_type((family, kind), tuple[standard.AddressFamily, standard.SocketKind])
        print(proto, name, address[0])


def files(sock: socket.socket, mode: str) -> None:
    assert_type(sock.makefile(), io.TextIOWrapper)
    assert_type(sock.makefile("w", encoding="utf-8", newline="\n"), io.TextIOWrapper)
    reader: io.BufferedReader = sock.makefile("rb")
    writer: io.BufferedWriter = sock.makefile("wb", -1)
    both: io.BufferedRWPair = sock.makefile("rwb")
    assert_type(sock.makefile("rb", 0), standard.SocketIO)
    assert_type(sock.makefile("rb", 100), io.IOBase)
    print(reader, writer, both, sock.makefile(mode))


def refused() -> None:
    """Each of these lines is a mistake, and is told to be one."""
    socket.SO_REUSEADR  # type: ignore[attr-defined]  # noqa: B018
    socket.soket()  # type: ignore[attr-defined]
