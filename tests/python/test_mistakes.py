"""Likely mistakes: each error says what was wrong and what would be right.

An OSError keeps its class, number and args.
"""

from __future__ import annotations

import copy
import errno
import os
import pickle
import re
import sys
from collections.abc import Callable
from typing import Any

import pytest
import uselect
import usocket
from python_support import alarms, listener, tcp_pair, udp_socket
from usocket import AF_INET, AF_INET6, AF_UNIX, SO_RCVBUF, SOL_SOCKET, compat, getaddrinfo, inet_pton


def says(error: type[BaseException], text: str, mistake: Callable[..., Any], *arguments: Any, **named: Any) -> None:
    """The mistake raises this class, and the text of the error has this in it."""
    with pytest.raises(error, match=re.escape(text)) as raised:
        mistake(*arguments, **named)
    assert type(raised.value) is error
    if isinstance(raised.value, OSError):
        number, words = raised.value.args
        assert number == raised.value.errno
        assert number < 0 or words == os.strerror(number)


# --- Addresses


@pytest.mark.parametrize(
    ("address", "error", "text"),
    [
        (b"127.0.0.1", OSError, "b'127.0.0.1' (bytes are a native address, as getaddrinfo() returns it; what people"),
        ("127.0.0.1", ValueError, "tuples are for AF_INET and AF_INET6, a str path is for AF_UNIX: '127.0.0.1'"),
        ("127.0.0.1:80", ValueError, "tuples are for AF_INET and AF_INET6, a str path is for AF_UNIX"),
        (["127.0.0.1", 80], TypeError, "an address is bytes as getaddrinfo() returns them, a tuple or"),
        (getaddrinfo("127.0.0.1", 80), TypeError, "the address of the first is getaddrinfo(host, port)[0][-1]"),
        (getaddrinfo("127.0.0.1", 80)[0], ValueError, "what getaddrinfo() has found the address is the last element"),
        ((1, 2, 3, 4, 5), ValueError, "an AF_INET address is (host, port)"),
        (("http://127.0.0.1/", 80), ValueError, "this is a URL: the host is what stands between '//' and '/'"),
        (("127.0.0.1:80", 80), ValueError, "the port stands by itself, behind the host"),
        (("[::1]", 80), ValueError, "the brackets are no part of the host"),
        (("example.org", 80), ValueError, "(resolve names with getaddrinfo()): 'example.org'"),
        (("127.0.0.1", "80"), TypeError, "the port of an address is an int, not str"),
        (("127.0.0.1", 70000), ValueError, "port must be in 0..65535: 70000"),
        (("127.0.0.1",), ValueError, "an AF_INET address is (host, port)"),
        ((80, "127.0.0.1"), TypeError, "the host of an address is a str, not int"),
        (("::1", 80), ValueError, "the host is an address of the other family (AF_INET or AF_INET6): '::1'"),
        (("::1", 80, 0, 0), ValueError, "an AF_INET address is (host, port), an AF_INET6 address (host, port"),
        (None, TypeError, "an address is bytes as getaddrinfo() returns them, a tuple or"),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["bind", "connect"])
def test_an_address_that_is_none(method: str, address: Any, error: type[BaseException], text: str) -> None:
    with usocket.socket() as socket:
        says(error, text, getattr(socket, method), address)


def test_host_and_port_as_two_arguments() -> None:
    with usocket.socket() as socket:
        says(TypeError, "host and port are one, a tuple (host, port)", socket.connect, "127.0.0.1", 80)


def test_an_ipv4_address_on_an_ipv6_socket() -> None:
    with usocket.socket(AF_INET6) as socket:
        says(ValueError, "an address of the other family", socket.connect, ("127.0.0.1", 80))


def test_a_tuple_for_a_path() -> None:
    with usocket.socket(AF_UNIX) as socket:
        says(ValueError, "a str path is for AF_UNIX", socket.bind, ("/run/service", 0))


def test_a_path_into_a_folder_that_is_not_there() -> None:
    with usocket.socket(AF_UNIX) as socket:
        says(FileNotFoundError, "'/nowhere/service'", socket.bind, "/nowhere/service")


def test_bytes_and_address_the_wrong_way_round() -> None:
    with udp_socket() as socket:
        text = "sendto(bytes[, flags], address): argument 1: a bytes-like object or str is required, not 'tuple'"
        says(TypeError, text, socket.sendto, ("127.0.0.1", 80), b"x")


def test_broadcasting_without_asking_for_it() -> None:
    with udp_socket() as socket:
        says(PermissionError, "to broadcast, set SO_BROADCAST first", socket.sendto, b"x", ("255.255.255.255", 9))


def test_resolving_a_url() -> None:
    says(OSError, "this is a URL: the host is what stands between", getaddrinfo, "http://127.0.0.1/", 80)


def test_resolving_a_host_with_its_port() -> None:
    says(OSError, "'127.0.0.1:80' (the port stands by itself, behind the host)", getaddrinfo, "127.0.0.1:80", 80)


def test_resolving_without_a_port() -> None:
    says(TypeError, "getaddrinfo(host, port, af=0, type=0, proto=0, flags=0) takes 2 to 6", getaddrinfo, "127.0.0.1")


def test_packing_what_is_no_address() -> None:
    for text in ("garbage", "::1", "localhost"):
        says(OSError, "numeric addresses only, and of this family", inet_pton, AF_INET, text)


# --- Connections


def test_binding_to_a_port_that_is_in_use() -> None:
    with listener() as other, usocket.socket() as socket:
        says(OSError, f"{other.getsockname()} (another socket has this port; port 0", socket.bind, other.getsockname())


def test_binding_to_somebody_elses_address() -> None:
    with usocket.socket() as socket:
        says(OSError, 'not an address of this machine; the host "" stands for all', socket.bind, ("192.0.2.1", 0))


def test_binding_twice() -> None:
    with listener() as socket:
        says(OSError, "a socket is bound once", socket.bind, ("127.0.0.1", 0))


@pytest.mark.skipif(not hasattr(usocket, "AF_NETLINK"), reason="no AF_NETLINK here")
def test_an_address_of_another_family_that_is_too_short() -> None:
    with usocket.socket(usocket.AF_NETLINK, usocket.SOCK_RAW) as socket:
        says(OSError, "in the system's own struct, all of it", socket.bind, (usocket.AF_NETLINK, bytes(4)))


def test_accepting_without_listening() -> None:
    with usocket.socket() as socket:
        says(OSError, "listen() comes before accept()", socket.accept)
    with compat.socket() as socket:
        says(OSError, "listen() comes before accept()", socket.accept)


def test_accepting_or_listening_on_a_datagram_socket() -> None:
    with udp_socket() as socket:
        says(OSError, "only a stream socket listens", socket.listen)
        says(OSError, "only a stream socket that listens has connections", socket.accept)


def test_connecting_to_where_nobody_listens() -> None:
    with usocket.socket() as socket, usocket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        text = f"{unheard.getsockname()} (nothing listens there)"
        says(ConnectionRefusedError, text, socket.connect, unheard.getsockname())


def test_connecting_twice() -> None:
    client, conn = tcp_pair()
    with client, conn:
        says(
            OSError,
            "a stream socket connects once, and one that listens never; make a new one",
            client.connect,
            client.getpeername(),
        )


def test_connecting_without_waiting() -> None:
    with listener() as server, usocket.socket() as socket:
        socket.setblocking(False)
        text = "non-blocking: poll for POLLOUT, then ask for SO_ERROR"
        says(BlockingIOError, text, socket.connect, server.getsockname())


@pytest.mark.parametrize("method", ["recv", "read", "readline", "recvfrom"])
def test_receiving_without_a_connection(method: str) -> None:
    with usocket.socket() as socket, listener() as server:
        for unconnected in (socket, server):
            says(OSError, "connect() comes first; where a socket listens", getattr(unconnected, method), 1)


@pytest.mark.parametrize("method", ["send", "sendall", "write"])
def test_sending_without_a_connection(method: str) -> None:
    with usocket.socket() as socket, udp_socket() as datagrams:
        says(BrokenPipeError, "or there has been no connect()", getattr(socket, method), b"x")
        says(OSError, "connect() comes first, or sendto() says where to", getattr(datagrams, method), b"x")


def test_asking_for_the_peer_or_shutting_down_without_a_connection() -> None:
    with usocket.socket() as socket:
        says(OSError, "connect() comes first", socket.getpeername)
        says(OSError, "connect() comes first", socket.shutdown, usocket.SHUT_WR)


def test_a_closed_socket() -> None:
    socket = usocket.socket()
    socket.close()
    for mistake in (socket.listen, socket.accept, socket.getsockname, socket.readline):
        says(OSError, "the socket is closed", mistake)
    says(OSError, "the socket is closed", socket.connect, ("127.0.0.1", 9))


# --- Arguments


@pytest.fixture
def socket() -> Any:
    client, conn = tcp_pair()
    with client, conn:
        yield client


@pytest.mark.parametrize(
    ("method", "arguments", "error", "text"),
    [
        ("send", ([1, 2],), TypeError, "a bytes-like object or str is required, not 'list'"),
        ("write", (5,), TypeError, "a bytes-like object or str is required, not 'int'"),
        ("sendmsg", (b"x",), TypeError, "an iterable of bytes-like objects is required, not 'bytes'"),
        ("recv", (), TypeError, "recv(bufsize, flags=0) takes 1 to 2 arguments, not 0"),
        ("recv", ("10",), TypeError, "recv(bufsize, flags=0): argument 1: an int is required, not 'str'"),
        ("recv", (-1,), ValueError, "a size must be in 0..2147483647: -1"),
        ("recv_into", (b"1234",), TypeError, "writable bytes-like object is required, not 'bytes'"),
        ("readline", ("x",), TypeError, "readline(n=None): argument 1: an int or None is required, not 'str'"),
        ("readinto", (10,), TypeError, "a writable bytes-like object is required, not 'int'"),
        ("settimeout", ("5",), TypeError, "a number or None is required, not 'str'"),
        ("settimeout", (-1,), ValueError, "a timeout is None or a number of seconds in 0.."),
        (
            "setsockopt",
            (SOL_SOCKET, SO_RCVBUF, 1.5),
            TypeError,
            "argument 3: an int or a bytes-like object is required",
        ),
        ("setsockopt", ("SOL_SOCKET", SO_RCVBUF, 1), TypeError, "argument 1: an int is required, not 'str'"),
        ("setsockopt", (SOL_SOCKET, 9999, 1), OSError, "this level has no such option"),
        ("shutdown", (99,), OSError, "how is SHUT_RD, SHUT_WR or SHUT_RDWR"),
        ("makefile", ("r",), ValueError, "mode must be 'rb', 'wb' or 'rwb': 'r'"),
    ],
)
def test_arguments_of_methods(
    socket: usocket.socket, method: str, arguments: tuple[Any, ...], error: type[BaseException], text: str
) -> None:
    says(error, text, getattr(socket, method), *arguments)


def test_arguments_of_the_class() -> None:
    says(
        TypeError,
        "has no keyword argument 'family', only fileno; the others go by their place",
        usocket.socket,
        family=AF_INET,
    )
    says(TypeError, "argument 1: an int is required, not 'str'", usocket.socket, "AF_INET")
    says(OSError, "this family has no such type or protocol", usocket.socket, AF_INET, 99)
    says(OSError, "the system has no such family", usocket.socket, 99)
    says(OSError, "it is not open", usocket.socket, fileno=99999)


def test_polling() -> None:
    poll = uselect.poll()
    closed = usocket.socket()
    closed.close()
    says(OSError, "it is not open", poll.register, 99999)
    says(OSError, "it is not open", poll.register, closed)
    says(TypeError, "a descriptor or an object with fileno() is required, not 'object'", poll.register, object())
    with usocket.socket() as socket:
        says(TypeError, "argument 2: an int is required, not 'str'", poll.register, socket, "r")
        says(FileNotFoundError, "register() comes first", poll.modify, socket, uselect.POLLIN)
        says(KeyError, "usocket.socket fd=", poll.unregister, socket)


def test_selecting_a_socket_and_not_a_list_of_them() -> None:
    """It is iterable, by lines: select() would wait for the first."""
    client, conn = tcp_pair()
    with client, conn:
        text = "select(rlist, wlist, xlist, timeout_s=None): argument 1: an iterable of descriptors"
        says(TypeError, text, uselect.select, client, [], [], 0)


@pytest.mark.parametrize("name", ["error", "timeout", "gaierror", "create_connection", "gethostbyname", "inet_aton"])
def test_name_1_a_name_that_usocket_has_not(name: str) -> None:
    says(AttributeError, "usocket.compat has CPython's own names", getattr, usocket, name)
    assert not hasattr(usocket, name)
    with pytest.raises(AttributeError, match=r"^module 'usocket' has no attribute 'nonsense'$"):
        _ = usocket.nonsense  # type: ignore[attr-defined]


# --- usocket.compat


def test_compat_what_is_sent_is_bytes() -> None:
    client, conn = compat.socketpair()
    with client, conn:
        says(TypeError, "a bytes-like object is required, not 'str'", client.send, "text")


def test_compat_a_port_as_text() -> None:
    with compat.socket() as socket:
        says(TypeError, "the port of an address is an int, not str '80'", socket.connect, ("127.0.0.1", "80"))


def test_compat_create_connection_without_a_tuple() -> None:
    says(ValueError, "the address is a tuple (host, port), not '127.0.0.1'", compat.create_connection, "127.0.0.1")
    says(TypeError, "the address is a tuple (host, port), not 80", compat.create_connection, 80)


def test_compat_create_server_says_the_address_once() -> None:
    with listener() as other:
        address = ("127.0.0.1", usocket.sockaddr(other.getsockname())[2])
        text = f"[Errno {errno.EADDRINUSE}] Address already in use (while attempting to bind on address {address})"
        with pytest.raises(OSError, match=rf"^{re.escape(text)}$"):
            compat.create_server(address)


# --- Thirty more, on both


faces = pytest.mark.parametrize("module", [usocket, compat], ids=["usocket", "compat"])


@faces
def test_a_name_that_is_not_there_is_shown(module: Any) -> None:
    says(compat.gaierror if module is compat else OSError, ": ' 127.0.0.1'", module.getaddrinfo, " 127.0.0.1", 80)


@faces
def test_resolving_a_service_that_is_none_or_an_empty_host(module: Any) -> None:
    error = compat.gaierror if module is compat else OSError
    says(error, "'htp' (the port is a number, or a service", module.getaddrinfo, "127.0.0.1", "htp")
    says(error, "'' (None stands for this machine)", module.getaddrinfo, "", 80)


def test_compat_connecting_to_a_url_or_a_host_with_its_port() -> None:
    with compat.socket() as socket:
        says(compat.gaierror, "(this is a URL: the host", socket.connect, ("http://127.0.0.1/", 80))
        says(compat.gaierror, "(the port stands by itself", socket.connect, ("127.0.0.1:80", 80))


def test_compat_connecting_to_what_getaddrinfo_returns() -> None:
    with compat.socket() as socket:
        found = compat.getaddrinfo("127.0.0.1", 9)
        for mistake in (found, found[0]):
            says(TypeError, "the address is getaddrinfo(...)[0][-1]", socket.connect, mistake)


@pytest.mark.parametrize("address", [8080, "127.0.0.1", ["127.0.0.1", 80], True, None], ids=str)
def test_compat_an_address_that_is_no_tuple(address: Any) -> None:
    with compat.socket() as socket:
        for method in (socket.bind, socket.connect, socket.connect_ex):
            says(
                TypeError, f"AF_INET address must be tuple (host, port), not {type(address).__name__}", method, address
            )
    says(TypeError, "AF_INET address must be tuple (host, port), not", compat.create_server, address)


def test_compat_an_address_with_too_many_elements() -> None:
    with compat.socket() as socket:
        says(TypeError, "must be tuple (host, port), not ('::1', 80, 0, 0)", socket.connect, ("::1", 80, 0, 0))


@faces
def test_connecting_to_port_0(module: Any) -> None:
    with module.socket() as socket:
        text = "('127.0.0.1', 0) (port 0 is for bind(), and getsockname() then says which one that is)"
        says(ConnectionRefusedError, text, socket.connect, ("127.0.0.1", 0))


@faces
def test_connecting_the_socket_that_listens(module: Any) -> None:
    with module.create_server(("127.0.0.1", 0)) if module is compat else listener() as server:
        says(OSError, "and one that listens never", server.connect, server.getsockname())


@faces
def test_binding_to_a_file_that_is_there(module: Any, tmp_path: Any) -> None:
    path = str(tmp_path / "service")
    with module.socket(AF_UNIX) as one, module.socket(AF_UNIX) as other:
        one.bind(path)
        says(OSError, f"{path!r} (the file is there already; if no server uses it", other.bind, path)


def test_compat_a_path_that_is_too_long() -> None:
    with compat.socket(AF_UNIX) as socket, pytest.raises(OSError, match="too long: 200 bytes, of which .* 107"):
        socket.bind("x" * 200)


@faces
def test_listening_twice_changes_the_backlog(module: Any) -> None:
    with module.socket() as socket:
        socket.listen()
        socket.listen(3)
        says(TypeError, "argument 1: an int or None is required, not 'str'", socket.listen, "5")


def test_host_and_port_of_sendto_as_two_arguments() -> None:
    with udp_socket() as socket:
        says(TypeError, "host and port are one, a tuple (host, port)", socket.sendto, b"x", "127.0.0.1", 9)
        says(TypeError, "argument 2: an int is required, not 'bytes'", socket.sendto, b"x", b"y", ("127.0.0.1", 9))


@faces
def test_sendto_on_a_stream_socket(module: Any) -> None:
    with module.socket() as socket:
        text = "('127.0.0.1', 9) (a stream socket connects first, and then sends without an address)"
        says(BrokenPipeError, text, socket.sendto, b"x", ("127.0.0.1", 9))


@faces
def test_level_and_option_the_wrong_way_round(module: Any) -> None:
    with module.socket() as socket:
        text = "the level comes first, as in (SOL_SOCKET, SO_REUSEADDR, 1)"
        says(OSError, text, socket.setsockopt, module.SO_REUSEADDR, SOL_SOCKET, 1)


@faces
@pytest.mark.parametrize("value", ["None", "5", [1], b"1"])
def test_a_timeout_that_is_no_number(module: Any, value: Any) -> None:
    with module.socket() as socket:
        says(TypeError, f"a number or None is required, not '{type(value).__name__}'", socket.settimeout, value)


def test_compat_a_timeout_of_no_socket_that_is_no_number() -> None:
    for mistake in (
        lambda: compat.setdefaulttimeout("3"),  # type: ignore[arg-type]
        lambda: compat.create_connection(("127.0.0.1", 9), timeout="3"),  # type: ignore[arg-type]
    ):
        says(TypeError, "a timeout is a number of seconds or None, not str '3'", mistake)


@faces
def test_copying_and_pickling(module: Any) -> None:
    with module.socket() as socket:
        for mistake in (copy.copy, copy.deepcopy, pickle.dumps):
            text = "cannot pickle 'socket' object, nor copy it; dup() makes another on the same connection"
            says(TypeError, text, mistake, socket)


@faces
def test_iterating_over_a_socket_without_a_peer(module: Any) -> None:
    with module.socket() as socket:
        says(OSError, "a socket yields the lines of its peer, so connect() comes first", next, socket)


@faces
def test_iterating_over_a_closed_socket(module: Any) -> None:
    socket = module.socket()
    socket.close()
    says(OSError, "the socket is closed", next, socket)


@faces
def test_using_a_socket_after_its_with(module: Any) -> None:
    with module.socket() as socket:
        pass
    for mistake in (socket.listen, socket.accept, socket.dup, lambda: socket.send(b"x"), lambda: socket.settimeout(1)):
        says(OSError, "the socket is closed", mistake)


@faces
def test_a_descriptor_of_a_file(module: Any) -> None:
    with open(os.devnull) as file:
        says(OSError, "this descriptor is something else's", module.socket, fileno=file.fileno())


@faces
def test_a_socket_for_its_descriptor(module: Any) -> None:
    with module.socket() as socket:
        says(TypeError, "fileno: an int is required, not 'socket'", module.socket, fileno=socket)


@faces
def test_the_address_given_to_the_class(module: Any) -> None:
    says(TypeError, "argument 1: an int is required, not 'str'", module.socket, "127.0.0.1", 80)
    says(TypeError, "argument 1: an int is required, not 'tuple'", module.socket, ("127.0.0.1", 80))


def test_awaiting_a_socket() -> None:
    """Python's own words; nothing has been sent or lost."""

    async def mistake() -> None:
        with usocket.socket() as socket:
            await socket  # type: ignore[misc]

    is_new = sys.version_info >= (3, 14)
    text = "'usocket.socket' object can't be awaited" if is_new else "object usocket.socket can't be used in 'await'"
    says(TypeError, text, mistake().send, None)


def test_an_address_has_no_host_and_port_of_its_own() -> None:
    """It is bytes: what is in it sockaddr() tells, and what it shows is for people."""
    with listener() as server:
        address = server.getsockname()
        assert str(address).startswith("127.0.0.1:")
        assert address != ("127.0.0.1", usocket.sockaddr(address)[2])
        says(TypeError, "a bytes-like object is required, not 'tuple'", usocket.sockaddr, ("127.0.0.1", 80))
        says(TypeError, "a bytes-like object is required, not 'str'", usocket.sockaddr, str(address))


def test_packed_and_text_the_wrong_way_round() -> None:
    says(TypeError, "argument 2: a bytes-like object is required, not 'str'", usocket.inet_ntop, AF_INET, "127.0.0.1")
    says(TypeError, "argument 2: a str is required, not 'bytes'", inet_pton, AF_INET, b"127.0.0.1")
    says(ValueError, "4 bytes long for AF_INET, 16 for AF_INET6", usocket.inet_ntop, AF_INET, b"12")


@faces
def test_receiving_into_what_is_no_buffer_or_too_small(module: Any) -> None:
    one, other = module.socketpair()
    with one, other:
        says(TypeError, "a writable bytes-like object is required, not 'int'", one.recv_into, 5)
        says(TypeError, "argument 1: an int is required, not 'bytearray'", one.recv, bytearray(5))
        says(ValueError, "must lie within the buffer: 10", one.recv_into, bytearray(5), 10)


@faces
def test_lists_that_select_and_register_do_not_take(module: Any) -> None:
    with module.socket() as socket:
        says(TypeError, "takes 3 to 4 arguments, not 1", uselect.select, [socket])
        says(
            TypeError,
            "a descriptor or an object with fileno() is required, not 'list'",
            uselect.poll().register,
            [socket],
        )
        says(TypeError, "argument 1: a number or None is required, not 'str'", uselect.poll().poll, "1000")


# --- What hints leave alone


def test_what_a_handler_raises_is_not_changed() -> None:
    """TIME-5: an error of the program's own, even one that looks like ours."""

    def handler(_: int) -> None:
        raise OSError(errno.ENOTCONN, "mine")

    client, conn = tcp_pair()
    with client, conn, pytest.raises(OSError, match=rf"^\[Errno {errno.ENOTCONN}\] mine$"), alarms(handler):
        client.recv(1)


def test_what_would_block_says_only_that() -> None:
    client, conn = tcp_pair()
    with client, conn:
        client.setblocking(False)
        with pytest.raises(BlockingIOError, match=rf"^\[Errno {errno.EAGAIN}\] {os.strerror(errno.EAGAIN)}$"):
            client.recv(1)
