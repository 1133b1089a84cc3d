"""COMPAT-2: libraries that know nothing of usocket run over usocket.compat, each against a real server on loopback.

Each library's own modules see usocket.compat under the name `socket`; nothing of them is changed.
"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import http.server
import importlib
import multiprocessing
import os
import selectors
import shutil
import socketserver
import ssl
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from usocket import compat

LIMIT_S = 20
LIBRARIES = (
    "aiohttp",
    "anyio._backends._asyncio",
    "anyio._core._sockets",
    "httpcore",
    "httpx",
    "paho.mqtt.client",
    "pymongo.synchronous.pool",
    "pymysql.connections",
    "redis.connection",
    "requests",
    "urllib3.util.connection",
    "websockets.sync.client",
    "websockets.sync.server",
)
OF_PYTHON = ("asyncio.", "http.client", "http.server", "socketserver")


@pytest.fixture(autouse=True)
def replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    """The name `socket` in every module of the libraries that has it."""
    for library in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(library)
    prefixes = tuple({library.partition(".")[0] for library in LIBRARIES}) + OF_PYTHON
    for name, module in list(sys.modules.items()):
        if name.startswith(prefixes):
            for known_as, value in list(vars(module).items()):
                if value is sys.modules["socket"]:
                    monkeypatch.setattr(module, known_as, compat)
    monkeypatch.setattr(http.client.HTTPConnection, "_create_connection", compat.create_connection, raising=False)


class Pages(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert type(self.connection) is compat.socket
        body = self.path.encode() * 1000
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@contextlib.contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[Any]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server.server_address
    finally:
        server.shutdown()
        thread.join(LIMIT_S)
        server.server_close()


@pytest.fixture
def pages() -> Iterator[Any]:
    """http.server over compat."""
    with serving(http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)) as address:
        yield address


def test_compat_2_http_client_with_keep_alive(pages: Any) -> None:
    connection = http.client.HTTPConnection(*pages, timeout=LIMIT_S)
    for path in ("/one", "/two", "/three"):
        connection.request("GET", path)
        assert connection.getresponse().read() == path.encode() * 1000
        assert type(connection.sock) is compat.socket
    connection.close()


def test_compat_2_urllib3(pages: Any) -> None:
    import urllib3

    with urllib3.HTTPConnectionPool(*pages, timeout=LIMIT_S) as pool:
        for path in ("/one", "/two"):
            assert pool.request("GET", path).data == path.encode() * 1000
        assert pool.num_connections == 1


def test_compat_2_requests(pages: Any) -> None:
    import requests

    with requests.Session() as session:
        session.trust_env = False
        for path in ("/one", "/two"):
            answer = session.get(f"http://{pages[0]}:{pages[1]}{path}", timeout=LIMIT_S)
            assert answer.content == path.encode() * 1000


def test_compat_2_httpx(pages: Any) -> None:
    import httpx

    with httpx.Client(trust_env=False, timeout=LIMIT_S) as client:
        for path in ("/one", "/two"):
            answer = client.get(f"http://{pages[0]}:{pages[1]}{path}")
            assert answer.content == path.encode() * 1000
            assert type(answer.extensions["network_stream"].get_extra_info("socket")) is compat.socket


def test_compat_2_aiohttp() -> None:
    """Client and server, over an asyncio whose own sockets are compat's."""
    import aiohttp
    from aiohttp import web

    async def shout(request: web.Request) -> web.Response:
        assert type(request.get_extra_info("socket")._sock) is compat.socket
        return web.Response(body=(await request.read()).upper())

    async def run() -> bytes:
        application = web.Application()
        application.router.add_post("/", shout)
        runner = web.AppRunner(application)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0]
        async with aiohttp.ClientSession() as session:
            async with session.post(f"http://{host}:{port}/", data=b"hello" * 100_000) as answer:
                data = await answer.read()
        await runner.cleanup()
        return data

    assert asyncio.run(asyncio.wait_for(run(), LIMIT_S)) == b"HELLO" * 100_000


def test_compat_2_trio() -> None:
    """In a process of its own: trio takes the methods out of the module `socket` as it is imported."""
    program = Path(__file__).with_name("over_trio.py")
    done = subprocess.run([sys.executable, "-W", "error", program], capture_output=True, text=True, timeout=100)
    assert (done.returncode, done.stdout) == (0, "trio\na socket that was there\nanyio\n"), done.stderr


def test_compat_2_anyio() -> None:
    """On asyncio; on trio it is in over_trio.py."""
    import anyio
    from anyio.abc import SocketAttribute, SocketStream

    async def shout(stream: SocketStream) -> None:
        async with stream:
            async for data in stream:
                await stream.send(data.upper())

    async def run() -> bytes:
        got = b""
        with anyio.fail_after(LIMIT_S):
            listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
            async with anyio.create_task_group() as group:
                group.start_soon(listener.serve, shout)
                async with await anyio.connect_tcp("127.0.0.1", listener.extra(SocketAttribute.local_port)) as stream:
                    await stream.send(b"hello")
                    while len(got) < 5:
                        got += await stream.receive()
                group.cancel_scope.cancel()
            await listener.aclose()
        return got

    assert anyio.run(run, backend="asyncio") == b"HELLO"


class Mongo(socketserver.StreamRequestHandler):
    """As much of a server as a client has to meet: it says what it is, and echoes what a command is about."""

    def handle(self) -> None:
        import bson

        header = struct.Struct("<iiii")
        while data := self.rfile.read(header.size):
            size, request, _, kind = header.unpack(data)
            body = self.rfile.read(size - header.size)
            asked = bson.decode(body[5:]) if kind == 2013 else {}  # OP_MSG; else the greeting's OP_QUERY
            said = {"ok": 1, "ismaster": True, "maxWireVersion": 21, "minWireVersion": 0, "got": asked.get("ping")}
            said |= {"maxBsonObjectSize": 1 << 24, "maxMessageSizeBytes": 48000000, "maxWriteBatchSize": 100000}
            answer = bson.encode(said)
            if kind == 2013:
                answer = struct.pack("<iB", 0, 0) + answer
            else:
                answer = struct.pack("<iqii", 0, 0, 0, 1) + answer
            kind = 2013 if kind == 2013 else 1
            self.wfile.write(header.pack(header.size + len(answer), 0, request, kind) + answer)


def test_compat_2_pymongo() -> None:
    pymongo = pytest.importorskip("pymongo", reason="needs CPython 3.11")
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mongo)
    server.daemon_threads = True
    with serving(server) as (host, port):
        with pymongo.MongoClient(
            host, port, serverSelectionTimeoutMS=LIMIT_S * 1000, timeoutMS=LIMIT_S * 1000
        ) as client:
            for size in (1, 100_000):
                assert client.admin.command("ping", "x" * size)["got"] == "x" * size


class Echo(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        for line in self.rfile:
            self.wfile.write(line.upper())


def test_compat_2_socketserver() -> None:
    with (
        serving(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Echo)) as address,
        compat.create_connection(address, LIMIT_S) as client,
        client.makefile("rw", encoding="utf-8", newline="\n") as file,
    ):
        file.write("hello\n")
        file.flush()
        assert file.readline() == "HELLO\n"


def test_compat_2_selectors() -> None:
    one, other = compat.socketpair()
    with one, other, selectors.DefaultSelector() as selector:
        selector.register(one, selectors.EVENT_READ, "data")
        assert selector.select(0) == []
        other.sendall(b"x")
        assert [key.data for key, _ in selector.select(LIMIT_S)] == ["data"]


def test_compat_2_asyncio_streams() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.writelines([b"got ", await reader.readline()])
        await writer.drain()
        writer.close()

    async def run() -> bytes:
        listener = compat.create_server(("127.0.0.1", 0))
        address = listener.getsockname()
        async with await asyncio.start_server(echo, sock=listener):
            client = compat.create_connection(address)
            client.setblocking(False)
            reader, writer = await asyncio.open_connection(sock=client)
            writer.write(b"line\n")
            data = await reader.read()
            writer.close()
            return data

    assert asyncio.run(asyncio.wait_for(run(), LIMIT_S)) == b"got line\n"


def test_compat_2_asyncio_datagrams() -> None:
    class Replies(asyncio.DatagramProtocol):
        def connection_made(self, transport: Any) -> None:
            self.transport = transport

        def datagram_received(self, data: bytes, address: Any) -> None:
            self.transport.sendto(data.upper(), address)

    async def run() -> bytes:
        loop = asyncio.get_running_loop()
        server = compat.socket(compat.AF_INET, compat.SOCK_DGRAM)
        server.bind(("127.0.0.1", 0))
        server.setblocking(False)
        transport, _ = await loop.create_datagram_endpoint(Replies, sock=server)
        with compat.socket(compat.AF_INET, compat.SOCK_DGRAM) as client:
            client.setblocking(False)
            await loop.sock_connect(client, transport.get_extra_info("sockname"))
            await loop.sock_sendall(client, b"hello")
            data = await loop.sock_recv(client, 100)
        transport.close()
        return data

    assert asyncio.run(asyncio.wait_for(run(), LIMIT_S)) == b"HELLO"


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    names = ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(cert)]
    subprocess.run([*make, *names], check=True, capture_output=True)
    return cert, key


def test_compat_2_ssl_wrap_socket(certificate: tuple[Path, Path]) -> None:
    cert, key = certificate
    serving_context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving_context.load_cert_chain(cert, key)
    context = ssl.create_default_context(cafile=cert)
    here, there = compat.socketpair()

    def serve() -> None:
        with serving_context.wrap_socket(there, server_side=True) as secure:
            secure.sendall(secure.recv(100).upper())

    thread = threading.Thread(target=serve)
    thread.start()
    here.settimeout(LIMIT_S)
    with context.wrap_socket(here, server_hostname="localhost") as secure:
        secure.sendall(b"hello")
        assert secure.recv(100) == b"HELLO"
    thread.join(LIMIT_S)


def answer(sock: Any) -> None:
    with sock:
        sock.sendall(sock.recv(100).upper())


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_compat_2_multiprocessing(method: str) -> None:
    context = multiprocessing.get_context(method)
    here, there = compat.socketpair()
    with here:
        here.settimeout(LIMIT_S)
        process = context.Process(target=answer, args=(there,))
        process.start()
        there.close()
        here.sendall(b"hello")
        assert here.recv(100) == b"HELLO"
        process.join(LIMIT_S)
        assert process.exitcode == 0


# --- Servers of others


@contextlib.contextmanager
def program(*command: str) -> Iterator[None]:
    if shutil.which(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed")
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        process.wait(LIMIT_S)


def free_port() -> int:
    with compat.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def await_server(port: int) -> None:
    pause = threading.Event()
    for _ in range(200):
        try:
            compat.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            pause.wait(0.05)
    pytest.fail("the server does not answer")


def test_compat_2_redis(tmp_path: Path) -> None:
    import redis

    port = free_port()
    with program("redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)):
        await_server(port)
        with redis.Redis("127.0.0.1", port, socket_timeout=LIMIT_S) as client:
            assert client.set("key", b"x" * 100_000)
            assert client.get("key") == b"x" * 100_000
            assert client.pipeline().incr("n").incr("n").execute() == [1, 2]


def test_compat_2_paho_mqtt(tmp_path: Path) -> None:
    import paho.mqtt.client as mqtt

    port = free_port()
    configuration = tmp_path / "mosquitto.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n")
    with program("mosquitto", "-c", str(configuration)):
        await_server(port)
        got: list[bytes] = []
        arrived = threading.Event()
        client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
        client.on_connect = lambda c, *_: c.subscribe("topic", qos=1)
        client.on_subscribe = lambda c, *_: c.publish("topic", b"payload", qos=1)

        def on_message(_client: Any, _data: Any, message: Any) -> None:
            got.append(message.payload)
            arrived.set()

        client.on_message = on_message
        client.connect("127.0.0.1", port)
        client.loop_start()
        assert arrived.wait(LIMIT_S)
        client.disconnect()
        client.loop_stop()
        assert got == [b"payload"]


def test_compat_2_websockets() -> None:
    from websockets.sync.client import connect
    from websockets.sync.server import serve

    def echo(connection: Any) -> None:
        for message in connection:
            connection.send(message.upper())

    with serve(echo, sock=compat.create_server(("127.0.0.1", 0))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        port = server.socket.getsockname()[1]
        sock = compat.create_connection(("127.0.0.1", port))
        with connect(f"ws://127.0.0.1:{port}/", sock=sock, proxy=None) as client:
            client.send("hello")
            assert client.recv(LIMIT_S) == "HELLO"
        server.shutdown()
        thread.join(LIMIT_S)


def mariadb(folder: Path, port: int) -> list[str]:
    """The command of a server with an empty database of its own."""
    if shutil.which("mariadbd") is None:
        pytest.skip("mariadbd is not installed")
    user = ["--user=root"] if os.getuid() == 0 else []
    small = ["--no-defaults", f"--datadir={folder}", "--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M", *user]
    install = ["mariadb-install-db", *small, "--auth-root-authentication-method=normal", "--skip-test-db"]
    subprocess.run(install, check=True, capture_output=True, timeout=100)
    return ["mariadbd", *small, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/socket"]


def test_compat_2_pymysql(tmp_path: Path) -> None:
    import pymysql

    port = free_port()
    with program(*mariadb(tmp_path, port)):
        await_server(port)
        with pymysql.connect(host="127.0.0.1", port=port, user="root", read_timeout=LIMIT_S) as client:
            assert type(client._sock) is compat.socket
            with client.cursor() as cursor:
                cursor.execute("CREATE DATABASE of_its_own")
                cursor.execute("CREATE TABLE of_its_own.rows (n INT, text LONGTEXT)")
                rows = [(n, "x" * 1000 * n) for n in range(50)]
                assert cursor.executemany("INSERT INTO of_its_own.rows VALUES (%s, %s)", rows) == 50
                cursor.execute("SELECT n, text FROM of_its_own.rows ORDER BY n")
                assert list(cursor) == rows
            with client.cursor(pymysql.cursors.SSCursor) as cursor:  # row by row, as they come
                cursor.execute("SELECT n FROM of_its_own.rows ORDER BY n")
                assert cursor.fetchone() == (0,)
                assert [n for (n,) in cursor] == list(range(1, 50))
            with pytest.raises(pymysql.err.ProgrammingError):
                client.query("SELECT FROM nowhere")
