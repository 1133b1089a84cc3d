"""What daemon threads may be doing when a process ends; for the programs of test_exit.py."""

from __future__ import annotations

import itertools
import struct
import threading
from collections.abc import Callable
from typing import Any

import uselect
import usocket
from python_support import wait_until_blocked

# `one` and `other` are connected; nobody but a thread of ours connects to `server`.
one, other = usocket.socketpair()
server = usocket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
here = server.getsockname()
started = threading.Semaphore(0)
THREADS = 3


class Busy:
    """Every method of it runs Python code, in which another thread gets its turn."""

    itself: Busy

    def run(self) -> int:
        for _ in range(500):
            pass
        return 0

    __index__ = run

    def __del__(self) -> None:
        self.run()

    def __float__(self) -> float:
        return float(self.run())

    def fileno(self) -> int:
        self.run()
        return one.fileno()


def over_and_over(function: Callable[..., Any], *arguments: Any) -> None:
    for number in itertools.count():
        try:
            function(*arguments)
        except OSError:
            pass
        if number == 3:
            started.release()


def short_timeouts(function: Callable[..., Any], *arguments: Any) -> None:
    one.settimeout(0.0005)
    over_and_over(function, *arguments)


def fill() -> None:
    one.settimeout(0)
    while one.write(bytes(1 << 16)):
        pass
    one.settimeout(None)


def a_connection() -> None:
    client = usocket.socket()
    client.connect(here)
    conn, _ = server.accept()
    client.close()
    conn.close()


def close_slowly() -> None:
    """close() waits: the peer does not read."""
    with usocket.socket() as client:
        client.connect(here)
        conn, _ = server.accept()
        client.setsockopt(usocket.SOL_SOCKET, usocket.SO_LINGER, struct.pack("ii", 1, 60))
        client.settimeout(0)
        while client.write(bytes(1 << 16)):
            pass
        client.close()


def a_kept_part() -> None:
    reader, writer = usocket.socketpair()
    writer.write(b"part")
    reader.settimeout(0.0003)
    try:
        reader.read(10)
    finally:
        reader.close()
        writer.close()


def garbage() -> None:
    busy = Busy()
    busy.itself = busy
    one.recvfrom(0)


def a_datagram(socket: usocket.socket, address: bytes) -> None:
    socket.sendto(b"x", address)
    socket.recvfrom(10)


def datagrams() -> None:
    socket = usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM)
    socket.bind(("127.0.0.1", 0))
    over_and_over(a_datagram, socket, socket.getsockname())


def a_poll(timeout_ms: float) -> None:
    poll = uselect.poll()
    poll.register(one, uselect.POLLIN)
    poll.poll(timeout_ms)


def a_poll_of_objects() -> None:
    poll = uselect.poll()
    poll.register(Busy(), uselect.POLLOUT, Busy())
    for _ in poll.ipoll(0):
        pass
    try:
        poll.unregister(Busy())
    except KeyError:
        pass


def a_select_of_objects() -> None:
    uselect.select((Busy() for _ in range(2)), [Busy()], [], 0)


def lines() -> None:
    reader, writer = usocket.socketpair()
    over_and_over(lambda: (writer.write(b"one\ntwo\n"), reader.readline(), reader.readline()))


def a_connection_refused() -> None:
    client = usocket.socket()
    client.settimeout(0.001)
    client.connect(("127.0.0.1", 1))


def send_when_full() -> None:
    fill()
    one.send(b"x")


def accept_shortly() -> None:
    server.settimeout(0.0005)
    over_and_over(server.accept)


# None of them returns. Those that wait are named so.
ACTIVITIES: dict[str, Callable[[], Any]] = {
    "waits in recv": lambda: one.recv(1),
    "waits in recv_into": lambda: one.recv_into(bytearray(1)),
    "waits in recvfrom": lambda: one.recvfrom(1),
    "waits in read": lambda: one.read(),
    "waits in readline": lambda: one.readline(),
    "waits in iteration": lambda: next(one),
    "waits in accept": lambda: server.accept(),
    "waits in send": send_when_full,
    "waits in sendall": lambda: one.sendall(bytes(1 << 22)),
    "waits in write": lambda: one.write(bytes(1 << 22)),
    "waits in close": close_slowly,
    "waits in poll": lambda: a_poll(-1),
    "recv": lambda: short_timeouts(one.recv, 1),
    "accept": accept_shortly,
    "readline": lambda: short_timeouts(one.readline),
    "readinto": lambda: short_timeouts(one.readinto, bytearray(10)),
    "read": lambda: short_timeouts(one.read, 10),
    "write": lambda: short_timeouts(one.write, bytes(1 << 22)),
    "poll": lambda: over_and_over(a_poll, 0.5),
    "poll of objects": lambda: over_and_over(a_poll_of_objects),
    "select of objects": lambda: over_and_over(a_select_of_objects),
    "connect": lambda: over_and_over(a_connection_refused),
    "connect, accept, close": lambda: over_and_over(a_connection),
    "close, with bytes kept": lambda: over_and_over(a_kept_part),
    "getaddrinfo": lambda: over_and_over(usocket.getaddrinfo, "localhost", 80),
    "lines": lines,
    "datagrams": datagrams,
    "__index__": lambda: over_and_over(one.send, b"", Busy()),
    "__float__": lambda: over_and_over(one.settimeout, Busy()),
    "garbage": lambda: over_and_over(garbage),
    "ResourceWarning": lambda: over_and_over(usocket.socket),
}


def start(activity: str) -> None:
    """Returns when all threads are at it."""
    threads = [threading.Thread(target=ACTIVITIES[activity], daemon=True) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        if activity.startswith("waits"):
            wait_until_blocked(thread)
        else:
            started.acquire()
