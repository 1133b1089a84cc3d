"""NAME-2: the face of CPython's socket module. What both modules should do alike is asked of both."""

from __future__ import annotations

import builtins
import dis
import errno
import gc
import io
import os
import select
import socket as standard
import struct
import sys
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import usocket
import ussl
from python_support import Caller, await_input, descriptors, nobodys
from usocket import compat
from usocket.compat.addresses import to_native, to_tuple

HAS_IPV6 = standard.has_ipv6 and Path("/proc/net/if_inet6").exists()
LOCALHOST = "localhost"  # is in every hosts file


@pytest.fixture(params=[standard, compat], ids=["standard", "compat"])
def socket(request: pytest.FixtureRequest) -> Any:
    """The module under test, and the one that it is to be like."""
    return request.param


@pytest.fixture
def server(socket: Any) -> Iterator[Any]:
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield one


# --- Addresses


def test_name_2_addresses_are_tuples(socket: Any, server: Any) -> None:
    host, port = server.getsockname()
    assert (host, type(port)) == ("127.0.0.1", int)
    with socket.create_connection((host, port)) as client:
        conn, address = server.accept()
        with conn:
            assert address == client.getsockname() == conn.getpeername()
            assert conn.getsockname() == client.getpeername() == (host, port)
            assert type(conn) is socket.socket


def test_name_2_datagrams(socket: Any) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one, socket.socket(type=socket.SOCK_DGRAM) as other:
        one.bind(("127.0.0.1", 0))
        other.bind(("127.0.0.1", 0))
        assert one.sendto(b"hello", other.getsockname()) == 5
        assert other.recvfrom(10) == (b"hello", one.getsockname())
        assert one.sendto(b"flags", 0, other.getsockname()) == 5
        buffer = bytearray(10)
        assert other.recvfrom_into(buffer, nbytes=3, flags=0) == (3, one.getsockname())
        assert one.sendmsg([b"a", memoryview(b"b")], [], 0, other.getsockname()) == 2
        await_input(other)
        assert other.recv_into(buffer=buffer, nbytes=0, flags=socket.MSG_DONTWAIT) == 2
        assert buffer[:2] == b"ab"


@pytest.mark.parametrize("kind", ["SOCK_DGRAM", "SOCK_SEQPACKET", "SOCK_STREAM"])
def test_compat_1_to_receive_nothing_takes_no_message_and_does_not_wait(socket: Any, kind: str) -> None:
    one, other = socket.socketpair(socket.AF_UNIX, getattr(socket, kind))
    with one, other:

        def nothing() -> list[Any]:
            told = [other.recv(0), other.recv(0, socket.MSG_PEEK)]
            return [*told, other.recv_into(bytearray()), other.recv_into(bytearray(), nbytes=0, flags=0)]

        other.settimeout(0)  # whoever would wait fails
        assert nothing() == [b"", b"", 0, 0]
        one.send(b"first")
        assert nothing() == [b"", b"", 0, 0]
        assert other.recv(10) == b"first"


def test_sock_6_usockets_own_recv_of_nothing_is_the_systems() -> None:
    one, other = usocket.socketpair(usocket.AF_UNIX, usocket.SOCK_DGRAM)
    with one, other:
        one.send(b"first")
        one.send(b"second")
        assert other.recv(0) == b""
        assert other.recv(10) == b"second"


@pytest.mark.skipif(not HAS_IPV6, reason="the system has no IPv6")
def test_name_2_ipv6_addresses_have_four_parts(socket: Any) -> None:
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as server:
        host, port, flowinfo, scopeid = server.getsockname()
        assert (host, flowinfo, scopeid) == ("::1", 0, 0)
        with socket.create_connection(("::1", port)) as client:
            assert client.getpeername() == ("::1", port, 0, 0)
            server.accept()[0].close()


@pytest.mark.parametrize("name", ["text", "bytes", "bytearray", "abstract"])
def test_addr_4_paths_are_taken_as_bytes_too(name: str, socket: Any, tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    given: Any = {"text": path, "bytes": path.encode(), "bytearray": bytearray(path.encode()), "abstract": "\0" + path}[
        name
    ]
    shown = b"\0" + path.encode() if name == "abstract" else path
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(given)
        server.listen()
        client.connect(given)
        conn, address = server.accept()
        with conn:
            assert address in ("", b"")
            assert client.getpeername() == conn.getsockname() == shown


def test_name_2_unnamed_addresses(socket: Any) -> None:
    one, other = socket.socketpair()
    with one, other:
        assert one.getsockname() == one.getpeername() == ""
        one.send(b"x")
        assert other.recvfrom(1) == (b"x", None)


def test_name_2_a_connection_names_no_sender(socket: Any, server: Any) -> None:
    buffer = bytearray(1)
    with socket.create_connection(server.getsockname()) as client:
        conn, _ = server.accept()
        with conn:
            client.sendall(b"abcd")
            assert (conn.recvfrom(1), conn.recvfrom_into(buffer)) == ((b"a", None), (1, None))
            assert conn.recvmsg(1)[-1] is None and conn.recvmsg_into([buffer])[-1] is None


# --- Names


def test_name_2_names_are_resolved(socket: Any) -> None:
    with socket.create_server((LOCALHOST, 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection((LOCALHOST, port), timeout=60) as client:
            assert client.getpeername()[1] == port
        with socket.socket() as client:
            client.connect((LOCALHOST, port))
        with socket.socket() as client:
            assert client.connect_ex((LOCALHOST, port)) == 0
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        one.bind((LOCALHOST.encode(), 0))
        other.sendto(b"x", (bytearray(LOCALHOST.encode()), one.getsockname()[1]))
        assert one.recv(1) == b"x"


def test_name_2_special_hosts(socket: Any) -> None:
    with socket.socket() as one:
        one.bind(("", 0))
        assert one.getsockname()[0] == "0.0.0.0"
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        assert one.connect_ex(("<broadcast>", 9)) == errno.EACCES


def test_name_2_a_failed_lookup_is_a_gaierror(socket: Any) -> None:
    with pytest.raises(socket.gaierror) as caught:
        socket.getaddrinfo("no.number", 80, flags=socket.AI_NUMERICHOST)
    assert caught.value.args[0] == socket.EAI_NONAME < 0
    with pytest.raises(OSError):
        socket.getaddrinfo("127.0.0.1", 80, family=9999)


def test_name_2_getaddrinfo_takes_keywords(socket: Any) -> None:
    found = socket.getaddrinfo(
        host="127.0.0.1", port=b"80", family=socket.AF_INET, type=socket.SOCK_STREAM, proto=0, flags=0
    )
    assert [tuple(entry) for entry in found] == [
        (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", ("127.0.0.1", 80))
    ]
    assert socket.getaddrinfo(b"127.0.0.1", "80") == socket.getaddrinfo("127.0.0.1", 80)


def test_name_2_opaque_addresses_are_taken_as_well() -> None:
    with compat.create_server(("127.0.0.1", 0)) as server:
        native = usocket.getaddrinfo(*server.getsockname())[0][4]
        with compat.socket() as client:
            client.connect(native)
            assert client.getpeername() == server.getsockname()
        assert compat.sockaddr(native) == usocket.sockaddr(native)


WRONG_ADDRESSES = [
    (("127.0.0.1", 65536), OverflowError, "port"),
    (("127.0.0.1", -1), OverflowError, "port"),
    (("127.0.0.1",), TypeError, r"\(host, port\)"),
    ("path", TypeError, "tuple"),
    ((LOCALHOST, "80"), TypeError, "port"),
    ((None, 80), TypeError, "host"),
]


@pytest.mark.parametrize(("address", "error", "text"), WRONG_ADDRESSES)
def test_compat_1_what_is_wrong_with_a_tuple_is_said(address: Any, error: type[Exception], text: str) -> None:
    with compat.socket() as one, pytest.raises(error, match=text):
        one.bind(address)


# --- Errors


def test_name_2_the_exceptions(socket: Any) -> None:
    assert socket.error is OSError and socket.timeout is TimeoutError
    assert issubclass(socket.gaierror, OSError) and issubclass(socket.herror, OSError)


def test_time_3_a_timeout_is_a_timeout(socket: Any, server: Any) -> None:
    server.settimeout(0.02)
    with pytest.raises(socket.timeout):
        server.accept()
    assert server.timeout == 0.02


def test_name_2_connect_ex_returns_the_error(socket: Any) -> None:
    with nobodys(socket) as address:
        with socket.socket() as client:
            assert client.connect_ex(address) == errno.ECONNREFUSED
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)
    assert sys.exc_info() == (None, None, None)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="ExceptionGroup came with CPython 3.11")
def test_name_2_create_connection_shows_all_errors_if_asked(socket: Any, server: Any) -> None:
    address = server.getsockname()
    server.close()
    with pytest.raises(ExceptionGroup) as caught:  # noqa: F821
        socket.create_connection(address, all_errors=True)
    assert [type(error) for error in caught.value.exceptions] == [ConnectionRefusedError]


# --- Making sockets


def test_name_2_the_constructor_takes_keywords(socket: Any) -> None:
    with socket.socket(family=socket.AF_UNIX, type=socket.SOCK_DGRAM, proto=0) as one:
        assert (one.family, one.type, one.proto) == (socket.AF_UNIX, socket.SOCK_DGRAM, 0)
        with socket.socket(fileno=os.dup(one.fileno())) as other:
            assert (other.family, other.type) == (one.family, one.type)


def test_name_2_fromfd_duplicates(socket: Any, server: Any) -> None:
    with socket.fromfd(server.fileno(), server.family, server.type) as copy:
        assert copy.fileno() != server.fileno()
        assert copy.getsockname() == server.getsockname()


def test_sock_3_fromfd_leaks_nothing() -> None:
    before = descriptors()
    with open(os.devnull, "rb") as file, pytest.raises(OSError):
        compat.fromfd(file.fileno(), compat.AF_INET, compat.SOCK_STREAM)
    assert descriptors() == before


def test_name_2_dup_and_detach(socket: Any, server: Any) -> None:
    with server.dup() as copy:
        assert type(copy) is socket.socket
        assert copy.getsockname() == server.getsockname()
    fd = server.fileno()
    assert server.detach() == fd and server.fileno() == -1
    socket.close(fd)


def test_name_2_socketpair(socket: Any) -> None:
    one, other = socket.socketpair(family=socket.AF_UNIX, type=socket.SOCK_DGRAM)
    with one, other:
        one.send(b"x")
        assert other.recv(1) == b"x"
        assert type(one) is socket.socket


def test_name_2_default_timeout(socket: Any) -> None:
    assert socket.getdefaulttimeout() is None
    socket.setdefaulttimeout(7)
    try:
        assert socket.getdefaulttimeout() == 7.0
        with socket.create_server(("127.0.0.1", 0)) as server:
            assert server.gettimeout() == 7.0
            with socket.create_connection(server.getsockname()) as client, server.accept()[0] as conn:
                assert client.gettimeout() == conn.gettimeout() == 7.0
            with socket.create_connection(server.getsockname(), timeout=None) as client:
                assert client.gettimeout() is None
    finally:
        socket.setdefaulttimeout(None)
    for wrong, error in ((-1, ValueError), (float("nan"), ValueError), ("1", TypeError)):
        with pytest.raises(error):
            socket.setdefaulttimeout(wrong)
    assert socket.getdefaulttimeout() is None


def test_sock_5_connections_of_a_server_with_a_timeout_are_blocking(socket: Any, server: Any) -> None:
    server.settimeout(60)
    with socket.create_connection(server.getsockname()), server.accept()[0] as conn:
        assert conn.gettimeout() is None


def test_name_2_create_server(socket: Any) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=1, reuse_port=True) as server:
        assert server.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR)
        assert server.getsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT)
        with socket.create_connection(server.getsockname(), source_address=("127.0.0.1", 0)):
            server.accept()[0].close()
    before = descriptors()
    with pytest.raises(ValueError):
        socket.create_server(("127.0.0.1", 0), dualstack_ipv6=True)
    with pytest.raises(OSError):
        socket.create_server(("127.0.0.1", 0), family=9999)
    gc.collect()
    assert descriptors() == before


@pytest.mark.skipif(not (HAS_IPV6 and standard.has_dualstack_ipv6()), reason="the system has no dual stack")
def test_name_2_a_dual_stack_server(socket: Any) -> None:
    with socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True) as server:
        with socket.create_connection(("127.0.0.1", server.getsockname()[1])):
            conn, address = server.accept()
            with conn:
                assert address[0] == "::ffff:127.0.0.1"


# --- The rest of the module


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("gethostname", ()),
        ("gethostbyname", (LOCALHOST,)),
        ("getfqdn", (LOCALHOST,)),
        ("htons", (1,)),
        ("htonl", (1,)),
        ("ntohs", (1,)),
        ("ntohl", (1,)),
        ("inet_aton", ("127.0.0.1",)),
        ("inet_ntoa", (b"\x7f\0\0\1",)),
        ("if_nameindex", ()),
        ("has_dualstack_ipv6", ()),
        ("getprotobyname", ("tcp",)),
    ],
)
def test_name_2_what_needs_no_socket_is_the_standard_librarys(name: str, arguments: tuple[Any, ...]) -> None:
    def outcome(module: Any) -> Any:
        try:
            return getattr(module, name)(*arguments)
        except OSError as error:
            return error.args

    assert outcome(compat) == outcome(standard)


@pytest.mark.parametrize("name", ["NI_DGRAM", "AF_PACKET", "IPPROTO_ICMP", "SOCK_NONBLOCK", "INADDR_ANY", "has_ipv6"])
def test_name_2_other_constants_are_there(name: str) -> None:
    assert getattr(compat, name) == getattr(standard, name)


@pytest.mark.parametrize("name", ["nonsense", "__wrapped__"])
def test_name_2_what_it_does_not_have(name: str) -> None:
    with pytest.raises(AttributeError, match=name):
        getattr(compat, name)


def test_name_2_its_constants_are_usockets() -> None:
    assert {name: getattr(compat, name) for name in usocket.__all__ if name.isupper()} == {
        name: getattr(usocket, name) for name in usocket.__all__ if name.isupper()
    }


def test_compat_1_a_file_keeps_the_socket_open(socket: Any) -> None:
    one, other = socket.socketpair()
    with one, other:
        with one.makefile(mode="rw", encoding="utf-8", newline="\n") as file:
            one.close()
            other.sendall(b"na\xc3\xafve\n")
            assert file.readline() == "na\u00efve\n"
            assert one.fileno() >= 0
        assert one.fileno() == -1


@pytest.mark.parametrize("mode", ["x", "rbt", "a"])
def test_compat_1_a_mode_that_there_is_not(socket: Any, mode: str) -> None:
    one, other = socket.socketpair()
    with one, other, pytest.raises(ValueError, match="invalid mode"):
        one.makefile(mode)


def test_compat_1_detach_a_second_time_is_nothing(socket: Any) -> None:
    one = socket.socket()
    os.close(one.detach())
    assert one.detach() == -1


def test_compat_1_descriptors_pass(socket: Any) -> None:
    one, other = socket.socketpair()
    with one, other:
        assert socket.send_fds(one, [b"da", b"ta"], [one.fileno()]) == 4
        data, fds, _, _ = socket.recv_fds(other, 10, 2)
        assert data == b"data"
        with socket.socket(fileno=fds[0]) as copy:
            copy.sendall(b"through")
            assert other.recv(10) == b"through"


@pytest.fixture
def silent() -> Iterator[list[Any]]:
    """Two listeners that answer nothing: their backlogs are full."""
    listeners = [compat.create_server((f"127.0.0.{last}", 0), backlog=0) for last in (1, 2)]
    fillers = []
    for server in listeners:
        for _ in range(4):
            filler = compat.socket()
            filler.setblocking(False)
            filler.connect_ex(server.getsockname())
            fillers.append(filler)
        select.select([], fillers[-4:], [])  # until one has filled it
    yield listeners
    for one in [*fillers, *listeners]:
        one.close()


def resolving_to(servers: list[Any]) -> Any:
    found = [(compat.AF_INET, compat.SOCK_STREAM, 6, "", server.getsockname()) for server in servers]
    return lambda *_: found


def test_gai_5_one_deadline_for_all_addresses(silent: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compat, "getaddrinfo", resolving_to(silent))
    for timeout in (0.6, 2, 8):  # on a busy machine it may be over before the second has had its turn
        with pytest.raises(TimeoutError) as caught:
            compat.create_connection(("silent", 1), timeout=timeout)
        if are_named := all(str(server.getsockname()) in str(caught.value) for server in silent):
            break
    assert are_named


def test_gai_5_a_silent_address_does_not_hold_up_the_other(
    silent: list[Any], server: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compat, "getaddrinfo", resolving_to([silent[0], server]))
    with compat.create_connection(("both", 1), timeout=20) as connection:
        assert connection.getpeername() == server.getsockname()
        assert connection.gettimeout() == 20


def test_name_2_a_class_of_ones_own() -> None:
    """As with CPython, accept() returns the module's own class and dup() that of its socket."""

    class Mine(compat.socket):
        pass

    with Mine() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        with compat.create_connection(server.getsockname()), server.accept()[0] as conn, server.dup() as copy:
            assert type(conn) is compat.socket
            assert type(copy) is Mine
        assert "Mine fd=" in repr(server)


def test_name_2_an_echo_server_in_a_thread(socket: Any, server: Any) -> None:
    def echo() -> None:
        conn, _ = server.accept()
        with conn:
            while data := conn.recv(4096):
                conn.sendall(data)

    thread = threading.Thread(target=echo)
    thread.start()
    with socket.create_connection(server.getsockname()) as client:
        client.sendall(b"x" * 100_000)
        client.shutdown(socket.SHUT_WR)
        received = b"".join(iter(lambda: client.recv(4096), b""))
    thread.join()
    assert received == b"x" * 100_000


def test_name_2_non_blocking_connect(socket: Any, server: Any) -> None:
    with socket.socket() as client:
        client.setblocking(False)
        assert client.connect_ex(server.getsockname()) in (0, errno.EINPROGRESS)
        select.select([], [client], [])
        assert client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        with pytest.raises(BlockingIOError):
            client.recv(1)


def test_sock_8_with_and_repr(socket: Any) -> None:
    with socket.socket() as one:
        assert f"fd={one.fileno()}" in repr(one)
    assert "[closed]" in repr(one)


def test_sock_3_unclosed_sockets_are_warned_of(socket: Any) -> None:
    with pytest.warns(ResourceWarning, match="unclosed <.*socket"):
        socket.socket()
        gc.collect()


def test_time_2_recv_waits_in_another_thread(socket: Any) -> None:
    one, other = socket.socketpair()
    with one, other:
        caller = Caller(one.recv, 1)
        caller.wait_until_blocked()
        other.send(b"x")
        assert caller.finish() == b"x"


# --- COMPAT-1: what happens at the edges


def outcome(what: Any) -> Any:
    """What it returns, or the class of its exception."""
    try:
        return what()
    except Exception as failure:
        return type(failure)


EDGES = {
    "a timeout without an end": lambda one: one.settimeout(float("inf")),
    "a timeout beyond the clock": lambda one: one.settimeout(1e300),
    "a negative timeout": lambda one: one.settimeout(-1),
    "setblocking of text": lambda one: one.setblocking("x"),
    "setblocking of a float": lambda one: one.setblocking(2.5),
    "setblocking of nothing": lambda one: one.setblocking(None),
    "an option of no length": lambda one: one.getsockopt(1, 2, -1),
    "an option too long": lambda one: one.getsockopt(1, 2, 1025),
    "a host with a NUL": lambda one: one.bind(("127.0.0.1\0", 0)),
}


@pytest.mark.parametrize("name", EDGES)
def test_compat_1_the_class_of_an_error(name: str) -> None:
    def ask(module: Any) -> Any:
        with module.socket() as one:
            return outcome(lambda: EDGES[name](one))

    assert ask(compat) is ask(standard)


@pytest.mark.parametrize(
    "name",
    ["cipher", "do_handshake", "getpeercert", "selected_alpn_protocol", "session_reused", "tls_session", "version"],
)
def test_compat_2_what_tls_has_is_not_there_without_it(name: str) -> None:
    """Werkzeug asks each connection for the certificate of its peer, and takes what has the method for one with TLS."""
    one, other = compat.socketpair()
    with one, other:
        assert not hasattr(one, name)
        ussl.SSLContext().wrap_socket(one, server_hostname="localhost", do_handshake=False)
        assert hasattr(one, name)


def test_compat_1_a_socket_that_is_not_made_shows_what_it_is(socket: Any) -> None:
    one = socket.socket.__new__(socket.socket)
    assert "fd=-1" in repr(one)
    assert one.proto == 0


def test_compat_1_create_connection_without_a_wait(socket: Any, server: Any) -> None:
    with pytest.raises(BlockingIOError) as failure:
        socket.create_connection(server.getsockname(), timeout=0)
    assert failure.value.errno == errno.EINPROGRESS


def test_compat_1_a_default_timeout_is_for_a_descriptors_socket_too(socket: Any, server: Any) -> None:
    server.settimeout(5)
    socket.setdefaulttimeout(2)
    try:
        with socket.fromfd(server.fileno(), socket.AF_INET, socket.SOCK_STREAM) as copy:
            assert copy.gettimeout() == 2
    finally:
        socket.setdefaulttimeout(None)


@pytest.mark.skipif(not HAS_IPV6, reason="no IPv6 here")
def test_compat_1_flowinfo(socket: Any) -> None:
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as one:
        one.bind(("::1", 0, 0, 0))
        one.sendto(b"x", ("::1", one.getsockname()[1], 5, 0))
        assert one.recv(1) == b"x"


@pytest.mark.skipif(not hasattr(standard, "AF_ALG"), reason="this CPython knows no AF_ALG")
def test_compat_1_addresses_of_af_alg() -> None:
    """struct sockaddr_alg of linux/if_alg.h; CPython's own tests use it where the kernel has it."""
    native = to_native("bind", standard.AF_ALG, ("skcipher", "cbc(aes)", 1))
    assert native == struct.pack("=H14sII64s", standard.AF_ALG, b"skcipher", 1, 0, b"cbc(aes)")
    assert to_tuple(native) == ("skcipher", "cbc(aes)", 1, 0)
    for wrong, error in (
        (("skcipher",), TypeError),
        (("skcipher", b"cbc(aes)"), TypeError),
        (("s" * 14, "n"), ValueError),
        (("s", "n" * 64), ValueError),
    ):
        with pytest.raises(error, match="AF_ALG"):
            to_native("bind", standard.AF_ALG, wrong)


@pytest.mark.skipif(not hasattr(standard, "AF_ALG"), reason="this CPython knows no AF_ALG")
def test_compat_1_sendmsg_afalg_looks_at_the_family_first(socket: Any) -> None:
    with socket.socket() as one, pytest.raises(OSError, match="AF_ALG"):
        one.sendmsg_afalg()


@pytest.mark.skipif(not hasattr(standard, "AF_ALG"), reason="this CPython knows no AF_ALG")
def test_compat_1_sendmsg_afalg_is_a_sendmsg_with_options() -> None:
    class OfAlg(compat.socket):
        family = standard.AF_ALG  # of any other it is refused
        options: Any = None

        def sendmsg(self, buffers: Any, ancdata: Any = (), *more: Any) -> int:
            self.options = ancdata
            return super().sendmsg(buffers, ancdata, *more)  # AF_UNIX looks at its own options only

    one, other = compat.socketpair()
    with OfAlg(fileno=one.detach()) as sender, other:
        operation = {"op": standard.ALG_OP_DECRYPT, "iv": b"0123", "assoclen": 7}
        assert sender.sendmsg_afalg([b"da", b"ta"], **operation, flags=standard.MSG_DONTWAIT) == 4
        assert other.recv(10) == b"data"
        assert sender.options == [
            (standard.SOL_ALG, standard.ALG_SET_OP, struct.pack("=I", standard.ALG_OP_DECRYPT)),
            (standard.SOL_ALG, standard.ALG_SET_IV, struct.pack("=I4s", 4, b"0123")),
            (standard.SOL_ALG, standard.ALG_SET_AEAD_ASSOCLEN, struct.pack("=I", 7)),
        ]
        wrong: list[dict[str, Any]] = [{}, {"op": None}, {"op": -1}, {"op": 1, "assoclen": -1}]
        for arguments in wrong:
            with pytest.raises(TypeError, match="op|assoclen"):
                sender.sendmsg_afalg(**arguments)
        with pytest.raises(OSError, match="AF_ALG"):
            other.sendmsg_afalg(op=standard.ALG_OP_ENCRYPT)


def test_compat_1_a_socket_has_all_that_cpythons_has() -> None:
    has = set(dir(standard.socket)) - {
        "__weakref__",
        "_check_sendfile_params",
        "__firstlineno__",
        "__static_attributes__",
    }
    assert has - set(dir(compat.socket)) == set()


def test_compat_1_what_a_star_brings() -> None:
    assert set(standard.__all__) - set(compat.__all__) == {"CAPI"}
    assert {"EBADF", "EAGAIN", "sockaddr"}.isdisjoint(compat.__all__)
    assert compat.EBADF == errno.EBADF


# --- Names that a program replaces in the module


def test_compat_1_a_class_in_the_place_of_socket(socket: Any, server: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    class Replaced(socket.socket):  # type: ignore[misc]
        pass

    monkeypatch.setattr(socket, "socket", Replaced)
    with socket.create_connection(server.getsockname()[:2]) as client:
        conn, address = server.accept()
        with conn:
            assert address == client.getsockname()
            assert (type(client), type(conn), conn.gettimeout()) == (Replaced, Replaced, None)
            with socket.fromfd(conn.fileno(), socket.AF_INET, socket.SOCK_STREAM) as copy:
                assert type(copy) is Replaced
    one, other = socket.socketpair()
    with one, other:
        assert (type(one), type(other)) == (Replaced, Replaced)
        one.sendall(b"x")
        assert other.recv(1) == b"x"


def test_compat_1_a_function_in_the_place_of_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is called, and what it raises leaves nothing open: CPython's own leaves descriptors."""

    def guarded(*_: Any, **__: Any) -> Any:
        raise RuntimeError("no sockets")

    with (
        compat.create_server(("127.0.0.1", 0)) as server,
        compat.create_connection(server.getsockname()) as client,
        compat.create_connection(server.getsockname()),
    ):
        server.accept()[0].close()
        monkeypatch.setattr(compat, "socket", guarded)
        for make in (
            server.accept,
            compat.socketpair,
            lambda: compat.fromfd(client.fileno(), compat.AF_INET, compat.SOCK_STREAM),
            lambda: compat.create_server(("127.0.0.1", 0)),
        ):
            before = descriptors()
            with pytest.raises(RuntimeError):
                make()
            assert descriptors() == before


def test_compat_1_dup_asks_what_a_subclass_has_of_its_own(socket: Any) -> None:
    asked = []

    class Told(socket.socket):  # type: ignore[misc]
        def fileno(self) -> int:
            asked.append("fileno")
            return int(super().fileno())

        def gettimeout(self) -> float | None:
            asked.append("gettimeout")
            return 5.0

        def settimeout(self, timeout: float | None) -> None:
            asked.append(f"settimeout {timeout}")
            super().settimeout(timeout)

    with Told() as one:
        asked.clear()
        with one.dup() as copy:
            assert asked == ["fileno", "gettimeout", "settimeout 5.0"]
            assert os.fstat(copy.fileno()) == os.fstat(one.fileno())


def test_compat_1_create_connection_leaves_the_default_timeout_to_the_class(
    socket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = mock.MagicMock()
    monkeypatch.setattr(socket, "socket", asked)
    assert socket.create_connection(("127.0.0.1", 1)) is asked.return_value
    assert asked.mock_calls == [
        mock.call(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP),
        mock.call().connect(("127.0.0.1", 1)),
    ]


def test_compat_1_accept_asks_accept_of_a_subclass(socket: Any) -> None:
    asked = []

    class Asked(socket.socket):  # type: ignore[misc]
        def _accept(self) -> Any:
            asked.append(self)
            return super()._accept()

    with Asked() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        server.settimeout(10)
        with socket.create_connection(server.getsockname()) as client:
            conn, address = server.accept()
            with conn:
                assert (asked, address, conn.gettimeout()) == ([server], client.getsockname(), None)


def test_compat_1_what_listens_by_default_is_asked_to_without_a_number(
    socket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    class Counted(socket.socket):  # type: ignore[misc]
        def listen(self, *backlog: int) -> None:
            asked.append(backlog)
            super().listen(*backlog)

    monkeypatch.setattr(socket, "socket", Counted)
    socket.create_server(("127.0.0.1", 0)).close()
    socket.create_server(("127.0.0.1", 0), backlog=3).close()
    assert asked == [(), (3,)]


def test_compat_1_other_names_are_looked_up_in_the_module_too(socket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def by_address(name: str) -> Any:
        return name, ["alias", f"{name}.example"], []

    monkeypatch.setattr(socket, "gethostbyaddr", by_address)
    monkeypatch.setattr(socket, "gethostname", lambda: "here")
    assert (socket.getfqdn(), socket.getfqdn(" there ")) == ("here.example", "there.example")
    monkeypatch.setattr(socket, "has_ipv6", False)
    assert not socket.has_dualstack_ipv6()

    class Counted(socket.SocketIO):  # type: ignore[misc]
        pass

    monkeypatch.setattr(socket, "SocketIO", Counted)
    one, other = socket.socketpair()
    with one, other, one.makefile("rb", buffering=0) as file:
        assert type(file) is Counted
        copied = []
        monkeypatch.setattr(socket, "dup", lambda fd: copied.append(fd) or os.dup(fd))
        socket.fromfd(one.fileno(), socket.AF_UNIX, socket.SOCK_STREAM).close()
        assert copied == [one.fileno()]


@pytest.mark.parametrize("name", ["", "0.0.0.0", "no such host"])
def test_compat_1_the_name_of_a_host_that_has_no_other(name: str, socket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> Any:
        raise socket.herror(1, "unknown host")

    monkeypatch.setattr(socket, "gethostbyaddr", unknown)
    monkeypatch.setattr(socket, "gethostname", lambda: "here")
    assert socket.getfqdn(name) == (name if "such" in name else "here")


def test_compat_1_a_host_without_a_domain(socket: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostbyaddr", lambda name: ("plain", ["alias"], []))
    assert socket.getfqdn("x") == "plain"


# --- All that CPython's own functions look up in their module as they run


def looked_up() -> dict[str, set[str]]:
    """Each name, and the functions of CPython's Lib/socket.py that look for it."""
    found: dict[str, set[str]] = {}
    waiting = [compile(Path(standard.__file__).read_text(), standard.__file__, "exec")]
    top = waiting[0]
    while waiting:
        code = waiting.pop()
        waiting += [one for one in code.co_consts if isinstance(one, types.CodeType)]
        for step in dis.get_instructions(code) if code is not top else ():
            if step.opname == "LOAD_GLOBAL" and not hasattr(builtins, step.argval):
                found.setdefault(step.argval, set()).add(code.co_name)
    return found


NOT_LOOKED_UP = {
    "_socket": "CPython's extension, which is not what makes sockets here",
    "_LOCALHOST": "of a pair where there is no AF_UNIX",
    "_LOCALHOST_V6": "of a pair where there is no AF_UNIX",
    "_blocking_errnos": "of SocketIO, which is CPython's own, with its module's names",
    "timeout": "of SocketIO",
    "array": "a module",
    "io": "a module",
    "os": "a module",
    "selectors": "a module",
    "sys": "a module",
}


class Seen(Exception):
    """Raised by what stands in the place of a name."""


def seen(*_: Any, **__: Any) -> Any:
    raise Seen


def fails_to_bind(socket: Any) -> Any:
    """create_server() says what it wanted to bind to, if that fails with what the module calls an error."""
    with pytest.raises(OSError) as failed:
        socket.create_server(("192.0.2.1", 1))
    return "attempting to bind" not in str(failed.value)


def gives_up(socket: Any) -> Any:
    """What has no descriptor is sent by send(), after this exception."""
    one, other = socket.socketpair()
    with one, other:
        assert one.sendfile(io.BytesIO(b"text")) == 4
        return one._sendfile_use_sendfile(io.BytesIO(b"text"))


def option_of_server(name: str, **arguments: Any) -> Callable[[Any], Any]:
    """Whether the options of a listening socket are what the module says under the name."""

    def use(socket: Any) -> Any:
        with socket.create_server(**{"address": ("127.0.0.1", 0), **arguments}) as server:
            return server.getsockopt(standard.SOL_SOCKET, standard.SO_KEEPALIVE)

    return use


def family_of_default(socket: Any) -> Any:
    with socket.socket() as one:
        return int(one.getsockopt(standard.SOL_SOCKET, standard.SO_DOMAIN))


def type_of_default(socket: Any) -> Any:
    with socket.socket() as one:
        return int(one.getsockopt(standard.SOL_SOCKET, standard.SO_TYPE))


def family_of_pair(socket: Any) -> Any:
    one, other = socket.socketpair()
    with one, other:
        return one.family


def member_of_family(socket: Any) -> Any:
    with socket.socket() as one:
        return one.family


def member_of_type(socket: Any) -> Any:
    with socket.socket() as one:
        return one.type


def duplicated(socket: Any) -> Any:
    with socket.socket() as one, one.dup():
        return None


def accepted(socket: Any) -> Any:
    with socket.socket() as server, socket.socket() as client:
        server.bind(("127.0.0.1", 0))
        server.listen()
        client.connect(server.getsockname())
        conn, _ = server.accept()
        conn.close()


def file_of(socket: Any) -> Any:
    one, other = socket.socketpair()
    with one, other, one.makefile("rb"):
        return None


def connected(socket: Any) -> Any:
    return socket.create_connection(("127.0.0.1", 1), 5)


def serving_dual_stack(socket: Any) -> Any:
    return socket.create_server(("", 0), family=10, dualstack_ipv6=True)


# Name, what stands in its place, what is called; it raises Seen, or returns the last.
LOOKED_UP: list[tuple[str, Any, Callable[[Any], Any], Any]] = [
    ("AF_INET", standard.AF_UNIX, family_of_default, standard.AF_UNIX),
    ("SOCK_STREAM", standard.SOCK_DGRAM, type_of_default, standard.SOCK_DGRAM),
    ("AF_UNIX", 12345, family_of_pair, OSError),
    ("AF_INET6", 12345, lambda socket: socket.has_dualstack_ipv6(), False),
    ("IPPROTO_IPV6", 12345, lambda socket: socket.has_dualstack_ipv6(), False),
    ("IPV6_V6ONLY", 12345, lambda socket: socket.has_dualstack_ipv6(), False),
    ("SOL_SOCKET", 12345, option_of_server("SOL_SOCKET", reuse_port=True), OSError),
    ("SO_REUSEADDR", standard.SO_KEEPALIVE, option_of_server("SO_REUSEADDR"), 1),
    ("SO_REUSEPORT", standard.SO_KEEPALIVE, option_of_server("SO_REUSEPORT", reuse_port=True), 1),
    ("AddressFamily", seen, member_of_family, Seen),
    ("SocketKind", seen, member_of_type, Seen),
    ("_intenum_converter", seen, member_of_family, Seen),
    ("AddressFamily", seen, lambda socket: socket.getaddrinfo("127.0.0.1", 1), Seen),
    ("_intenum_converter", seen, lambda socket: socket.getaddrinfo("127.0.0.1", 1), Seen),
    ("SocketIO", seen, file_of, Seen),
    ("_GLOBAL_DEFAULT_TIMEOUT", 5, connected, OSError),
    ("_GiveupOnSendfile", Seen, gives_up, Seen),
    ("dup", seen, duplicated, Seen),
    ("dup", seen, lambda socket: socket.fromfd(0, 1, 1), Seen),
    ("error", Seen, fails_to_bind, True),
    ("getaddrinfo", seen, connected, Seen),
    ("getdefaulttimeout", seen, accepted, Seen),
    ("gethostbyaddr", seen, lambda socket: socket.getfqdn("x"), Seen),
    ("gethostname", seen, lambda socket: socket.getfqdn(), Seen),
    ("has_dualstack_ipv6", seen, serving_dual_stack, Seen),
    ("has_ipv6", False, lambda socket: socket.has_dualstack_ipv6(), False),
    ("socket", seen, connected, Seen),
    ("socket", seen, lambda socket: socket.create_server(("127.0.0.1", 0)), Seen),
    ("socket", seen, lambda socket: socket.socketpair(), Seen),
]


def test_compat_1_all_names_that_cpython_looks_up_are_known_here() -> None:
    assert set(looked_up()) - {name for name, *_ in LOOKED_UP} - set(NOT_LOOKED_UP) == set()


@pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
@pytest.mark.parametrize(("name", "instead", "use", "result"), LOOKED_UP, ids=[name for name, *_ in LOOKED_UP])
def test_compat_1_a_name_that_a_program_replaces(
    name: str, instead: Any, use: Callable[[Any], Any], result: Any, socket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, name, instead)
    if isinstance(result, type) and issubclass(result, Exception):
        with pytest.raises(result):
            use(socket)
    else:
        assert use(socket) == result


# --- Sizes, and what else it takes


@pytest.mark.parametrize(
    ("offset", "kind"), [(2**64, OverflowError), (2**63, OverflowError), (2**63 - 1, OSError), (1.5, TypeError)]
)
def test_compat_1_offsets_that_no_file_has(socket: Any, tmp_path: Path, offset: Any, kind: type[Exception]) -> None:
    (tmp_path / "file").write_bytes(b"hello")
    one, other = socket.socketpair()
    with one, other, (tmp_path / "file").open("rb") as file:
        with pytest.raises(kind) as failed:
            one.sendfile(file, offset, 5)
        assert getattr(failed.value, "errno", errno.EINVAL) == errno.EINVAL
        assert one.sendfile(file, 1, 2**62) == 4


def test_compat_1_sendfile_over_seqpacket(socket: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"hello")
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with one, other, (tmp_path / "file").open("rb") as file:
        assert one.sendfile(file) == 5
        assert other.recv(10) == b"hello"
        assert one.sendfile(io.BytesIO(b"hi")) == 2
        assert other.recv(10) == b"hi"


def test_compat_1_sendfile_is_not_of_datagrams(socket: Any) -> None:
    one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with one, other, pytest.raises(ValueError, match="SOCK_STREAM"):
        one.sendfile(io.BytesIO(b"hi"))


@pytest.mark.parametrize(
    ("method", "arguments", "says"),
    [
        ("getsockopt", (1, 2, ()), "the 3rd argument must be an int, not tuple"),
        ("getsockopt", (1, 2, None), "the 3rd argument must be an int, not NoneType"),
        ("setsockopt", (1, 2, None, ()), "the 4th argument must be an int, not tuple"),
        ("setsockopt", (1, 2, None, None), "the 4th argument must be an int, not NoneType"),
        ("setsockopt", (1, 2, 1, None), "the value None goes with a length"),
        ("setsockopt", (1, 2, None), "the value None goes with a length"),
    ],
)
def test_compat_1_what_is_wrong_with_an_options_length_is_said(method: str, arguments: Any, says: str) -> None:
    with standard.socket() as theirs, pytest.raises(TypeError):
        getattr(theirs, method)(*arguments)
    with compat.socket() as ours, pytest.raises(TypeError) as failed:
        getattr(ours, method)(*arguments)
    assert str(failed.value).startswith(f"{method}(): {says}")


def test_compat_1_exit_takes_anything(socket: Any) -> None:
    one = socket.socket()
    one.__exit__()
    assert one.fileno() == -1
    one.__exit__(1, 2, 3, 4)


@pytest.mark.parametrize("fd", [2**31, 99999])
def test_compat_1_a_descriptor_that_is_none(socket: Any, fd: int) -> None:
    with pytest.raises(OSError) as failed:
        socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM)
    assert failed.value.errno == errno.EBADF
