"""ssl (tls, ussl) as a program for devices sees it: usocket's own TLS (TLS-1..7), under the names of all three modules.

What ussl does not have is here besides: other names for the protocols, arguments in the order of MicroPython's ssl, a
socket that does not block and goes on with the handshake in its first read or write, a socket of CPython's, as that of
an http.server. What neither has is CPython's.
"""

from __future__ import annotations

import contextlib
import socket
from typing import Any, TypeVar

import ussl
from ussl import CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED, PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER

import usocket
from usocket import _usocket

EXTENDS = "ssl"

PROTOCOL_TLS = PROTOCOL_SSLv23 = PROTOCOL_TLS_CLIENT
SSLError = OSError

_Socket = TypeVar("_Socket", bound=usocket.socket)


class SSLContext(ussl.SSLContext):
    options = 0  # of CPython's: to be set, and without an effect

    def __init__(self, protocol: int = PROTOCOL_TLS_CLIENT) -> None:
        super().__init__(protocol)

    def wrap_socket(  # type: ignore[override]
        self,
        sock: _Socket,
        server_side: bool = False,
        do_handshake_on_connect: bool = True,
        server_hostname: str | None = None,
        do_handshake: bool = True,
        **more: Any,
    ) -> _Socket:
        if isinstance(sock, socket.socket):
            sock = _taken_over(sock)
        if not isinstance(sock, _usocket.socket):  # a device's takes any stream
            raise TypeError(f"a socket of usocket is wanted, not {type(sock).__name__}")
        handshake = do_handshake and do_handshake_on_connect
        with contextlib.nullcontext() if sock.getblocking() else contextlib.suppress(BlockingIOError):
            super().wrap_socket(sock, server_side, server_hostname, handshake, **more)
        return sock


def wrap_socket(
    sock: _Socket,
    server_side: bool = False,
    keyfile: Any = None,
    certfile: Any = None,
    key: Any = None,
    cert: Any = None,
    cert_reqs: int = CERT_NONE,
    ca_certs: Any = None,
    cadata: Any = None,
    server_hostname: str | None = None,
    do_handshake: bool = True,
    do_handshake_on_connect: bool = True,
) -> _Socket:
    """The older way, without a context. By default it checks nothing: anybody may be at the other end."""
    context = SSLContext(PROTOCOL_TLS_SERVER if server_side else PROTOCOL_TLS_CLIENT)
    context.verify_mode = cert_reqs
    if certfile or cert:
        context.load_cert_chain(certfile or cert, keyfile or key)
    if ca_certs or cadata:
        context.load_verify_locations(ca_certs, None, cadata)
    return context.wrap_socket(sock, server_side, do_handshake_on_connect, server_hostname, do_handshake)


def _taken_over(sock: socket.socket) -> Any:
    """CPython's, as one of usocket with its rules; it is closed then, as CPython's ssl leaves it."""
    from usocket import compat

    timeout = sock.gettimeout()
    taken = compat.socket(sock.family, sock.type, sock.proto, fileno=sock.detach())
    taken.settimeout(timeout)
    return taken


def create_default_context(purpose: Any = None, *, cafile: Any = None, cadata: Any = None, **more: Any) -> SSLContext:
    context = SSLContext(PROTOCOL_TLS_CLIENT)
    if cafile or cadata:
        context.load_verify_locations(cafile, None, cadata)
    return context


__all__ = [
    "CERT_NONE",
    "CERT_OPTIONAL",
    "CERT_REQUIRED",
    "PROTOCOL_SSLv23",
    "PROTOCOL_TLS",
    "PROTOCOL_TLS_CLIENT",
    "PROTOCOL_TLS_SERVER",
    "SSLContext",
    "SSLError",
    "create_default_context",
    "wrap_socket",
]
