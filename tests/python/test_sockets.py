"""SOCK-1..8: the socket itself. SOCK-4 is in test_threads.py."""

from __future__ import annotations

import copy
import errno
import fcntl
import gc
import os
import pickle
import signal
import socket as standard
import struct
import subprocess
import sys
import time
import tracemalloc
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import usocket
from python_support import EBADF, Caller, Pair, descriptors, error_of, listener, make_pair, nobodys, udp_socket
from usocket import (
    AF_INET,
    AF_UNIX,
    IPPROTO_SEC,
    IPPROTO_TCP,
    IPPROTO_UDP,
    SO_ERROR,
    SO_LINGER,
    SO_RCVBUF,
    SO_REUSEADDR,
    SOCK_DGRAM,
    SOCK_STREAM,
    SOL_SOCKET,
    compat,
)

# --- SOCK-1


def test_sock_1_defaults() -> None:
    with usocket.socket() as socket:
        assert (socket.family, socket.type, socket.proto) == (AF_INET, SOCK_STREAM, IPPROTO_TCP)
        assert socket.gettimeout() is None


@pytest.mark.parametrize(
    ("arguments", "proto"),
    [
        ((AF_INET, SOCK_STREAM), IPPROTO_TCP),
        ((AF_INET, SOCK_DGRAM), IPPROTO_UDP),
        ((AF_INET, SOCK_DGRAM, IPPROTO_UDP), IPPROTO_UDP),
        ((AF_INET, SOCK_STREAM, IPPROTO_SEC), IPPROTO_SEC),
        ((AF_UNIX, SOCK_STREAM), 0),
    ],
)
def test_sock_1_type_selects_the_protocol(arguments: tuple[int, ...], proto: int) -> None:
    with usocket.socket(*arguments) as socket:
        assert (socket.family, socket.type, socket.proto) == (*arguments[:2], proto)


@pytest.mark.parametrize("arguments", [(AF_INET, SOCK_STREAM, IPPROTO_UDP), (9999,), (AF_INET, 9999), (-1, -1, -1)])
def test_sock_1_an_impossible_combination_is_the_systems_error(arguments: tuple[int, ...]) -> None:
    with pytest.raises(OSError) as standards:
        standard.socket(*(value & 0xFFFF for value in arguments))
    assert error_of(usocket.socket, *arguments) in (standards.value.errno, errno.EINVAL, errno.EAFNOSUPPORT)


def test_sock_1_takes_no_keywords() -> None:
    with pytest.raises(TypeError):
        usocket.socket(af=AF_INET)


def test_sock_1_a_subclass_has_all_of_it() -> None:
    class Chatty(usocket.socket):
        def __init__(self, name: str) -> None:
            super().__init__(AF_UNIX, SOCK_DGRAM)
            self.name = name

    with Chatty("x") as socket:
        assert (socket.name, socket.family, socket.type) == ("x", AF_UNIX, SOCK_DGRAM)
        assert "Chatty fd=" in repr(socket)


def test_sock_1_without_its_constructor_a_socket_is_closed() -> None:
    class Forgetful(usocket.socket):
        def __init__(self) -> None:
            pass

    for socket in (Forgetful(), usocket.socket.__new__(usocket.socket)):
        for use in (socket.read, socket.getsockname, socket.__enter__().accept, lambda: next(socket)):  # noqa: B023
            assert error_of(use) == EBADF
        assert (socket.closed, socket.fileno(), socket.close()) == (True, -1, None)
        assert "closed" in repr(socket)


def test_sock_1_a_second_construction_closes_what_was_there(tcp: Pair) -> None:
    """SOCK-3: no descriptor is lost (CPython's socket loses it, its io.FileIO does not)."""
    before = descriptors()
    for _ in range(3):
        tcp[0].__init__(AF_INET, SOCK_DGRAM)
        assert (tcp[0].type, tcp[0].closed) == (SOCK_DGRAM, False)
    assert descriptors() == before
    assert tcp[1].read() == b""


def test_sock_1_a_second_construction_with_wrong_arguments_changes_nothing(tcp: Pair) -> None:
    for arguments in (("x",), (2**40,), (1, 2, 3, 4)):
        with pytest.raises((TypeError, ValueError)):
            tcp[0].__init__(*arguments)
    tcp[0].write(b"alive")
    assert tcp[1].read(5) == b"alive"


def test_sock_1_a_second_construction_while_a_call_waits_is_refused(tcp: Pair) -> None:
    caller = Caller(tcp[0].read, 5)
    caller.wait_until_blocked()
    assert error_of(tcp[0].__init__) == errno.EBUSY
    tcp[1].write(b"alive")
    assert caller.finish() == b"alive"


@pytest.mark.parametrize("position", [0, 1, 2])
def test_sock_3_a_construction_inside_a_construction_loses_no_descriptor(position: int) -> None:
    class Meddler:
        def __index__(self) -> int:
            socket.__init__()
            return arguments[position]

    before = descriptors()
    arguments = [AF_UNIX, SOCK_DGRAM, 0]
    socket = usocket.socket.__new__(usocket.socket)
    socket.__init__(*(Meddler() if place == position else value for place, value in enumerate(arguments)))
    assert (socket.family, socket.type) == (AF_UNIX, SOCK_DGRAM)
    socket.close()
    assert descriptors() == before


# --- SOCK-2


def test_sock_2_every_descriptor_is_close_on_exec(tcp: Pair) -> None:
    with usocket.socket() as made, tcp[0].dup() as copy_, listener() as server, usocket.socket() as client:
        client.connect(server.getsockname())
        accepted, _ = server.accept()
        one, other = usocket.socketpair()
        with accepted, one, other:
            for socket in (made, copy_, accepted, one, other):
                assert fcntl.fcntl(socket.fileno(), fcntl.F_GETFD) & fcntl.FD_CLOEXEC


def test_sock_2_a_broken_connection_is_epipe_and_no_sigpipe() -> None:
    """In a process that a SIGPIPE would kill."""
    program = (
        "import signal, usocket\n"
        "signal.signal(signal.SIGPIPE, signal.SIG_DFL)\n"
        "for name in ('send', 'sendall', 'write'):\n"
        "    one, other = usocket.socketpair()\n"
        "    other.close()\n"
        "    try: getattr(one, name)(b'x')\n"
        "    except BrokenPipeError: print(name)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.returncode != -signal.SIGPIPE
    assert done.stdout.split() == ["send", "sendall", "write"]


# --- SOCK-3

OPERATIONS: list[tuple[str, tuple[Any, ...]]] = [
    ("bind", (("127.0.0.1", 0),)),
    ("connect", (("127.0.0.1", 1),)),
    ("listen", ()),
    ("accept", ()),
    ("shutdown", (usocket.SHUT_RDWR,)),
    ("send", (b"x",)),
    ("sendall", (b"x",)),
    ("sendto", (b"x", ("127.0.0.1", 1))),
    ("sendmsg", ([b"x"],)),
    ("sendfile", (0,)),
    ("recv", (1,)),
    ("recvmsg", (1,)),
    ("recvmsg_into", ([bytearray(1)],)),
    ("recvfrom", (1,)),
    ("recv_into", (bytearray(1),)),
    ("recvfrom_into", (bytearray(1),)),
    ("read", ()),
    ("read", (1,)),
    ("read1", ()),
    ("readinto", (bytearray(1),)),
    ("readline", ()),
    ("write", (b"x",)),
    ("__next__", ()),
    ("makefile", ()),
    ("settimeout", (1,)),
    ("setblocking", (True,)),
    ("setsockopt", (SOL_SOCKET, SO_REUSEADDR, 1)),
    ("getsockopt", (SOL_SOCKET, SO_ERROR)),
    ("getsockname", ()),
    ("getpeername", ()),
    ("detach", ()),
    ("dup", ()),
    ("do_handshake", ()),
    ("version", ()),
    ("cipher", ()),
    ("selected_alpn_protocol", ()),
    ("getpeercert", (True,)),
    ("tls_session", ()),
    ("session_reused", ()),
]


@pytest.mark.parametrize(("name", "arguments"), OPERATIONS, ids=lambda value: value if isinstance(value, str) else None)
def test_sock_3_after_close_every_operation_is_ebadf(name: str, arguments: tuple[Any, ...], tcp: Pair) -> None:
    socket, peer = tcp
    socket.close()
    socket.close()
    assert error_of(getattr(socket, name), *arguments) == EBADF
    assert socket.fileno() == -1
    assert peer.read() == b""


def test_sock_3_every_operation_is_tried() -> None:
    others = {"close", "fileno", "gettimeout", "getblocking", "closed", "family", "type", "proto"}
    others |= {"readable", "writable", "seekable", "flush"}
    methods = {name for name in vars(usocket.socket) if not name.startswith("_")}
    assert methods - others == {name for name, _ in OPERATIONS} - {"__next__"}


def test_sock_3_a_collected_socket_is_closed_with_a_warning(tcp: Pair) -> None:
    before = descriptors()
    one, other = usocket.socketpair()
    fd = one.fileno()
    with pytest.warns(ResourceWarning, match=rf"unclosed <usocket.socket fd={fd}, "):
        del one
    assert other.read() == b""
    other.close()
    assert descriptors() == before


def test_sock_3_the_warning_says_where_the_socket_was_made() -> None:
    """tracemalloc finds it by the warning's source."""
    tracemalloc.start()
    try:
        with pytest.warns(ResourceWarning) as caught:
            usocket.socket()
    finally:
        tracemalloc.stop()
    assert caught[0].source is not None


def test_sock_3_a_collected_cycle_is_closed() -> None:
    class Node(usocket.socket):
        me: Any

    before = descriptors()
    node = Node()
    node.me = node
    watch = weakref.ref(node)
    with pytest.warns(ResourceWarning, match="Node fd="):
        del node
        gc.collect()
    assert watch() is None
    assert descriptors() == before


def test_sock_3_a_closed_socket_is_collected_without_a_warning() -> None:
    usocket.socket().close()
    gc.collect()


def test_sock_3_failures_leak_nothing() -> None:
    with nobodys() as address:
        before = descriptors()
        for _ in range(20):
            error_of(usocket.socket, AF_INET, SOCK_STREAM, IPPROTO_UDP)
            error_of(usocket.socketpair, AF_INET)
            with usocket.socket() as socket:
                assert error_of(socket.connect, address) == errno.ECONNREFUSED
        assert descriptors() == before


def test_sock_3_the_end_of_the_interpreter_with_open_sockets() -> None:
    program = (
        "import usocket, uselect\n"
        "one, other = usocket.socketpair()\n"
        "poll = uselect.poll(); poll.register(one)\n"
        "one.settimeout(0.01)\n"
        "other.write(b'abc')\n"
        "try: one.read(10)\n"
        "except OSError: pass\n"
        "class Sub(usocket.socket): pass\n"
        "sub = Sub(); sub.me = sub\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


# --- SOCK-5


def test_sock_5_accept_returns_a_blocking_connection_and_its_address() -> None:
    with listener() as server, usocket.socket() as client:
        server.settimeout(60)
        client.connect(server.getsockname())
        conn, address = server.accept()
        with conn:
            assert type(conn) is usocket.socket
            assert conn.gettimeout() is None and conn.getblocking()
            assert not fcntl.fcntl(conn.fileno(), fcntl.F_GETFL) & os.O_NONBLOCK
            assert address == client.getsockname()


@pytest.mark.parametrize("arguments", [(), (0,), (1,), (None,), (-1,), (-(10**30),), (2**31 - 1,)])
def test_sock_5_listen_takes_every_backlog(arguments: tuple[Any, ...]) -> None:
    with usocket.socket() as server, usocket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen(*arguments)
        client.connect(server.getsockname())
        server.accept()[0].close()


@pytest.mark.parametrize("backlog", [2**31, 10**30])
def test_sock_5_a_backlog_that_is_no_int_of_the_systems(backlog: int) -> None:
    with usocket.socket() as server, pytest.raises(ValueError, match=str(backlog)):
        server.listen(backlog)


def test_time_9_a_listener_that_has_waited_blocks_whoever_else_has_it() -> None:
    """accept() of a thread that looks for signals sleeps outside the system; others find the descriptor as it was."""
    with listener() as server, usocket.socket() as client:
        client.connect(server.getsockname())
        server.accept()[0].close()
        assert os.get_blocking(server.fileno())


def test_sock_5_connect_is_refused_where_nobody_listens() -> None:
    with nobodys() as address, usocket.socket() as client:
        assert error_of(client.connect, address) == errno.ECONNREFUSED


# --- SOCK-6


def test_sock_6_send_and_recv(pair: Pair) -> None:
    one, other = pair
    assert one.send(b"hello") == 5
    assert one.send(memoryview(b"!")) == 1
    assert one.sendall(bytearray(b" world")) is None
    assert other.read(12) == b"hello! world"
    one.send(b"peeked")
    assert other.recv(100, usocket.MSG_PEEK) == other.recv(100) == b"peeked"
    assert other.recv(0) == b""
    assert one.send(b"") == 0


def test_sock_6_recv_into(pair: Pair) -> None:
    one, other = pair
    buffer = bytearray(b"........")
    one.send(b"abcdef")
    assert other.recv_into(buffer, 2) == 2
    assert other.recv_into(memoryview(buffer)[4:], 0) == 4
    assert buffer == b"ab..cdef"
    one.send(b"xyz")
    assert other.recvfrom_into(buffer)[0] == 3


def test_sock_6_datagrams_keep_their_bounds_and_sender() -> None:
    with udp_socket() as one, udp_socket() as other:
        assert one.sendto(b"first", other.getsockname()) == 5
        assert one.sendto(b"second", 0, other.getsockname()) == 6
        assert one.sendto(b"", other.getsockname()) == 0
        assert other.recvfrom(100) == (b"first", one.getsockname())
        buffer = bytearray(3)
        assert other.recvfrom_into(buffer) == (3, one.getsockname())
        assert (other.recv(100), buffer) == (b"", b"sec")


def test_sock_6_msg_trunc_shows_no_memory_of_others() -> None:
    with udp_socket() as one, udp_socket() as other:
        one.sendto(b"x" * 100, other.getsockname())
        assert other.recv(10, usocket.MSG_TRUNC) == b"x" * 10


def test_sock_6_only_send_is_short(pair: Pair) -> None:
    one, other = pair
    one.settimeout(0)
    assert 0 < one.send(bytes(1 << 24)) < 1 << 24


@pytest.mark.parametrize("size", [-1, 2**31, 2**63, 10**30, -(10**30)])
def test_sock_6_absurd_sizes_are_refused_without_allocating(size: int, tcp: Pair) -> None:
    tracemalloc.start()
    try:
        for function in (tcp[0].recv, tcp[0].recvfrom):
            with pytest.raises(ValueError, match=rf"0\.\.2147483647: {size}"):
                function(size)
        assert tracemalloc.get_traced_memory()[1] < 1 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("nbytes", [-1, 9, 10**30])
def test_sock_6_more_than_the_buffer_holds_is_refused(nbytes: int, tcp: Pair) -> None:
    for function in (tcp[0].recv_into, tcp[0].recvfrom_into):
        with pytest.raises(ValueError, match="within the buffer"):
            function(bytearray(8), nbytes)


def send_at_once(feeder: usocket.socket, size: int) -> None:
    feeder.sendall(bytes(size))


def send_slowly(feeder: usocket.socket, size: int) -> None:
    for _ in range(8):
        feeder.sendall(bytes(size // 8))
        time.sleep(0.03)


def peak_of_a_read(feed: Callable[[usocket.socket, int], None], size: int) -> float:
    """How much memory a read to the end has held, in sizes of what it returns; another process feeds it."""
    with make_pair("tcp") as (feeder, one):
        pid = os.fork()
        if pid == 0:
            try:
                feed(feeder, size)
            finally:
                os._exit(0)
        feeder.close()
        tracemalloc.start()
        try:
            assert len(one.read() or b"") == size
            return tracemalloc.get_traced_memory()[1] / size
        finally:
            tracemalloc.stop()
            os.waitpid(pid, 0)


@pytest.mark.parametrize("feed", [send_at_once, send_slowly])
def test_sock_6_what_is_received_is_not_copied_twice(feed: Callable[[usocket.socket, int], None]) -> None:
    """A read holds little more than what it returns, and a main thread that looks for signals meanwhile does not copy
    what it has (TIME-5), but for once a second. Where the machine takes so long for much, less will do."""
    assert any(peak_of_a_read(feed, mebibytes << 20) < 2.1 for mebibytes in (8, 4, 2, 1, 1))


def test_sock_6_a_buffer_is_locked_while_it_is_lent(tcp: Pair) -> None:
    buffer = bytearray(8)
    caller = Caller(tcp[0].readinto, buffer)
    caller.wait_until_blocked()
    with pytest.raises(BufferError):
        buffer.extend(b"x")
    tcp[1].write(b"12345678")
    assert caller.finish() == 8
    buffer.extend(b"9")
    assert buffer == b"123456789"


def test_sock_6_the_size_of_what_there_is_does_not_stay_allocated(tcp: Pair) -> None:
    tcp[1].send(b"x")
    assert sys.getsizeof(tcp[0].recv(1 << 20)) == sys.getsizeof(b"x")


FASTOPEN = getattr(usocket, "MSG_FASTOPEN", 0)
OPENING = {
    "sendto": lambda socket, address, data=b"GET\n": socket.sendto(data, FASTOPEN, address),
    "sendmsg": lambda socket, address, data=b"GET\n": socket.sendmsg([data[:1], data[1:]], [], FASTOPEN, address),
}


@pytest.fixture(params=OPENING)
def opening(request: pytest.FixtureRequest) -> Callable[..., int]:
    """Connects and sends at once. On the loopback no peer is known from before, so that the system connects first."""
    with nobodys() as address, usocket.socket() as socket:
        if not FASTOPEN or error_of(OPENING["sendto"], socket, address) == errno.EOPNOTSUPP:
            pytest.skip("the system has no MSG_FASTOPEN")
    return OPENING[request.param]


@pytest.mark.parametrize("module", [usocket, compat])
@pytest.mark.parametrize("timeout", [None, 60])
def test_sock_6_what_opens_a_connection_waits_for_it_and_sends(
    opening: Any, module: Any, timeout: float | None
) -> None:
    data = b"x" * 100_000
    with listener(module) as server:
        for _ in range(2):
            with module.socket() as client:
                client.settimeout(timeout)
                assert 0 < (count := opening(client, server.getsockname(), data)) <= len(data)
                with server.accept()[0] as conn:
                    client.close()
                    assert conn.read() == data[:count]


def test_time_4_what_opens_a_connection_and_may_not_wait_has_begun_to(opening: Any) -> None:
    with listener() as server, usocket.socket() as client:
        client.setblocking(False)
        assert error_of(opening, client, server.getsockname()) == errno.EINPROGRESS
        with server.accept()[0] as conn:
            client.setblocking(True)
            assert opening(client, server.getsockname()) == 4  # which waits for what goes on already
            assert conn.read(4) == b"GET\n"


def test_sock_6_what_opens_a_connection_says_why_there_is_none(opening: Any) -> None:
    with nobodys() as address, usocket.socket() as client:
        for _ in range(3):
            assert error_of(opening, client, address) == errno.ECONNREFUSED


@pytest.fixture
def silent() -> Iterator[Any]:
    """An address that does not answer: its listener has as many as it may have."""
    with usocket.socket() as server, usocket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        client.connect(server.getsockname())
        yield server.getsockname()


def test_time_3_what_opens_a_connection_ends_at_its_timeout(opening: Any, silent: Any) -> None:
    with usocket.socket() as client:
        client.settimeout(0.05)
        assert error_of(opening, client, silent) == errno.ETIMEDOUT
        assert error_of(opening, client, silent) == errno.ETIMEDOUT


def test_sock_4_close_ends_what_opens_a_connection(opening: Any, silent: Any) -> None:
    with usocket.socket() as client:
        caller = Caller(lambda: opening(client, silent))
        caller.wait_until_blocked()
        client.close()
        assert error_of(caller.finish) == EBADF


# --- SOCK-10


@pytest.mark.parametrize("count", [1024, 1025, 5000])
def test_sock_10_a_stream_takes_any_number_of_pieces(pair: Pair, count: int) -> None:
    data = bytes(index % 251 for index in range(count))
    assert pair[0].sendmsg([data[index : index + 1] for index in range(count)]) == count
    assert pair[1].read(count) == data
    pair[0].write(data)
    pieces = [bytearray(1) for _ in range(count)]
    assert 0 < (filled := pair[1].recvmsg_into(pieces)[0]) <= count
    assert b"".join(pieces)[:filled] == data[:filled]


def test_sock_10_what_comes_beside_many_pieces_comes_once() -> None:
    one, other = usocket.socketpair()
    with one, other:
        rights = struct.pack("i", one.fileno())
        assert one.sendmsg([b"x"] * 3000, [(SOL_SOCKET, usocket.SCM_RIGHTS, rights)]) == 3000
        got, beside = 0, []
        while got < 3000:
            data, ancdata, _, _ = other.recvmsg(3000, 1000)
            got += len(data)
            beside += [struct.unpack("i", item)[0] for _, _, item in ancdata]
        for descriptor in beside:
            os.close(descriptor)
        assert len(beside) == 1


def test_sock_10_a_datagram_of_too_many_pieces_is_an_error_that_says_so() -> None:
    with udp_socket() as one, pytest.raises(OSError, match="pieces") as failed:
        one.connect(one.getsockname())
        one.sendmsg([b"x"] * 5000)
    assert failed.value.errno == errno.EMSGSIZE


def test_sock_10_an_offset_that_no_file_has_is_an_overflow(pair: Pair, tmp_path: Path) -> None:
    """As CPython's sendfile() says it."""
    (tmp_path / "file").write_bytes(b"hello")
    with (tmp_path / "file").open("rb") as file:
        for offset in (2**63, 2**64, -(2**64)):
            with pytest.raises(OverflowError, match=str(offset)):
                pair[0].sendfile(file, offset, 5)
        assert pair[0].sendfile(file, 2**63 - 1, 5) == 0
        assert pair[0].sendfile(file, True, 5) == 4


# --- SOCK-7


def test_sock_7_options_as_ints_and_bytes(tcp: Pair) -> None:
    socket = tcp[0]
    socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
    assert socket.getsockopt(SOL_SOCKET, SO_REUSEADDR) == 1
    socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, struct.pack("=i", 0))
    assert socket.getsockopt(SOL_SOCKET, SO_REUSEADDR, 4) == bytes(4)
    linger = struct.pack("=ii", 1, 7)
    socket.setsockopt(SOL_SOCKET, SO_LINGER, memoryview(linger))
    assert socket.getsockopt(SOL_SOCKET, SO_LINGER, 8) == linger
    assert socket.getsockopt(SOL_SOCKET, SO_LINGER, 1024) == linger
    assert socket.getsockopt(SOL_SOCKET, SO_RCVBUF, 0) == socket.getsockopt(SOL_SOCKET, SO_RCVBUF)
    socket.setsockopt(SOL_SOCKET, SO_LINGER, bytes(8))


def test_sock_7_errors(tcp: Pair) -> None:
    socket = tcp[0]
    assert error_of(socket.getsockopt, SOL_SOCKET, 9999) == errno.ENOPROTOOPT
    for length in (-1, 1025, 10**30):
        with pytest.raises(ValueError, match=rf"0\.\.1024: {length}"):
            socket.getsockopt(SOL_SOCKET, SO_LINGER, length)
    with pytest.raises(ValueError, match="2147483648"):
        socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 2**31)
    for value in (None, "1", 1.0):
        with pytest.raises(TypeError):
            socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, value)


# --- SOCK-8


def test_sock_8_shutdown_and_names(tcp: Pair) -> None:
    one, other = tcp
    assert one.getpeername() == other.getsockname()
    one.shutdown(usocket.SHUT_WR)
    assert other.read() == b""
    other.write(b"still open")
    assert one.recv(100) == b"still open"
    with usocket.socket() as socket:
        assert error_of(socket.getpeername) == errno.ENOTCONN


def test_sock_8_detach_gives_the_descriptor_away(tcp: Pair) -> None:
    one, other = tcp
    fd = one.fileno()
    assert one.detach() == fd
    assert one.closed and one.fileno() == -1
    os.write(fd, b"still open")
    os.close(fd)
    assert other.read() == b"still open"


def test_sock_8_detach_keeps_what_was_received(tcp: Pair) -> None:
    """TIME-6: the next holder of the descriptor would never see it."""
    one, other = tcp
    other.write(b"abc")
    one.settimeout(0.02)
    error_of(one.read, 10)
    assert error_of(one.detach) == errno.EBUSY
    assert one.read(3) == b"abc"
    os.close(one.detach())


def test_sock_8_adopting_a_descriptor(tcp: Pair) -> None:
    fd = tcp[0].detach()
    with usocket.socket(fileno=fd) as socket:
        assert (socket.fileno(), socket.family, socket.type, socket.proto) == (fd, AF_INET, SOCK_STREAM, IPPROTO_TCP)
        socket.write(b"x")
        assert tcp[1].read(1) == b"x"


def test_sock_8_adopting_what_is_no_socket() -> None:
    with open(os.devnull, "rb") as file:
        assert error_of(lambda: usocket.socket(fileno=file.fileno())) == errno.ENOTSOCK
    assert error_of(lambda: usocket.socket(fileno=-1)) == EBADF
    with pytest.raises(ValueError):
        usocket.socket(fileno=10**30)
    with pytest.raises(TypeError):
        usocket.socket(fileno="0")


def test_sock_8_dup_is_the_same_connection(tcp: Pair) -> None:
    one, other = tcp
    one.settimeout(7.5)
    with one.dup() as copy_:
        assert copy_.fileno() != one.fileno() and copy_.gettimeout() == 7.5
        one.close()
        copy_.write(b"open")
        assert other.read(4) == b"open"
    assert other.read() == b""


@pytest.mark.parametrize("arguments", [(), (AF_UNIX,), (AF_UNIX, SOCK_STREAM, 0), (AF_UNIX, SOCK_DGRAM)])
def test_sock_8_socketpair(arguments: tuple[int, ...]) -> None:
    one, other = usocket.socketpair(*arguments)
    with one, other:
        one.send(b"x")
        assert other.recv(9) == b"x"
        assert type(one) is usocket.socket


def test_sock_8_with_closes() -> None:
    with usocket.socket() as socket:
        assert not socket.closed
    assert socket.closed
    with pytest.raises(ZeroDivisionError), usocket.socket() as socket:
        raise ZeroDivisionError
    assert socket.closed


def test_sock_8_iteration_is_by_lines(pair: Pair) -> None:
    one, other = pair
    one.write(b"a\n\nlast")
    one.close()
    assert list(other) == [b"a\n", b"\n", b"last"]


def test_sock_8_repr_shows_state_fd_and_both_ends() -> None:
    with make_pair("tcp") as (one, other):
        local, remote = (
            f"('127.0.0.1', {usocket.sockaddr(name)[2]})" for name in (one.getsockname(), one.getpeername())
        )
        one.settimeout(1.5)
        assert repr(one) == (
            f"<usocket.socket fd={one.fileno()}, family={AF_INET}, type={SOCK_STREAM}, proto={IPPROTO_TCP}, "
            f"timeout=1.5, laddr={local}, raddr={remote}>"
        )
        one.close()
        assert "[closed]" in repr(one) and "fd=-1" in repr(one)


def test_sock_8_a_socket_is_no_value(tcp: Pair) -> None:
    """Hashable and comparable by identity, weakly referable; not to be copied or pickled."""
    socket = tcp[0]
    assert socket == socket and socket != tcp[1]
    assert {socket: 1}[socket] == 1
    assert weakref.ref(socket)() is socket
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        with pytest.raises(TypeError, match=r"cannot pickle '(usocket\.)?socket' object"):
            pickle.dumps(socket, protocol)
    for function in (copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            function(socket)


def test_sock_8_its_size_is_small() -> None:
    """Three words of Python's, and the core's own part."""
    with usocket.socket() as socket:
        assert sys.getsizeof(socket) <= 112
