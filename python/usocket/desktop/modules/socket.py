"""socket, as devices have it (NAME-2): all of usocket, with tuples and names where addresses are.

Keyword arguments are taken, what is sent may be a str, and what programs know of CPython's module is there:
create_connection(), create_server(), connect_ex(), inet_aton(), inet_ntoa(), a default timeout. error, timeout and
gaierror are OSError. setsockopt(SOL_SOCKET, 20, f) is the callback of the lwIP ports (SOCK-11).

makefile() returns the socket itself (STRM-6). CPython's rules are usocket.compat's, and nothing of them is here.
"""

from __future__ import annotations

import errno
import os
from typing import Any

from usocket import _usocket
from usocket._usocket import AF_INET, AF_INET6, AF_UNIX, SOCK_STREAM, SOL_SOCKET, inet_ntop, inet_pton, sockaddr
from usocket.desktop.modules import usocket

error = timeout = gaierror = herror = OSError

_default_timeout: float | None = None


class socket(usocket.socket):
    """usocket's socket, with addresses as tuples."""

    def __init__(
        self, af: int = AF_INET, type: int = SOCK_STREAM, proto: int = 0, *, fileno: int | None = None, family: int = -1
    ) -> None:
        if fileno is not None:
            super().__init__(fileno=fileno)
        else:
            super().__init__(af if family == -1 else family, type, proto)
        if _default_timeout is not None:
            self.settimeout(_default_timeout)

    def bind(self, address: Any) -> None:
        super().bind(_native(self, address))

    def connect(self, address: Any) -> None:
        super().connect(_native(self, address))

    def connect_ex(self, address: Any) -> int:
        """connect() that returns the number of the error, or 0."""
        try:
            self.connect(address)
        except OSError as failure:
            return int(failure.args[0])
        return 0

    def listen(self, backlog: int | None = None) -> None:
        super().listen(backlog)

    def accept(self) -> tuple[socket, Any]:
        conn, address = self._accept_as(self.__class__)
        if _default_timeout is not None:
            conn.settimeout(_default_timeout)
        return conn, _tuple(address)

    def sendto(self, data: Any, flags_or_address: Any, address: Any = None) -> int:
        if address is None:
            return super().sendto(data, _native(self, flags_or_address))
        return super().sendto(data, flags_or_address, _native(self, address))

    def recv(self, bufsize: int, flags: int = 0) -> bytes:
        return super().recv(bufsize, flags)

    def recvfrom(self, bufsize: int, flags: int = 0) -> tuple[bytes, Any]:
        data, address = super().recvfrom(bufsize, flags)
        return data, _tuple(address)

    def recvfrom_into(self, buffer: Any, nbytes: int = 0, flags: int = 0) -> tuple[int, Any]:
        count, address = super().recvfrom_into(buffer, nbytes, flags)
        return count, _tuple(address)

    def makefile(self, mode: str = "rb", buffering: int | None = 0) -> Any:
        return super().makefile(mode, buffering)

    def getsockname(self) -> Any:
        return _tuple(super().getsockname())

    def getpeername(self) -> Any:
        return _tuple(super().getpeername())

    def settimeout(self, value: float | None) -> None:
        super().settimeout(value)

    def setblocking(self, flag: object) -> None:
        super().setblocking(flag)

    def _state(self) -> int:
        """As lwIP's ports number it: 0 new, 1 listening, 3 connected, 4 ended by the peer, -1 closed."""
        if self.closed:
            return -1
        plain = _usocket.socket  # what is traced are the program's calls
        try:
            if plain.getsockopt(self, SOL_SOCKET, _usocket.SO_ACCEPTCONN):
                return 1
            plain.getpeername(self)
            ended = plain.recv(self, 1, _usocket.MSG_PEEK | _usocket.MSG_DONTWAIT) == b""
        except BlockingIOError:
            return 3
        except OSError as failure:
            return 0 if failure.errno == errno.ENOTCONN else 4
        return 4 if ended and self.type == SOCK_STREAM else 3

    def __repr__(self) -> str:
        """Programs for the lwIP ports take the state out of it: <socket state=3 ...>."""
        return f"<socket state={self._state()} {super().__repr__().partition(' ')[2]}"


def socketpair(af: int = AF_UNIX, type: int = SOCK_STREAM, proto: int = 0) -> tuple[socket, socket]:
    return _usocket._socketpair_as(socket, af, type, proto)


# --- Addresses


def _tuple(native: bytes) -> Any:
    if not native:
        return None
    family, payload, *rest = sockaddr(native)
    if family in (AF_INET, AF_INET6):
        return (inet_ntop(family, payload), *rest)
    if family == AF_UNIX:
        return os.fsdecode(payload)
    return family, payload


def _native(sock: _usocket.socket, address: Any) -> Any:
    """The address as usocket takes it: a name is resolved."""
    family = sock.family
    if family not in (AF_INET, AF_INET6) or not isinstance(address, tuple | list) or len(address) < 2:
        return address
    host, port, *scope = address
    if isinstance(host, bytes | bytearray):
        host = bytes(host).decode()
    if not isinstance(host, str) or not host or _is_numeric(family, host):
        return (host, port, *scope)
    found = _usocket.getaddrinfo(host, 0, family, sock.type)[0][4]
    return (inet_ntop(family, sockaddr(found)[1]), port, *scope)


def _is_numeric(family: int, host: str) -> bool:
    try:
        inet_pton(family, host.partition("%")[0])
    except OSError:
        return False
    return True


def getaddrinfo(
    host: str | bytes | None,
    port: int | str | None,
    af: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
    *,
    family: int = 0,
) -> list[tuple[int, int, int, str, Any]]:
    """What a host and a port resolve to. IPv4 comes first where no family was asked for: devices know no other."""
    found = usocket.getaddrinfo(host, port, af or family, type, proto, flags)
    return [(*numbers, canonname, _tuple(native)) for *numbers, canonname, native in found]


def inet_aton(text: str) -> bytes:
    return inet_pton(AF_INET, text)


def inet_ntoa(packed: Any) -> str:
    return inet_ntop(AF_INET, packed)


# --- Shortcuts


def getdefaulttimeout() -> float | None:
    """The timeout of new sockets in seconds; None: they block."""
    return _default_timeout


def setdefaulttimeout(timeout: float | None) -> None:
    global _default_timeout
    with _usocket.socket() as probe:  # it knows what a timeout may be
        probe.settimeout(timeout)
        _default_timeout = probe.gettimeout()


def create_connection(
    address: tuple[str | None, int], timeout: float | None = -1, source_address: Any = None
) -> socket:
    """A socket that is connected to (host, port): of the host's addresses the first that answers.

    The timeout is for resolving and all attempts together (GAI-5), and then the socket's.
    """
    from usocket import compat

    if timeout == -1:
        timeout = _default_timeout
    try:
        connection = compat.create_connection(address, timeout, source_address)
    except OSError as failure:
        raise OSError(failure.args[0], f"{address[0]}: {failure.strerror}") from None
    adopted = socket(fileno=connection.detach())
    adopted.settimeout(timeout)
    return adopted


def create_server(
    address: Any,
    *,
    family: int = AF_INET,
    backlog: int | None = None,
    reuse_port: bool = False,
    dualstack_ipv6: bool = False,
) -> socket:
    """A socket that listens at the address, which may be in use by connections that are ending."""
    server = socket(family)
    try:
        server.setsockopt(SOL_SOCKET, _usocket.SO_REUSEADDR, 1)
        if reuse_port:
            server.setsockopt(SOL_SOCKET, _usocket.SO_REUSEPORT, 1)
        if family == AF_INET6:
            server.setsockopt(_usocket.IPPROTO_IPV6, _usocket.IPV6_V6ONLY, not dualstack_ipv6)
        server.bind(address)
        server.listen(backlog)
    except BaseException:
        server.close()
        raise
    return server


def gethostname() -> str:
    return os.uname().nodename


__all__ = [
    "create_connection",
    "create_server",
    "error",
    "gaierror",
    "getaddrinfo",
    "getdefaulttimeout",
    "gethostname",
    "herror",
    "inet_aton",
    "inet_ntoa",
    "setdefaulttimeout",
    "socket",
    "socketpair",
    "timeout",
]
for _name in _usocket.__all__:
    if _name not in globals() or _name.isupper() or _name in ("inet_ntop", "inet_pton", "sockaddr"):
        globals()[_name] = getattr(_usocket, _name)
        __all__.append(_name)  # noqa: PYI056
