"""ADDR-1..9: addresses as opaque bytes, tuples and paths."""

from __future__ import annotations

import copy
import errno
import ipaddress
import os
import pickle
import struct
import sys
from pathlib import Path
from typing import Any

import pytest
import usocket
from hypothesis import given
from hypothesis import strategies as st
from python_support import error_of, listener, udp_socket
from usocket import AF_INET, AF_INET6, AF_UNIX, SOCK_DGRAM, SOCK_STREAM, inet_ntop, inet_pton, sockaddr
from usocket._usocket import Address

HAS_IPV6 = Path("/proc/net/if_inet6").exists()
needs_ipv6 = pytest.mark.skipif(not HAS_IPV6, reason="the system has no IPv6")


def native(family: int, address: Any) -> bytes:
    """How the system writes an address: what a datagram socket that is bound to it says."""
    with usocket.socket(family, SOCK_DGRAM) as socket:
        socket.bind(address)
        return socket.getsockname()


def test_addr_1_an_address_is_immutable_bytes_that_hold_the_native_sockaddr() -> None:
    address = usocket.getaddrinfo("127.0.0.1", 80, AF_INET, SOCK_STREAM)[0][-1]
    assert isinstance(address, bytes)
    assert address == struct.pack("=H", AF_INET) + struct.pack("!H", 80) + bytes([127, 0, 0, 1]) + bytes(8)


def test_addr_1_every_source_spells_an_endpoint_the_same() -> None:
    with listener() as server:
        address = server.getsockname()
        port = sockaddr(address)[2]
        assert usocket.getaddrinfo("127.0.0.1", port, AF_INET, SOCK_STREAM)[0][-1] == address
        with usocket.socket() as client:
            client.connect(address)
            conn, peer = server.accept()
            with conn:
                assert client.getpeername() == address == conn.getsockname()
                assert client.getsockname() == peer == conn.getpeername()
                assert {address: "server", peer: "client"}[client.getsockname()] == "client"


def test_addr_1_recvfrom_returns_what_sendto_takes() -> None:
    with udp_socket() as one, udp_socket() as other:
        one.sendto(b"to", other.getsockname())
        data, sender = other.recvfrom(10)
        assert (data, sender) == (b"to", one.getsockname())
        other.sendto(b"back", sender)
        assert one.recv(10) == b"back"


def test_addr_1_of_a_connection_the_sender_is_the_peer(tcp: tuple[usocket.socket, usocket.socket]) -> None:
    one, other = tcp
    buffer = bytearray(1)
    one.sendall(b"ab")
    senders = [other.recvfrom(1), other.recvfrom_into(buffer)]
    assert {sender for *_, sender in senders} == {one.getsockname()}
    other.sendto(b"back", senders[0][-1])
    assert one.recv(10) == b"back"


def test_addr_2_a_tuple_is_taken_wherever_an_address_is() -> None:
    with udp_socket() as one, udp_socket() as other:
        address = ("127.0.0.1", sockaddr(other.getsockname())[2])
        one.sendto(b"a", address)
        one.sendto(b"b", 0, address)
        one.connect(address)
        one.send(b"c")
        assert [other.recv(1), other.recv(1), other.recv(1)] == [b"a", b"b", b"c"]


@needs_ipv6
@pytest.mark.parametrize("address", [("::1", 0), ("::1", 0, 0), ("::1", 0, 0, 0)])
def test_addr_2_ipv6_tuples_may_leave_out_flowinfo_and_scopeid(address: Any) -> None:
    assert sockaddr(native(AF_INET6, address))[1] == inet_pton(AF_INET6, "::1")


def test_addr_2_a_name_is_an_error_that_says_what_to_do() -> None:
    with udp_socket() as socket:
        for function in (socket.connect, socket.bind, lambda address: socket.sendto(b"", address)):
            with pytest.raises(ValueError, match=r"getaddrinfo\(\).*'host\.example'"):
                function(("host.example", 80))


def test_addr_2_empty_host_is_the_wildcard() -> None:
    assert sockaddr(native(AF_INET, ("", 0)))[1] == bytes(4)
    if HAS_IPV6:
        assert sockaddr(native(AF_INET6, ("", 0)))[1] == bytes(16)


BAD_TUPLES = [
    (AF_INET, ("127.0.0.1", -1), ValueError, "port.*-1"),
    (AF_INET, ("127.0.0.1", 65536), ValueError, "port.*65536"),
    (AF_INET, ("127.0.0.1", 10**30), ValueError, "port.*1000"),
    (AF_INET, ("127.0.0.1", "80"), TypeError, "port.*str"),
    (AF_INET, ("127.0.0.1", 80.0), TypeError, "port.*float"),
    (AF_INET, ("127.0.0.1", None), TypeError, "port.*NoneType"),
    (AF_INET, (1, 80), TypeError, "host.*int"),
    (AF_INET, (None, 80), TypeError, "host.*NoneType"),
    (AF_INET, ("127.0.0.1",), ValueError, r"\(host, port\)"),
    (AF_INET, ("127.0.0.1", 80, 0), ValueError, r"\(host, port\)"),
    (AF_INET, (), ValueError, r"\(host, port\)"),
    (AF_INET, ("127.0.0.1\0", 80), ValueError, "numeric"),
    (AF_INET, ("127.1", 80), ValueError, "numeric"),
    (AF_INET, ("::1", 80), ValueError, "other family.*::1"),
    (AF_INET, ("\udc80", 80), ValueError, "surrogates"),
    (AF_INET, ["127.0.0.1", 80], TypeError, "list"),
    (AF_INET, None, TypeError, "NoneType"),
    (AF_INET, 80, TypeError, "int"),
    (AF_INET, "127.0.0.1:80", ValueError, "AF_UNIX"),
    (AF_INET6, ("::1", 80, 1, 0), ValueError, "flowinfo.*1"),
    (AF_INET6, ("::1", 80, -1, 0), ValueError, "flowinfo.*-1"),
    (AF_INET6, ("::1", 80, 0, -1), ValueError, "scopeid.*-1"),
    (AF_INET6, ("::1", 80, 0, 1 << 32), ValueError, "scopeid.*4294967296"),
    (AF_INET6, ("::1", 80, "0", 0), TypeError, "flowinfo.*str"),
    (AF_INET6, ("::1", 80, 0, "lo"), TypeError, "scopeid.*str"),
    (AF_INET6, ("::1", 80, 0, 0, 0), ValueError, "flowinfo"),
    (AF_UNIX, ("127.0.0.1", 80), ValueError, "tuples are for"),
]


@pytest.mark.parametrize(("family", "address", "error", "text"), BAD_TUPLES)
def test_addr_3_what_is_wrong_with_a_tuple_is_said(
    family: int, address: Any, error: type[Exception], text: str
) -> None:
    if family == AF_INET6 and not HAS_IPV6:
        pytest.skip("the system has no IPv6")
    with usocket.socket(family, SOCK_DGRAM) as socket:
        for function in (socket.bind, socket.connect, lambda to: socket.sendto(b"", to)):
            with pytest.raises(error, match=text) as caught:
                function(address)
            assert not isinstance(caught.value, OSError)


@pytest.mark.parametrize("port", [0, 1, 65535])
def test_addr_3_ports_at_the_bounds(port: int) -> None:
    with usocket.socket(AF_INET, SOCK_DGRAM) as socket:
        socket.settimeout(0)
        if port == 0:
            socket.bind(("127.0.0.1", port))
        else:
            socket.connect(("127.0.0.1", port))
            assert sockaddr(socket.getpeername())[2] == port


def test_addr_3_an_int_is_what_has_an_index() -> None:
    class Zero:
        def __index__(self) -> int:
            return 0

    assert sockaddr(native(AF_INET, ("127.0.0.1", Zero())))[0] == AF_INET


@needs_ipv6
def test_addr_3_scopeid_is_the_interface() -> None:
    with usocket.socket(AF_INET6, SOCK_DGRAM) as socket:
        socket.connect(("::1", 9, 0, 1))
        assert sockaddr(socket.getpeername())[3] == 0


def test_addr_4_paths_and_abstract_names(tmp_path: Path) -> None:
    path = str(tmp_path / "socket")
    for name in (path, "\0usocket-test-" + path):
        with usocket.socket(AF_UNIX) as server, usocket.socket(AF_UNIX) as client:
            server.bind(name)
            server.listen()
            client.connect(name)
            assert sockaddr(client.getpeername()) == (AF_UNIX, os.fsencode(name))
            # The opaque address does as well.
            with usocket.socket(AF_UNIX) as another:
                another.connect(server.getsockname())


def test_addr_4_undecodable_paths_come_through(tmp_path: Path) -> None:
    name = os.path.join(os.fsencode(tmp_path), b"\xff\xfe")
    address = native(AF_UNIX, os.fsdecode(name))
    assert sockaddr(address) == (AF_UNIX, name)


def test_addr_4_longest_path(tmp_path: Path) -> None:
    longest = 108
    folder = os.path.relpath(tmp_path)
    path = os.path.join(folder, "x" * (longest - len(folder) - 1))
    if len(path) != longest:
        pytest.skip("the folder's path is too long")
    with usocket.socket(AF_UNIX) as server, usocket.socket(AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)
        assert client.getpeername() == server.getsockname()
        assert sockaddr(server.getsockname()) == (AF_UNIX, path.encode())
    with usocket.socket(AF_UNIX) as socket, pytest.raises(ValueError, match="longer than the system allows"):
        socket.bind(path + "x")


def test_addr_4_longest_abstract_name() -> None:
    name = "\0" + f"usocket-test-{os.getpid()}".ljust(107, "x")
    assert sockaddr(native(AF_UNIX, name)) == (AF_UNIX, name.encode())
    with usocket.socket(AF_UNIX) as socket, pytest.raises(ValueError, match="longer than the system allows"):
        socket.bind(name + "x")


@pytest.mark.parametrize("type", [SOCK_STREAM, SOCK_DGRAM])
@pytest.mark.parametrize("name", ["bind", "connect"])
def test_addr_1_of_another_family_is_said_to_be_so(name: str, type: int) -> None:
    """Linux says EINVAL if it is shorter than its own."""
    for family, address in (
        (AF_INET, native(AF_UNIX, f"\0usocket-test-{os.getpid()}")),
        (AF_UNIX, native(AF_INET, ("127.0.0.1", 9))),
    ):
        with usocket.socket(family, type) as socket:
            assert error_of(getattr(socket, name), address) == errno.EAFNOSUPPORT


def test_addr_4_no_nul_inside_a_path() -> None:
    with usocket.socket(AF_UNIX) as socket, pytest.raises(ValueError, match="NUL"):
        socket.bind("a\0b")


def test_addr_4_bytes_are_never_a_path() -> None:
    with usocket.socket(AF_UNIX) as socket:
        assert error_of(socket.bind, b"/tmp/usocket-test") in (errno.EINVAL, errno.EAFNOSUPPORT)


def test_addr_5_sockaddr_decodes_every_family() -> None:
    assert sockaddr(native(AF_INET, ("127.0.0.1", 0)))[:2] == (AF_INET, b"\x7f\0\0\1")
    with usocket.socket(AF_UNIX) as socket:
        assert sockaddr(socket.getsockname()) == (AF_UNIX, b"")
    assert sockaddr(struct.pack("=H", 16) + b"data") == (16, b"data")
    six = struct.pack("=H", AF_INET6) + struct.pack("!HI", 80, 7) + bytes(15) + b"\1" + struct.pack("=I", 3)
    assert sockaddr(six) == (AF_INET6, inet_pton(AF_INET6, "::1"), 80, 7, 3)


@pytest.mark.parametrize("family", [AF_INET, AF_INET6, AF_UNIX, 0, 16, 65535])
@pytest.mark.parametrize("size", [*range(40), 107, 108, 109, 110, 126, 127, 128, 129, 1000])
def test_addr_6_addresses_of_every_length(family: int, size: int) -> None:
    address = (struct.pack("=H", family) + b"\x7f" * 1000)[:size]
    least = {AF_INET: 16, AF_INET6: 28}.get(family, 2)
    most_of_unix = 110  # sockaddr_un of Linux
    if family == AF_UNIX and most_of_unix < size <= 128:
        with pytest.raises(ValueError, match="the path is longer than the system allows"):
            sockaddr(address)
    elif least <= size <= 128:
        assert sockaddr(address)[0] == family
    else:
        with pytest.raises(ValueError, match="a native address"):
            sockaddr(address)
    for kind in (AF_INET, AF_UNIX):
        # An address without a family is for the system to judge: connect() takes it to disconnect.
        if family != 0 and (family != kind or size < least or size > 128):
            with usocket.socket(kind, SOCK_DGRAM) as socket:
                for function in (socket.bind, socket.connect, lambda to: socket.sendto(b"", to)):
                    with pytest.raises((ValueError, OSError)):
                        function(address)


@given(st.binary(max_size=200))
def test_addr_6_any_bytes_decode_or_are_refused(address: bytes) -> None:
    try:
        family, *rest = sockaddr(address)
    except ValueError:
        return
    assert struct.pack("=H", family) == address[:2]
    assert len(rest[0]) <= len(address)


@given(st.ip_addresses(v=4), st.integers(0, 65535))
def test_addr_2_tuples_and_bytes_say_the_same_ipv4(ip: ipaddress.IPv4Address, port: int) -> None:
    """Resolving numeric text, decoding, and the packed form agree."""
    opaque = usocket.getaddrinfo(str(ip), port, AF_INET, SOCK_STREAM)[0][-1]
    assert sockaddr(opaque) == (AF_INET, ip.packed, port)
    assert inet_ntop(AF_INET, ip.packed) == str(ip)
    assert inet_pton(AF_INET, str(ip)) == ip.packed


@given(st.ip_addresses(v=6), st.integers(0, 65535))
def test_addr_2_tuples_and_bytes_say_the_same_ipv6(ip: ipaddress.IPv6Address, port: int) -> None:
    opaque = usocket.getaddrinfo(str(ip), port, AF_INET6, SOCK_STREAM)[0][-1]
    assert sockaddr(opaque) == (AF_INET6, ip.packed, port, 0, 0)
    assert ipaddress.ip_address(inet_ntop(AF_INET6, ip.packed)) == ip
    assert inet_pton(AF_INET6, str(ip)) == ip.packed


def test_addr_7_the_references_examples() -> None:
    assert inet_ntop(AF_INET, b"\x7f\0\0\1") == "127.0.0.1"
    assert inet_pton(AF_INET, "1.2.3.4") == b"\x01\x02\x03\x04"


@pytest.mark.parametrize(
    "text", ["", "1.2.3", "1.2.3.4.5", "256.1.1.1", "1.2.3.4 ", "::1", "x", "1.2.3.4\0", "é", "1" * 999]
)
def test_addr_7_malformed_text(text: str) -> None:
    assert error_of(inet_pton, AF_INET, text) == errno.EINVAL


@pytest.mark.parametrize("size", [0, 3, 5, 16])
def test_addr_7_packed_bytes_of_the_wrong_length(size: int) -> None:
    with pytest.raises(ValueError, match="4 bytes long for AF_INET, 16 for AF_INET6"):
        inet_ntop(AF_INET, bytes(size))
    if size != 16:
        with pytest.raises(ValueError, match="4 bytes long for AF_INET, 16 for AF_INET6"):
            inet_ntop(AF_INET6, bytes(size))


@pytest.mark.parametrize("family", [0, AF_UNIX, 9999, -1])
def test_addr_7_unknown_family(family: int) -> None:
    assert error_of(inet_ntop, family, bytes(4)) == errno.EAFNOSUPPORT
    assert error_of(inet_pton, family, "1.2.3.4") == errno.EAFNOSUPPORT


def every_address() -> list[Address]:
    """One of each method that hands addresses out."""
    with listener() as server, usocket.socket() as client, udp_socket() as one, udp_socket() as other:
        client.connect(server.getsockname())
        conn, peer = server.accept()
        conn.close()
        one.sendto(b"1", other.getsockname())
        one.sendto(b"2", other.getsockname())
        one.sendto(b"3", other.getsockname())
        return [
            peer,
            client.getpeername(),
            usocket.getaddrinfo("127.0.0.1", 80)[0][-1],
            other.recvfrom(1)[1],
            other.recvfrom_into(bytearray(1))[1],
            other.recvmsg(1)[3],
        ]


def test_addr_9_an_address_shows_its_endpoint() -> None:
    for address in every_address():
        endpoint = f"127.0.0.1:{sockaddr(address)[2]}"
        assert str(address) == f"{address}" == endpoint
        assert repr(address) == f"<address {endpoint}>"


@pytest.mark.parametrize(
    "text",
    [
        "127.0.0.1:80",
        "0.0.0.0:0",
        "[::1]:80",
        "[fe80::1%2]:65535",
        "unix:/run/server",
        "unix:@name",
        "unix:",
        "af16:0c0f",
    ],
)
def test_addr_9_and_is_made_of_its_text(text: str) -> None:
    address = Address(text)
    assert str(address) == text
    assert Address(address) == Address(bytes(address)) == Address(bytearray(address)) == address


def test_addr_9_of_a_sender_without_an_address_there_is_nothing_to_show() -> None:
    one, other = usocket.socketpair()
    with one, other:
        one.send(b"x")
        address = other.recvfrom(1)[1]
    assert (address, str(address), repr(address)) == (b"", "", "<address >")
    assert Address(b"") is address


def test_addr_1_an_address_is_as_good_as_its_bytes() -> None:
    address = Address("127.0.0.1:80")
    plain = bytes(address)
    assert type(plain) is bytes
    assert isinstance(address, bytes)
    assert (address == plain, plain == address, hash(address)) == (True, True, hash(plain))
    assert (address in {plain}, plain in {address}) == (True, True)
    assert (address + b"x", b"x" + address, address[:2]) == (plain + b"x", b"x" + plain, plain[:2])
    assert sockaddr(plain) == sockaddr(address)
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        copied = pickle.loads(pickle.dumps(address, protocol))
        assert (copied, type(copied)) == (address, Address)
    assert copy.copy(address) == copy.deepcopy(address) == address
    with pytest.raises((TypeError, AttributeError)):
        address.port = 80  # type: ignore[attr-defined]
    assert bytes.__repr__(b"x") == repr(b"x")  # what the class was made of is as it was


@pytest.mark.parametrize("wrong", [b"x", b"\2\0", "example.org:80", "127.0.0.1", "127.0.0.1:65536", "\udc80"])
def test_addr_9_what_is_no_address_does_not_become_one(wrong: str | bytes) -> None:
    with pytest.raises(ValueError):
        Address(wrong)


@pytest.mark.parametrize("wrong", [(), ("127.0.0.1:80", 1), (80,), (None,)])
def test_addr_9_of_a_wrong_type_it_does_not_either(wrong: tuple[Any, ...]) -> None:
    with pytest.raises(TypeError, match=r"Address\(address\)"):
        Address(*wrong)
    with pytest.raises(TypeError, match="keyword"):
        Address("127.0.0.1:80", text="")  # type: ignore[call-arg]


def test_addr_9_addresses_leave_nothing_behind() -> None:
    """The class is counted as often as there are instances, and no more."""
    with listener() as server:
        before = sys.getrefcount(Address)
        many = [server.getsockname() for _ in range(1000)]
        assert sys.getrefcount(Address) >= before + len(many) or sys.version_info >= (3, 14)
        del many
        assert sys.getrefcount(Address) == before
