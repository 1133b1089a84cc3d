"""TLS-1, TLS-3, POLL-5: the `ssl` of programs for devices, which is usocket's own."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uselect
import usocket
from programs import call, names_of, output, write
from usocket.desktop.modules import tls


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    folder = tmp_path_factory.mktemp("tls")
    names = str(folder / "cert.pem"), str(folder / "key.pem")
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    )
    subprocess.run([*command.split(), "-out", names[0], "-keyout", names[1]], check=True, capture_output=True)
    return names


def wrap(context: Any, server: Any, near: Any, far: Any, **options: Any) -> tuple[Any, Any]:
    """Both ends, after the handshake, which takes both."""
    ends: list[Any] = []
    thread = threading.Thread(target=lambda: ends.append(server.wrap_socket(far, server_side=True)))
    thread.start()
    try:
        return context.wrap_socket(near, **options), ends
    finally:
        thread.join()


@pytest.fixture
def pair(certificate: tuple[str, str]) -> Iterator[tuple[Any, Any]]:
    near, far = usocket.socketpair()
    server = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(*certificate)
    client = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    client.verify_mode = tls.CERT_NONE
    one, ends = wrap(client, server, near, far)
    with one, ends[0]:
        yield one, ends[0]


def test_tls_3_a_wrapped_socket_is_a_stream(pair: Any) -> None:
    near, far = pair
    assert near.write("one\ntwo\nrest", 11) == 11
    assert (far.readline(), far.read(4)) == (b"one\n", b"two\n")
    buffer = bytearray(8)
    assert (far.readinto(buffer, 3), bytes(buffer[:3])) == (3, b"res")
    near.close()
    assert far.read() == b""


def test_tls_3_large_transfers(pair: Any) -> None:
    near, far = pair
    data = bytes(range(256)) * 4096
    thread = threading.Thread(target=near.write, args=(data,))
    thread.start()
    assert far.read(len(data)) == data
    thread.join()


def test_poll_5_plaintext_that_was_not_read_is_readable(pair: Any) -> None:
    near, far = pair
    poll = uselect.poll()
    poll.register(far, uselect.POLLIN)
    near.write("abc")
    assert far.read(1) == b"a" and poll.poll(0)
    assert far.read(2) == b"bc" and not poll.poll(0)


def test_time_4_non_blocking(pair: Any) -> None:
    near, far = pair
    far.setblocking(False)
    assert far.read(1) is None
    with pytest.raises(BlockingIOError):
        far.recv(1)
    near.write("ab")
    poll = uselect.poll()
    poll.register(far, uselect.POLLIN)
    poll.poll()
    assert far.read(10) == b"ab"


def test_time_6_a_read_that_times_out_loses_nothing(pair: Any) -> None:
    near, far = pair
    far.settimeout(0.01)
    near.write("abc")
    with pytest.raises(TimeoutError):
        far.read(5)
    far.settimeout(10)
    near.write("de")
    assert far.read(5) == b"abcde"


def test_tls_5_an_end_without_close_notify_is_an_error(pair: Any) -> None:
    near, far = pair
    with usocket.socket(fileno=os.dup(near.fileno())) as below:
        below.shutdown(usocket.SHUT_WR)
    with pytest.raises(ConnectionResetError):
        far.read(1)


@pytest.mark.parametrize("name, is_right", [("localhost", True), ("elsewhere", False)])
def test_tls_1_certificates_are_verified(name: str, is_right: bool, certificate: tuple[str, str]) -> None:
    server = tls.SSLContext(tls.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(Path(certificate[0]).read_bytes(), Path(certificate[1]).read_bytes())
    client = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    client.load_verify_locations(cadata=Path(certificate[0]).read_bytes())
    near, far = usocket.socketpair()
    ends: list[Any] = []

    def serve() -> None:
        try:
            ends.append(server.wrap_socket(far, server_side=True))
        except OSError as error:
            ends.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    with near, far:
        if is_right:
            client.wrap_socket(near, server_hostname=name)
        else:
            with pytest.raises(OSError, match="not for the name"):
                client.wrap_socket(near, server_hostname=name)
        thread.join()
    assert isinstance(ends[0], OSError) != is_right


def test_tls_1_der_and_the_older_way(certificate: tuple[str, str], tmp_path: Path) -> None:
    names = [str(tmp_path / "cert.der"), str(tmp_path / "key.der")]
    for kind, source, target in zip(["x509", "rsa"], certificate, names, strict=True):
        subprocess.run(
            ["openssl", kind, "-in", source, "-outform", "DER", "-out", target], check=True, capture_output=True
        )
    near, far = usocket.socketpair()
    ends: list[Any] = []
    thread = threading.Thread(
        target=lambda: ends.append(tls.wrap_socket(far, server_side=True, cert=names[0], key=names[1]))
    )
    thread.start()
    with near, far:
        tls.wrap_socket(near).write("x")
        thread.join()
        assert ends[0].read(1) == b"x"


# --- Programs

PROGRAM = """
import asyncio, ssl, sys, usocket

server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
server.load_cert_chain(sys.argv[1], sys.argv[2])
client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
client.load_verify_locations(sys.argv[1])

async def greet(reader, writer):
    writer.write(b"hello\\n")  # the server speaks first
    await writer.drain()
    line = await reader.readline()
    writer.write(line * 100000)
    await writer.drain()
    writer.close()
    await writer.wait_closed()

async def talk(number):
    reader, writer = await asyncio.open_connection("localhost", port, ssl=client)
    first = await reader.readline()
    writer.write("line %d\\n" % number)
    await writer.drain()
    rest = await reader.read(-1)
    await writer.wait_closed()
    return first, len(rest), rest[-7:]

async def refused(**options):
    try:
        await asyncio.open_connection("localhost", port, **options)
    except OSError as error:
        print(error.errno == 13, error.args[1])

async def main():
    global port
    listening = await asyncio.start_server(greet, "127.0.0.1", 0, ssl=server)
    port = listening._sock.getsockname()[1]
    print(set(await asyncio.gather(*[talk(number % 10) for number in range(50)])) == {
        (b"hello\\n", 700000, b"line %d\\n" % number) for number in range(10)})
    await refused(ssl=client, server_hostname="elsewhere")
    await refused(ssl=True)
    listening.close()

asyncio.run(main())
"""


def test_dev_3_asyncio_over_tls(certificate: tuple[str, str], tmp_path: Path) -> None:
    """open_connection(ssl=) and start_server(ssl=): fifty at once; a refusal is open_connection's error."""
    done = call(write(tmp_path, {"main.py": PROGRAM}), *certificate)
    assert done.stdout.splitlines() == [
        "True",
        "True certificate refused: it is not for the name that was asked for (server_hostname)",
        "True certificate refused: it is self-signed, and not among the trusted ones",
    ]


@pytest.mark.parametrize("name", ["ssl", "ussl", "tls"])
def test_dev_1_every_name_of_the_module(name: str, certificate: tuple[str, str], tmp_path: Path) -> None:
    """A socket of the program's `socket` is wrapped in place, before it connects as well (TLS-2)."""
    program = f"""
import socket, sys, _thread, {name} as ssl
cert, key = sys.argv[1:]
listening = socket.socket()
listening.bind(("127.0.0.1", 0))
listening.listen(1)

def serve():
    conn = ssl.wrap_socket(listening.accept()[0], server_side=True, keyfile=key, certfile=cert)
    conn.write(conn.readline())
    conn.close()

_thread.start_new_thread(serve, ())
sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SEC)
sock.settimeout(30)
wrapped = ssl.wrap_socket(sock, cert_reqs=ssl.CERT_REQUIRED, ca_certs=cert, server_hostname="localhost")
wrapped.connect(("localhost", listening.getsockname()[1]))
wrapped.write("a line\\n")
print(wrapped.readline(), wrapped is sock, wrapped.read(), ssl.SSLError is OSError)
"""
    done = call(write(tmp_path, {"main.py": program}), *certificate)
    assert done.stdout == "b'a line\\n' True b'' True\n", done.stderr


def test_tls_2_a_listener_is_wrapped(certificate: tuple[str, str], tmp_path: Path) -> None:
    """As the WiPy has it: before it is bound. A silent client keeps nobody waiting."""
    program = """
import socket, ssl, sys, _thread
cert, key = sys.argv[1:]
listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_SEC)
listening = ssl.wrap_socket(listening, server_side=True, keyfile=key, certfile=cert)
listening.bind(("127.0.0.1", 0))
listening.listen(2)

def serve():
    silent = listening.accept()[0]
    conn, peer = listening.accept()
    conn.write(conn.readline())
    conn.close()

_thread.start_new_thread(serve, ())
silent = socket.create_connection(listening.getsockname())
sock = socket.create_connection(listening.getsockname(), 30)
ssl.wrap_socket(sock, cert_reqs=ssl.CERT_REQUIRED, ca_certs=cert, server_hostname="localhost")
sock.write("a line\\n")
print(sock.readline(), sock.read())
"""
    done = call(write(tmp_path, {"main.py": program}), *certificate)
    assert done.stdout == "b'a line\\n' b''\n", done.stderr


def test_compat_2_a_socket_of_cpython_s_is_taken_over(certificate: tuple[str, str], tmp_path: Path) -> None:
    """That of an http.server, whose module stays CPython's; and it does not listen any more itself."""
    program = """
import http.server, socket, ssl, sys, _thread
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*sys.argv[1:])
before = server.socket
before.settimeout(30)
server.socket = context.wrap_socket(server.socket, server_side=True)
print(before.fileno(), server.socket.gettimeout(), server.socket is before, server.socket.getsockname()[0])
_thread.start_new_thread(server.handle_request, ())
client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
client.load_verify_locations(sys.argv[1])
sock = socket.create_connection(server.server_address, 30)
client.wrap_socket(sock, server_hostname="localhost")
sock.write("GET / HTTP/1.0\\r\\n\\r\\n")
print(sock.readline(), b"main.py" in sock.read())
"""
    done = call(write(tmp_path, {"main.py": program}), *certificate, cwd=tmp_path)
    assert done.stdout.splitlines() == ["-1 30.0 False 127.0.0.1", r"b'HTTP/1.0 200 OK\r\n' True"], done.stderr


def test_dev_1_a_plain_socket_is_no_tls_socket(tmp_path: Path) -> None:
    """Programs that know CPython as well ask so, where there is such a class."""
    text = "import socket, ssl\nprint(isinstance(socket.socket(), getattr(ssl, 'SSLSocket', bytes)))\n"
    assert output(tmp_path, {"main.py": text}) == ["False"]


def test_dev_3_a_context_of_the_program_s_own(certificate: tuple[str, str], tmp_path: Path) -> None:
    """What its wrap_socket() returns is the stream of open_connection() and start_server()."""
    program = """
import asyncio, ssl, sys, usocket

class Counted:
    def __init__(self, sock):
        self.sock = sock
        self.written = 0
    def write(self, data):
        count = self.sock.write(data)
        self.written += count or 0
        return count
    def __getattr__(self, name):
        return getattr(self.sock, name)

class Counting(ssl.SSLContext):
    def wrap_socket(self, *arguments, **options):
        return Counted(super().wrap_socket(*arguments, **options))

server, client = Counting(ssl.PROTOCOL_TLS_SERVER), Counting(ssl.PROTOCOL_TLS_CLIENT)
server.load_cert_chain(sys.argv[1], sys.argv[2])
client.load_verify_locations(sys.argv[1])

async def serve(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    print(writer.s.written)
    await writer.wait_closed()

async def main():
    listening = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server)
    port = listening._sock.getsockname()[1]
    reader, writer = await asyncio.open_connection("localhost", port, ssl=client)
    writer.write(b"hello\\n")
    await writer.drain()
    print(await reader.read(-1), writer.s.written)

asyncio.run(main())
"""
    done = call(write(tmp_path, {"main.py": program}), *certificate)
    assert done.stdout.splitlines() == ["6", "b'hello\\n' 6"], done.stderr


def test_dev_5_a_handshake_that_fails_in_a_server_is_shown_in_a_line(
    certificate: tuple[str, str], tmp_path: Path
) -> None:
    text = f"""
import asyncio, socket, ssl
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(*{certificate!r})
async def main():
    server = await asyncio.start_server(None, "127.0.0.1", 0, ssl=context)
    address = server._sock.getsockname()
    stream = asyncio.StreamReader(socket.socket())
    stream.s.connect(address)
    await stream.awrite(b"GET / HTTP/1.0\\r\\n\\r\\n")
    try:
        await stream.read(100)
    except OSError:
        pass
asyncio.run(main())
"""
    done = call(write(tmp_path, {"main.py": text}))
    shown = done.stderr.splitlines()
    assert len(shown) == 1 and shown[0].startswith("OSError: "), done.stderr


@pytest.mark.parametrize("stream", ["io.BytesIO()", "None", "5"])
def test_tls_1_what_is_no_socket_is_refused_by_name(stream: str) -> None:
    with pytest.raises(TypeError, match="a socket of usocket is wanted, not "):
        names_of(f"import io, ssl\nssl.wrap_socket({stream})\n")
