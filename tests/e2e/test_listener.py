"""curl against servers that wrap their listener (TLS-2): a silent client, and one without TLS, do not matter."""

from __future__ import annotations

import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import BIN, LANGUAGES, PATIENCE_S, Identity, Program

# CPython's own module, in a program under python -m usocket.
HTTP_SERVER = """
import http.server, ssl, sys

class Handler(http.server.BaseHTTPRequestHandler):
    timeout = 0.2
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode() * 10000)
    def log_message(self, *_):
        pass

httpd = http.server.HTTPServer(("127.0.0.1", 0), Handler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*sys.argv[1:3])
httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
print("listening on 127.0.0.1 port", httpd.server_address[1])
httpd.serve_forever()
"""

# As programs for devices have it: one thread, and one client after the other.
DEVICE_SERVER = """
import socket, ssl, sys

listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SEC)
listener = ssl.wrap_socket(listener, server_side=True, certfile=sys.argv[1], keyfile=sys.argv[2])
listener.bind(("127.0.0.1", 0))
listener.listen(5)
print("listening on 127.0.0.1 port", listener.getsockname()[1])
while True:
    conn, peer = listener.accept()
    conn.settimeout(0.2)
    try:
        path = conn.readline().split()[1]
        while conn.readline() != b"\\r\\n":
            pass
        conn.write(b"HTTP/1.0 200 OK\\r\\n\\r\\n")
        conn.write(path * 10000)
    except OSError:
        pass
    conn.close()
"""

SERVERS = {"cpython http.server": HTTP_SERVER, "cpython": DEVICE_SERVER, "micropython": DEVICE_SERVER}


@pytest.fixture(params=[name for name in SERVERS if name.split()[0] in LANGUAGES])
def port(request: pytest.FixtureRequest, identity: Identity, tmp_path: Path) -> Iterator[int]:
    program = tmp_path / "main.py"
    program.write_text(SERVERS[request.param])
    cpython = request.param.startswith("cpython")
    command = [sys.executable, "-m", "usocket"] if cpython else [str(BIN / "micropython"), "-X", "heapsize=8m"]
    with Program([*command, str(program), str(identity.certificate), str(identity.key)]) as running:
        match = re.fullmatch(r"listening on 127\.0\.0\.1 port (\d+)", line := running.line())
        assert match, line
        yield int(match.group(1))


def fetch(port: int, identity: Identity, *paths: str) -> subprocess.CompletedProcess[bytes]:
    command = ["curl", "--noproxy", "*", "--silent", "--show-error", "--max-time", str(PATIENCE_S)]
    urls = [f"https://127.0.0.1:{port}{path}" for path in paths]
    return subprocess.run(
        [*command, "--cacert", identity.certificate, *urls], capture_output=True, timeout=2 * PATIENCE_S
    )


def test_pages(port: int, identity: Identity) -> None:
    done = fetch(port, identity, "/one", "/two")
    assert done.stdout == b"/one" * 10000 + b"/two" * 10000, done.stderr


def test_clients_that_are_silent_or_speak_no_tls(port: int, identity: Identity) -> None:
    with socket.create_connection(("127.0.0.1", port), PATIENCE_S) as plain:
        plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
        with socket.create_connection(("127.0.0.1", port), PATIENCE_S):
            socket.create_connection(("127.0.0.1", port), PATIENCE_S).close()
            done = fetch(port, identity, "/page")
            assert done.stdout == b"/page" * 10000, done.stderr
        assert b"200" not in plain.recv(100)


def test_a_client_that_does_not_trust_it(port: int, identity: Identity, tmp_path: Path) -> None:
    done = subprocess.run(["curl", "--noproxy", "*", "--silent", f"https://127.0.0.1:{port}/"], timeout=2 * PATIENCE_S)
    assert done.returncode == 60  # its issuer is not known
    assert fetch(port, identity, "/page").stdout == b"/page" * 10000
