"""Audit events (PEP 578) of usocket.compat: those of CPython's socket, before the system is asked (COMPAT-1)."""

from __future__ import annotations

import contextlib
import os
import socket as standard
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from python_support import descriptors
from usocket import compat

Hook = Callable[[str, tuple[Any, ...]], None]
_watching: Hook | None = None


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _watching is not None and event.startswith("socket."):
        _watching(event, arguments)


sys.addaudithook(_hook)  # nobody can take it away again


@contextlib.contextmanager
def watched_by(hook: Hook) -> Iterator[None]:
    global _watching
    _watching = hook
    try:
        yield
    finally:
        _watching = None


class Refusal(Exception):
    """Of a hook."""


def close_all(result: Any) -> None:
    for one in result if isinstance(result, tuple) else [result]:
        if isinstance(one, standard.SocketType | compat.SocketType):
            one.close()


class Sockets:
    """A module, and what the calls are made with: they have the same addresses, whichever module it is."""

    def __init__(self, module: Any, server: standard.socket) -> None:
        self.module = module
        self.address = server.getsockname()
        self.of_datagrams = module.socket(module.AF_INET, module.SOCK_DGRAM)
        self.of_stream = module.socket(module.AF_INET, module.SOCK_STREAM)
        self.listening = module.socket(fileno=os.dup(server.fileno()))
        self.pair = module.socketpair()

    def close(self) -> None:
        close_all((self.of_datagrams, self.of_stream, self.listening, *self.pair))


@pytest.fixture
def server() -> Iterator[standard.socket]:
    with standard.create_server(("127.0.0.1", 0)) as one:
        yield one


@contextlib.contextmanager
def sockets_of(module: Any, server: standard.socket) -> Iterator[Sockets]:
    with contextlib.closing(Sockets(module, server)) as sockets:
        yield sockets


def accepted(s: Sockets) -> Any:
    with standard.create_connection(s.address):
        return s.listening.accept()


CALLS: dict[str, Callable[[Sockets], Any]] = {
    "socket": lambda s: s.module.socket(type=s.module.SOCK_DGRAM),
    "socket(fileno)": lambda s: s.module.socket(fileno=s.of_stream.fileno()).detach(),
    "socket(-1)": lambda s: s.module.socket(fileno=-1),
    "impossible": lambda s: s.module.socket(s.module.AF_INET, 77),
    "bind": lambda s: s.of_datagrams.bind(("localhost", 0)),
    "connect": lambda s: s.of_stream.connect(s.address),
    "connect_ex": lambda s: s.of_stream.connect_ex(s.address),
    "sendto": lambda s: s.of_datagrams.sendto(b"", s.address),
    "sendto(flags)": lambda s: s.of_datagrams.sendto(b"", 0, s.address),
    "sendmsg": lambda s: s.pair[0].sendmsg([b"x"]),
    "sendmsg(address)": lambda s: s.of_datagrams.sendmsg([b""], [], 0, s.address),
    "send_fds": lambda s: s.module.send_fds(s.pair[0], [b"x"], [0]),
    "getaddrinfo": lambda s: s.module.getaddrinfo("127.0.0.1", "80", type=s.module.SOCK_STREAM),
    "getaddrinfo(bytes)": lambda s: s.module.getaddrinfo(b"127.0.0.1", None, s.module.AF_INET),
    "create_connection": lambda s: s.module.create_connection(s.address),
    "create_server": lambda s: s.module.create_server(("127.0.0.1", 0)),
    "socketpair": lambda s: s.module.socketpair(),
    "fromfd": lambda s: s.module.fromfd(s.of_stream.fileno(), s.module.AF_INET, s.module.SOCK_STREAM),
    "dup": lambda s: s.of_datagrams.dup(),
    "accept": accepted,
}
# of the test's own peer
IS_OURS = {"accept": 3}


def events_of(module: Any, server: standard.socket, name: str) -> list[tuple[Any, ...]]:
    seen: list[tuple[Any, ...]] = []

    def note(event: str, arguments: tuple[Any, ...]) -> None:
        plain = ["a socket" if isinstance(one, module.SocketType) else (type(one), one) for one in arguments]
        seen.append((event, *plain))

    with sockets_of(module, server) as sockets, watched_by(note), contextlib.suppress(OSError, ValueError):
        close_all(CALLS[name](sockets))
    return seen[IS_OURS.get(name, 0) :]


@pytest.mark.parametrize("name", CALLS)
def test_compat_1_auditing_hooks_hear_what_they_hear_of_cpythons(name: str, server: standard.socket) -> None:
    told = events_of(compat, server, name)
    assert told
    assert told == events_of(standard, server, name)


@pytest.mark.parametrize("name", [name for name in CALLS if name not in IS_OURS])
def test_compat_1_what_a_hook_refuses_does_not_reach_the_system(name: str, server: standard.socket) -> None:
    server.setblocking(False)

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        raise Refusal

    with sockets_of(compat, server) as sockets:
        before = descriptors()
        with watched_by(refuse), pytest.raises(Refusal):
            CALLS[name](sockets)
        assert descriptors() == before
        assert sockets.of_datagrams.getsockname()[1] == sockets.of_stream.getsockname()[1] == 0  # neither is bound
        sockets.pair[1].settimeout(0)
        with pytest.raises(BlockingIOError):
            sockets.pair[1].recv(1)
    with pytest.raises(BlockingIOError):
        server.accept()


@pytest.mark.parametrize("which", [0, 1])
def test_sock_3_a_hook_that_refuses_one_end_of_a_pair_leaves_neither(which: int) -> None:
    left = which

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise Refusal

    before = descriptors()
    with watched_by(refuse), pytest.raises(Refusal):
        compat.socketpair()
    assert descriptors() == before


def test_sock_3_a_hook_that_refuses_what_is_accepted_leaves_nothing(server: standard.socket) -> None:
    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        raise Refusal

    with sockets_of(compat, server) as sockets, standard.create_connection(sockets.address) as client:
        with watched_by(refuse), pytest.raises(Refusal):
            sockets.listening.accept()
        assert client.recv(1) == b""
