"""SOCK-4: close() from another thread; and that other threads run while a call waits."""

from __future__ import annotations

import contextlib
import errno
import os
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uselect
import usocket
from python_support import Caller, Pair, fill, full_backlog, make_pair, preloaded, run_python, udp_socket
from usocket import AF_INET, AF_UNIX, SOCK_DGRAM

# A socket in a state in which a call of it waits.
State = Callable[[], contextlib.AbstractContextManager[usocket.socket]]


@contextlib.contextmanager
def empty(kind: str) -> Iterator[usocket.socket]:
    if kind == "udp":
        with udp_socket() as socket:
            yield socket
    else:
        with make_pair(kind) as (one, other):
            yield one


@contextlib.contextmanager
def full(kind: str) -> Iterator[usocket.socket]:
    with make_pair(kind) as (one, other):
        fill(one)
        yield one


@contextlib.contextmanager
def listening(family: int) -> Iterator[usocket.socket]:
    with usocket.socket(family) as server:
        server.bind(("127.0.0.1", 0) if family != AF_UNIX else f"\0usocket-test-{os.getpid()}-{id(server)}")
        server.listen()
        yield server


RECEIVING: list[tuple[str, tuple[Any, ...]]] = [
    ("recv", (1,)),
    ("recvfrom", (1,)),
    ("recv_into", (bytearray(1),)),
    ("recvfrom_into", (bytearray(1),)),
    ("read", (2,)),
    ("read1", ()),
    ("readinto", (bytearray(2),)),
    ("readline", ()),
    ("__next__", ()),
]
SENDING: list[tuple[str, tuple[Any, ...]]] = [
    ("send", (b"x",)),
    ("sendall", (bytes(1 << 20),)),
    ("sendmsg", ([b"x"],)),
    ("write", (bytes(1 << 20),)),
]
CASES: list[tuple[str, State, str, tuple[Any, ...]]] = [
    *(
        (f"{kind} {name}", partial(empty, kind), name, arguments)
        for kind in ("tcp", "unix", "udp")
        for name, arguments in RECEIVING
    ),
    *(
        (f"{kind} {name}", partial(full, kind), name, arguments)
        for kind in ("tcp", "unix")
        for name, arguments in SENDING
    ),
    ("tcp accept", partial(listening, AF_INET), "accept", ()),
    ("unix accept", partial(listening, AF_UNIX), "accept", ()),
]


@pytest.mark.parametrize("timeout", [None, 60.0])
@pytest.mark.parametrize(("state", "name", "arguments"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_sock_4_close_ends_a_call_of_another_thread(
    state: State, name: str, arguments: tuple[Any, ...], timeout: float | None
) -> None:
    with state() as socket:
        socket.settimeout(timeout)
        caller = Caller(getattr(socket, name), *arguments)
        caller.wait_until_blocked()
        socket.close()
        with pytest.raises(OSError) as caught:
            caller.finish()
        assert caught.value.errno == errno.EBADF


@pytest.mark.parametrize("timeout", [None, 60.0])
def test_sock_4_close_ends_a_connect(timeout: float | None) -> None:
    with full_backlog(AF_UNIX) as (address, _), usocket.socket(AF_UNIX) as client:
        client.settimeout(timeout)
        caller = Caller(client.connect, address)
        caller.wait_until_blocked()
        client.close()
        with pytest.raises(OSError) as caught:
            caller.finish()
        assert caught.value.errno == errno.EBADF


SLOW_CONNECT = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <sys/socket.h>
#include <unistd.h>

int connect(int fd, const struct sockaddr* address, socklen_t size) {
    usleep(30000);
    return ((int (*)(int, const struct sockaddr*, socklen_t))dlsym(RTLD_NEXT, "connect"))(fd, address, size);
}
"""
TWO_CONNECT = """
import os, sys, threading, time
sys.path.insert(0, sys.argv[1])
import usocket
from python_support import full_backlog

def connect(address):
    try:
        sock.connect(address)
    except OSError:
        pass

with full_backlog(usocket.AF_UNIX) as (address, server):
    for span in (0.06, 0.037):
        sock = usocket.socket(usocket.AF_UNIX)
        threads = [threading.Thread(target=connect, args=(address,), daemon=True) for _ in range(2)]
        for thread in threads:
            thread.start()
            time.sleep(0.015)
        time.sleep(span - 0.03)
        sock.close()
        for thread in threads:
            thread.join(10)
        print(*[thread.is_alive() for thread in threads], flush=True)
os._exit(0)
"""


def test_sock_4_close_ends_two_threads_that_connect_the_same_socket(tmp_path: Path) -> None:
    """One of which is in connect(2) while the other leaves it."""
    preload = preloaded(SLOW_CONNECT, tmp_path)
    done = run_python(TWO_CONNECT, str(Path(__file__).parent), LD_PRELOAD=preload)
    assert done.stdout.split() == ["False"] * 4


@pytest.mark.parametrize("timeout", [None, 60.0])
def test_sock_4_close_ends_a_sendto(timeout: float | None) -> None:
    with usocket.socket(AF_UNIX, SOCK_DGRAM) as server, usocket.socket(AF_UNIX, SOCK_DGRAM) as client:
        server.bind(f"\0usocket-test-{os.getpid()}-{id(server)}")
        client.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                client.sendto(b"x", server.getsockname())
        client.settimeout(timeout)
        caller = Caller(client.sendto, b"x", server.getsockname())
        caller.wait_until_blocked()
        client.close()
        with pytest.raises(OSError) as caught:
            caller.finish()
        assert caught.value.errno == errno.EBADF


@pytest.mark.parametrize("name", ["poll", "ipoll"])
def test_sock_4_close_ends_a_poll(name: str, tcp: Pair) -> None:
    """POLL-3: and says so."""
    poll = uselect.poll()
    poll.register(tcp[0], uselect.POLLIN)
    caller = Caller(lambda: list(getattr(poll, name)()))
    caller.wait_until_blocked()
    tcp[0].close()
    ((ready, events, *_),) = caller.finish()
    assert ready is tcp[0] and events & uselect.POLLHUP


def test_sock_4_no_call_touches_a_number_that_was_handed_out_anew() -> None:
    """The number of the closed socket is taken at once by a new one, whose bytes the old call must not get."""
    for _ in range(300):
        with make_pair("unix") as (one, other):
            caller = Caller(one.read, 4)
            caller.wait_until_blocked()
            one.close()
            fresh, peer = usocket.socketpair()
            with fresh, peer:
                fresh.write(b"mine")
                peer.write(b"mine")
                with pytest.raises(OSError):
                    caller.finish()
                assert (fresh.read(4), peer.read(4)) == (b"mine", b"mine")


def test_sock_4_closing_from_many_threads_closes_once() -> None:
    for _ in range(100):
        one, other = usocket.socketpair()
        callers = [Caller(one.close) for _ in range(4)]
        for caller in callers:
            caller.finish()
        assert one.closed and other.read() == b""
        other.close()


def test_sock_4_a_socket_is_made_anew_while_polls_take_it() -> None:
    """Whoever registers a socket finds the old one or the new one, also where there is no GIL."""
    program = """
import threading, time, uselect, usocket
one, other = usocket.socketpair()
poll = uselect.poll()
def over_and_over(*calls):
    for _ in range(20_000):
        for call in calls:
            try:
                call()
            except OSError:
                pass
def make_anew():
    one.__init__(usocket.AF_UNIX, usocket.SOCK_DGRAM)
register, unregister = lambda: poll.register(one, 1), lambda: poll.unregister(one, False)
works = [[make_anew], [make_anew], [register, unregister], [register, unregister],
         [lambda: poll.poll(0)], [lambda: uselect.select([one], [one], [], 0)]]
threads = [threading.Thread(target=over_and_over, args=work) for work in works]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    run_python(program)


def test_time_2_two_directions_at_once(tcp: Pair) -> None:
    """A call that reads does not keep one that writes from its work."""
    one, other = tcp
    size = 4 << 20
    echo = Caller(lambda: [other.write(data) for data in iter(lambda: other.recv(65536), b"")])
    writer = Caller(one.sendall, b"x" * size)
    assert len(one.read(size) or b"") == size
    writer.finish()
    one.shutdown(usocket.SHUT_WR)
    echo.finish()


def test_strm_3_two_readers_get_whole_lines_each(pair: Pair) -> None:
    """One reads at a time; which line goes to whom is open, that none is torn is not."""
    one, other = pair
    lines = [b"%d %s\n" % (number, b"x" * (number % 300)) for number in range(2000)]
    got: list[bytes] = []
    callers = [Caller(lambda: got.extend(one)) for _ in range(2)]
    other.write(b"".join(lines))
    other.close()
    for caller in callers:
        caller.finish()
    assert sorted(got) == sorted(lines)


def test_time_2_waiting_for_another_reader_expires(tcp: Pair) -> None:
    one, other = tcp
    reader = Caller(one.read, 1)
    reader.wait_until_blocked()
    one.settimeout(0.02)
    with pytest.raises(TimeoutError):
        one.read(1)
    other.write(b"x")
    assert reader.finish() == b"x"


def test_sock_6_other_threads_run_while_a_call_waits(pair: Pair) -> None:
    """The main thread goes on to send what the other one waits for."""
    caller = Caller(pair[0].readline)
    caller.wait_until_blocked()
    assert threading.active_count() > 1
    pair[1].write(b"line\n")
    assert caller.finish() == b"line\n"
