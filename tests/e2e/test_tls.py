"""TLS of our examples against what others wrote: nginx, openssl, mosquitto, CPython's ssl; in both directions. What
curl does with our HTTPS server is in test_http_server.py."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import select
import shutil
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from programs import LANGUAGES, PATIENCE_S, REPO, Files, Identity, Program, example, example_server, nginx

sys.path.insert(0, str(REPO / "tests" / "support"))
from listening import listening_port  # noqa: E402


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def get(
    language: str, port: int, path: str, trusted: Path, host: str = "localhost"
) -> subprocess.CompletedProcess[bytes]:
    command = example(language, "http_get", f"https://{host}:{port}{path}", f"--trust={trusted}")
    if language == "cpp":
        command = example("cpp", "https_get", host, port, path, trusted)
    return subprocess.run(command, capture_output=True, timeout=4 * PATIENCE_S)


@pytest.fixture(scope="session")
def https_port(files: Files, identity: Identity, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with nginx(tmp_path_factory.mktemp("nginx"), files.folder, identity) as port:
        yield port


@pytest.mark.parametrize("name", ["page.html", "empty", "big"])
def test_nginx(language: str, name: str, files: Files, identity: Identity, https_port: int) -> None:
    """TLS-2, TLS-3, TLS-5: 50 MB among them; the end of the body is nginx's close_notify."""
    done = get(language, https_port, f"/{name}", identity.certificate)
    assert done.returncode == 0, done.stderr.decode()
    assert hashlib.sha256(done.stdout).hexdigest() == files.sha256[name]


def test_nginx_by_address(language: str, identity: Identity, https_port: int) -> None:
    """TLS-4: a numeric address is looked for among the certificate's addresses."""
    assert get(language, https_port, "/page.html", identity.certificate, "127.0.0.1").returncode == 0


def test_nginx_is_not_trusted(language: str, https_port: int, tmp_path: Path, identity: Identity) -> None:
    """TLS-4: by somebody who trusts another one; the error says which it is."""
    other = tmp_path / "other.pem"
    make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=other"
    command = [*make.split(), "-keyout", str(tmp_path / "key"), "-out", str(other)]
    subprocess.run(command, check=True, capture_output=True, timeout=PATIENCE_S)
    done = get(language, https_port, "/page.html", other)
    assert done.returncode == 1
    assert b"certificate refused: it is self-signed" in done.stderr


def skip_unless_spoken(language: str, version: str) -> None:
    """MicroPython speaks what the mbedTLS that it links does: Debian 12's 1.2 alone."""
    if language == "micropython" and version == "-tls1_3":
        pytest.skip("this mbedTLS has no TLS 1.3")


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_s_server(language: str, version: str, identity: Identity) -> None:
    """TLS-4: both versions."""
    skip_unless_spoken(language, version)
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-www", version]
    with Program([*command, "-cert", str(identity.certificate), "-key", str(identity.key)]) as server:
        port = None
        while port is None:
            port = re.match(r"ACCEPT 127\.0\.0\.1:(\d+)", server.line())
        done = get(language, int(port[1]), "/", identity.certificate)
    assert done.returncode == 0, done.stderr.decode()
    assert b"TLSv1." + version[-1:].encode() in done.stdout


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_s_client(language: str, version: str, identity: Identity) -> None:
    """TLS-3: our server, both versions."""
    skip_unless_spoken(language, version)
    with example_server(language, "tls_echo_server", identity.certificate, identity.key) as port:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", version]
        with Program([*command, "-CAfile", str(identity.certificate), "-verify_return_error", "-quiet"]) as client:
            client.send("over and out")
            line = client.line()
            while line != "over and out":
                line = client.line()


# --- Renegotiation is refused. Whoever asked for it may go on; OpenSSL's programs end the connection.


def test_openssl_s_client_asks_to_negotiate_anew(language: str, identity: Identity) -> None:
    """TLS-3: what came before is answered, the connection ends, and the server serves the next one."""
    with example_server(language, "tls_echo_server", identity.certificate, identity.key) as port:
        command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-servername", "localhost", "-tls1_2"]
        for _ in range(2):
            with Program([*command, "-CAfile", str(identity.certificate)]) as client:
                client.send("over and out")
                while client.line() != "over and out":
                    pass
                client.send("R")
                while "no renegotiation" not in client.line():
                    pass
                assert client.wait() != 0


def test_openssl_s_server_asks_to_negotiate_anew(language: str, identity: Identity) -> None:
    """TLS-3: a client that waits for an answer learns that there will be none."""
    command = ["openssl", "s_server", "-accept", "127.0.0.1:0", "-naccept", "1", "-tls1_2"]
    with Program([*command, "-cert", str(identity.certificate), "-key", str(identity.key)]) as server:
        port = None
        while port is None:
            port = re.match(r"ACCEPT 127\.0\.0\.1:(\d+)", server.line())
        with ThreadPoolExecutor(1) as background:
            getting = background.submit(get, language, int(port[1]), "/", identity.certificate)
            while not server.line().startswith("Host:"):
                pass
            server.send("r")
            while "no renegotiation" not in server.line():
                pass
            done = getting.result()
    assert done.returncode == 1
    assert b"the peer has ended TLS with an alert" in done.stderr


def test_cpython_ssl_both_ways(language: str, identity: Identity) -> None:
    """TLS-3: 50 MB there and back at once. One thread does both: CPython's ssl takes no two in one connection."""
    sent = os.urandom(1024 * 1024) * 50
    context = ssl.create_default_context(cafile=str(identity.certificate))
    with (
        example_server(language, "tls_echo_server", identity.certificate, identity.key) as port,
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as plain,
        context.wrap_socket(plain, server_hostname="localhost") as client,
    ):
        client.setblocking(False)
        got = hashlib.sha256()
        left = len(sent)
        rest = memoryview(sent)
        while left:
            if not client.pending():
                ready = select.select([client], [client] if rest else [], [], PATIENCE_S)
                assert any(ready), "nothing moves"
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                block = client.recv(65536)
                assert block, "the echo ends too early"
                got.update(block)
                left -= len(block)
            with contextlib.suppress(ssl.SSLWantReadError, ssl.SSLWantWriteError):
                rest = rest[client.send(rest[:65536]) :] if rest else rest
    assert got.digest() == hashlib.sha256(sent).digest()


# --- Stock MicroPython's own tls, which tells no port.

STOCK_CLIENT = r"""
import socket, sys, tls
port, trusted = int(sys.argv[1]), sys.argv[2]
context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
with open(trusted, "rb") as file:
    context.load_verify_locations(file.read())
plain = socket.socket()
plain.connect(socket.getaddrinfo("127.0.0.1", port)[0][-1])
secure = context.wrap_socket(plain, server_hostname="localhost")
for size in (1, 1000, 20000):
    block = bytes(size) + b"\n"
    secure.write(block)
    print(secure.read(len(block)) == block)
secure.close()
"""

STOCK_SERVER = r"""
import socket, sys, tls
context = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
with open(sys.argv[1], "rb") as cert, open(sys.argv[2], "rb") as key:
    context.load_cert_chain(cert.read(), key.read())
listener = socket.socket()
listener.bind(socket.getaddrinfo("127.0.0.1", 0)[0][-1])
listener.listen(1)
print("listening")
plain, _ = listener.accept()
secure = context.wrap_socket(plain, server_side=True)
while secure.readline() != b"\r\n":
    pass
secure.write(b"HTTP/1.0 200 OK\r\nContent-Length: 100000\r\n\r\n")
for _ in range(100):
    secure.write(b"0123456789" * 100)
secure.close()
"""


@pytest.fixture
def stock() -> list[str]:
    """Stock MicroPython, to be followed by a script."""
    command = example("micropython-stock", "")[:-1]
    if not Path(command[0]).exists():
        pytest.skip("tools/micropython has not built it")
    return command


def test_stock_micropython_is_the_client(stock: list[str], language: str, identity: Identity, tmp_path: Path) -> None:
    script = tmp_path / "client.py"
    script.write_text(STOCK_CLIENT)
    with example_server(language, "tls_echo_server", identity.certificate, identity.key) as port:
        command = [*stock, str(script), str(port), str(identity.certificate)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.stdout.split() == ["True"] * 3, done.stderr


def test_stock_micropython_is_the_server(stock: list[str], language: str, identity: Identity, tmp_path: Path) -> None:
    script = tmp_path / "server.py"
    script.write_text(STOCK_SERVER)
    with Program([*stock, str(script), str(identity.certificate), str(identity.key)]) as server:
        assert server.line() == "listening"
        done = get(language, listening_port(server.process.pid), "/", identity.certificate)
    # It ends without close_notify, which who reads to the end learns (TLS-5).
    assert done.stderr.decode() == ("https_get: reading: Connection reset by peer\n" if language == "cpp" else "")
    assert done.stdout.endswith(b"0123456789" * 10000)


MQTT = r"""
import sys, usocket, ussl
port, trusted = int(sys.argv[1]), sys.argv[2]
context = ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT)
context.load_verify_locations(trusted)
context.set_alpn_protocols(["mqtt"])

def connect(name):
    sock = usocket.socket(usocket.AF_INET, usocket.SOCK_STREAM, usocket.IPPROTO_SEC)
    sock.settimeout(30)
    context.wrap_socket(sock, server_hostname="localhost")
    sock.connect(("127.0.0.1", port))
    sock.write(b"\x10" + bytes([12 + len(name)]) + b"\0\x04MQTT\x04\x02\0\x3c\0" + bytes([len(name)]) + name)
    assert sock.read(4) == b"\x20\x02\0\0"
    return sock

reader, writer = connect(b"reader"), connect(b"writer")
reader.write(b"\x82\x0a\0\x01\0\x05topic\0")
assert reader.read(5) == b"\x90\x03\0\x01\0"
for number in range(1000):
    writer.write(b"\x30\x0a\0\x05topic%03d" % number)
print(all(reader.read(12) == b"\x30\x0a\0\x05topic%03d" % number for number in range(1000)))
writer.write(b"\xe0\0")
print(writer.read())
"""


def test_mosquitto(identity: Identity, tmp_path: Path) -> None:
    """TLS-2, TLS-3: a thousand messages by way of a broker; its end is a close_notify."""
    mosquitto = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    files = f"certfile {identity.certificate}\nkeyfile {identity.key}\n"
    user = "user root\n" if os.geteuid() == 0 else ""
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(f"{user}listener {port} 127.0.0.1\n{files}allow_anonymous true\npersistence false\n")
    with Program([mosquitto, "-v", "-c", str(configuration)]) as broker:
        while "Opening ipv4 listen socket" not in broker.line():
            pass
        command = [sys.executable, "-c", MQTT, str(port), str(identity.certificate)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=2 * PATIENCE_S)
    assert done.stdout == "True\nb''\n", done.stderr
