"""The socket module as CPython's users know it, over usocket (COMPAT-1).

Addresses are tuples, host names are resolved wherever an address is expected, bytes are paths of AF_UNIX; enumerations,
files, exceptions and keyword arguments are CPython's. What usocket's sockets do beyond comes on top: they are streams,
nothing received is lost, and one deadline holds for a whole call. docs/differences.md has what differs.
"""

from __future__ import annotations

import array
import socket as _standard
import sys as _sys
from collections.abc import Iterable

# What has nothing to do with a socket object is CPython's own.
from socket import CMSG_LEN as CMSG_LEN
from socket import CMSG_SPACE as CMSG_SPACE
from socket import EAGAIN as EAGAIN
from socket import EBADF as EBADF
from socket import EWOULDBLOCK as EWOULDBLOCK
from socket import SocketIO as SocketIO
from socket import close as close
from socket import gaierror as gaierror
from socket import gethostbyaddr as gethostbyaddr
from socket import gethostbyname as gethostbyname
from socket import gethostbyname_ex as gethostbyname_ex
from socket import gethostname as gethostname
from socket import getnameinfo as getnameinfo
from socket import getprotobyname as getprotobyname
from socket import getservbyname as getservbyname
from socket import getservbyport as getservbyport
from socket import has_ipv6 as has_ipv6
from socket import herror as herror
from socket import htonl as htonl
from socket import htons as htons
from socket import if_indextoname as if_indextoname
from socket import if_nameindex as if_nameindex
from socket import if_nametoindex as if_nametoindex
from socket import inet_aton as inet_aton
from socket import inet_ntoa as inet_ntoa
from socket import inet_ntop as inet_ntop
from socket import inet_pton as inet_pton
from socket import ntohl as ntohl
from socket import ntohs as ntohs
from socket import sethostname as sethostname
from typing import Any

from usocket import _usocket
from usocket._usocket import recv_fds as recv_fds
from usocket._usocket import sockaddr as sockaddr  # ours besides, not for a star
from usocket.compat.addresses import Address, AddressLike, resolve, to_tuple
from usocket.compat.constants import *  # noqa: F403
from usocket.compat.constants import _names as _names_of_constants
from usocket.compat.enumerations import AddressFamily as AddressFamily
from usocket.compat.enumerations import AddressInfo as AddressInfo
from usocket.compat.enumerations import MsgFlag as MsgFlag
from usocket.compat.enumerations import SocketKind as SocketKind
from usocket.compat.enumerations import _intenum_converter as _intenum_converter  # CPython's name
from usocket.compat.files import _GiveupOnSendfile as _GiveupOnSendfile  # noqa: F401  # CPython's name
from usocket.compat.sharing import register as _register_with_multiprocessing
from usocket.compat.sockets import as_int as _as_int
from usocket.compat.sockets import dup as dup
from usocket.compat.sockets import fromfd as fromfd
from usocket.compat.sockets import getdefaulttimeout as getdefaulttimeout
from usocket.compat.sockets import setdefaulttimeout as setdefaulttimeout
from usocket.compat.sockets import socket as socket
from usocket.compat.sockets import socketpair as socketpair

_GLOBAL_DEFAULT_TIMEOUT: Any = _standard._GLOBAL_DEFAULT_TIMEOUT  # type: ignore[attr-defined]

error = OSError
timeout = TimeoutError
SocketType = _usocket.socket
_LOCALHOST, _LOCALHOST_V6 = "127.0.0.1", "::1"

from usocket.compat.connections import create_connection as _create_connection  # noqa: E402
from usocket.compat.connections import create_server as create_server  # noqa: E402
from usocket.compat.connections import has_dualstack_ipv6 as has_dualstack_ipv6  # noqa: E402

# This way a checker, which sees neither, knows the names that there are, and no others.
globals()["__all__"] = [
    "CMSG_LEN",
    "CMSG_SPACE",
    "AddressFamily",
    "AddressInfo",
    "MsgFlag",
    "SocketIO",
    "SocketKind",
    "SocketType",
    "close",
    "create_connection",
    "create_server",
    "dup",
    "error",
    "fromfd",
    "gaierror",
    "getaddrinfo",
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
    "inet_ntop",
    "inet_pton",
    "ntohl",
    "ntohs",
    "recv_fds",
    "send_fds",
    "setdefaulttimeout",
    "sethostname",
    "socket",
    "socketpair",
    "timeout",
    *_names_of_constants,
]

_register_with_multiprocessing()


def _of_later_versions(name: str) -> Any:
    """Other values of CPython's module, such as `has_ipv6` of a later version."""
    value = getattr(_standard, name, None)
    if isinstance(value, int | dict):
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


globals()["__getattr__"] = _of_later_versions


def getfqdn(name: str = "") -> str:
    """The first name of a host, by default this one, that has a domain; if none has, its own."""
    name = name.strip()
    if name in ("", "0.0.0.0", "::"):
        name = gethostname()
    try:
        hostname, aliases, _ = gethostbyaddr(name)
    except error:
        return name
    return next((one for one in (hostname, *aliases) if "." in one), hostname)


def create_connection(
    address: tuple[str | None, int | str | bytes | None],
    timeout: float | None = _GLOBAL_DEFAULT_TIMEOUT,
    source_address: AddressLike | None = None,
    *,
    all_errors: bool = False,
) -> socket:
    """A socket that is connected to (host, port): of the host's addresses the first that answers (GAI-5).

    The timeout is for resolving and all attempts together. The error is that of the last address and names the others,
    or with all_errors it is an ExceptionGroup of all (3.11).
    """
    connection: socket = _create_connection(address, timeout, source_address, all_errors=all_errors)
    return connection


def getaddrinfo(
    host: str | bytes | bytearray | None,
    port: int | str | bytes | None,
    family: int = 0,
    type: int = 0,
    proto: int = 0,
    flags: int = 0,
) -> list[tuple[AddressFamily, SocketKind, int, str, Address]]:
    """What a host and port resolve to: (family, type, proto, canonname, address)."""
    family, type, proto, flags = map(_as_int, (family, type, proto, flags))
    _sys.audit("socket.getaddrinfo", host, port, family, type, proto)
    service = port.decode() if isinstance(port, bytes) else port
    found = resolve(host, service, family, type, proto, flags)
    return [
        (_intenum_converter(af, AddressFamily), _intenum_converter(kind, SocketKind), number, name, to_tuple(native))
        for af, kind, number, name, native in found
    ]


def send_fds(
    sock: Any, buffers: Iterable[Any], fds: Iterable[int], flags: int = 0, address: AddressLike | None = None
) -> int:
    """Sends descriptors over an AF_UNIX socket, beside the buffers; returns how many bytes of those went out."""
    rights = (_usocket.SOL_SOCKET, _usocket.SCM_RIGHTS, array.array("i", fds))
    sent: int = sock.sendmsg(buffers, [rights], flags, address)
    return sent
