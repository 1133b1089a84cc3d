"""TIME-5, TIME-6, TLS-3: Ctrl-C at random points of calls that wait, in a build whose signal handler longjmps out of
whatever runs and in one whose handler does not. KeyboardInterrupt arrives each time, the next call works, nothing that
has been received is lost, and no descriptor stays behind. And of those that change what a poll watches (POLL-1).
Signals that have callbacks run (SOCK-11) end nothing else."""

from __future__ import annotations

import contextlib
import os
import random
import select
import signal
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hosts import GIL, OURS, SCRIPTS, Host, environment

WAITING = SCRIPTS / "interrupted.py"
CHANGING = SCRIPTS / "changed.py"
TIME_LIMIT_S = 60
RESULTS = 60
MOST_INTERRUPTS = 6  # of one result
CHANGES = 600
PROCESSES = 60


@pytest.fixture(autouse=True)
def seed(monkeypatch: pytest.MonkeyPatch, record_property: Callable[[str, object], None]) -> None:
    """In the report; shown if the test fails, which USOCKET_SEED repeats."""
    seed = os.environ.get("USOCKET_SEED", str(time.time_ns() % 1_000_000))
    monkeypatch.setenv("USOCKET_SEED", seed)
    record_property("seed", seed)
    print("seed", seed)


class Subject:
    """A host that runs a script."""

    def __init__(self, host: Host, way_in: list[str], script: Path, name: str, where: object, results: int) -> None:
        self.uses_gil = host == GIL
        self.process = subprocess.Popen(
            [*way_in, *host.command(script, name, str(where), str(results))],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(),
        )
        self.rest = b""
        self.interrupts = 0
        self.random = random.Random(int(os.environ["USOCKET_SEED"]))

    def line(self, meanwhile: Callable[[], None] = lambda: None) -> str:
        assert self.process.stdout is not None
        limit = time.monotonic() + TIME_LIMIT_S
        while b"\n" not in self.rest:
            meanwhile()
            if select.select([self.process.stdout], [], [], 0.001)[0]:
                read = os.read(self.process.stdout.fileno(), 65536)
                assert read, f"the host ended after {self.interrupts} interrupts: {self.rest!r}"
                self.rest += read
            assert time.monotonic() < limit, f"stuck after {self.interrupts} interrupts; it had said {self.rest!r}"
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode().rstrip("\r")

    def await_call(self) -> None:
        line = self.line()
        assert line == "call", f"after {self.interrupts} interrupts: {line}"

    def interrupt(self, asleep: bool = False) -> None:
        """Soon, at a random point of the call that has begun; or while it sleeps."""
        until = time.perf_counter() + self.random.choice((0, 20e-6, 100e-6, 400e-6)) * self.random.random()
        while time.perf_counter() < until or (asleep and not self.sleeps()):
            pass
        self.process.send_signal(signal.SIGINT)
        self.interrupts += 1

    def sleeps(self) -> bool:
        return Path(f"/proc/{self.process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"

    def interrupt_often(self, before: Callable[[], None] = lambda: None, asleep: bool = False) -> None:
        for _ in range(self.random.randint(0, MOST_INTERRUPTS)):
            before()
            self.interrupt(asleep)
            self.await_call()

    def finish(self, more: Sequence[str] = ()) -> None:
        assert self.line() == f"interrupts {self.interrupts}"
        for line in ("no descriptors left True", *more):
            assert self.line() == line
        assert self.process.wait(TIME_LIMIT_S) == 0


@contextlib.contextmanager
def subject(
    host: Host, name: str, where: object, results: int, way_in: list[str] | None = None, script: Path = WAITING
) -> Iterator[Subject]:
    one = Subject(host, way_in or [], script, name, where, results)
    try:
        yield one
    finally:
        one.process.kill()
        one.process.wait()
        assert one.process.stdout is not None
        one.process.stdout.close()


@contextlib.contextmanager
def peer_of(host: Host, name: str, results: int) -> Iterator[tuple[Subject, socket.socket]]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)  # sendall() shall have to wait
        server.settimeout(TIME_LIMIT_S)
        with subject(host, name, server.getsockname()[1], results) as one:
            conn, _ = server.accept()
            with conn:
                conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                yield one, conn


def send_interrupted(one: Subject, conn: socket.socket, unit: bytes, in_parts: bool) -> None:
    sent = 0

    def send_part() -> None:
        nonlocal sent
        count = one.random.randint(0, len(unit) - 1 - sent) if in_parts else 0
        conn.sendall(unit[sent : sent + count])
        sent += count

    one.interrupt_often(send_part)
    conn.sendall(unit[sent:])


@pytest.mark.parametrize("timeout", ["", " 600"], ids=["blocking", "timeout"])
@pytest.mark.parametrize("name", ["recv", "read", "readinto", "readline"])
def test_time_6_received_bytes(host: Host, name: str, timeout: str) -> None:
    with peer_of(host, name + timeout, RESULTS) as (one, conn):
        for number in range(RESULTS):
            unit = b"%09d\n" % number
            one.await_call()
            send_interrupted(one, conn, unit, name != "recv")  # which would return with a part
            assert one.line() == repr(unit)
        one.finish()


@pytest.mark.parametrize("timeout", ["", " 600"], ids=["blocking", "timeout"])
def test_time_5_sendall(host: Host, timeout: str) -> None:
    with peer_of(host, "sendall" + timeout, 10) as (one, conn):
        for _ in range(10):
            one.await_call()
            one.interrupt_often()

            def drain() -> None:
                with contextlib.suppress(BlockingIOError):
                    conn.recv(1 << 20, socket.MSG_DONTWAIT)

            assert one.line(drain) == "b'sent'"
        one.finish()


@pytest.mark.parametrize("timeout", ["", " 600"], ids=["blocking", "timeout"])
def test_time_5_accept(host: Host, timeout: str) -> None:
    with subject(host, "accept" + timeout, "", RESULTS) as one:
        port = int(one.line())
        for number in range(RESULTS):
            one.await_call()
            one.interrupt_often()
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(b"%d" % number)
            assert one.line() == repr(b"%d" % number)
        one.finish()


@pytest.mark.parametrize("timeout", ["", " 600"], ids=["blocking", "timeout"])
def test_time_5_connect(host: Host, timeout: str) -> None:
    """To a listener that has no room; once it has, the last call ends."""
    address = f"usocket-test-{os.getpid()}-{host.name}"
    with socket.socket(socket.AF_UNIX) as server, contextlib.ExitStack() as clients:
        server.bind("\0" + address)
        server.listen(0)
        server.settimeout(0)
        with contextlib.suppress(BlockingIOError):
            while True:
                client = clients.enter_context(socket.socket(socket.AF_UNIX))
                client.settimeout(0)
                client.connect("\0" + address)
        with subject(host, "connect" + timeout, address, 1) as one:
            one.await_call()
            for _ in range(20):
                one.interrupt_often()

            def accept() -> None:
                with contextlib.suppress(BlockingIOError):
                    server.accept()[0].close()

            assert one.line(accept) == "b'connected'"
            one.finish()


class SecureServer:
    """Shakes hands with whoever comes, and says hello once it is told to. Some come and say nothing: their socket was
    not yet in a variable."""

    def __init__(self, server: socket.socket, certificates: Path) -> None:
        self.server = server
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificates / "right.pem", certificates / "right.key")
        self.go = threading.Semaphore(0)
        self.threads = [threading.Thread(target=self.run)]
        self.threads[0].start()

    def run(self) -> None:
        with contextlib.suppress(OSError):  # it is shut down
            while True:
                conn, _ = self.server.accept()
                self.threads.append(threading.Thread(target=self.greet, args=[conn]))
                self.threads[-1].start()

    def greet(self, conn: socket.socket) -> None:
        conn.settimeout(TIME_LIMIT_S)
        with conn, contextlib.suppress(OSError), self.context.wrap_socket(conn, server_side=True) as secure:
            self.go.acquire(timeout=TIME_LIMIT_S)
            secure.sendall(b"hello")
            secure.recv(1)

    def end(self) -> None:
        self.server.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join(TIME_LIMIT_S)


@pytest.mark.parametrize("timeout", ["", " 600"], ids=["blocking", "timeout"])
def test_tls_3_handshake(host: Host, timeout: str, certificates: Path) -> None:
    """A handshake that was interrupted goes on, and nothing of TLS stays behind."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(TIME_LIMIT_S)
        secure = SecureServer(server, certificates)
        where = f"{server.getsockname()[1]} {certificates}"
        try:
            with subject(host, "handshake" + timeout, where, RESULTS) as one:
                for _ in range(RESULTS):
                    one.await_call()
                    one.interrupt_often()
                    secure.go.release()
                    assert one.line() == "b'hello'"
                one.finish(["no memory left True"])
        finally:
            secure.end()


@pytest.mark.parametrize("name", ["poll", "pollbeside"])
def test_time_5_poll(host: Host, name: str) -> None:
    """A poll of a socket, also beside a stream of the host that has to be asked."""
    with peer_of(host, name, RESULTS) as (one, conn):
        for _ in range(RESULTS):
            one.await_call()
            one.interrupt_often()
            conn.sendall(b"x")
            assert one.line() == "b'x'"
        one.finish()


@pytest.mark.parametrize("name", ["register", "unregister"])
def test_time_5_poll_1_changes(host: Host, name: str) -> None:
    """What was interrupted is done or not: the poll and the host agree on who is registered."""
    with subject(host, name, "", CHANGES, script=CHANGING) as one:
        for _ in range(CHANGES):
            one.await_call()
            one.interrupt()
            assert one.line() == "(0, 20, 500)", f"after {one.interrupts} interrupts"
        assert one.process.wait(TIME_LIMIT_S) == 0


def test_time_5_sock_11_the_thread_for_callbacks(host: Host) -> None:
    """Whenever the first callback's coming is interrupted, the next makes no second thread beside the main one."""
    for _ in range(PROCESSES):
        with subject(host, "callback", "", 1, script=CHANGING) as one:
            one.await_call()
            one.interrupt()
            assert one.line() == "2"
            assert one.process.wait(TIME_LIMIT_S) == 0


# As root (where root may), else as root of a user namespace of one's own.
WAYS_IN = [["unshare", "--net", "--mount"], ["unshare", "--user", "--map-root-user", "--net", "--mount"]]
SETTINGS = {"resolv.conf": "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n", "nsswitch.conf": "hosts: dns\n"}


def way_to_silence(folder: Path) -> list[str] | None:
    """How to start a program for which this machine is alone, and is the name server."""
    steps = ["set -e", "ip link set lo up"]
    for name, text in SETTINGS.items():
        (folder / name).write_text(text)
        steps.append(f"mount --bind '{folder / name}' \"$(readlink -f /etc/{name})\"")
    for way in WAYS_IN:
        if subprocess.run([*way, "sh", "-c", "\n".join(steps)], capture_output=True).returncode == 0:
            return [*way, "sh", "-c", "\n".join([*steps, 'exec "$@"']), "sh"]
    return None


def test_gai_4_getaddrinfo(host: Host, tmp_path: Path) -> None:
    way_in = way_to_silence(tmp_path)
    if way_in is None:
        pytest.skip("this machine allows no network namespaces")
    with subject(host, "getaddrinfo", "", 1, way_in) as one:
        one.await_call()
        for _ in range(5):
            one.interrupt_often()
        assert one.line() == "b'-3'"  # EAI_AGAIN, once nobody interrupts
        one.finish()


SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static int lists;

int getaddrinfo(const char* host, const char* service, const struct addrinfo* hints, struct addrinfo** found) {
    int (*real)(const char*, const char*, const struct addrinfo*, struct addrinfo**) = dlsym(RTLD_NEXT, "getaddrinfo");
    const int code = real(host, service, hints, found);
    if (code == 0) {
        __atomic_fetch_add(&lists, 1, __ATOMIC_SEQ_CST);
        kill(getpid(), SIGINT);
    }
    return code;
}

void freeaddrinfo(struct addrinfo* list) {
    void (*real)(struct addrinfo*) = dlsym(RTLD_NEXT, "freeaddrinfo");
    __atomic_fetch_sub(&lists, 1, __ATOMIC_SEQ_CST);
    real(list);
}

__attribute__((destructor)) static void end(void) {
    for (int i = 0; i < 5000 && lists != 0; ++i) usleep(1000);  // who gave up a lookup left it to end by itself
    printf("%d\n", lists);
}
"""


def test_gai_4_what_was_found_is_freed(tmp_path: Path) -> None:
    """Whenever Ctrl-C comes, whose handler jumps out of the call."""
    source, library = tmp_path / "shim.c", tmp_path / "shim.so"
    source.write_text(SHIM)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    done = subprocess.run(
        OURS.command(SCRIPTS / "looked_up.py"),
        env={**environment(), "LD_PRELOAD": str(library)},
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_S,
    )
    assert done.stdout.split() == ["True", "0"], done


def test_sock_11_what_has_callbacks_run_ends_no_wait_of_the_collector() -> None:
    """It waits until each other thread has looked through its stack; what it does not wait for, it frees."""
    for _ in range(6):
        with subprocess.Popen(
            [str(GIL.path), "-X", "heapsize=200k", str(SCRIPTS / "collecting.py")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=environment(),
        ) as process:
            assert process.stdout is not None
            assert process.stdout.readline().rstrip() == b"collects"
            limit = time.monotonic() + TIME_LIMIT_S
            while process.poll() is None and time.monotonic() < limit:
                process.send_signal(signal.SIGRTMAX - 1)  # as callbacks_thread.c does
                time.sleep(0.0001)
            process.kill()
            assert (process.stdout.read(), process.wait()) == (b"wrong 0\n", 0)
