"""TLS-1, TLS-3, STRM-7: TLS by the host's names for it, its asyncio and its HTTP client over our sockets, with peers
that CPython runs."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hosts import SCRIPTS, Host, environment

TIME_LIMIT_S = 60
LARGE = 1 << 20


@contextlib.contextmanager
def in_background(function: Callable[[], None]) -> Iterator[None]:
    thread = threading.Thread(target=function)
    thread.start()
    yield
    thread.join(TIME_LIMIT_S)
    assert not thread.is_alive()


@contextlib.contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment(), text=True) as process:
        try:
            yield process
        finally:
            process.kill()


# --- TLS


def server_context(certificates: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates / "right.pem", certificates / "right.key")
    return context


def client_context(certificates: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(certificates / "trusted.pem")
    return context


def echo(conn: ssl.SSLSocket) -> None:
    with conn, conn.makefile("rwb") as stream:
        for line in iter(stream.readline, b"\n"):
            stream.write(line)
            stream.flush()
        with contextlib.suppress(OSError):
            conn.unwrap()


def test_strm_7_tls_client(host: Host, certificates: Path) -> None:
    context = server_context(certificates)
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(TIME_LIMIT_S)

        def serve() -> None:
            for _ in range(2):
                conn, _ = server.accept()
                conn.settimeout(TIME_LIMIT_S)
                echo(context.wrap_socket(conn, server_side=True))
            conn, _ = server.accept()
            # The client refuses the certificate.
            with conn, pytest.raises(OSError):
                context.wrap_socket(conn, server_side=True).recv(1)

        with in_background(serve):
            done = host.run(SCRIPTS / "tls_client.py", str(certificates / "trusted.der"), str(server.getsockname()[1]))
    expected = []
    for name in ("wrap_socket", "SSLContext"):
        expected += [
            f"STRM-7 {name} a line: b'hello\\n'",
            f"STRM-7 {name} much: True",
            f"STRM-7 {name} nothing to read: []",
            f"STRM-7 {name} polled: [1] b'one\\n'",
            f"STRM-7 {name} the rest: [1] b'two\\n'",
            f"STRM-7 {name} without waiting: None",
            f"STRM-7 {name} the end: b''",
            f"STRM-7 {name} closed: -1",
        ]
    expected.append("STRM-7 not trusted: OSError")
    assert done.stdout.splitlines() == expected


def test_strm_7_tls_server(host: Host, certificates: Path) -> None:
    context = client_context(certificates)
    shown = str(certificates / "right.der"), str(certificates / "right.key.der")
    command = host.command(SCRIPTS / "tls_server.py", *shown)
    with running(command) as server:
        assert server.stdout is not None
        port = int(server.stdout.readline())
        lines = [b"line %d\n" % number for number in range(500)]
        for _ in range(2):
            with socket.create_connection(("127.0.0.1", port), TIME_LIMIT_S) as plain:
                with context.wrap_socket(plain, server_hostname="localhost") as conn:
                    with conn.makefile("rwb") as stream:
                        stream.write(b"".join(lines))
                        stream.flush()
                        assert [stream.readline() for _ in lines] == lines
                    conn.unwrap()  # which hears close_notify, or raises (TLS-5)
            assert server.stdout.readline() == f"{sum(map(len, lines))} -1\n"
        assert server.wait(TIME_LIMIT_S) == 0


def test_tls_3_asyncio(host: Host, certificates: Path) -> None:
    """200 clients at once."""
    done = host.run(SCRIPTS / "asyncio_tls.py", str(certificates), "200")
    assert done.stdout.splitlines() == ["TLS-3 connected and served: 200 200", "TLS-3 right answers: True"]


def test_sock_3_collected(host: Host, certificates: Path) -> None:
    done = host.run(SCRIPTS / "tls_collected.py", str(certificates))
    assert done.stdout.splitlines() == ["SOCK-3 freed: True", "TLS-3 b'still there' True"]


# --- HTTP


class Handler(http.server.BaseHTTPRequestHandler):
    """Says what it got."""

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        bodies = {"/hello": b"hello from afar", "/large": bytes(LARGE)}
        self.answer(200 if self.path in bodies else 404, bodies.get(self.path, b""))

    def do_POST(self) -> None:
        body = b"".join(self.body())
        if self.headers.get("Content-Type") == "application/json":
            self.answer(201, body)
        else:
            self.answer(200, json.dumps({"size": len(body), "body": body[:100].decode()}).encode())

    do_PUT = do_POST

    def body(self) -> Iterator[bytes]:
        if self.headers.get("Transfer-Encoding") != "chunked":
            yield self.rfile.read(int(self.headers["Content-Length"]))
            return
        while size := int(self.rfile.readline(), 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def finish(self) -> None:
        super().finish()
        if isinstance(self.connection, ssl.SSLSocket):
            with contextlib.suppress(OSError):
                self.connection.unwrap()  # without it the end would be no end (TLS-5)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_strm_7_requests(host: Host, scheme: str, certificates: Path) -> None:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        if scheme == "https":
            server.socket = server_context(certificates).wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            done = host.run(SCRIPTS / "requesting.py", f"{scheme}://127.0.0.1:{server.server_address[1]}")
        finally:
            server.shutdown()
            thread.join()
    assert done.stdout.splitlines() == [
        "STRM-7 get: 200 b'OK' hello from afar",
        "STRM-7 post: 201 {'key': [1, 2, 3]}",
        "STRM-7 put: 100000",
        "STRM-7 chunks: chunk 0;chunk 1;chunk 2;",
        f"STRM-7 a large answer: {LARGE}",
        "STRM-7 missing: 404",
    ]
