"""The examples of all languages with each other: C++, CPython and, where it is built, MicroPython."""

from __future__ import annotations

import socket
import subprocess
from contextlib import ExitStack

import pytest
from programs import LANGUAGES, PATIENCE_S, Program, example, example_server


def test_chat(language: str) -> None:
    """STRM-3, POLL-1, TIME-4: a server in each language, and a client of every language in the same chat."""
    with example_server(language, "chat_server") as port, ExitStack() as stack:
        clients: dict[str, Program] = {}
        for name in LANGUAGES:
            clients[name] = stack.enter_context(Program(example(name, "chat_client", "127.0.0.1", port, name)))
            for client in clients.values():
                assert client.line() == f"* {name} is here"
        for speaker in LANGUAGES:
            clients[speaker].send(f"hello from {speaker}")
            for client in clients.values():
                assert client.line() == f"{speaker}: hello from {speaker}"
        for name in LANGUAGES:
            leaving = clients.pop(name)
            leaving.end_input()
            assert leaving.wait() == 0
            for client in clients.values():
                assert client.line() == f"* {name} has left"


@pytest.mark.parametrize("client", LANGUAGES)
def test_udp_echo(language: str, client: str) -> None:
    """SOCK-6, POLL-1, ADDR-1: datagrams there and back, known by their sender's address."""
    with example_server(language, "udp_echo_server") as port:
        command = example(client, "udp_echo_client", "127.0.0.1", port, "one", "two words", "x" * 200)
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.stdout.splitlines() == ["one", "two words", "x" * 200], done.stderr


def test_connect_nonblocking(language: str) -> None:
    """TIME-4, POLL-3: how the attempt ended, said by the socket that did not wait for it."""
    with example_server("cpp", "chat_server") as port:
        command = example(language, "connect_nonblocking", "127.0.0.1", port)
        accepted = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
        assert (accepted.returncode, accepted.stdout) == (0, "connected\n"), accepted.stderr
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))  # taken, but nobody listens
        command = example(language, "connect_nonblocking", "127.0.0.1", deaf.getsockname()[1])
        refused = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert refused.returncode == 1
    assert "refused" in (refused.stdout + refused.stderr).lower()


@pytest.mark.parametrize("client", LANGUAGES)
def test_http(language: str, client: str) -> None:
    """STRM-1, STRM-3: our own clients and servers understand each other, too."""
    with example_server(language, "http_server", "/no-such-folder") as port:
        command = example(client, "http_get", f"http://127.0.0.1:{port}/")
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.stdout.startswith("Hello from "), done.stderr
