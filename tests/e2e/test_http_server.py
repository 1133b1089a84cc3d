"""curl against our HTTP and HTTPS servers: many connections in one thread (POLL-1, POLL-3), non-blocking streams
(TIME-4), and the same over TLS (TLS-3)."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import LANGUAGES, PATIENCE_S, Files, Identity, example_server, sha256_of

CURL = ["curl", "--noproxy", "*", "--no-progress-meter"]  # no proxy of the environment may come between


@pytest.fixture(scope="module", params=[*LANGUAGES, "cpython tls"])
def server(
    request: pytest.FixtureRequest, files: Files, identity: Identity, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "big").symlink_to(files.folder / "big")
    language, _, secure = request.param.partition(" ")
    arguments = [0, 60, identity.certificate, identity.key] if secure else []
    with example_server(language, "http_server", folder, *arguments) as port, pytest.MonkeyPatch.context() as patch:
        patch.setenv("CURL_CA_BUNDLE", str(identity.certificate))
        yield Server(port, folder, identity if secure else None)


class Server:
    def __init__(self, port: int, folder: Path, identity: Identity | None) -> None:
        self.port = port
        self.url = f"{'https' if identity else 'http'}://127.0.0.1:{port}"
        self.folder = folder
        self.identity = identity

    def ask(self, request: bytes) -> bytes:
        """What it says to those bytes until it closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE_S) as conn:
            if self.identity is not None:
                context = ssl.create_default_context(cafile=str(self.identity.certificate))
                conn = context.wrap_socket(conn, server_hostname="localhost")
            with conn:
                conn.sendall(request)
                if self.identity is None:
                    conn.shutdown(socket.SHUT_WR)
                return b"".join(iter(lambda: conn.recv(65536), b""))


def curl(*arguments: object) -> str:
    """What curl prints."""
    command = [
        "curl",
        "--noproxy",
        "*",
        "--silent",
        "--show-error",
        "--max-time",
        str(PATIENCE_S),
        *map(str, arguments),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE_S)
    assert done.returncode == 0, done.stderr
    return done.stdout


def status_of(*arguments: object) -> str:
    return curl("--output", "/dev/null", "--write-out", "%{http_code}", *arguments)


def test_page(server: Server) -> None:
    assert curl(server.url + "/").startswith("Hello from ")


def test_100_parallel_requests(server: Server, tmp_path: Path) -> None:
    """POLL-1, POLL-4: a hundred connections at once, each with an answer of its own."""
    config = []
    for i in range(100):
        (server.folder / f"file{i}").write_text(f"the content of {i}\n" * (1 + i * 100))
        config += [f'url = "{server.url}/file{i}"', f'output = "{tmp_path}/file{i}"']
    (tmp_path / "config").write_text("\n".join(config))
    parallel = ["--parallel", "--parallel-immediate", "--parallel-max", "100"]
    printed = curl(*parallel, "--config", tmp_path / "config", "--write-out", "%{num_connects} ")
    assert printed.split() == ["1"] * 100  # connections, none of them shared
    for i in range(100):
        assert (tmp_path / f"file{i}").read_bytes() == (server.folder / f"file{i}").read_bytes()


def test_keep_alive(server: Server) -> None:
    """TIME-4: several requests over one connection, which is waited on in between."""
    (server.folder / "small").write_text("small\n")
    paths = ["/small", "/", "/no-such-file", "/small", "/small"]
    urls = [server.url + path for path in paths]
    printed = curl("--write-out", "%{http_code} %{num_connects}\n", *urls).splitlines()
    answers = [line for line in printed if line[:3].isdigit()]
    assert answers == ["200 1", "200 0", "404 0", "200 0", "200 0"]
    assert printed.count("small") == 3


def test_connection_close(server: Server) -> None:
    """SOCK-3: the server closes when it is asked to; curl then connects anew."""
    urls = [server.url + "/", server.url + "/"]
    printed = curl("--header", "Connection: close", "--write-out", "%{num_connects}\n", *urls)
    assert [line for line in printed.splitlines() if line.isdigit()] == ["1", "1"]


def test_upload_of_50_megabytes(server: Server, files: Files, tmp_path: Path) -> None:
    """STRM-2, STRM-4: what is stored is what was sent, and what is fetched again."""
    reply = curl("--upload-file", files.folder / "big", server.url + "/uploaded")
    assert reply == f"stored {(files.folder / 'big').stat().st_size} bytes\n"
    assert sha256_of(server.folder / "uploaded") == files.sha256["big"]
    curl("--output", tmp_path / "again", server.url + "/uploaded")
    assert sha256_of(tmp_path / "again") == files.sha256["big"]


def test_uploads_in_parallel(server: Server, files: Files) -> None:
    """TIME-4: several uploads at once, none of which waits for another."""
    arguments: list[object] = ["--parallel", "--parallel-immediate"]
    for i in range(8):
        arguments += ["--upload-file", files.folder / "megabytes", f"{server.url}/parallel{i}"]
    assert curl(*arguments).count("stored") == 8
    assert {sha256_of(server.folder / f"parallel{i}") for i in range(8)} == {files.sha256["megabytes"]}


def test_slow_reader(server: Server, files: Files, tmp_path: Path) -> None:
    """STRM-4, POLL-1: a client that takes its time holds nobody up, and loses nothing."""
    slow = subprocess.Popen(
        [
            "curl",
            "--noproxy",
            "*",
            "--silent",
            "--limit-rate",
            "20M",
            "--output",
            tmp_path / "slow",
            server.url + "/big",
        ]
    )
    try:
        for _ in range(20):
            assert curl(server.url + "/").startswith("Hello")
        assert slow.wait(timeout=PATIENCE_S) == 0
    finally:
        slow.kill()
        slow.wait()
    assert sha256_of(tmp_path / "slow") == files.sha256["big"]


def test_upload_without_length(server: Server) -> None:
    """A chunked upload is refused, not misread."""
    arguments = ["--header", "Transfer-Encoding: chunked", "--upload-file", "-"]
    assert status_of(*arguments, server.url + "/x") == "411"


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"\xff\xfe\xfd \xff \xff\r\n\r\n",
        b"GET /\xff\xfe/\xff HTTP/1.1\r\n\r\n",
        b"PUT /x HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"PUT /x HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
        b"GET /x HTTP/1.1\r\nLong: " + b"x" * 100000 + b"\r\n\r\n",
        b"POST / HTTP/1.1\r\nContent-Length: 100000\r\n\r\n" + b"x" * 100000,
    ],
)
def test_bad_requests(server: Server, request_bytes: bytes) -> None:
    """SOCK-3: each is answered before the connection closes, whatever was left unread, and the server goes on."""
    assert server.ask(request_bytes).startswith(b"HTTP/1.1 4")
    assert curl(server.url + "/").startswith("Hello from ")


def test_no_way_out_of_the_folder(server: Server) -> None:
    for path in ("/../secret", "/sub/file", "/.hidden"):
        assert status_of("--path-as-is", server.url + path) == "403"


def test_method_not_allowed(server: Server) -> None:
    assert (
        curl("--request", "DELETE", "--output", "/dev/null", "--write-out", "%{http_code}", server.url + "/x") == "405"
    )
