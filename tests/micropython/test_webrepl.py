"""A board's webrepl over our sockets: the host's websocket, _webrepl and os.dupterm(), and a callback of ours."""

from __future__ import annotations

import socket
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hosts import GIL, SCRIPTS, environment

PATIENCE_S = 20
TEXT, BINARY, CLOSE = 1, 2, 8
PUT, GET = 1, 2


class Client:
    """A browser's side of it."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.file = self.sock.makefile("rb")
        self.sock.sendall(
            b"GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEA==\r\n\r\n"
        )
        while self.file.readline() != b"\r\n":
            pass

    def send(self, kind: int, data: bytes) -> None:
        size = bytes([128 | len(data)]) if len(data) < 126 else struct.pack(">BH", 254, len(data))
        self.sock.sendall(bytes([128 | kind]) + size + bytes(4) + data)

    def frame(self) -> tuple[int, bytes]:
        kind, size = self.file.read(2)
        if size == 126:
            (size,) = struct.unpack(">H", self.file.read(2))
        return kind & 15, self.file.read(size)

    def text_until(self, end: bytes) -> bytes:
        text = b""
        while not text.endswith(end):
            kind, data = self.frame()
            assert kind == TEXT
            text += data
        return text

    def request(self, kind: int, size: int, name: bytes) -> None:
        self.send(BINARY, struct.pack("<2sBBQLH64s", b"WA", kind, 0, 0, size, len(name), name))
        assert self.frame() == (BINARY, b"WB\0\0")


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    command = GIL.command(SCRIPTS / "webrepl.py")
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, env=environment(), cwd=tmp_path, **pipes) as host:
        try:
            assert host.stdout is not None
            client = Client(int(host.stdout.readline()))
            assert client.text_until(b": ") == b"Password: "
            client.send(TEXT, b"secret\r")
            assert client.text_until(b">>> ") == b"\r\nWebREPL connected\r\n>>> "
            yield client
            client.file.close()
            client.sock.close()
            printed, _ = host.communicate(timeout=PATIENCE_S)
            assert printed.splitlines()[-1] == b"over" and host.returncode == 0
        finally:
            host.kill()


def test_sock_11_what_is_typed_runs_and_what_is_printed_is_seen(client: Client) -> None:
    client.send(TEXT, b"answer + 1\r")
    assert client.text_until(b"\n") == b"43\n"
    client.send(TEXT, b"'a")
    client.send(TEXT, b"b'\r")
    assert client.text_until(b"\n") == b"ab\n"


def test_sock_11_files_go_both_ways(client: Client, tmp_path: Path) -> None:
    content = bytes(range(256)) * 20
    client.request(PUT, len(content), b"f")
    for start in range(0, len(content), 1000):
        client.send(BINARY, content[start : start + 1000])
    assert client.frame() == (BINARY, b"WB\0\0")
    assert (tmp_path / "f").read_bytes() == content
    client.request(GET, 0, b"f")
    got = b""
    while True:
        client.send(BINARY, b"\0")
        _, part = client.frame()
        if part == b"\0\0":
            break
        got += part[2:]
    assert client.frame() == (BINARY, b"WB\0\0")
    assert got == content
