"""TLS of our C++ examples against what others wrote: nginx, openssl, CPython's ssl; in both directions."""

from __future__ import annotations

import hashlib
import os
import re
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import PATIENCE_S, Files, Identity, Program, example, example_server, nginx


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """As docs/tls.md makes it."""
    folder = tmp_path_factory.mktemp("identity")
    page = (Path(__file__).resolve().parents[2] / "docs" / "tls.md").read_text()
    commands = re.search(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert commands is not None
    subprocess.run(["sh", "-ec", commands[1]], cwd=folder, check=True, capture_output=True, timeout=PATIENCE_S)
    return Identity(folder / "cert.pem", folder / "key.pem")


def get(port: int, path: str, trusted: Path, host: str = "localhost") -> subprocess.CompletedProcess[bytes]:
    command = example("cpp", "https_get", host, port, path, trusted)
    return subprocess.run(command, capture_output=True, timeout=4 * PATIENCE_S)


@pytest.fixture(scope="session")
def https_port(files: Files, identity: Identity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with nginx(tmp_path_factory.mktemp("nginx"), files.folder, identity) as port:
        yield port


@pytest.mark.parametrize("name", ["page.html", "empty", "big"])
def test_nginx(name: str, files: Files, identity: Identity, https_port: int) -> None:
    """TLS-2, TLS-3, TLS-5: 50 MB among them; the end of the body is nginx's close_notify."""
    done = get(https_port, f"/{name}", identity.certificate)
    assert done.returncode == 0, done.stderr.decode()
    assert hashlib.sha256(done.stdout).hexdigest() == files.sha256[name]


def test_nginx_by_address(identity: Identity, https_port: int) -> None:
    """TLS-4: a numeric address is looked for among the certificate's addresses."""
    assert get(https_port, "/page.html", identity.certificate, "127.0.0.1").returncode == 0


def test_nginx_is_not_trusted(https_port: int, tmp_path: Path, identity: Identity) -> None:
    """TLS-4: by somebody who trusts another one; the error says which it is."""
    other = tmp_path / "other.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other"
    command = [*make.split(), "-keyout", str(tmp_path / "key"), "-out", str(other)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
    done = get(https_port, "/page.html", other)
    assert done.returncode == 1
    assert b"certificate refused: it is self-signed" in done.stderr


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_s_server(version: str, identity: Identity) -> None:
    """TLS-4: both versions."""
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", version]
    with Program([*command, "-cert", str(identity.certificate), "-key", str(identity.key)]) as server:
        port = None
        while port is None:
            port = re.match(r"ACCEPT 127\.0\.0\.1:(\d+)", server.line())
        done = get(int(port[1]), "/", identity.certificate)
    assert done.returncode == 0, done.stderr.decode()
    assert b"TLSv1." + version[-1:].encode() in done.stdout


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_s_client(version: str, identity: Identity) -> None:
    """TLS-3: our server, both versions."""
    with example_server("cpp", "tls_echo_server", identity.certificate, identity.key) as port:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", version]
        with Program([*command, "-CAfile", str(identity.certificate), "-verify_return_error", "-quiet"]) as client:
            client.send("over and out")
            line = client.line()
            while line != "over and out":
                line = client.line()


def test_cpython_ssl_both_ways(identity: Identity) -> None:
    """TLS-3: 50 MB there and back at once."""
    sent = os.urandom(1024 * 1024) * 50
    context = ssl.create_default_context(cafile=str(identity.certificate))
    with (
        example_server("cpp", "tls_echo_server", identity.certificate, identity.key) as port,
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        writer = threading.Thread(target=client.sendall, args=[sent])
        writer.start()
        got = hashlib.sha256()
        left = len(sent)
        while left:
            block = client.recv(65536)
            assert block, "the echo ends too early"
            got.update(block)
            left -= len(block)
        writer.join()
    assert got.digest() == hashlib.sha256(sent).digest()
