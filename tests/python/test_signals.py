"""TIME-5: a signal never ends a call by itself; a handler that raises ends it at once. On every call that waits."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uselect
import usocket
from python_support import (
    AT_ANY_MOMENT,
    Keeping,
    alarms,
    drain,
    error_of,
    fill,
    full_backlog,
    has_interpreters_lock,
    listener,
    make_pair,
    preloaded,
    run_python,
    wait_until_blocked,
)
from usocket import AF_UNIX, SOCK_DGRAM


class Stop(Exception):
    pass


# A call that waits, its socket, and what lets it go on.
Waiting = tuple[Callable[[], Any], usocket.socket, Callable[[], Any]]


@contextlib.contextmanager
def receiving(name: str, *arguments: Any) -> Iterator[Waiting]:
    with make_pair("tcp") as (one, other):

        def arrive() -> None:
            if not other.closed:
                other.write(b"done\n")
                other.close()

        yield lambda: getattr(one, name)(*arguments), one, arrive


@contextlib.contextmanager
def sending(name: str, *arguments: Any) -> Iterator[Waiting]:
    with make_pair("unix") as (one, other):
        fill(one)
        yield lambda: getattr(one, name)(*arguments), one, lambda: drain(other)


@contextlib.contextmanager
def accepting() -> Iterator[Waiting]:
    with listener() as server, usocket.socket() as client:

        def connect() -> None:
            client.settimeout(0)
            with contextlib.suppress(OSError):
                client.connect(server.getsockname())

        yield lambda: server.accept()[0].close(), server, connect


@contextlib.contextmanager
def connecting() -> Iterator[Waiting]:
    with full_backlog(AF_UNIX) as (address, server), usocket.socket(AF_UNIX) as client:

        def accept() -> None:
            server.settimeout(0)
            with contextlib.suppress(BlockingIOError):
                while True:
                    server.accept()[0].close()

        yield lambda: client.connect(address), client, accept


@contextlib.contextmanager
def sending_to() -> Iterator[Waiting]:
    with usocket.socket(AF_UNIX, SOCK_DGRAM) as server, usocket.socket(AF_UNIX, SOCK_DGRAM) as client:
        server.bind(f"\0usocket-test-{os.getpid()}-{id(server)}")
        client.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                client.sendto(b"x", server.getsockname())
        client.settimeout(None)
        yield lambda: client.sendto(b"x", server.getsockname()), client, lambda: drain(server)


@contextlib.contextmanager
def polling(name: str) -> Iterator[Waiting]:
    with make_pair("tcp") as (one, other):
        poll = uselect.poll()
        poll.register(one, uselect.POLLIN)
        yield lambda: list(getattr(poll, name)()), one, lambda: other.write(b"x")


CALLS: dict[str, Callable[[], contextlib.AbstractContextManager[Waiting]]] = {
    "recv": lambda: receiving("recv", 10),
    "recvfrom": lambda: receiving("recvfrom", 10),
    "recv_into": lambda: receiving("recv_into", bytearray(10)),
    "recvfrom_into": lambda: receiving("recvfrom_into", bytearray(10)),
    "read": lambda: receiving("read"),
    "read(n)": lambda: receiving("read", 10),
    "read1": lambda: receiving("read1"),
    "readinto": lambda: receiving("readinto", bytearray(10)),
    "readline": lambda: receiving("readline"),
    "__next__": lambda: receiving("__next__"),
    "send": lambda: sending("send", b"x"),
    "sendall": lambda: sending("sendall", bytes(1 << 20)),
    "sendmsg": lambda: sending("sendmsg", [b"x"]),
    "write": lambda: sending("write", bytes(1 << 20)),
    "sendto": sending_to,
    "accept": accepting,
    "connect": connecting,
    "poll": lambda: polling("poll"),
    "ipoll": lambda: polling("ipoll"),
}

timeouts = pytest.mark.parametrize("timeout", [None, 60.0])


@timeouts
@pytest.mark.parametrize("name", CALLS)
def test_time_5_a_handler_that_returns_lets_the_call_go_on(name: str, timeout: float | None) -> None:
    """What the call waits for comes with the third alarm and those after it."""
    with CALLS[name]() as (call, socket, let_go_on):
        socket.settimeout(timeout)
        with alarms(lambda count: count >= 3 and let_go_on()):
            call()


@timeouts
@pytest.mark.parametrize("name", CALLS)
def test_time_5_a_handler_that_raises_ends_the_call_with_that(name: str, timeout: float | None) -> None:
    def handler(count: int) -> None:
        if count == 3:
            raise Stop("from the handler")

    with CALLS[name]() as (call, socket, _):
        socket.settimeout(timeout)
        with alarms(handler), pytest.raises(Stop, match="from the handler"):
            call()


@timeouts
@pytest.mark.parametrize("name", CALLS)
def test_time_5_so_does_one_whose_signal_ends_no_sleep(name: str, timeout: float | None) -> None:
    """The system delivers it to another thread; one that comes just before the sleep is missed in the same way."""

    def handler(number: int, frame: object) -> None:
        raise Stop("from the handler")

    def send() -> None:
        wait_until_blocked(threading.main_thread())
        signal.raise_signal(signal.SIGUSR1)
        if not over.wait(20):
            let_go_on()

    over = threading.Event()
    before = signal.signal(signal.SIGUSR1, handler)
    with CALLS[name]() as (call, socket, let_go_on):
        socket.settimeout(timeout)
        sender = threading.Thread(target=send)
        try:
            with pytest.raises(Stop, match="from the handler"):
                sender.start()
                call()
        finally:
            over.set()
            sender.join()
            signal.signal(signal.SIGUSR1, before)


SOON = {
    "recv": "one.recv(1)",
    "read": "one.read(2)",
    "readline": "one.readline()",
    "accept": "server.accept()",
    "poll": "poll.poll()",
}


@pytest.mark.parametrize("call", SOON.values(), ids=SOON)
def test_time_5_a_signal_at_any_moment_ends_it(call: str) -> None:
    """In a process with one thread: a timer that runs out before the call, in it, and between its steps."""
    program = """
import uselect, usocket
one, other = usocket.socketpair()
server = usocket.socket()
server.listen()
poll = uselect.poll()
poll.register(one, uselect.POLLIN)
"""
    program += AT_ANY_MOMENT.format(call=call)
    assert run_python(program, limit_s=60).stdout == "4000\n"


@timeouts
@pytest.mark.parametrize("name", CALLS)
def test_time_5_the_socket_is_as_good_as_before(name: str, timeout: float | None) -> None:
    """The same call again, after a handler has ended the first, does its work."""

    def handler(count: int) -> None:
        if count == 3:
            raise Stop

    with CALLS[name]() as (call, socket, let_go_on):
        socket.settimeout(timeout)
        with alarms(handler), pytest.raises(Stop):
            call()
        with alarms(lambda count: let_go_on()):
            call()


@pytest.mark.parametrize("name", CALLS)
def test_time_5_a_handler_may_close_the_socket(name: str) -> None:
    """SOCK-4 in one thread: the call ends with EBADF, a poll with POLLHUP (POLL-3)."""
    with CALLS[name]() as (call, socket, _), alarms(lambda count: count == 3 and socket.close()):
        if name in ("poll", "ipoll"):
            assert call()[0][1] & uselect.POLLHUP
        else:
            assert error_of(call) == errno.EBADF


@timeouts
@pytest.mark.parametrize("name", ["read", "read(n)", "readline", "readinto"])
def test_time_5_a_handler_may_read_from_the_socket(name: str, timeout: float | None) -> None:
    """It takes what is next in line; the call that it interrupts gets what comes behind."""
    with make_pair("tcp") as (one, other):
        method, arguments = {"read(n)": ("read", (5,)), "readinto": ("readinto", (bytearray(5),))}.get(name, (name, ()))

        def handler(count: int) -> None:
            if count == 3:
                other.write(b"first")
                assert one.recv(5) == b"first"
            elif count == 4:
                other.write(b"done\n")
                other.close()

        one.settimeout(timeout)
        with alarms(handler):
            assert getattr(one, method)(*arguments) in (b"done\n", 5)


@pytest.mark.parametrize(
    "program", ["import usocket\na, b = usocket.socketpair()\nprint('ready', flush=True)\na.read()\n"]
)
@pytest.mark.parametrize("as_module", [False, True])
def test_time_5_ctrl_c_ends_a_program(program: str, as_module: bool, tmp_path: Path) -> None:
    """With a KeyboardInterrupt; under python -m usocket as well."""
    path = tmp_path / "app.py"
    path.write_text(program)
    command = [sys.executable, *(["-m", "usocket"] if as_module else []), str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT
    assert errors.rstrip().endswith("KeyboardInterrupt")


RECEIVING: dict[str, tuple[int, Callable[[usocket.socket], Any]]] = {
    "recv": (usocket.SOCK_STREAM, lambda one: one.recv(4)),
    "recvfrom": (usocket.SOCK_STREAM, lambda one: one.recvfrom(100)),
    "recv_into": (usocket.SOCK_STREAM, lambda one: one.recv_into(bytearray(4))),
    "recv(n, MSG_WAITALL)": (usocket.SOCK_STREAM, lambda one: one.recv(9, usocket.MSG_WAITALL)),
    "recvmsg": (usocket.SOCK_STREAM, lambda one: one.recvmsg(4)),
    "recvmsg_into": (usocket.SOCK_STREAM, lambda one: one.recvmsg_into([bytearray(3), bytearray(10)])),
    "read": (usocket.SOCK_STREAM, lambda one: one.read(4)),
    "read1": (usocket.SOCK_STREAM, lambda one: one.read1()),
    "readinto": (usocket.SOCK_STREAM, lambda one: one.readinto(bytearray(9))),
    "readline": (usocket.SOCK_STREAM, lambda one: one.readline()),
    "recv, a message": (usocket.SOCK_DGRAM, lambda one: one.recv(100)),
    "recvfrom, a message": (usocket.SOCK_DGRAM, lambda one: one.recvfrom(100)),
    "recvmsg, a message": (usocket.SOCK_DGRAM, lambda one: one.recvmsg(100)),
}


@pytest.mark.skipif(not has_interpreters_lock(), reason="nothing to wait for")
@timeouts
@pytest.mark.parametrize("name", RECEIVING)
def test_time_6_a_signal_while_the_result_waits_for_the_interpreter_loses_nothing(
    name: str, timeout: float | None
) -> None:
    """What the call waits for has come, and the handler raises before the program has it."""
    kind, receive = RECEIVING[name]

    def handler(number: int, frame: object) -> None:
        raise Stop

    def send() -> None:
        wait_until_blocked(threading.main_thread())
        keeping.send(far_end, b"line\nmore")
        keeping.wait_until_kept_out(threading.main_thread())
        keeping.signal(signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handler)
    one, other = usocket.socketpair(AF_UNIX, kind)
    far_end = other.fileno()
    with one, other, Keeping() as keeping:
        one.settimeout(timeout)
        sender = threading.Thread(target=send)
        try:
            with pytest.raises(Stop):
                sender.start()
                receive(one)
        finally:
            sender.join()
            signal.signal(signal.SIGUSR1, before)
        poll = uselect.poll()
        poll.register(one, uselect.POLLIN)
        assert poll.poll(0)
        one.settimeout(0)
        assert (one.recv(100) if kind == SOCK_DGRAM else one.read(100)) == b"line\nmore"


@pytest.mark.skipif(not has_interpreters_lock(), reason="nothing to wait for")
def test_time_6_nor_a_connection() -> None:
    """The same of accept(): the next one gets it."""

    def handler(number: int, frame: object) -> None:
        raise Stop

    def connect() -> None:
        wait_until_blocked(threading.main_thread())
        keeping.connect(client_end, server_at)
        keeping.wait_until_kept_out(threading.main_thread())
        keeping.signal(signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handler)
    with listener() as server, usocket.socket() as client, Keeping() as keeping:
        client_end, server_at = client.fileno(), server.getsockname()
        connector = threading.Thread(target=connect)
        try:
            with pytest.raises(Stop):
                connector.start()
                server.accept()
        finally:
            connector.join()
            signal.signal(signal.SIGUSR1, before)
        server.settimeout(0)
        conn, address = server.accept()
        assert address == client.getsockname()
        conn.close()


READERS = {
    "read": "one.read(1)",
    "readline": "one.readline(3)",
    "readinto": "one.readinto(bytearray(2))",
    "recv": "one.recv(1)",
    "recv, peeking": "one.recv(2, usocket.MSG_PEEK) and one.recv(1)",
}


@timeouts
@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_time_5_a_handler_may_start_readers_and_raise(reader: str, timeout: float | None) -> None:
    """Neither waits for the other: they read what the interrupted call had taken in, and it goes on its way."""
    program = f"""
import signal, threading, time, usocket
from python_support import Caller, wait_until_blocked
one, other = usocket.socketpair()
one.settimeout({timeout})
part = b"line\\n" * 10_000
other.write(part)
main, readers, counts = threading.main_thread(), [], []
def read():
    while ({reader}):
        counts.append(1)
def handler(*_):
    readers.extend(Caller(read) for _ in range(2))
    while not counts:
        time.sleep(0)
    raise ZeroDivisionError
def send():
    wait_until_blocked(main)
    signal.pthread_kill(main.ident, signal.SIGUSR1)
signal.signal(signal.SIGUSR1, handler)
threading.Thread(target=send).start()
try:
    one.read(len(part) + 1)
except ZeroDivisionError:
    other.close()
    for reader in readers:
        reader.join()
    print("over")
"""
    assert run_python(program, PYTHONPATH=str(Path(__file__).parent), limit_s=20).stdout == "over\n"


# --- A signal in the very system call that takes what comes but once

SIGNALS_IN_CALLS = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <sys/socket.h>

/* Set by the test: the next call that takes something is hit by a signal before it returns. */
int signal_in_next_call = 0;

static void hit(long taken) {
    if (taken < 0 || !signal_in_next_call) return;
    signal_in_next_call = 0;
    raise(SIGUSR1);
}

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    ssize_t (*real)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");
    ssize_t size = real(fd, message, flags);
    hit(size);
    return size;
}

int accept4(int fd, struct sockaddr *address, socklen_t *size, int flags) {
    int (*real)(int, struct sockaddr *, socklen_t *, int) = dlsym(RTLD_NEXT, "accept4");
    int taken = real(fd, address, size, flags);
    hit(taken);
    return taken;
}
"""

HIT = """
import array, ctypes, os, signal, sys, usocket
from python_support import descriptors, listener

def handler(*_):
    raise ZeroDivisionError

def hit(call, *arguments):
    ctypes.c_int.in_dll(ctypes.CDLL(None), "signal_in_next_call").value = 1
    try:
        result = call(*arguments)
    except ZeroDivisionError:
        return
    raise AssertionError(f"no signal: {result}")

signal.signal(signal.SIGUSR1, handler)
"""


@pytest.fixture(scope="module")
def hitting(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process whose calls are hit."""
    shim = preloaded(SIGNALS_IN_CALLS, tmp_path_factory.mktemp("signals"))
    return {"LD_PRELOAD": shim, "PYTHONPATH": str(Path(__file__).parent)}


@pytest.mark.parametrize("kind", ["SOCK_STREAM", "SOCK_DGRAM", "SOCK_SEQPACKET"])
@pytest.mark.parametrize("flags", ["0", "MSG_PEEK", "MSG_WAITALL"])
def test_sock_10_descriptors_that_nobody_gets_are_closed(kind: str, flags: str, hitting: dict[str, str]) -> None:
    """The handler raises once the message has come; what a stream's has of bytes is unread again (TIME-6)."""
    program = (
        HIT
        + f"""
one, other = usocket.socketpair(usocket.AF_UNIX, usocket.{kind})
rights = [(usocket.SOL_SOCKET, usocket.SCM_RIGHTS, array.array("i", [0, 1]))]
other.sendmsg([b"abcdefgh"], rights)
before = descriptors()
hit(one.recvmsg, 8, 100, {"0" if flags == "0" else f"usocket.{flags}"})
assert descriptors() == before
if "{kind}" == "SOCK_STREAM":
    one.settimeout(0)
    assert one.read(8) == b"abcdefgh"
elif "{flags}" == "MSG_PEEK":
    assert one.recv(8) == b"abcdefgh"
print("over")
"""
    )
    assert run_python(program, **hitting).stdout == "over\n"


@pytest.mark.parametrize("exposed", [False, True])
def test_sock_3_a_connection_that_nobody_gets_is_closed(exposed: bool, hitting: dict[str, str]) -> None:
    """The handler raises once accept() has it; also where the listener's descriptor is somebody else's, too."""
    program = (
        HIT
        + f"""
import warnings
warnings.simplefilter("ignore", ResourceWarning)
with listener() as server, usocket.socket() as client:
    if {exposed}:
        server.fileno()
    client.settimeout(10)
    client.connect(server.getsockname())
    before = descriptors()
    hit(server.accept)
    assert descriptors() == before
    assert client.recv(1) == b""
print("over")
"""
    )
    assert run_python(program, **hitting).stdout == "over\n"
