"""SOCK-10, SOCK-3: a handler that raises between two steps of usocket.compat leaves no descriptor open that the program
has not got.

CPython runs handlers before many of the instructions of Python code, and between two instructions whatever a function
has in hand is lost if they raise. So an exception is raised before each instruction of ours, one after the other.
"""

from __future__ import annotations

import array
import itertools
import os
import socket as standard
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import usocket
from usocket import compat

pytestmark = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
OURS = str(Path(compat.__file__).parent)


class Stop(Exception):
    pass


def descriptors() -> set[str]:
    return set(os.listdir("/proc/self/fd"))


def stopped_before(number: int, call: Callable[[], Any]) -> Any:
    """Stop if it comes to so many instructions of ours, else what the call returns."""
    count = 0

    def step(frame: FrameType, event: str, argument: Any) -> Any:
        nonlocal count
        if event == "opcode":
            count += 1
            if count == number:
                raise Stop
        return step

    def enter(frame: FrameType, event: str, argument: Any) -> Any:
        if not frame.f_code.co_filename.startswith(OURS):
            return None
        frame.f_trace_opcodes = True
        return step

    before = sys.gettrace()
    sys.settrace(enter)
    try:
        return call()
    finally:
        sys.settrace(before)


def every_step(prepare: Callable[[], object], call: Callable[[], Any]) -> Any:
    """What the call returns once it has come to its end; before that, stopped at each step, it has opened nothing."""
    for number in itertools.count(1):
        prepare()
        before = descriptors()
        try:
            return stopped_before(number, call)
        except Stop:
            pass
        assert descriptors() == before, f"before instruction {number}"


@pytest.fixture
def pair() -> Iterator[tuple[Any, Any]]:
    one, other = compat.socketpair()
    with one, other:
        yield one, other


def send(socket: Any) -> None:
    rights = (compat.SOL_SOCKET, compat.SCM_RIGHTS, array.array("i", [0, 1]))
    assert socket.sendmsg([b"text"], [rights]) == 4


RECEIVING: dict[str, Callable[[Any], Any]] = {
    "recvmsg": lambda other: other.recvmsg(4, 100),
    "recvmsg_into": lambda other: other.recvmsg_into([bytearray(4)], 100),
    "recv_fds": lambda other: compat.recv_fds(other, 4, 2),
    "recv_fds, by names": lambda other: compat.recv_fds(sock=other, bufsize=4, maxfds=2, flags=0),
}


@pytest.mark.parametrize("name", RECEIVING)
def test_sock_10_descriptors_that_are_received(name: str, pair: tuple[Any, Any]) -> None:
    one, other = pair
    received = every_step(lambda: send(one), lambda: RECEIVING[name](other))
    if name.startswith("recv_fds"):
        got = received[1]
    else:
        got = array.array("i", received[1][0][2])
    assert len(got) == 2
    for fd in got:
        os.close(fd)


class Plain(compat.socket):
    pass


@pytest.mark.parametrize("replaced", [False, True])
def test_sock_3_a_connection(replaced: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a program has put a class of its own into the place of socket. What is stopped once the connection is
    there has closed it."""
    clients: list[Any] = []

    def connect() -> None:
        while clients:
            clients.pop().close()
        server.settimeout(0)
        try:
            server.accept()[0].close()
        except BlockingIOError:
            pass
        server.settimeout(10)
        clients.append(usocket.socket())
        clients[0].connect(address)

    with compat.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        monkeypatch.setattr(compat, "socket", Plain if replaced else compat.socket)
        with every_step(connect, lambda: server.accept()[0]) as conn:
            assert type(conn) is compat.socket
        clients.pop().close()


def test_compat_1_accept_of_a_descriptor() -> None:
    with compat.create_server(("127.0.0.1", 0)) as server, compat.create_connection(server.getsockname()) as client:
        fd, address = stopped_before(1, server._accept)
        assert address == client.getsockname()
        os.close(fd)


@pytest.mark.parametrize("kind", [compat.socket, Plain])
def test_sock_3_a_duplicate(kind: Any) -> None:
    with kind() as one, every_step(lambda: None, one.dup) as copy:
        assert type(copy) is kind


def test_sock_3_a_pair_of_a_class_of_the_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "socket", Plain)
    one, other = every_step(lambda: None, compat.socketpair)
    with one, other:
        assert type(one) is type(other) is Plain


# --- Who has the descriptor that _hand_over() gives away


def test_sock_3_what_nobody_takes_is_closed(pair: tuple[Any, Any]) -> None:
    before = descriptors()

    def refuse(fd: int) -> None:
        raise Stop

    with pytest.raises(Stop):
        pair[0].dup()._hand_over(refuse)
    assert descriptors() == before


def test_sock_3_what_a_socket_has_taken_is_closed_once(pair: tuple[Any, Any]) -> None:
    """Its own descriptor, and not the one that has been given the same number since."""
    opened = []

    def take_and_fail(fd: int) -> None:
        with compat.socket(fileno=fd):
            pass
        opened.append(os.open("/dev/null", os.O_RDONLY))
        assert opened == [fd]
        raise Stop

    with pytest.raises(Stop):
        pair[0].dup()._hand_over(take_and_fail)
    os.close(opened[0])


# --- recv_fds() takes whatever has recvmsg()


class Other:
    """No socket, but it receives messages."""

    def __init__(self, *message: Any) -> None:
        self.asked: tuple[Any, ...] = ()
        self.message = message

    def recvmsg(self, *asked: Any) -> Any:
        self.asked = asked
        return self.message


@pytest.mark.parametrize("socket", [standard, compat], ids=["standard", "compat"])
def test_compat_1_recv_fds_takes_what_receives_messages(socket: Any) -> None:
    rights = array.array("i", [7, 8]).tobytes()
    ancdata = [
        (socket.SOL_SOCKET, socket.SCM_RIGHTS, rights + b"cut"),
        (socket.SOL_SOCKET, socket.SCM_CREDENTIALS, rights),
        (socket.SOL_SOCKET, socket.SCM_RIGHTS, rights),
    ]
    other = Other(b"data", ancdata, 3, "address")
    assert socket.recv_fds(other, 10, 4, 5) == (b"data", [7, 8, 7, 8], 3, "address")
    assert other.asked[:2] == (10, socket.CMSG_LEN(16))
    assert socket is standard or other.asked[2] == 5  # older versions of CPython's forget the flags
    assert socket.recv_fds(Other(b"", [], 0, None), 1, 0) == (b"", [], 0, None)


@pytest.mark.parametrize("socket", [standard, compat], ids=["standard", "compat"])
@pytest.mark.parametrize(
    ("message", "maxfds", "kind"),
    [
        ((b"", []), 1, ValueError),
        ((b"", 5, 0, None), 1, TypeError),
        ((b"", [5], 0, None), 1, TypeError),
        ((b"", [], 0, None), -1, OverflowError),
        ((b"", [], 0, None), 2**64, OverflowError),
        ((b"", [], 0, None), 1.5, TypeError),
    ],
)
def test_compat_1_what_recv_fds_refuses(socket: Any, message: Any, maxfds: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        socket.recv_fds(Other(*message), 1, maxfds)


def test_sock_4_fromfd_closes_a_descriptor_but_once(pair: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where one is lost to the exception it stays open, as CPython's does; a second close would be somebody else's."""
    closed: list[int] = []
    monkeypatch.setattr(os, "close", closed.append)
    for number in itertools.count(1):
        try:
            made = stopped_before(
                number, lambda: compat.fromfd(pair[0].fileno(), standard.AF_UNIX, standard.SOCK_STREAM)
            )
        except Stop:
            assert closed == []
            continue
        made.close()
        break
