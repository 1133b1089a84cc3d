"""What the servers among the examples promise to those who copy them: nobody starves the others, nothing grows without
bound, and they end when they are told to (POLL-1, TIME-4, TIME-5, SOCK-3)."""

from __future__ import annotations

import os
import re
import resource
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from programs import PATIENCE_S, Files, Program, example

REQUEST = b"GET / HTTP/1.1\r\n\r\n"
FEW_DESCRIPTORS = 24


class Server:
    """An example that serves, by its process and its port."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.pid = program.process.pid
        match = re.fullmatch(r"listening on 127\.0\.0\.1 port (\d+)", line := program.line())
        assert match, line
        self.port = int(match.group(1))

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S)

    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self) -> float:
        """What it has used until now, in user mode and in the kernel."""
        user, system = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    def resident_bytes(self) -> int:
        return int(Path(f"/proc/{self.pid}/statm").read_text().split()[1]) * resource.getpagesize()


@contextmanager
def serving(language: str, name: str, *arguments: object, descriptors: int = 0) -> Iterator[Server]:
    """Runs an example; with at most so many descriptors if that is told."""
    limit = ["sh", "-c", f'ulimit -n {descriptors}; exec "$@"', "sh"] if descriptors else []
    with Program([*limit, *example(language, name, *arguments)]) as program:
        yield Server(program)


def ask(conn: socket.socket) -> bytes:
    """The status line and the text of the first page, over a connection that stays."""
    conn.sendall(REQUEST)
    return answer(conn)


def answer(conn: socket.socket) -> bytes:
    with conn.makefile("rb") as stream:
        status = stream.readline()
        length = 0
        while (line := stream.readline()).strip():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return status + stream.read(length)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """For what no event tells: the state of another process."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


@contextmanager
def flood(conn: socket.socket, block: bytes) -> Iterator[None]:
    """Sends a block again and again without waiting for answers, which are read and forgotten, until the `with` block
    ends."""

    def send() -> None:
        try:
            while True:
                conn.sendall(block)
        except OSError:
            pass  # the test is over

    def receive() -> None:
        try:
            while conn.recv(1 << 20):
                pass
        except OSError:
            pass

    threads = [threading.Thread(target=send), threading.Thread(target=receive)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        conn.shutdown(socket.SHUT_RDWR)
        for thread in threads:
            thread.join()


def test_pipelining_client(language: str, tmp_path: Path) -> None:
    """POLL-1: one who sends requests without end does not keep the thread for himself."""
    with serving(language, "http_server", tmp_path) as server, ExitStack() as stack:
        greedy, *others = [stack.enter_context(server.connect()) for _ in range(5)]
        ask(greedy)
        with flood(greedy, REQUEST * 4096):
            for _ in range(3):
                for other in others:
                    assert b"Hello from" in ask(other)


def test_clients_that_never_read(language: str, files: Files) -> None:
    """STRM-4, TIME-4: they hold nobody up, and cost the server no more than a block each."""
    with serving(language, "http_server", files.folder) as server, ExitStack() as stack:
        other = stack.enter_context(server.connect())
        ask(other)
        before = server.resident_bytes()
        for _ in range(10):
            stack.enter_context(server.connect()).sendall(b"GET /big HTTP/1.1\r\n\r\n" * 10)
        for _ in range(100):
            assert b"Hello from" in ask(other)
        assert server.resident_bytes() - before < 16 * 1024 * 1024


@pytest.mark.parametrize("name", ["http_server", "chat_server"])
def test_no_descriptor_left(language: str, name: str, tmp_path: Path) -> None:
    """SOCK-3, POLL-3: with no room for another client a server rests, and goes on when there is room again."""
    arguments = [tmp_path] if name == "http_server" else []
    with serving(language, name, *arguments, descriptors=FEW_DESCRIPTORS) as server, ExitStack() as stack:
        clients = [stack.enter_context(server.connect()) for _ in range(2 * FEW_DESCRIPTORS)]
        wait_until(lambda: server.descriptors() == FEW_DESCRIPTORS, "it takes in as many as it may")

        before = server.cpu_seconds()
        time.sleep(1)  # the span that is measured
        assert server.cpu_seconds() - before < 0.2
        assert server.descriptors() == FEW_DESCRIPTORS

        # Who was waiting is served as soon as others go.
        served = clients[FEW_DESCRIPTORS:]
        for client in clients[:FEW_DESCRIPTORS]:
            client.close()
        for client in served[: FEW_DESCRIPTORS // 2]:
            if name == "http_server":
                assert b"Hello from" in ask(client)
            else:
                client.sendall(b"name\n")
                assert client.recv(100).startswith(b"* name is here\n")


def test_nothing_leaks(language: str, tmp_path: Path) -> None:
    """SOCK-3: however a client goes, its descriptor and its file are closed."""
    (tmp_path / "file").write_bytes(bytes(16 << 20))
    with serving(language, "http_server", tmp_path) as server:
        with server.connect() as conn:
            ask(conn)
            before = server.descriptors()
        for last_words in (
            b"",
            b"GET /",
            REQUEST,
            b"GET /file HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
            b"PUT /stored HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf",
            b"nonsense\r\n\r\n",
        ):
            for resets in (False, True):
                with server.connect() as conn:
                    conn.sendall(last_words)
                    if resets:
                        conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        wait_until(lambda: server.descriptors() < before, "all that was opened is closed")


@pytest.mark.parametrize(
    "last_words", [b"", b"GET / HTTP/1.1\r\nHalf: ", b"PUT /x HTTP/1.1\r\nContent-Length: 9\r\n\r\n"]
)
def test_idle_http_client(language: str, tmp_path: Path, last_words: bytes) -> None:
    """SOCK-3: who gets nothing done is sent away."""
    with serving(language, "http_server", tmp_path, 0, 1) as server, server.connect() as conn:
        conn.sendall(last_words)
        assert conn.recv(100) == b""


def test_header_in_drops(language: str, tmp_path: Path) -> None:
    """SOCK-3: a header that comes byte by byte does not hold a connection for ever."""
    with serving(language, "http_server", tmp_path, 0, 1) as server, server.connect() as conn:
        conn.settimeout(0.1)
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            try:
                conn.sendall(b"x")
                assert conn.recv(100) == b""
                return
            except TimeoutError:
                pass
            except ConnectionError:
                return
        pytest.fail("it is still there")


def test_too_large(language: str, tmp_path: Path) -> None:
    """STRM-3: a header is read with a limit, and a file has one."""
    with serving(language, "http_server", tmp_path) as server:
        for request, status in (
            (b"GET / HTTP/1.1\r\n" + b"Field: value\r\n" * 1000, b"431"),
            (b"\r\n" * 10000, b"431"),
            (b"PUT /x HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", b"413"),
        ):
            with server.connect() as conn:
                conn.sendall(request)
                assert answer(conn).split()[1] == status


def test_greedy_talker(language: str) -> None:
    """POLL-1: who chats without end leaves the others their turn."""
    with serving(language, "chat_server") as server, ExitStack() as stack:
        greedy, other = [stack.enter_context(server.connect()) for _ in range(2)]
        with flood(greedy, b"blah\n" * 10000):
            other.sendall(b"somebody\n")
            with other.makefile("rb") as stream:
                while stream.readline() != b"* somebody is here\n":
                    pass


def test_silent_listener(language: str) -> None:
    """STRM-4, TIME-4: who does not read what is said holds nobody up, and has to go in the end."""
    with serving(language, "chat_server") as server, ExitStack() as stack:
        deaf = stack.enter_context(server.connect())
        talker = stack.enter_context(server.connect())
        deaf.sendall(b"deaf\n")
        assert deaf.recv(100) == b"* deaf is here\n"
        talker.sendall(b"talker\n")
        line = b"x" * 900 + b"\n"
        with talker.makefile("rb") as stream:
            assert stream.readline() == b"* talker is here\n"
            heard = b""
            said = 0
            while heard != b"* deaf has left\n":
                talker.sendall(line)
                said += 1
                assert said < 100_000
                heard = stream.readline()


def test_idle_chat_client(language: str) -> None:
    """SOCK-3: who says nothing is sent away."""
    with serving(language, "chat_server", 0, 1) as server, server.connect() as conn:
        conn.sendall(b"name\n")
        with conn.makefile("rb") as stream:
            assert stream.read() == b"* name is here\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
@pytest.mark.parametrize("name", ["http_server", "chat_server"])
def test_signal(language: str, name: str, number: signal.Signals, tmp_path: Path) -> None:
    """TIME-5: a signal ends a server, which closes its connections and says nothing more."""
    if language == "micropython" and number == signal.SIGTERM:
        pytest.skip("MicroPython knows no signal but SIGINT")
    arguments = [tmp_path] if name == "http_server" else []
    with serving(language, name, *arguments) as server, server.connect() as conn:
        if name == "http_server":
            ask(conn)
        else:
            conn.sendall(b"name\n")
            assert conn.recv(100) == b"* name is here\n"
        server.program.process.send_signal(number)
        assert server.program.wait() == 0
        assert conn.recv(100) == b""
        assert server.program.lines.get(timeout=PATIENCE_S) == ""
