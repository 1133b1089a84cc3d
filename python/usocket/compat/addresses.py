"""Addresses as CPython writes them: a tuple or a path, names resolved; the other families' forms are in families.py."""

from __future__ import annotations

import os
import socket as _standard
import struct
from typing import Any, TypeAlias

from usocket import _usocket
from usocket._buffer import Buffer
from usocket._usocket import AF_INET, AF_INET6, AF_UNIX, inet_ntop, inet_pton, sockaddr
from usocket.compat.families import form_of

AF_RDS: int | None = getattr(_standard, "AF_RDS", None)

# What is returned: a tuple, a path (abstract ones as bytes), or None where the system names no sender.
Address: TypeAlias = Any
# What is taken: a tuple, a path, or bytes as usocket has them.
AddressLike: TypeAlias = tuple[Any, ...] | str | Buffer


# --- From the system, and to it


def to_tuple(native: bytes, socket: Any = None) -> Address:
    """The address as CPython shows it, of this socket or its peer."""
    if not native:
        return None
    family, payload, *rest = sockaddr(native)
    if family in (AF_INET, AF_INET6):
        return (inet_ntop(family, payload), *rest)
    if family == AF_UNIX:
        return payload if payload[:1] == b"\0" else os.fsdecode(payload)
    form = form_of(family, socket)
    return form.to_python(payload) if form is not None else (family, payload)


def to_native(method: str, family: int, address: Address, socket: Any = None) -> Any:
    """The address as usocket takes it. TypeError, OverflowError: CPython's, where it would raise them."""
    if _is_apart(address):
        return address
    if family == AF_UNIX:
        return _path(method, address)
    if isinstance(address, bytes) and _is_native(family, address):
        return address
    if family in (AF_INET, AF_INET6):
        return _internet(method, family, address)
    if family == AF_RDS:  # it has addresses of AF_INET
        host, port = _internet(method, AF_INET, address)
        return struct.pack("=HH4s8x", AF_INET, _standard.htons(port), inet_pton(AF_INET, host or "0.0.0.0"))
    form = form_of(family, socket)
    if form is None:
        raise OSError(f"{method}(): unsupported address family")
    return struct.pack("=H", family) + form.to_payload(address)


def _is_native(family: int, address: bytes) -> bool:
    """As usocket has it; other bytes are what CPython takes them for, a device's text or nothing."""
    if isinstance(address, _usocket.Address):
        return True
    try:
        return bool(sockaddr(address)[0] == family)
    except ValueError:
        return False


def _is_apart(address: Address) -> bool:
    """What sockaddr() returns, and to_tuple() where there is no other form (ADDR-8). No tuple of CPython's looks so."""
    match address:
        case (int(), bytes(), *_):
            return isinstance(address, tuple)
    return False


def _path(method: str, address: Address) -> Any:
    if isinstance(address, bytes | bytearray | memoryview):
        path = bytes(address)
    elif isinstance(address, str):
        path = os.fsencode(address)
    else:
        raise TypeError(f"a bytes-like object or str is required for an AF_UNIX path, not {type(address).__name__!r}")
    if len(path) > 108 or (len(path) == 108 and path[:1] != b"\0"):
        raise OSError(f"AF_UNIX path too long: {len(path)} bytes, of which the system takes 107")
    return os.fsdecode(path)


def _internet(method: str, family: int, address: Address) -> Any:
    name = "AF_INET" if family == AF_INET else "AF_INET6"
    most = 2 if family == AF_INET else 4
    form = "(host, port)" if family == AF_INET else "(host, port[, flowinfo[, scopeid]])"
    match address:
        case (int(), int(), int(), str(), tuple()) | [(int(), int(), int(), str(), tuple()), *_]:
            raise TypeError(f"{method}(): of what getaddrinfo() has found, the address is getaddrinfo(...)[0][-1]")
    if not isinstance(address, tuple):
        raise TypeError(f"{method}(): {name} address must be tuple {form}, not {type(address).__name__} {address!r}")
    if not 2 <= len(address) <= most:
        raise TypeError(f"{method}(): {name} address must be tuple {form}, not {address!r}")
    host, port, *rest = address
    if not hasattr(port, "__index__"):
        raise TypeError(f"{method}(): the port of an address is an int, not {type(port).__name__} {port!r}")
    if not 0 <= port.__index__() <= 0xFFFF:
        raise OverflowError(f"{method}(): port must be 0-65535, not {port}.")
    if not all(hasattr(number, "__index__") for number in rest):
        raise TypeError(f"{method}(): flowinfo and scopeid of an address are int, not {rest!r}")
    rest = [number.__index__() for number in rest]
    if rest and not 0 <= rest[0] <= 0xFFFFF:
        raise OverflowError(f"{method}(): flowinfo must be 0-1048575, not {rest[0]}.")
    if rest[1:] and not 0 <= rest[1] <= 0xFFFFFFFF:
        raise OverflowError(f"{method}(): scopeid must be 0-4294967295, not {rest[1]}.")
    return (*_numeric(family, host, rest[1:]), port, *rest) if not rest else _with_scope(family, host, port, rest)


def _with_flow(host: str, port: int, flow: int, scope: int) -> bytes:
    """struct sockaddr_in6: usocket's tuples have no flowinfo (ADDR-3)."""
    port, flow = _standard.htons(port), _standard.htonl(flow)
    return struct.pack("=HHI16sI", AF_INET6, port, flow, inet_pton(AF_INET6, host), scope)


def _with_scope(family: int, host: Any, port: int, rest: list[Any]) -> Any:
    numeric, *scope = _numeric(family, host, rest[1:])
    if rest[0]:
        return _with_flow(numeric or "::", port, rest[0], (rest[1:] or scope or [0])[0])
    return (numeric, port, *rest) if len(rest) > 1 or not scope else (numeric, port, *rest, *scope)


def _numeric(family: int, host: Any, given: list[Any]) -> tuple[Any, ...]:
    """The host as a numeric one."""
    if isinstance(host, bytearray):
        host = bytes(host)
    if not isinstance(host, str | bytes):
        raise TypeError(f"the host of an address is str, bytes or bytearray, not {type(host).__name__}")
    if isinstance(host, bytes):
        host = host.decode("latin-1")
    if host == "<broadcast>" and family == AF_INET:
        return ("255.255.255.255",)
    if "\0" in host:
        raise TypeError("host name must not contain null character")
    if host == "" or _is_numeric(family, host):
        return (host,)
    found = resolve(host, None, family, _standard.SOCK_DGRAM, 0, 0)[0][4]
    return (inet_ntop(family, sockaddr(found)[1]),)


def _is_numeric(family: int, host: str) -> bool:
    try:
        inet_pton(family, host)
    except (OSError, ValueError):
        return False
    return True


# --- Resolving


def resolve(
    host: str | bytes | bytearray | None, port: int | str | None, family: int, type: int, proto: int, flags: int
) -> list[tuple[int, int, int, str, _usocket.Address]]:
    """usocket's getaddrinfo(), with CPython's spelling of host names and its exception."""
    if isinstance(host, bytearray):
        host = bytes(host)
    elif isinstance(host, str) and not host.isascii():
        host = host.encode("idna")
    if isinstance(port, int) and not 0 <= port <= 0xFFFF:
        raise OverflowError(f"getaddrinfo(): port must be 0-65535, not {port}.")
    try:
        return _usocket.getaddrinfo(host, port, family, type, proto, flags)
    except OSError as failure:
        if failure.errno is not None and failure.errno < 0:
            told = _standard.gaierror(*failure.args)
            told.strerror = failure.strerror  # with the host that was asked for
            raise told from None
        raise
