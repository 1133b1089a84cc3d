"""What a checker knows of usocket.compat (COMPAT-1): as of CPython's own module. As user.py, it is not run."""

from __future__ import annotations

import asyncio
import io
import selectors
import socket as standard
import ssl

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


def options(sock: socket.socket) -> None:
    assert_type(sock.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR), int)
    assert_type(sock.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8), bytes)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, bytes(8))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, None, 8)


def addresses(sock: socket.socket) -> None:
    sock.bind(b"/a/path")
    sock.connect(("localhost", 80))
    assert_type(sock.sendto(b"", ("localhost", 80)), int)
    assert_type(sock.sendto(b"", socket.MSG_OOB, "/a/path"), int)
    assert_type(sock.sendmsg([b""], [], 0, ("localhost", 80)), int)
    assert_type(socket.create_connection(("localhost", "http"), source_address=("", 0)), socket.socket)


async def taken_by_others(sock: socket.socket) -> None:
    """Those who are typed to take CPython's socket, and take ours as they run (COMPAT-2)."""
    theirs: standard.socket = sock
    print(theirs, standard.SocketIO(sock, "rb"), ssl.create_default_context().wrap_socket(sock))
    assert_type(await asyncio.get_running_loop().sock_recv(sock, 1), bytes)
    await asyncio.open_connection(sock=sock)
    selectors.DefaultSelector().register(sock, selectors.EVENT_READ)
    assert_type(sock.readline(), bytes | None)  # a stream all the same


class OfOnesOwn(socket.socket):
    def recv(self, bufsize: int, flags: int = 0, /) -> bytes:
        return super().recv(bufsize, flags)


def refused(sock: socket.socket) -> None:
    """Each of these lines is a mistake, and is told to be one."""
    sock.send("text")  # type: ignore[arg-type]
    sock.sendall("text")  # type: ignore[arg-type]
    sock.write("text")  # type: ignore[arg-type]
    sock.bind(80)  # type: ignore[arg-type]
    sock.connect(80)  # type: ignore[arg-type]
    sock.sendto(b"")  # type: ignore[call-overload]
    sock.sendto("text", ("localhost", 80))  # type: ignore[call-overload]
    sock.setsockopt(1, 2, "1")  # type: ignore[call-overload]
    sock.setsockopt(1, 2, None)  # type: ignore[call-overload]
    socket.create_connection("localhost")  # type: ignore[arg-type]
    socket.SO_REUSEADR  # type: ignore[attr-defined]  # noqa: B018
    socket.soket()  # type: ignore[attr-defined]
