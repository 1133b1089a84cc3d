"""What a program's author sees of the types: mypy --strict and pyright agree with every line of this file, on each of
which something is inferred. It is not run.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import uerrno
import uselect
import usocket
from typing_extensions import assert_type


def sockets() -> None:
    with usocket.socket(usocket.AF_INET, usocket.SOCK_STREAM) as listener:
        assert_type(listener, usocket.socket)
        listener.setsockopt(usocket.SOL_SOCKET, usocket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        conn, peer = listener.accept()
        assert_type(conn, usocket.socket)
        keys: dict[bytes, usocket.socket] = {peer: conn}
        print(f"{peer} connected", sorted(keys), usocket.sockaddr(peer))
        assert_type(conn.recv(10), bytes)
        assert_type(conn.read(10), "bytes | None")
        assert_type(conn.readline(), "bytes | None")
        assert_type(conn.write("text"), "int | None")
        assert_type(conn.write(b"text", 1, 2), "int | None")
        assert_type(conn.sendto(b"text", 0, peer), int)
        assert_type(conn.getsockopt(usocket.SOL_SOCKET, usocket.SO_ERROR), int)
        assert_type(conn.getsockopt(usocket.SOL_SOCKET, usocket.SO_LINGER, 8), bytes)
        for line in conn:
            assert_type(line, bytes)
    for family, kind, proto, name, address in usocket.getaddrinfo("localhost", 80):
        assert_type((family, kind, proto, name), tuple[int, int, int, str])
        usocket.socket(family, kind, proto).connect(address)


class Client:
    def __init__(self, sock: usocket.socket) -> None:
        self.sock = sock

    def fileno(self) -> int:
        return self.sock.fileno()


def poll_of_sockets(sock: usocket.socket) -> None:
    """By an annotation: what is registered comes back."""
    poll: uselect.poll[usocket.socket] = uselect.poll()
    poll.register(sock, uselect.POLLIN)
    for ready, event in poll.poll(1000):
        assert_type(ready, usocket.socket)
        assert_type(event, int)
    assert_type(poll.ipoll(), Iterator[tuple[usocket.socket, int]])


def poll_with_userdata(sock: usocket.socket) -> None:
    poll: uselect.poll[usocket.socket, Client] = uselect.poll()
    poll.register(sock, uselect.POLLIN, Client(sock))
    for ready, event, client in poll.poll():
        assert_type((ready, event, client), tuple[usocket.socket, int, Client])


def poll_of_anything(sock: usocket.socket) -> None:
    """Without one, anything is taken, and anything may come back."""
    poll = uselect.poll()
    poll.register(sock)
    poll.register(0, uselect.POLLIN, "standard input")
    poll.modify(sock, uselect.POLLOUT)
    poll.unregister(0, throw=False)
    events: Any = poll.poll(0)
    print(events)


def selected(sock: usocket.socket, client: Client) -> None:
    readable, writable, _ = uselect.select([sock], [client, client], [], 1.5)
    assert_type(readable, list[usocket.socket])
    assert_type(writable, list[Client])


def errors(sock: usocket.socket) -> None:
    try:
        sock.connect(("127.0.0.1", 9))
    except OSError as failure:
        print(failure.errno == uerrno.ECONNREFUSED)


def refused(sock: usocket.socket) -> None:
    """Each of these lines is a mistake, and is told to be one."""
    sock.bind(80)  # type: ignore[arg-type]
    sock.send(5)  # type: ignore[arg-type]
    sock.settimeout("5")  # type: ignore[arg-type]
    sock.readline("x")  # type: ignore[arg-type]
    usocket.socket(family=usocket.AF_INET)  # type: ignore[call-arg]
    usocket.timeout  # type: ignore[attr-defined]  # noqa: B018
    poll: uselect.poll[usocket.socket] = uselect.poll()
    poll.register(0)  # type: ignore[call-overload]
    poll.register(sock, uselect.POLLIN, "data")  # type: ignore[call-overload]
