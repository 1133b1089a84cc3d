"""The socket module as CPython's users know it, over usocket.

Addresses come back as tuples, host names are resolved wherever an address is expected, bytes are paths of AF_UNIX, and
keyword arguments are taken as in CPython. Everything else is usocket's: sockets are streams, makefile() returns the
socket itself, and a timeout is an OSError(ETIMEDOUT).
"""

from __future__ import annotations

import os
import socket as _standard
import sys
from collections.abc import Iterable
from socket import (
    close,
    gaierror,
    getfqdn,
    gethostbyaddr,
    gethostbyname,
    gethostbyname_ex,
    gethostname,
    getnameinfo,
    getprotobyname,
    getservbyname,
    getservbyport,
    has_dualstack_ipv6,
    has_ipv6,
    herror,
    htonl,
    htons,
    if_indextoname,
    if_nameindex,
    if_nametoindex,
    inet_aton,
    inet_ntoa,
    ntohl,
    ntohs,
)
from typing import TYPE_CHECKING, Any, TypeAlias

from usocket import _usocket
from usocket._usocket import (
    AF_INET,
    AF_INET6,
    AF_UNIX,
    IPPROTO_IPV6,
    IPV6_V6ONLY,
    SO_REUSEADDR,
    SO_REUSEPORT,
    SOCK_STREAM,
    SOL_SOCKET,
    inet_ntop,
    inet_pton,
    sockaddr,
)

if TYPE_CHECKING:
    from typing_extensions import Buffer

# What is returned: a tuple, a path (abstract ones as bytes), or None where the system names no sender.
Address: TypeAlias = Any

error = OSError
timeout = TimeoutError

__all__ = [
    "SocketType",
    "close",
    "create_connection",
    "create_server",
    "error",
    "fromfd",
    "gaierror",
    "getdefaulttimeout",
    "getfqdn",
    "gethostbyaddr",
    "gethostbyname",
    "gethostbyname_ex",
    "gethostname",
    "getnameinfo",
    "getprotobyname",
    "getservbyname",
    "getservbyport",
    "has_dualstack_ipv6",
    "has_ipv6",
    "herror",
    "htonl",
    "htons",
    "if_indextoname",
    "if_nameindex",
    "if_nametoindex",
    "inet_aton",
    "inet_ntoa",
    "ntohl",
    "ntohs",
    "setdefaulttimeout",
    "timeout",
]
__all__ += _usocket.__all__


globals().update({name: getattr(_usocket, name) for name in _usocket.__all__ if name.isupper()})


def __getattr__(name: str) -> int:
    """The constants that usocket does not have, such as NI_DGRAM and AF_CAN, are the standard library's."""
    value = getattr(_standard, name, None)
    if isinstance(value, int):
        return int(value)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# --- Sockets

_default_timeout: float | None = None


def getdefaulttimeout() -> float | None:
    """The timeout of new sockets, in seconds; None if they block."""
    return _default_timeout


def setdefaulttimeout(timeout: float | None) -> None:
    """Sets the timeout of new sockets, in seconds."""
    global _default_timeout
    with _usocket.socket(AF_UNIX) as probe:  # it knows what a timeout may be
        probe.settimeout(timeout)
        _default_timeout = probe.gettimeout()


class socket(_usocket.socket):
    """usocket's socket, with addresses as in CPython."""

    __slots__ = ()
    _takes_str = False  # what is sent is bytes-like only

    def __init__(self, family: int = -1, type: int = -1, proto: int = -1, fileno: int | None = None) -> None:
        if fileno is not None:
            super().__init__(fileno=fileno)
        else:
            super().__init__(
                AF_INET if family == -1 else family, SOCK_STREAM if type == -1 else type, 0 if proto == -1 else proto
            )
        self._set_default_timeout()

    def _set_default_timeout(self) -> None:
        if _default_timeout is not None:
            self.settimeout(_default_timeout)

    @property
    def timeout(self) -> float | None:
        """The timeout in seconds; None if the socket blocks."""
        return self.gettimeout()

    def bind(self, address: Address, /) -> None:
        super().bind(_native(self.family, address))

    def connect(self, address: Address, /) -> None:
        super().connect(_native(self.family, address))

    def connect_ex(self, address: Address, /) -> int:
        """connect() that returns the number of the error, or 0."""
        native = _native(self.family, address)
        try:
            super().connect(native)
        except OSError as failure:
            return failure.errno or 0
        return 0

    def accept(self) -> tuple[socket, Address]:
        conn, address = self._accept_as(socket)
        conn._set_default_timeout()
        return conn, _tuple(address)

    # CPython's own refuse str: mypy sees that what they take is less than what usocket's do.
    def sendto(  # type: ignore[override]
        self, data: Buffer, flags_or_address: Any, address: Address = None, /
    ) -> int:
        if address is None:
            return super().sendto(data, _native(self.family, flags_or_address))
        return super().sendto(data, flags_or_address, _native(self.family, address))

    def sendmsg(  # type: ignore[override]
        self,
        buffers: Iterable[Buffer],
        ancdata: tuple[()] = (),
        flags: int = 0,
        address: Address = None,
        /,
    ) -> int:
        native = None if address is None else _native(self.family, address)
        return super().sendmsg(buffers, ancdata, flags, native)

    def recvfrom(self, bufsize: int, flags: int = 0, /) -> tuple[bytes, Address]:
        data, address = super().recvfrom(bufsize, flags)
        return data, _tuple(address)

    def recvfrom_into(self, buffer: Buffer, nbytes: int = 0, flags: int = 0) -> tuple[int, Address]:
        count, address = super().recvfrom_into(buffer, nbytes, flags)
        return count, _tuple(address)

    def getsockname(self) -> Address:
        return _tuple(super().getsockname())

    def getpeername(self) -> Address:
        return _tuple(super().getpeername())

    def dup(self) -> socket:
        return self._dup_as(socket)

    def makefile(self, mode: str = "rb", buffering: int | None = None) -> socket:
        super().makefile(mode, buffering)
        return self


SocketType = socket


def socketpair(family: int | None = None, type: int = SOCK_STREAM, proto: int = 0) -> tuple[socket, socket]:
    """Two sockets that are connected to each other."""
    pair = _usocket._socketpair_as(socket, AF_UNIX if family is None else family, type, proto)
    for one in pair:
        one._set_default_timeout()
    return pair


def fromfd(fd: int, family: int, type: int, proto: int = 0) -> socket:
    """A socket on a duplicate of the descriptor, which stays its owner's."""
    copy = os.dup(fd)
    try:
        return socket(family, type, proto, fileno=copy)
    except BaseException:
        os.close(copy)
        raise


# --- Addresses


def _tuple(native: bytes) -> Address:
    """The address as CPython shows it."""
    if not native:
        return None
    family, payload, *rest = sockaddr(native)
    if family in (AF_INET, AF_INET6):
        return (inet_ntop(family, payload), *rest)
    if family == AF_UNIX:
        return payload if payload[:1] == b"\0" else os.fsdecode(payload)
    return family, payload


def _native(family: int, address: Address) -> Address:
    """The address as usocket takes it: names are resolved, bytes are a path if they are for AF_UNIX."""
    if family == AF_UNIX and isinstance(address, bytes | bytearray | memoryview):
        return os.fsdecode(bytes(address))
    if family not in (AF_INET, AF_INET6) or not isinstance(address, tuple) or not address:
        return address
    host, *rest = address
    if host == "<broadcast>" and family == AF_INET:
        host = "255.255.255.255"
    if isinstance(host, bytearray):
        host = bytes(host)
    if not rest or not isinstance(host, str | bytes) or len(host) == 0 or _is_numeric(family, host):
        return (host, *rest)
    found = _resolve(host, None, family, _standard.SOCK_DGRAM, 0, 0)[0][4]
    _, payload, _, *scope = sockaddr(found)
    return (inet_ntop(family, payload), *rest, *scope[len(rest) - 1 :])


def _is_numeric(family: int, host: str | bytes) -> bool:
    try:
        inet_pton(family, host if isinstance(host, str) else host.decode("latin-1"))
    except (OSError, UnicodeError):
        return False
    return True


def _resolve(
    host: str | bytes | bytearray | None, port: int | str | None, family: int, type: int, proto: int, flags: int
) -> list[tuple[int, int, int, str, bytes]]:
    """usocket's getaddrinfo(), with CPython's spelling of host names and its exception."""
    if isinstance(host, bytearray):
        host = bytes(host)
    elif isinstance(host, str) and not host.isascii():
        host = host.encode("idna")
    try:
        return _usocket.getaddrinfo(host, port, family, type, proto, flags)
    except OSError as failure:
        if failure.errno is not None and failure.errno < 0:
            raise gaierror(*failure.args) from None
        raise


def getaddrinfo(
    host: str | bytes | bytearray | None,
    port: int | str | bytes | None,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> list[tuple[int, int, int, str, Address]]:
    """What a host and port resolve to: (family, type, proto, canonname, address)."""
    service = port.decode() if isinstance(port, bytes) else port
    found = _resolve(host, service, family, type, proto, flags)
    return [(*numbers, canonname, _tuple(native)) for *numbers, canonname, native in found]


# --- Shortcuts

_NOT_GIVEN: Any = object()


def create_connection(
    address: tuple[str | None, int],
    timeout: float | None = _NOT_GIVEN,
    source_address: Address = None,
    *,
    all_errors: bool = False,
) -> socket:
    """A socket that is connected to (host, port): the first address of the host that can be reached.

    The error is that of the last address, or with all_errors an ExceptionGroup of all.
    """
    host, port = address
    errors: list[OSError] = []
    for family, type, proto, _, destination in getaddrinfo(host, port, 0, SOCK_STREAM):
        try:
            connection = socket(family, type, proto)
        except OSError as failure:
            errors.append(failure)
            continue
        try:
            if timeout is not _NOT_GIVEN:
                connection.settimeout(timeout)
            if source_address is not None:
                connection.bind(source_address)
            connection.connect(destination)
            return connection
        except OSError as failure:
            connection.close()
            errors.append(failure)
        except BaseException:
            connection.close()
            raise
    try:
        if all_errors and sys.version_info >= (3, 11):
            raise ExceptionGroup("create_connection failed", errors)  # noqa: F821
        raise errors[-1]
    finally:
        errors.clear()  # a cycle with the traceback's frame otherwise


def create_server(
    address: Address,
    *,
    family: int = AF_INET,
    backlog: int | None = None,
    reuse_port: bool = False,
    dualstack_ipv6: bool = False,
) -> socket:
    """A socket that listens on the address."""
    if dualstack_ipv6 and (family != AF_INET6 or not has_dualstack_ipv6()):
        raise ValueError("dualstack_ipv6 is for AF_INET6, on a system that supports it")
    server = socket(family, SOCK_STREAM)
    try:
        if family in (AF_INET, AF_INET6):
            server.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        if reuse_port:
            server.setsockopt(SOL_SOCKET, SO_REUSEPORT, 1)
        if family == AF_INET6:
            server.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0 if dualstack_ipv6 else 1)
        server.bind(address)
        server.listen(backlog)
    except BaseException:
        server.close()
        raise
    return server
