"""The five programs that show C++ everyday work, against what others wrote: curl, redis-server, nginx, CPython's socket
(CPP-4, GAI-5, TIME-2, POLL-1, POLL-6, SOCK-4). Their twins over Asio, which bench/ compares them with, do the same."""

from __future__ import annotations

import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from programs import BIN, PATIENCE_S, Files, Program, sha256_of

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello\n"
CONNECTIONS = 1000
TWINS = BIN.parent / "release" / "bench" / "twins"
MAKERS = ["usocket"] + (["asio"] if TWINS.exists() else [])


@pytest.fixture(params=MAKERS)
def folder(request: pytest.FixtureRequest) -> Path:
    """Where the programs are: ours, or their twins."""
    return BIN if request.param == "usocket" else TWINS


@contextmanager
def serving(folder: Path, name: str, *arguments: object) -> Iterator[tuple[Program, int]]:
    with Program([str(folder / name), *map(str, arguments)]) as program:
        match = re.fullmatch(r"listening on 127\.0\.0\.1 port (\d+)", line := program.line())
        assert match, line
        yield program, int(match.group(1))


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)


def receive(conn: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size and (piece := conn.recv(size - len(data))):
        data += piece
    return data


@pytest.fixture
def many_descriptors() -> Iterator[None]:
    """For this process and those that it starts."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = CONNECTIONS + 200
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"at most {hard} descriptors here")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


# --- http_hello


@pytest.mark.usefixtures("many_descriptors")
def test_http_hello_keeps_a_thousand_connections(folder: Path) -> None:
    """POLL-1, POLL-4: all of them are answered, again and again, and a signal ends it (POLL-6)."""
    with serving(folder, "http_hello") as (program, port), ExitStack() as stack:
        clients = [stack.enter_context(connect(port)) for _ in range(CONNECTIONS)]
        for _ in range(2):
            for client in clients:
                client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            for client in clients:
                assert receive(client, len(HELLO)) == HELLO
        program.process.send_signal(signal.SIGTERM)
        assert program.wait() == 0


def test_http_hello_and_curl(folder: Path) -> None:
    """TIME-4: curl gets both answers over one connection."""
    with serving(folder, "http_hello") as (_, port):
        url = f"http://127.0.0.1:{port}/"
        command = ["curl", "-sS", "--max-time", str(PATIENCE_S), "-w", "%{num_connects}\n", url, url]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE_S)
        assert (done.stdout, done.stderr) == ("hello\n1\nhello\n0\n", "")


def test_http_hello_takes_requests_in_any_pieces(folder: Path) -> None:
    """TIME-4, STRM-3: byte by byte, or several at once."""
    with serving(folder, "http_hello") as (_, port), connect(port) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for byte in b"GET / HTTP/1.1\r\nA: b\r\n\r\n":
            client.sendall(bytes([byte]))
        assert receive(client, len(HELLO)) == HELLO
        client.sendall(b"GET / HTTP/1.1\r\n\r\n" * 3)
        assert receive(client, 3 * len(HELLO)) == 3 * HELLO
        client.sendall(b"x" * 20_000)  # without an end
        with pytest.raises(ConnectionError):
            while client.recv(100):
                pass
            raise ConnectionError


# --- redis_commands


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    if shutil.which("redis-server") is None:
        pytest.skip("no redis-server")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    folder = tmp_path_factory.mktemp("redis")
    options = ["--bind", "127.0.0.1", "--save", "", "--dir", str(folder)]
    with Program(["redis-server", "--port", str(port), *options]) as server:
        while "Ready to accept connections" not in server.line():
            pass
        yield port


def run(folder: Path, *words: object) -> tuple[int, str, str]:
    command = [str(folder / str(words[0])), *map(str, words[1:])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE_S)
    return done.returncode, done.stdout, done.stderr


def test_redis_commands(folder: Path, redis_port: int) -> None:
    """CPP-4, STRM-3: every kind of answer of a real server."""
    commands = ["SET name value", "GET name", "GET none", "DEL list", "RPUSH list a bc", "LRANGE list 0 9", "NONSENSE"]
    status, out, _ = run(folder, "redis_commands", "localhost", redis_port, PATIENCE_S, *commands)
    assert status == 0
    *lines, last = out.splitlines()
    assert lines == ["OK", "value", "(nil)", lines[3], "2", "a", "bc"]
    assert last.startswith("ERR unknown command")


def test_redis_commands_has_one_deadline(folder: Path) -> None:
    """TIME-2, GAI-5: a server that drips its answer, byte after byte, does not put it off."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        has_ended = threading.Event()

        def drip() -> None:
            conn, _ = listener.accept()
            with conn:
                try:
                    while not has_ended.wait(0.02):
                        conn.sendall(b"x")
                except ConnectionError:
                    pass

        server = threading.Thread(target=drip)
        server.start()
        try:
            status, _, err = run(folder, "redis_commands", "127.0.0.1", listener.getsockname()[1], 0.3, "PING")
        finally:
            has_ended.set()
            server.join()
    assert status == 1
    assert "timed out" in err


# --- discover


def multicast_group() -> tuple[str, int]:
    """A group that is administratively scoped (RFC 2365), and a port that is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return "239.255.77.1", free.getsockname()[1]


LOOPBACK = socket.inet_aton("127.0.0.1")


def test_discover_finds(folder: Path) -> None:
    """CPP-4: find asks the group, and prints who answers; here a program of CPython's."""
    group, port = multicast_group()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as service:
        service.bind((group, port))
        service.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, socket.inet_aton(group) + LOOPBACK)
        service.settimeout(PATIENCE_S)

        asked: list[bytes] = []

        def answer() -> None:
            question, asker = service.recvfrom(100)
            asked.append(question)
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as own:
                own.bind((asker[0], 0))  # an address of this machine's: it does not leave it
                own.sendto(b"a printer", asker)

        for span_s in (0.5, 2, 8):  # on a busy machine the answer may come when it has stopped listening
            thread = threading.Thread(target=answer)
            thread.start()
            status, out, err = run(folder, "discover", "find", f"{group}:{port}", "lo", span_s)
            thread.join()
            if out:
                break
    assert set(asked) == {b"who is there?"}
    assert (status, err) == (0, "")
    assert re.fullmatch(r"a printer at [\d.]+\n", out)


def test_discover_announces(folder: Path) -> None:
    """CPP-4: several services answer, each its name, and nobody else's question."""
    group, port = multicast_group()
    command = [str(folder / "discover"), "announce", f"{group}:{port}", "lo"]
    with Program([*command, "a lamp"]) as lamp, Program([*command, "a door"]) as door:
        assert lamp.line() == door.line() == "announcing"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
            asker.settimeout(PATIENCE_S)
            index = struct.pack("=4s4si", b"", b"", socket.if_nametoindex("lo"))
            asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, index)
            for question in (b"what?", b"who is there?"):
                asker.sendto(question, (group, port))
            assert {asker.recv(100), asker.recv(100)} == {b"a lamp", b"a door"}


# --- splice_proxy


def test_splice_proxy_before_nginx(folder: Path, files: Files, nginx_port: int, tmp_path: Path) -> None:
    """CPP-4: 50 MB through it, and small pages."""
    with serving(folder, "splice_proxy", f"127.0.0.1:{nginx_port}") as (_, port):
        for name in ("big", "page.html", "empty"):
            out = tmp_path / name
            command = ["curl", "-sS", "--max-time", str(PATIENCE_S), "-o", str(out), f"http://127.0.0.1:{port}/{name}"]
            subprocess.run(command, check=True, timeout=2 * PATIENCE_S)
            assert sha256_of(out) == files.sha256[name]


def test_splice_proxy_passes_both_ends_on(folder: Path) -> None:
    """STRM-5: each direction ends by itself, and what breaks one ends both."""
    with socket.create_server(("127.0.0.1", 0)) as target:
        target.settimeout(PATIENCE_S)
        with serving(folder, "splice_proxy", f"127.0.0.1:{target.getsockname()[1]}") as (_, port):
            with connect(port) as client, target.accept()[0] as server:
                client.sendall(b"question")
                assert receive(server, 8) == b"question"
                client.shutdown(socket.SHUT_WR)
                assert server.recv(1) == b""
                server.sendall(b"answer")
                server.close()
                assert receive(client, 100) == b"answer"
            with connect(port) as client, target.accept()[0] as server:
                server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                server.close()
                client.settimeout(PATIENCE_S)
                try:
                    assert client.recv(1) == b""
                except ConnectionError:
                    pass


# --- worker_pool


def test_worker_pool_stops_gracefully(folder: Path) -> None:
    """SOCK-4, TIME-5: a signal ends the waiting at once, and the served when they have gone."""
    with serving(folder, "worker_pool", 3) as (program, port):
        with connect(port) as first, connect(port) as second:
            for client in (first, second):
                client.sendall(b"hello\n")
                assert receive(client, 6) == b"HELLO\n"
            program.process.send_signal(signal.SIGTERM)
            while True:  # until nobody new gets in
                try:
                    connect(port).close()
                except ConnectionError:
                    break
            for client in (first, second):
                client.sendall(b"still there\n")
                assert receive(client, 12) == b"STILL THERE\n"
        assert re.fullmatch(r"served \d+", program.line())
        assert program.wait() == 0


def test_worker_pool_serves_several_at_once(folder: Path) -> None:
    """SOCK-5: as many as there are workers; who comes later waits until one is free."""
    with serving(folder, "worker_pool", 2) as (_, port), connect(port) as first:
        with connect(port) as second:
            for client in (first, second):
                client.sendall(b"a\n")
                assert receive(client, 2) == b"A\n"
            third = connect(port)
            third.sendall(b"b\n")
        with third:
            assert receive(third, 2) == b"B\n"
