"""Sockets in the states that tests want them in."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import gc
import os
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, TypeAlias

import uselect
import usocket

Pair: TypeAlias = tuple[usocket.socket, usocket.socket]


@contextlib.contextmanager
def make_pair(kind: str) -> Iterator[Pair]:
    """Two connected stream sockets: "tcp" on the loopback or "unix"."""
    one, other = tcp_pair() if kind == "tcp" else usocket.socketpair()
    with one, other:
        yield one, other


def tcp_pair(module: Any = usocket) -> tuple[Any, Any]:
    with listener(module) as server:
        client = module.socket()
        client.connect(server.getsockname())
        return client, server.accept()[0]


def listener(module: Any = usocket) -> Any:
    server = module.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    return server


@contextlib.contextmanager
def nobodys(module: Any = usocket) -> Iterator[Any]:
    """An address at which nobody listens, nor can begin to meanwhile."""
    with module.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()


def udp_socket() -> usocket.socket:
    socket = usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM)
    socket.bind(("127.0.0.1", 0))
    return socket


def await_input(socket: Any) -> None:
    """Until there is something to read. What TCP or UDP has sent arrives some time later, on a busy machine after the
    call that sends it has returned."""
    select.select([socket], [], [])


def fill(socket: usocket.socket) -> None:
    """Sends until the system takes no more, even after the other side's queue has taken in what it can."""
    timeout = socket.gettimeout()
    socket.settimeout(0)
    poll = uselect.poll()
    poll.register(socket, uselect.POLLOUT)
    settling_ms = 0 if socket.family == usocket.AF_UNIX else 300  # TCP's probe of a closed window comes after 200 ms
    block = bytes(1 << 16)
    while socket.write(block) is not None or poll.poll(settling_ms) or socket.write(block) is not None:
        pass
    socket.settimeout(timeout)


def drain(socket: usocket.socket) -> None:
    """Takes what there is, without waiting."""
    timeout = socket.gettimeout()
    socket.settimeout(0)
    with contextlib.suppress(BlockingIOError):
        while socket.recv(1 << 16):
            pass
    socket.settimeout(timeout)


@contextlib.contextmanager
def full_backlog(family: int) -> Iterator[Any]:
    """An address to which connect() has to wait, and the socket that listens there. For AF_UNIX only."""
    assert family == usocket.AF_UNIX
    server = usocket.socket(family)
    server.bind(f"\0usocket-test-{os.getpid()}-{threading.get_native_id()}-{time.monotonic_ns()}")
    server.listen(0)
    waiting = []
    try:
        while True:
            waiting.append(usocket.socket(family))
            waiting[-1].settimeout(0)
            try:
                waiting[-1].connect(server.getsockname())
            except BlockingIOError:
                break
        yield server.getsockname(), server
    finally:
        for socket in [*waiting, server]:
            socket.close()


def send_and_close(socket: usocket.socket, data: bytes) -> None:
    socket.sendall(data)
    socket.close()


def error_of(function: Callable[..., Any], *arguments: Any) -> int:
    """The number of the OSError that a call ends in."""
    try:
        result = function(*arguments)
    except OSError as error:
        return int(error.args[0])
    raise AssertionError(f"{function} returned {result!r}")


def descriptors() -> set[str]:
    """What is open, once what other tests have dropped is gone."""
    gc.collect()
    return set(os.listdir("/proc/self/fd"))


# --- Threads


class Caller(threading.Thread):
    """A call in a thread of its own, and what came of it."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        super().__init__(daemon=True)
        self._call = (function, arguments)
        self.result: Any = None
        self.error: BaseException | None = None
        self.start()

    def run(self) -> None:
        function, arguments = self._call
        try:
            self.result = function(*arguments)
        except BaseException as error:
            self.error = error

    def wait_until_blocked(self) -> None:
        wait_until_blocked(self)

    def finish(self) -> Any:
        self.join()
        if self.error is not None:
            raise self.error
        return self.result


def wait_until_blocked(thread: threading.Thread) -> None:
    """Until the thread sleeps in a system call other than for the interpreter's lock, if the system tells.

    A futex is the interpreter's but for a plain FUTEX_WAIT_PRIVATE: so waits whoever may read next.
    """
    path = Path(f"/proc/self/task/{thread.native_id}/syscall")
    while thread.is_alive():
        try:
            number, *arguments = path.read_text().split()
        except OSError:  # not allowed to look, or the thread is gone
            return
        if number == _lock_syscall() and arguments[1] == "0x80":
            return
        if number not in ("running", "-1", _lock_syscall()):
            return
        time.sleep(0)


def has_interpreters_lock() -> bool:
    return not sysconfig.get_config_var("Py_GIL_DISABLED")


class Keeping:
    """For its length a thread keeps the interpreter's lock until it lets go by itself. Its methods do not."""

    def __init__(self) -> None:
        self._libc = ctypes.PyDLL(None)

    def __enter__(self) -> Keeping:
        self._before = sys.getswitchinterval()
        sys.setswitchinterval(1000)
        return self

    def __exit__(self, *exception: object) -> None:
        sys.setswitchinterval(self._before)

    def send(self, fd: int, data: bytes) -> None:
        assert self._libc.send(fd, data, len(data), 0) == len(data)

    def connect(self, fd: int, address: bytes) -> None:
        assert self._libc.connect(fd, address, len(address)) == 0

    def signal(self, number: int) -> None:
        assert self._libc["raise"](number) == 0

    def wait_until_kept_out(self, thread: threading.Thread) -> None:
        """Until the thread waits for the interpreter's lock."""
        shown = ctypes.create_string_buffer(200)
        while shown.value.split()[:1] != [_lock_syscall().encode()]:
            file = self._libc.open(f"/proc/self/task/{thread.native_id}/syscall".encode(), os.O_RDONLY)
            assert self._libc.read(file, shown, 199) > 0 and self._libc.close(file) == 0


def _lock_syscall() -> str:
    """The number of the system call in which a thread waits for a lock."""
    global _lock_number
    if _lock_number is None:
        lock = threading.Lock()
        with lock:
            thread = threading.Thread(target=lock.acquire, daemon=True)
            thread.start()
            number = "running"
            while number in ("running", "-1"):
                time.sleep(0)
                number = Path(f"/proc/self/task/{thread.native_id}/syscall").read_text().split()[0]
        thread.join()
        _lock_number = number
    return _lock_number


_lock_number: str | None = None


# --- Signals


@contextlib.contextmanager
def alarms(handler: Callable[[int], object]) -> Iterator[None]:
    """Calls handler(1), handler(2), ... in the main thread as a signal arrives there every few milliseconds.

    SIGALRM is pytest-timeout's. The thread that sends the signal needs the interpreter: a call that does not let other
    threads run would never be interrupted.
    """
    count = 0
    over = threading.Event()

    def on_signal(number: int, frame: FrameType | None) -> None:
        nonlocal count
        if not over.is_set():
            count += 1
            handler(count)

    def send() -> None:
        main = threading.main_thread().ident
        assert main is not None
        while not over.wait(0.01):
            signal.pthread_kill(main, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, on_signal)
    sender = threading.Thread(target=send)
    sender.start()
    try:
        yield
    finally:
        over.set()
        sender.join()
        signal.signal(signal.SIGUSR1, before)


# --- Processes


# The end of a program with one thread: a timer, whose handler raises, runs out before the {call}, in it, and between
# its steps. Prints how often that has ended it, which should be each time.
AT_ANY_MOMENT = """
import signal
def handler(*_):
    raise ZeroDivisionError
signal.signal(signal.SIGALRM, handler)
ended = 0
for i in range(4000):
    try:
        signal.setitimer(signal.ITIMER_REAL, 1e-6 + i % 200 * 5e-7)
        {call}
    except ZeroDivisionError:
        ended += 1
print(ended)
"""


def preloaded(source: str, folder: Path) -> str:
    """LD_PRELOAD for a process in which functions in C stand before the system's."""
    compiler = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if compiler is None:
        import pytest  # not above: programs of tests/python/test_exit.py import this file without it

        pytest.skip("no C compiler")
    library = folder / "shim.so"
    command = [compiler, "-shared", "-fPIC", "-x", "c", "-o", str(library), "-", "-ldl"]
    subprocess.run(command, input=source, text=True, check=True, capture_output=True)
    return f"{os.environ.get('LD_PRELOAD', '')} {library}".strip()


def run_python(
    program: str, *arguments: str, limit_s: float = 100, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Runs a program text in an interpreter of its own; it must end well."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=limit_s,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, f"status {done.returncode}\n{done.stdout}{done.stderr}"
    return done


ETIMEDOUT, EAGAIN, EBADF = errno.ETIMEDOUT, errno.EAGAIN, errno.EBADF
