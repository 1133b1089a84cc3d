"""Addresses as CPython writes them: a tuple for each family, a path for AF_UNIX; names are resolved."""

from __future__ import annotations

import os
import socket as _standard
import struct
from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

from usocket import _usocket
from usocket._usocket import AF_INET, AF_INET6, AF_UNIX, inet_ntop, inet_pton, sockaddr

# What is returned: a tuple, a path (abstract ones as bytes), or None where the system names no sender.
Address: TypeAlias = Any


class Family(NamedTuple):
    """How an address of a family is written: struct sockaddr without the family's own two bytes, and the tuple."""

    to_tuple: Callable[[bytes], tuple[Any, ...]]
    to_bytes: Callable[[tuple[Any, ...]], bytes]


# --- Families that are a few numbers


def _numbers(layout: str, *unused: int) -> Family:
    """Of which the places in `unused` are always 0."""
    form = struct.Struct(layout)

    def to_tuple(payload: bytes) -> tuple[Any, ...]:
        fields = form.unpack(payload.ljust(form.size, b"\0")[: form.size])
        return tuple(value for place, value in enumerate(fields) if place not in unused)

    def to_bytes(address: tuple[Any, ...]) -> bytes:
        fields = [_unsigned(value) for value in address]
        for place in unused:
            fields.insert(place, 0)
        try:
            return form.pack(*fields)
        except struct.error as failure:
            raise OverflowError(f"an address of this family is {layout!r}, not {address!r}: {failure}") from None

    return Family(to_tuple, to_bytes)


def _unsigned(value: Any) -> int:
    """A number of 32 bits that may have been written as a negative one, as CPython takes VMADDR_CID_ANY."""
    if not isinstance(value, int):
        raise TypeError(f"an address of this family has int elements, not {type(value).__name__}")
    return value & 0xFFFFFFFF if value < 0 else value


# --- Families that name an interface


def _interface(index: int) -> str:
    if not index:
        return ""
    try:
        return _standard.if_indextoname(index)
    except OSError:
        return ""


def _index(name: str | bytes) -> int:
    return _standard.if_nametoindex(name if isinstance(name, str) else os.fsdecode(name)) if name else 0


def _packet_tuple(payload: bytes) -> tuple[Any, ...]:
    protocol, index, hatype, pkttype, size = struct.unpack("=HiHBB", payload[:10])
    return _interface(index), _standard.ntohs(protocol), pkttype, hatype, payload[10 : 10 + min(size, 8)]


def _packet_bytes(address: tuple[Any, ...]) -> bytes:
    name, protocol, *rest = address
    missing: tuple[Any, ...] = (0, 0, b"")
    pkttype, hatype, hardware = (*rest, *missing[len(rest) :])
    if len(hardware) > 8:
        raise ValueError("the hardware address of an AF_PACKET address has at most 8 bytes")
    if not 0 <= protocol <= 0xFFFF:
        raise OverflowError("the protocol of an AF_PACKET address is 0-65535")
    form = "=HiHBB8s"
    return struct.pack(
        form, _standard.htons(protocol), _index(name), hatype, pkttype, len(hardware), bytes(hardware).ljust(8, b"\0")
    )


# CAN_RAW and CAN_BCM have the interface alone, CAN_ISOTP two numbers besides, CAN_J1939 three.
def _can_tuple(payload: bytes) -> tuple[Any, ...]:
    return (_interface(struct.unpack_from("=xxi", payload)[0]),)


def _can_bytes(address: tuple[Any, ...]) -> bytes:
    name, *rest = address
    layout = {0: "", 2: "II", 3: "QIB"}.get(len(rest))
    if layout is None:
        raise TypeError("an AF_CAN address is (interface,), (interface, rx, tx) or (interface, name, pgn, addr)")
    return struct.pack("=xxi" + layout, _index(name), *rest).ljust(22, b"\0")


# --- The kernel's cryptography: which kind of algorithm, which one, and masks


def _algorithm_tuple(payload: bytes) -> tuple[Any, ...]:
    kind, features, mask, name = struct.unpack("=14sII64s", payload[:86].ljust(86, b"\0"))
    return os.fsdecode(kind.split(b"\0")[0]), os.fsdecode(name.split(b"\0")[0]), features, mask


def _algorithm_bytes(address: tuple[Any, ...]) -> bytes:
    if not 2 <= len(address) <= 4 or not all(isinstance(text, str) for text in address[:2]):
        raise TypeError(f"an AF_ALG address is (type, name[, feat[, mask]]), not {address!r}")
    kind, name = (text.encode() for text in address[:2])
    if len(kind) >= 14 or len(name) >= 64:
        raise ValueError("the type of an AF_ALG address has at most 13 bytes, its name at most 63")
    return struct.pack("=14sII64s", kind, *(*address[2:], 0, 0)[:2], name)


FAMILIES: dict[int, Family] = {}
for _name, _family in {
    "AF_NETLINK": _numbers("=HII", 0),  # pid, groups
    "AF_VSOCK": _numbers("=HIIxxxx", 0),  # port, cid: see below
    "AF_QIPCRTR": _numbers("=HII", 0),  # node, port
    "AF_PACKET": Family(_packet_tuple, _packet_bytes),
    "AF_CAN": Family(_can_tuple, _can_bytes),
    "AF_ALG": Family(_algorithm_tuple, _algorithm_bytes),
}.items():
    if hasattr(_standard, _name):
        FAMILIES[getattr(_standard, _name)] = _family


def _swapped(family: Family) -> Family:
    return Family(lambda payload: family.to_tuple(payload)[::-1], lambda address: family.to_bytes(address[::-1]))


if hasattr(_standard, "AF_VSOCK"):  # CPython says (cid, port)
    FAMILIES[_standard.AF_VSOCK] = _swapped(FAMILIES[_standard.AF_VSOCK])


# --- From the system, and to it


def to_tuple(native: bytes) -> Address:
    """The address as CPython shows it."""
    if not native:
        return None
    family, payload, *rest = sockaddr(native)
    if family in (AF_INET, AF_INET6):
        return (inet_ntop(family, payload), *rest)
    if family == AF_UNIX:
        return payload if payload[:1] == b"\0" else os.fsdecode(payload)
    if family in FAMILIES:
        return FAMILIES[family].to_tuple(payload)
    return family, payload


def to_native(method: str, family: int, address: Address) -> Any:
    """The address as usocket takes it. TypeError, OverflowError: CPython's, where it would raise them."""
    if _is_apart(address):
        return address
    if family == AF_UNIX:
        return _path(method, address)
    if isinstance(address, bytes) and sockaddr(address):  # as usocket has it
        return address
    if family in FAMILIES:
        if not isinstance(address, tuple):
            raise TypeError(f"{method}(): the address must be a tuple, not {type(address).__name__}")
        return struct.pack("=H", family) + FAMILIES[family].to_bytes(address)
    if family in (AF_INET, AF_INET6):
        return _internet(method, family, address)
    raise OSError(f"{method}(): unsupported address family")


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
        raise OSError("AF_UNIX path too long")
    return os.fsdecode(path)


def _internet(method: str, family: int, address: Address) -> Any:
    name = "AF_INET" if family == AF_INET else "AF_INET6"
    most = 2 if family == AF_INET else 4
    if not isinstance(address, tuple):
        raise TypeError(f"{method}(): {name} address must be tuple, not {type(address).__name__}")
    if not 2 <= len(address) <= most:
        form = "a pair (host, port)" if family == AF_INET else "a tuple (host, port[, flowinfo[, scopeid]])"
        raise TypeError(f"{name} address must be {form}, not {address!r}")
    host, port, *rest = address
    if not hasattr(port, "__index__"):
        raise TypeError(f"{method}(): the port of an address is an int, not {type(port).__name__} {port!r}")
    if not 0 <= port.__index__() <= 0xFFFF:
        raise OverflowError(f"{method}(): port must be 0-65535, not {port}.")
    if rest and not 0 <= rest[0] <= 0xFFFFF:
        raise OverflowError(f"{method}(): flowinfo must be 0-1048575, not {rest[0]}.")
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
            raise _standard.gaierror(*failure.args) from None
        raise
