"""TIME-1..4 and TIME-6: timeouts, non-blocking sockets, and that nothing received is lost."""

from __future__ import annotations

import errno
import struct
import threading
from collections.abc import Callable
from typing import Any

import pytest
import uselect
import usocket
from python_support import (
    EAGAIN,
    ETIMEDOUT,
    Caller,
    Pair,
    alarms,
    await_input,
    error_of,
    fill,
    full_backlog,
    listener,
    make_pair,
    tcp_pair,
    udp_socket,
)
from usocket import AF_UNIX, MSG_PEEK, SO_ERROR, SO_LINGER, SOCK_DGRAM, SOL_SOCKET

SHORT = 0.02  # seconds: long enough for nothing, as nothing comes


@pytest.mark.parametrize(
    ("value", "timeout"),
    [
        (None, None),
        (0, 0.0),
        (0.0, 0.0),
        (-0.0, 0.0),
        (1, 1.0),
        (2.5, 2.5),
        (1e-9, 1e-9),
        (9223372036, 9223372036.0),
        (True, 1.0),
    ],
)
def test_time_1_gettimeout_returns_what_was_set(value: Any, timeout: float | None, tcp: Pair) -> None:
    socket = tcp[0]
    socket.settimeout(value)
    assert socket.gettimeout() == timeout
    assert socket.getblocking() is (timeout != 0)


@pytest.mark.parametrize(
    "value", [-1, -1e-9, float("nan"), float("inf"), -float("inf"), 9223372037, 10**400, -(10**400)]
)
def test_time_1_what_is_no_timeout(value: Any, tcp: Pair) -> None:
    with pytest.raises(ValueError, match="None or a number of seconds"):
        tcp[0].settimeout(value)
    assert tcp[0].gettimeout() is None


@pytest.mark.parametrize("value", ["1", b"1", [], object()])
def test_time_1_what_is_no_number(value: Any, tcp: Pair) -> None:
    with pytest.raises(TypeError):
        tcp[0].settimeout(value)


def test_time_1_setblocking_is_settimeout_in_every_order(tcp: Pair) -> None:
    socket = tcp[0]
    states: list[tuple[Callable[[], None], float | None]] = [
        (lambda: socket.setblocking(True), None),
        (lambda: socket.setblocking(False), 0.0),
        (lambda: socket.settimeout(None), None),
        (lambda: socket.settimeout(0), 0.0),
        (lambda: socket.settimeout(SHORT), SHORT),
    ]
    for first, _ in states:
        for then, timeout in states:
            first()
            then()
            assert socket.gettimeout() == timeout
            if timeout is not None:
                assert error_of(socket.recv, 1) == (EAGAIN if timeout == 0 else ETIMEDOUT)


def test_time_1_setblocking_takes_the_truth_of_anything(tcp: Pair) -> None:
    tcp[0].setblocking([])
    assert not tcp[0].getblocking()
    tcp[0].setblocking("x")
    assert tcp[0].getblocking()


# --- TIME-2, TIME-3

RECEIVING: list[tuple[str, tuple[Any, ...]]] = [
    ("recv", (1,)),
    ("recvfrom", (1,)),
    ("recv_into", (bytearray(1),)),
    ("recvfrom_into", (bytearray(1),)),
    ("recvmsg", (1,)),
    ("recvmsg", (1, 100)),
    ("recvmsg", (1, 100, usocket.MSG_PEEK)),
    ("recvmsg_into", ([bytearray(1)], 100)),
    ("read", ()),
    ("read", (1,)),
    ("read1", ()),
    ("readinto", (bytearray(1),)),
    ("readline", ()),
    ("__next__", ()),
]
SENDING: list[tuple[str, tuple[Any, ...]]] = [
    ("send", (b"x",)),
    ("sendall", (b"x" * 100_000,)),
    ("sendmsg", ([b"x"],)),
    ("write", (b"x" * 100_000,)),
]


@pytest.mark.parametrize(("name", "arguments"), RECEIVING)
def test_time_3_receiving_expires(name: str, arguments: tuple[Any, ...], pair: Pair) -> None:
    pair[0].settimeout(SHORT)
    assert error_of(getattr(pair[0], name), *arguments) == ETIMEDOUT
    with pytest.raises(TimeoutError, match=r"\[Errno 110\] .+"):
        getattr(pair[0], name)(*arguments)


@pytest.mark.parametrize(("name", "arguments"), RECEIVING)
def test_time_9_receiving_expires_though_others_may_hold_the_descriptor(
    name: str, arguments: tuple[Any, ...], pair: Pair
) -> None:
    """Then the call tries once more when its time is up."""
    pair[0].fileno()
    pair[0].settimeout(SHORT)
    assert error_of(getattr(pair[0], name), *arguments) == ETIMEDOUT


@pytest.mark.parametrize(("name", "arguments"), SENDING)
def test_time_3_sending_expires(name: str, arguments: tuple[Any, ...], pair: Pair) -> None:
    fill(pair[0])
    pair[0].settimeout(SHORT)
    assert error_of(getattr(pair[0], name), *arguments) == ETIMEDOUT


def test_time_3_accept_expires() -> None:
    with listener() as server:
        server.settimeout(SHORT)
        assert error_of(server.accept) == ETIMEDOUT


def test_time_3_connect_expires() -> None:
    with full_backlog(AF_UNIX) as (address, _), usocket.socket(AF_UNIX) as client:
        client.settimeout(SHORT)
        assert error_of(client.connect, address) == ETIMEDOUT


def test_time_3_sendto_expires() -> None:
    one, other = usocket.socketpair(AF_UNIX, SOCK_DGRAM)
    with one, other, usocket.socket(AF_UNIX, SOCK_DGRAM) as server, usocket.socket(AF_UNIX, SOCK_DGRAM) as client:
        server.bind(f"\0usocket-test-{id(server)}")
        client.settimeout(0)
        try:
            while True:
                client.sendto(b"x", server.getsockname())
        except BlockingIOError:
            client.settimeout(SHORT)
        assert error_of(client.sendto, b"x", server.getsockname()) == ETIMEDOUT


@pytest.mark.parametrize("name", ["read", "readline"])
def test_time_2_one_deadline_whatever_arrives_meanwhile(name: str, pair: Pair) -> None:
    """A byte at every alarm would put off the end for ever if each one started the clock anew."""
    one, other = pair
    one.settimeout(0.1)
    with alarms(lambda count: other.send(b"x")):
        assert error_of(getattr(one, name)) == ETIMEDOUT
    assert one.recv(1) == b"x"


# --- TIME-4


@pytest.mark.parametrize("name", ["recv", "recvfrom", "recv_into", "recvfrom_into"])
def test_time_4_socket_methods_raise_eagain(name: str, pair: Pair) -> None:
    pair[0].settimeout(0)
    argument: Any = bytearray(1) if name.endswith("into") else 1
    with pytest.raises(BlockingIOError):
        getattr(pair[0], name)(argument)


def test_time_4_sending_raises_eagain(pair: Pair) -> None:
    fill(pair[0])
    pair[0].settimeout(0)
    for name in ("send", "sendall"):
        assert error_of(getattr(pair[0], name), b"x") == EAGAIN


def test_time_4_accept_raises_eagain() -> None:
    with listener() as server:
        server.settimeout(0)
        assert error_of(server.accept) == EAGAIN


def test_time_4_connect_raises_einprogress() -> None:
    with listener() as server, usocket.socket() as client:
        client.settimeout(0)
        assert error_of(client.connect, server.getsockname()) == errno.EINPROGRESS
        poll = uselect.poll()
        poll.register(client, uselect.POLLOUT)
        assert poll.poll(60_000) == [(client, uselect.POLLOUT)]
        assert client.getsockopt(SOL_SOCKET, SO_ERROR) == 0


def test_time_4_stream_methods_return_none_or_what_moved(pair: Pair) -> None:
    one, other = pair
    one.settimeout(0)
    buffer = bytearray(9)
    assert [one.read(), one.read(9), one.readline(), one.readinto(buffer), one.read1()] == [None] * 5

    def send() -> None:
        other.write(b"abc")
        await_input(one)

    send()
    assert (one.read(9), one.read(9)) == (b"abc", None)
    send()
    assert (one.readline(), one.readline()) == (b"abc", None)
    send()
    assert (one.readinto(buffer), buffer, one.readinto(buffer)) == (3, bytearray(b"abc" + bytes(6)), None)
    send()
    assert (one.read(), one.read()) == (b"abc", None)
    other.close()
    await_input(one)
    assert (one.read(), one.read(9), one.readline(), one.readinto(buffer)) == (b"", b"", b"", 0)


def test_time_4_write_returns_none_or_what_moved(pair: Pair) -> None:
    pair[0].settimeout(0)
    assert 0 < (pair[0].write(bytes(1 << 24)) or 0) < 1 << 24
    fill(pair[0])
    assert pair[0].write(b"x") is None


# --- TIME-6


class Stop(Exception):
    pass


READS: list[tuple[str, tuple[Any, ...]]] = [
    ("read", ()),
    ("read", (10,)),
    ("readinto", (bytearray(10),)),
    ("readline", ()),
    ("readline", (10,)),
]
NEXT: list[Callable[[usocket.socket], Any]] = [
    lambda socket: socket.read(4),
    lambda socket: socket.recv(100),
    lambda socket: socket.readline(4),
    lambda socket: bytes(buffer) if socket.readinto(buffer := bytearray(4)) == 4 else None,
    lambda socket: socket.recvfrom(100)[0],
]


def timeout_ends(
    function: Callable[..., Any], arguments: tuple[Any, ...], one: usocket.socket, other: usocket.socket
) -> None:
    one.settimeout(SHORT)
    assert error_of(function, *arguments) == ETIMEDOUT


def signal_ends(
    function: Callable[..., Any], arguments: tuple[Any, ...], one: usocket.socket, other: usocket.socket
) -> None:
    def handler(count: int) -> None:
        if count == 3:
            raise Stop

    with alarms(handler), pytest.raises(Stop):
        function(*arguments)


def signal_ends_with_a_timeout(
    function: Callable[..., Any], arguments: tuple[Any, ...], one: usocket.socket, other: usocket.socket
) -> None:
    one.settimeout(60)
    signal_ends(function, arguments, one, other)


ENDS = [timeout_ends, signal_ends, signal_ends_with_a_timeout]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("then", range(len(NEXT)))
@pytest.mark.parametrize(("name", "arguments"), READS)
def test_time_6_what_was_taken_in_comes_first(
    name: str, arguments: tuple[Any, ...], then: int, end: Callable[..., None], pair: Pair
) -> None:
    one, other = pair
    other.write(b"abcd")
    end(getattr(one, name), arguments, one, other)
    poll = uselect.poll()
    poll.register(one, uselect.POLLIN)
    assert poll.poll(0) == [(one, uselect.POLLIN)]  # POLL-5
    assert one.recv(100, MSG_PEEK) == b"abcd"
    assert NEXT[then](one) == b"abcd"
    assert poll.poll(0) == []
    other.write(b"more\n")
    assert one.readline() == b"more\n"


@pytest.mark.parametrize("end", ENDS)
def test_time_6_again_and_again(end: Callable[..., None], pair: Pair) -> None:
    """Each call that fails keeps what the ones before it kept, and adds to it."""
    one, other = pair
    for name, arguments in READS:
        other.write(b"x")
        end(getattr(one, name), arguments, one, other)
    one.settimeout(None)
    other.write(b"y\n")
    assert one.readline() == b"x" * len(READS) + b"y\n"


@pytest.mark.parametrize(("name", "arguments"), READS)
def test_time_6_after_an_error(name: str, arguments: tuple[Any, ...]) -> None:
    """The peer resets the connection behind what it has sent."""
    with make_pair("tcp") as (one, other):
        other.write(b"abcd")
        other.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("=ii", 1, 0))
        other.close()
        assert error_of(getattr(one, name), *arguments) == errno.ECONNRESET
        assert one.read(4) == b"abcd"


def test_time_6_kept_bytes_outlive_their_buffer_and_go_with_the_socket() -> None:
    """What readinto() had received is not in the caller's hands, and closing frees it."""
    one, other = tcp_pair()
    with one, other:
        other.write(b"abcd")
        one.settimeout(SHORT)
        buffer = bytearray(1000)
        error_of(one.readinto, buffer)
        buffer.clear()
        del buffer
    assert error_of(one.read) == errno.EBADF


def test_time_6_a_timeout_in_the_middle_of_a_long_read() -> None:
    """Megabytes that were taken in come back without a byte missing."""
    data = bytes(range(256)) * 4096 * 3
    one, other = tcp_pair()
    has_timed_out = threading.Event()

    def send() -> None:
        other.sendall(data)
        has_timed_out.wait()
        other.close()

    with one, other:
        sender = Caller(send)
        one.settimeout(0.3)
        assert error_of(one.read) == ETIMEDOUT
        has_timed_out.set()
        one.settimeout(None)
        assert one.read() == data
        sender.finish()


def test_time_6_datagrams_are_whole() -> None:
    with udp_socket() as one, udp_socket() as other:
        one.settimeout(SHORT)
        assert error_of(one.read, 10) == ETIMEDOUT
        other.sendto(b"abc", one.getsockname())
        assert one.read(10) == b"abc"
