"""TLS-1..7 on CPython: what conformance scripts cannot show: threads, signals, processes, the interpreter around it."""

from __future__ import annotations

import asyncio
import contextlib
import copy
import errno
import gc
import os
import pickle
import signal
import socket
import socketserver
import ssl
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Coroutine, Iterator
from itertools import repeat
from multiprocessing.reduction import ForkingPickler
from pathlib import Path
from typing import IO, Any

import pytest
import uselect
import usocket
import ussl
from python_support import (
    AT_ANY_MOMENT,
    EBADF,
    ETIMEDOUT,
    Caller,
    Pair,
    alarms,
    descriptors,
    error_of,
    listener,
    run_python,
    tcp_pair,
)
from usocket import compat

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
from certificates import make_certificates  # noqa: E402

LIMIT_S = 30.0  # for what must happen


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("certificates")
    make_certificates(made)
    return made


@pytest.fixture(scope="module")
def server(folder: Path) -> ussl.SSLContext:
    context = ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER)
    context.set_cert_key(folder / "right.pem", folder / "right.key")
    return context


@pytest.fixture(scope="module")
def client(folder: Path) -> ussl.SSLContext:
    context = ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder / "trusted.pem")
    return context


def wrap(client: ussl.SSLContext, server: ussl.SSLContext, pair: Pair) -> None:
    other = Caller(server.wrap_socket, pair[1], True)
    client.wrap_socket(pair[0], server_hostname="localhost")
    other.finish()


@pytest.fixture
def secure(client: ussl.SSLContext, server: ussl.SSLContext) -> Iterator[Pair]:
    one, other = tcp_pair()
    with one, other:
        wrap(client, server, (one, other))
        yield one, other


class Stop(Exception):
    pass


@pytest.mark.parametrize("method, argument", [("readline", ()), ("read", (6,)), ("recv", (6,))])
def test_time_6_a_socket_that_another_thread_reads_is_not_wrapped(
    client: ussl.SSLContext, server: ussl.SSLContext, method: str, argument: tuple[int, ...]
) -> None:
    one, other = tcp_pair()
    with one, other:
        reader = Caller(getattr(one, method), *argument)
        reader.wait_until_blocked()
        with pytest.raises(OSError) as caught:
            client.wrap_socket(one, server_hostname="localhost", do_handshake=False)
        assert caught.value.errno == errno.EBUSY
        assert "another thread" in str(caught.value)
        other.write(b"plain\n")
        assert reader.finish() == b"plain\n"
        wrap(client, server, (one, other))
        other.write(b"encrypted\n")
        assert one.readline() == b"encrypted\n"


# --- The interpreter goes on


def test_time_5_a_signal_at_any_moment_ends_a_read(folder: Path) -> None:
    """In a process with one thread, also while a record is looked at."""
    program = """
import os, sys, usocket, ussl
folder = sys.argv[1]
server = usocket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
child = os.fork()
if child == 0:
    context = ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder + "/trusted.pem")
    one = usocket.socket()
    one.connect(server.getsockname())
    context.wrap_socket(one, server_hostname="localhost")
    one.read()
    os._exit(0)
context = ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER)
context.set_cert_key(folder + "/right.pem", folder + "/right.key")
one = context.wrap_socket(server.accept()[0], server_side=True)
"""
    program += AT_ANY_MOMENT.format(call="one.read(10)") + "one.close()\nos.waitpid(child, 0)\n"
    assert run_python(program, str(folder), limit_s=60).stdout == "4000\n"


@pytest.mark.parametrize("name", ["wrap_socket", "connect", "read", "shutdown"])
def test_tls_3_other_threads_run_while_it_waits(
    name: str, client: ussl.SSLContext, secure: Pair, full: usocket.socket
) -> None:
    """And close() of another thread ends it (SOCK-4)."""
    with listener() as server, contextlib.ExitStack() as stack:
        if name == "connect":
            sock = usocket.socket(usocket.AF_INET, usocket.SOCK_STREAM, usocket.IPPROTO_SEC)
            client.wrap_socket(sock, server_hostname="localhost")
            call = Caller(sock.connect, server.getsockname())
        elif name == "wrap_socket":
            sock, other = tcp_pair()
            stack.enter_context(other)
            call = Caller(lambda: client.wrap_socket(sock, server_hostname="localhost"))
        elif name == "read":
            sock = secure[0]
            call = Caller(sock.read)
        else:
            sock = full
            call = Caller(sock.shutdown, usocket.SHUT_WR)
        call.wait_until_blocked()
        sock.close()
        with pytest.raises(OSError) as raised:
            call.finish()
    assert raised.value.args[0] == EBADF


@pytest.fixture
def full(client: ussl.SSLContext, server: ussl.SSLContext) -> Iterator[usocket.socket]:
    """One that is in the middle of a record for which there is no room. Of AF_UNIX, where none comes by itself."""
    one, other = usocket.socketpair()
    with one, other:
        wrap(client, server, (one, other))
        one.settimeout(0.02)
        with contextlib.suppress(TimeoutError):
            while True:
                one.write(bytes(100_000))
        one.settimeout(None)
        yield one


def test_time_2_shutdown_has_a_deadline(full: usocket.socket) -> None:
    full.settimeout(0.05)
    assert error_of(full.shutdown, usocket.SHUT_WR) == ETIMEDOUT


def test_time_5_a_handler_that_raises_ends_a_shutdown(full: usocket.socket) -> None:
    def handler(count: int) -> None:
        raise Stop

    with alarms(handler), pytest.raises(Stop):
        full.shutdown(usocket.SHUT_WR)


def test_time_5_a_handler_that_raises_ends_a_handshake(client: ussl.SSLContext, server: ussl.SSLContext) -> None:
    """At once, and it goes on where it stood."""

    def handler(count: int) -> None:
        raise Stop

    one, other = tcp_pair()
    with one, other:
        with alarms(handler), pytest.raises(Stop):
            client.wrap_socket(one, server_hostname="localhost")
        thread = Caller(server.wrap_socket, other, True)
        one.do_handshake()
        thread.finish()


def test_time_5_a_handler_that_returns_lets_it_go_on(client: ussl.SSLContext, server: ussl.SSLContext) -> None:
    one, other = tcp_pair()
    threads: list[Caller] = []

    def handler(count: int) -> None:
        if count == 3:
            threads.append(Caller(server.wrap_socket, other, True))

    with one, other, alarms(handler):
        client.wrap_socket(one, server_hostname="localhost")
        threads[0].finish()


def test_time_6_nothing_is_lost_to_handlers_that_raise(secure: Pair) -> None:
    """In the main thread, again and again, in the middle of records: all arrives, in order."""
    near, far = secure
    block = bytes(range(251)) * 80  # more than a record
    is_enough = threading.Event()
    written: list[int] = []

    def write() -> None:
        while not is_enough.is_set():
            written.append(near.write(block) or 0)
        near.close()

    armed = False

    def on_signal(*_: object) -> None:
        nonlocal armed
        if armed:
            armed = False
            raise Stop

    writer = Caller(write)
    parts: list[bytes] = []
    received = 0

    def check() -> None:
        nonlocal received
        for part in parts:
            begin = received % len(block)
            assert (block * 2)[begin : begin + len(part)] == part
            received += len(part)
        parts.clear()

    before = signal.signal(signal.SIGVTALRM, on_signal)
    signal.setitimer(signal.ITIMER_VIRTUAL, 0.001, 0.001)  # of the processor's time
    try:
        interrupted = 0
        while not is_enough.is_set():
            armed = True
            try:
                # No bytecode between one call and the next, in which a handler could lose what a call has returned.
                parts.extend(map(far.recv, repeat(20_000, 50)))
            except Stop:
                interrupted += 1
            armed = False
            check()
            if interrupted == 50:
                is_enough.set()
    finally:
        is_enough.set()
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
    while part := far.recv(len(block)):
        parts.append(part)
    check()
    writer.finish()
    assert received == len(written) * len(block)


def test_time_5_handlers_use_the_same_socket(secure: Pair) -> None:
    """While the main thread reads and writes it."""
    near, far = secure
    far.settimeout(60)

    def echo() -> None:
        while line := far.readline():
            far.write(line)

    echoing = Caller(echo)
    handled = 0

    def handler(count: int) -> None:
        nonlocal handled
        near.write(b"")
        assert near.cipher() == near.cipher()
        poll.poll(0)
        handled = count

    poll = uselect.poll()
    poll.register(near, uselect.POLLIN)
    with alarms(handler):
        number = 0
        while handled < 20:
            number += 1
            line = b"%d\n" % number * 100
            near.write(line)
            assert near.read(len(line)) == line
    near.close()
    echoing.finish()


def test_tls_3_readers_and_writers_at_once(secure: Pair) -> None:
    """Four threads on one connection, both ways."""
    much = os.urandom(1 << 22)
    calls = [Caller(sock.write, much) for sock in secure] + [Caller(sock.read, len(much)) for sock in secure]
    assert [call.finish() for call in calls] == [len(much), len(much), much, much]


def test_tls_3_many_connections_at_once(client: ussl.SSLContext, server: ussl.SSLContext) -> None:
    """Contexts serve several threads."""

    def talk(number: int) -> bytes | None:
        one, other = tcp_pair()
        with one, other:
            wrap(client, server, (one, other))
            one.write(b"%d" % number)
            one.shutdown(usocket.SHUT_WR)
            return other.read()

    calls = [Caller(talk, number) for number in range(30)]
    assert [call.finish() for call in calls] == [b"%d" % number for number in range(30)]


# --- Objects


def test_tls_3_every_class_of_sockets_can_be_wrapped(client: ussl.SSLContext, server: ussl.SSLContext) -> None:
    class Own(usocket.socket):
        pass

    for cls in (usocket.socket, Own, compat.socket):
        with listener() as listening, cls() as one:
            one.connect(usocket.getaddrinfo(*("127.0.0.1", usocket.sockaddr(listening.getsockname())[2]))[0][4])
            with listening.accept()[0] as other:
                wrap(client, server, (one, other))
                assert type(one) is cls
                assert one.write(b"x") and other.read(1) == b"x"


def test_tls_1_a_subclass_of_the_context(folder: Path, client: ussl.SSLContext) -> None:
    class Own(ussl.SSLContext):
        def __init__(self, name: str) -> None:
            super().__init__(ussl.PROTOCOL_TLS_SERVER)
            self.load_cert_chain(str(folder / f"{name}.pem"), str(folder / f"{name}.key"))

    one, other = tcp_pair()
    with one, other:
        wrap(client, Own("rsa"), (one, other))
        assert one.getpeercert(True) == (folder / "rsa.der").read_bytes()


def test_tls_7_a_name_of_other_letters_is_converted(folder: Path, client: ussl.SSLContext) -> None:
    """As CPython's own ssl does; what cannot be is no name."""
    server = ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER)
    server.set_cert_key(folder / "converted.pem", folder / "converted.key")
    one, other = tcp_pair()
    with one, other:
        with pytest.raises(OSError, match="a host name in ASCII") as caught:
            client.wrap_socket(one, server_hostname="\u00e4..b")
        assert caught.value.errno == errno.EINVAL
        serving = Caller(server.wrap_socket, other, True)
        client.wrap_socket(one, server_hostname="b\u00fccher.example")
        serving.finish()


def test_tls_1_check_hostname_goes_with_verify_mode(client: ussl.SSLContext) -> None:
    """A program that turns off the one alone is told; that which turns off both gets what it asks for."""
    context = ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    one, other = tcp_pair()
    with one, other:
        with pytest.raises(ValueError, match="check_hostname"):
            context.wrap_socket(one, do_handshake=False)
        context.verify_mode = ussl.CERT_NONE
        assert context.wrap_socket(one, do_handshake=False) is one


def test_tls_1_one_file_for_certificate_and_key(folder: Path, client: ussl.SSLContext, tmp_path: Path) -> None:
    both = tmp_path / "both.pem"
    both.write_bytes((folder / "right.key").read_bytes() + (folder / "right.pem").read_bytes())
    server = ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(str(both))
    one, other = tcp_pair()
    with one, other:
        wrap(client, server, (one, other))


def test_tls_1_a_key_with_a_password_is_refused_and_nobody_is_asked(folder: Path, tmp_path: Path) -> None:
    key = tmp_path / "locked.key"
    command = f"openssl pkey -in {folder / 'right.key'} -aes128 -passout pass:secret -out {key}"
    assert os.system(command) == 0
    program = "import sys, ussl\ntry: ussl.SSLContext().set_cert_key(*sys.argv[1:])\nexcept OSError as e: print(e)"
    assert "without a password" in run_python(program, str(folder / "right.pem"), str(key)).stdout


def test_tls_4_a_folder_of_issuers(folder: Path, server: ussl.SSLContext, tmp_path: Path) -> None:
    for name in ("trusted", "somebody"):
        (tmp_path / name).write_bytes((folder / f"{name}.pem").read_bytes())
    context = ussl.SSLContext()
    context.load_verify_locations(capath=str(tmp_path))
    one, other = tcp_pair()
    with one, other:
        wrap(context, server, (one, other))


def test_tls_4_what_is_no_certificate_does_not_spoil_a_folder(
    folder: Path, server: ussl.SSLContext, tmp_path: Path
) -> None:
    (tmp_path / "README").write_text("whose certificates these are")
    context = ussl.SSLContext()
    with pytest.raises(OSError, match="no certificate") as caught:
        context.load_verify_locations(capath=str(tmp_path))
    assert (caught.value.errno, caught.value.filename) == (errno.EINVAL, str(tmp_path))
    (tmp_path / "trusted").write_bytes((folder / "trusted.pem").read_bytes())
    (tmp_path / "zero").write_bytes(b"")
    context.load_verify_locations(capath=str(tmp_path))
    one, other = tcp_pair()
    with one, other:
        wrap(context, server, (one, other))


def test_sock_3_collected_it_is_closed_and_says_so(client: ussl.SSLContext, server: ussl.SSLContext) -> None:
    """The peer sees the end that TLS has for it, not a cut."""
    one, other = tcp_pair()
    with other:
        wrap(client, server, (one, other))
        gone = weakref.ref(one)
        with pytest.warns(ResourceWarning, match="unclosed"):
            del one
            gc.collect()
        assert gone() is None
        assert other.read() == b""


def test_tls_3_a_failed_wrap_leaks_nothing(folder: Path, server: ussl.SSLContext) -> None:
    context = ussl.SSLContext()
    context.load_verify_locations(folder / "somebody.pem")
    before = set(os.listdir("/proc/self/fd"))
    for _ in range(20):
        one, other = tcp_pair()
        with one, other:
            thread = Caller(server.wrap_socket, other, True)
            with pytest.raises(OSError, match="its issuer is not among the trusted ones"):
                context.wrap_socket(one, server_hostname="localhost")
            with pytest.raises(OSError, match="the peer refuses our certificate"):
                thread.finish()
    assert set(os.listdir("/proc/self/fd")) == before


# --- Ways around TLS: by the socket's number, or a copy of it


@pytest.fixture
def secure_compat(client: ussl.SSLContext, server: ussl.SSLContext) -> Iterator[tuple[compat.socket, usocket.socket]]:
    one, other = compat.socketpair()
    other = usocket.socket(fileno=other.detach())
    one.settimeout(20)
    other.settimeout(20)
    with one, other:
        wrap(client, server, (one, other))
        yield one, other


SecureCompat = tuple[compat.socket, usocket.socket]


@pytest.mark.parametrize("pickler", [ForkingPickler.dumps, pickle.dumps, copy.copy, copy.deepcopy])
def test_compat_2_no_copy_of_a_wrapped_socket_goes_anywhere(
    pickler: Callable[[Any], Any], secure_compat: SecureCompat
) -> None:
    """In another process it would be a plain one, that writes into the connection in the clear."""
    with pytest.raises(TypeError, match="cannot pickle"):
        pickler(secure_compat[0])


def test_tls_3_no_dup_of_a_wrapped_socket_by_a_function_of_the_program_s(
    secure_compat: SecureCompat, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compat, "dup", os.dup)
    before = descriptors()
    with pytest.raises(OSError, match="neither by dup"):
        secure_compat[0].dup()
    assert descriptors() == before


async def send_by_loop(sock: compat.socket, file: IO[bytes]) -> int:
    return await asyncio.get_running_loop().sock_sendfile(sock, file)


async def send_by_transport(sock: compat.socket, file: IO[bytes]) -> int:
    _, writer = await asyncio.open_connection(sock=sock)
    sent = await asyncio.get_running_loop().sendfile(writer.transport, file)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    return sent


@pytest.mark.parametrize("send", [send_by_loop, send_by_transport])
def test_compat_2_asyncio_sends_files_through_tls(
    send: Callable[[compat.socket, IO[bytes]], Coroutine[Any, Any, int]], secure_compat: SecureCompat
) -> None:
    """Whose os.sendfile() would put them into the connection in the clear: there is no way into it by the system."""
    one, other = secure_compat
    one.setblocking(False)
    content = os.urandom(50_000)
    with tempfile.TemporaryFile() as file:
        file.write(content)
        file.seek(0)
        reader = Caller(other.read, len(content))
        assert asyncio.run(send(one, file)) == len(content)
        assert reader.finish() == content


def test_tls_3_the_system_sends_no_file_around_tls(secure_compat: SecureCompat) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(b"secret")
        file.flush()
        assert error_of(os.sendfile, secure_compat[0].fileno(), file.fileno(), 0, 6) == errno.EINVAL


def refused_by_ssl(sock: compat.socket) -> int:
    """CPython's ssl makes its own socket of the number, and only then asks for it by detach(). What that says."""
    context = ssl.create_default_context()
    number = error_of(lambda: context.wrap_socket(sock, server_hostname="localhost"))
    gc.collect()
    return number


def test_time_6_cpythons_ssl_does_not_close_a_socket_that_keeps_bytes() -> None:
    one, other = compat.socketpair()
    with one, other:
        one.settimeout(0.01)
        other.sendall(b"220 re")
        assert error_of(one.read, 20) == ETIMEDOUT
        assert refused_by_ssl(one) == errno.EBUSY
        other.sendall(b"ady\n")
        one.settimeout(20)
        assert one.readline() == b"220 ready\n"


def test_sock_4_cpythons_ssl_does_not_close_a_socket_that_another_thread_reads() -> None:
    one, other = compat.socketpair()
    with one, other:
        reader = Caller(one.recv, 10)
        reader.wait_until_blocked()
        assert refused_by_ssl(one) == errno.EBUSY
        other.sendall(b"hello")
        assert reader.finish() == b"hello"
        assert one.send(b"x") == 1


def test_tls_3_cpythons_ssl_does_not_close_a_socket_that_has_tls(secure_compat: SecureCompat) -> None:
    one, other = secure_compat
    assert refused_by_ssl(one) == errno.EOPNOTSUPP
    one.sendall(b"hello")
    assert other.read(5) == b"hello"


def test_sock_3_a_socket_that_detach_did_not_take_is_closed_by_with() -> None:
    one, other = compat.socketpair()
    with other:
        with one:
            one.settimeout(0.01)
            other.sendall(b"x")
            assert error_of(one.read, 20) == ETIMEDOUT
            assert error_of(one.detach) == errno.EBUSY
        assert one.fileno() == -1


# --- Processes


def test_tls_7_the_host_s_trust_store_by_default(folder: Path) -> None:
    """That which the interpreter's own ssl has: here one that the environment names."""
    program = """
import sys, threading, usocket, ussl
folder = sys.argv[1]
server = ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER)
server.set_cert_key(folder + "/right.pem", folder + "/right.key")
def serve(sock):
    try: server.wrap_socket(sock, server_side=True)
    except OSError: pass
one, other = usocket.socketpair()
thread = threading.Thread(target=serve, args=[other])
thread.start()
with one, other:
    try:
        ussl.SSLContext().wrap_socket(one, server_hostname="localhost")
        print("trusted")
    except OSError as error:
        print(error.args[1])
    thread.join()
"""
    trusted = run_python(program, str(folder), SSL_CERT_FILE=str(folder / "trusted.pem")).stdout
    assert trusted == "trusted\n"
    assert "its issuer is not among" in run_python(program, str(folder), SSL_CERT_FILE="/dev/null").stdout


def test_tls_6_usocket_without_ussl_loads_no_library_for_it() -> None:
    program = """
import sys, usocket, uselect, usocket.compat
print([line for line in open("/proc/self/maps") if "libssl" in line or "_tls" in line and "usocket" in line])
import ussl
print([name for name in ("ssl", "_ssl") if name in sys.modules])
"""
    assert run_python(program).stdout == "[]\n[]\n"


def test_tls_1_without_the_library_the_import_says_so() -> None:
    program = """
import sys
sys.modules["usocket._tls"] = None
try:
    import ussl
except ImportError as error:
    print(str(error).startswith("ussl needs OpenSSL 3"))
"""
    assert run_python(program).stdout == "True\n"


def test_tls_3_a_child_of_fork_leaves_it_to_the_parent(secure: Pair) -> None:
    near, far = secure
    child = os.fork()
    if child == 0:
        status = 1
        with contextlib.suppress(BaseException):
            try:
                near.write(b"of the child")
            except PermissionError as error:
                status = 0 if "fork" in str(error) else 2
            near.close()
        os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    near.write(b"of the parent")
    near.close()
    assert far.read() == b"of the parent"


# --- A listener


@pytest.fixture
def listening(server: ussl.SSLContext) -> Iterator[compat.socket]:
    with compat.create_server(("127.0.0.1", 0)) as made:
        yield server.wrap_socket(made, server_side=True)


def asked(client: ussl.SSLContext, address: Any) -> bytes:
    """What a server answers to a line."""
    with usocket.socket() as sock:
        sock.settimeout(LIMIT_S)
        sock.connect(address)
        client.wrap_socket(sock, server_hostname="localhost")
        sock.write(b"hello\n")
        return sock.readline() or b""


class Shouting(socketserver.StreamRequestHandler):
    timeout = LIMIT_S

    def handle(self) -> None:
        self.wfile.write(self.rfile.readline().upper())


class Quiet(socketserver.TCPServer):
    """Over a listener that is there."""

    def __init__(self, sock: compat.socket) -> None:
        super().__init__(("127.0.0.1", 0), Shouting, bind_and_activate=False)
        self.socket.close()
        self.socket = sock

    def handle_error(self, *_: Any) -> None:
        pass


class Threading(socketserver.ThreadingMixIn, Quiet):
    pass


class Forking(socketserver.ForkingMixIn, Quiet):
    pass


@pytest.mark.parametrize("kind", [Quiet, Threading, Forking])
def test_tls_2_socketserver_over_a_wrapped_listener(
    kind: type[Quiet], client: ussl.SSLContext, listening: compat.socket
) -> None:
    """COMPAT-2: clients that speak no TLS, or go without a word, end nothing but their own connections."""
    serving = kind(listening)
    address = listening.getsockname()
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        for _ in range(2):
            with socket.create_connection(address, LIMIT_S) as plain:
                plain.sendall(b"GET / HTTP/1.0\r\n\r\n")
                assert b"HTTP" not in plain.recv(100)
            socket.create_connection(address, LIMIT_S).close()
            assert asked(client, address) == b"HELLO\n"
    finally:
        serving.shutdown()
        thread.join(LIMIT_S)
        serving.server_close()


def test_tls_2_accept_lets_other_threads_run_and_ends_with_close(listening: compat.socket) -> None:
    waiting = Caller(listening.accept)
    waiting.wait_until_blocked()
    listening.close()
    assert error_of(waiting.finish) == EBADF


def test_tls_2_a_connection_that_was_accepted_has_TLS_whatever_makes_it(
    listening: compat.socket,
) -> None:
    """NAME-2: of a subclass, too; and whoever wants the descriptor gets none: it would be in the clear."""
    with usocket.socket() as first, usocket.socket() as second:
        first.connect(listening.getsockname())
        conn, _ = listening._accept_as(usocket.socket)
        assert conn.fileno() >= 0
        assert error_of(conn.detach) == errno.EOPNOTSUPP
        assert error_of(conn.version) == errno.ENOTCONN
        conn.close()
        second.connect(listening.getsockname())
        assert error_of(listening._accept) == errno.EOPNOTSUPP


def test_compat_2_asyncio_is_given_no_wrapped_listener(listening: compat.socket) -> None:
    """CPython's refuses an SSLSocket with a TypeError, too."""

    async def main() -> None:
        await asyncio.start_server(lambda *_: None, sock=listening)

    with pytest.raises(TypeError, match="give it a listener without, and ssl="):
        asyncio.run(main())


def test_sock_9_a_process_ends_while_threads_are_in_a_handshake() -> None:
    program = """
import threading, time, usocket, ussl, warnings
def wait(sock):
    ussl.SSLContext().wrap_socket(sock, server_hostname="localhost")
pairs = [usocket.socketpair() for _ in range(4)]
for one, other in pairs:
    threading.Thread(target=wait, args=[one], daemon=True).start()
time.sleep(0.05)
warnings.simplefilter("ignore", ResourceWarning)  # without a GIL it can be told at the very end
raise SystemExit(0)
"""
    done = run_python(program)
    assert (done.stdout, done.stderr) == ("", "")


def test_tls_1_a_context_is_changed_while_it_wraps(folder: Path) -> None:
    """What a connection shows is what the context had before or has after, also where there is no GIL."""
    program = """
import sys, threading, usocket, ussl
cert, key, issuers = (open(f"{sys.argv[1]}/{name}", "rb").read() for name in ("right.pem", "right.key", "trusted.pem"))
server, client = ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER), ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT)
def change():
    server.set_cert_key(cert, key)
    client.load_verify_locations(issuers)
def wrap():
    one, other = usocket.socketpair()
    with one, other:
        accepting = threading.Thread(target=server.wrap_socket, args=(other, True))
        accepting.start()
        client.wrap_socket(one, server_hostname="localhost")
        accepting.join()
def over_and_over(rounds, call):
    for _ in range(rounds): call()
change()
works = [(200, change), (200, change), (40, wrap), (40, wrap)]
threads = [threading.Thread(target=over_and_over, args=work) for work in works]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    run_python(program, str(folder))


# --- CPython's own ssl at the other end


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("we_are_server", [True, False])
def test_tls_3_with_cpythons_ssl(
    version: ssl.TLSVersion, we_are_server: bool, folder: Path, client: ussl.SSLContext, server: ussl.SSLContext
) -> None:
    """Both ways at once, and the end of both."""
    theirs = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT if we_are_server else ssl.PROTOCOL_TLS_SERVER)
    theirs.minimum_version = theirs.maximum_version = version
    theirs.set_alpn_protocols(["x/1"])
    if we_are_server:
        theirs.load_verify_locations(folder / "trusted.pem")
    else:
        theirs.load_cert_chain(folder / "right.pem", folder / "right.key")
    much = os.urandom(1 << 20)
    one, other = socket.socketpair()

    def talk() -> bytes:
        name = "localhost" if we_are_server else None
        with theirs.wrap_socket(other, server_side=not we_are_server, server_hostname=name) as sock:
            writer = Caller(sock.sendall, much)
            got = bytearray()
            while len(got) < len(much):
                got += sock.recv(1 << 16)
            writer.finish()
            sock.unwrap().close()
            return bytes(got)

    peer = Caller(talk)
    with usocket.socket(fileno=one.detach()) as sock:
        if we_are_server:
            server.wrap_socket(sock, server_side=True)
        else:
            client.wrap_socket(sock, server_hostname="localhost")
        writer = Caller(sock.write, much)
        assert sock.read(len(much)) == much
        assert writer.finish() == len(much)
        sock.shutdown(usocket.SHUT_WR)
        assert sock.read() == b""
        assert sock.version() == version.name.replace("_", ".")
    assert peer.finish() == much


def test_time_2_a_thread_that_holds_the_interpreter_does_not_deadlock(secure: Pair) -> None:
    """Methods that wait for nothing, while others are in the middle of records."""
    near, far = secure
    over = threading.Event()
    much = bytes(1 << 23)
    reader = Caller(far.read, len(much))
    writer = Caller(near.write, much)

    def ask() -> None:
        while not over.is_set():
            near.version(), near.cipher(), far.getpeercert(True), near.tls_session(), far.session_reused()

    asking = [Caller(ask) for _ in range(2)]
    assert writer.finish() == len(much)
    assert reader.finish() == much
    over.set()
    for one in asking:
        one.finish()


def test_tls_1_a_name_of_another_type_is_a_type_error(client: ussl.SSLContext) -> None:
    one, other = tcp_pair()
    with one, other, pytest.raises(TypeError, match="server_hostname|argument 3"):
        client.wrap_socket(one, server_hostname=5)  # type: ignore[arg-type]


def test_tls_7_a_library_of_another_system_finds_the_issuers_of_this_one(folder: Path) -> None:
    """As in a wheel: OpenSSL knows no place that is here, so those count that the interpreter's ssl knows."""
    program = f"""
import ssl, sys
from collections import namedtuple
from usocket import _tls
import usocket

folder = {str(folder)!r}
_tls.default_verify_paths = lambda: ("/nowhere/cert.pem", "/nowhere/certs")
ssl.get_default_verify_paths = lambda: namedtuple("Paths", "cafile capath")(folder + "/trusted.pem", None)
import ussl

server = ussl.SSLContext(ussl.PROTOCOL_TLS_SERVER)
server.set_cert_key(folder + "/right.pem", folder + "/right.key")
near, far = usocket.socketpair()
near.setblocking(False)
far.setblocking(False)
ussl.SSLContext().wrap_socket(near, server_hostname="localhost", do_handshake=False)
server.wrap_socket(far, True, do_handshake=False)
left = [near, far]
while left:
    for end in list(left):
        try:
            end.do_handshake()
            left.remove(end)
        except BlockingIOError:
            pass
print(near.version())
"""
    assert run_python(program).stdout == "TLSv1.3\n"
