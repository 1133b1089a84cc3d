"""Addresses of families other than AF_INET, AF_INET6 and AF_UNIX, as CPython writes them.

Each has a form: from struct sockaddr without the family's own two bytes, and to it. For some the protocol decides.
"""

from __future__ import annotations

import errno
import os
import re
import socket as _standard
import struct
from collections.abc import Callable
from typing import Any, NamedTuple


class Form(NamedTuple):
    """How addresses of a family are written. What is none has CPython's exceptions; a number too large is refused."""

    to_python: Callable[[bytes], Any]
    to_payload: Callable[[Any], bytes]


def form_of(family: int, socket: Any) -> Form | None:
    """That of a family; `socket`, which may be None, has a protocol. None: CPython has no form for it."""
    known = _FORMS.get(family)
    if known is None or isinstance(known, Form):
        return known
    protocol = 0 if socket is None else socket.proto
    return known.get(protocol) or known[_ANY]


# The protocol that stands for all others.
_ANY = -1
_FORMS: dict[int, Form | dict[int, Form]] = {}


def _add(name: str, form: Form) -> None:
    """If this CPython knows the family."""
    if hasattr(_standard, name):
        _FORMS[getattr(_standard, name)] = form


def _add_protocols(name: str, forms: dict[str, Form], others: Form) -> None:
    """The same for a family whose protocol decides. What has no name here, no socket has."""
    if hasattr(_standard, name):
        named = {getattr(_standard, protocol, None): form for protocol, form in forms.items()}
        _FORMS[getattr(_standard, name)] = {_ANY: others} | {
            key: form for key, form in named.items() if key is not None
        }


def _unpack(form: struct.Struct, payload: bytes) -> tuple[Any, ...]:
    """What the system has left out at the end is 0."""
    return form.unpack_from(payload.ljust(form.size, b"\0"))


def _pack(family: str, form: struct.Struct, *fields: Any) -> bytes:
    try:
        return form.pack(*fields)
    except struct.error as failure:
        raise OverflowError(f"a number of this {family} address is out of its range: {failure}") from None


def _fields(family: str, text: str, address: Any, least: int, most: int) -> tuple[Any, ...]:
    """The elements of a tuple that is written like `text`."""
    if not isinstance(address, tuple):
        raise TypeError(f"an {family} address is a tuple {text}, not {type(address).__name__} {address!r}")
    if not least <= len(address) <= most:
        raise TypeError(f"an {family} address is a tuple {text}, not {address!r}")
    return address


def _number(value: Any) -> int:
    if not hasattr(value, "__index__"):
        raise TypeError(f"the elements of this address are int, not {type(value).__name__} {value!r}")
    return int(value.__index__())


def _unsigned(value: Any) -> int:
    """A number of 32 bits that may have been written as a negative one, as CPython takes VMADDR_CID_ANY."""
    number = _number(value)
    return number & 0xFFFFFFFF if number < 0 else number


def _low_bits(count: int, value: Any) -> int:
    """Of an int of the system's: the rest is cut off, as in CPython."""
    number = _number(value)
    if not -(1 << 31) <= number < 1 << 31:
        raise OverflowError(f"{number} does not fit the system's int")
    return number & ((1 << count) - 1)


# --- Two numbers


def _pair(family: str, text: str, layout: str, *, is_swapped: bool = False) -> Form:
    form = struct.Struct(layout)
    order = slice(None, None, -1 if is_swapped else 1)

    def to_payload(address: Any) -> bytes:
        fields = [_unsigned(value) for value in _fields(family, text, address, 2, 2)]
        return _pack(family, form, *fields[order])

    return Form(lambda payload: _unpack(form, payload)[order], to_payload)


_add("AF_NETLINK", _pair("AF_NETLINK", "(pid, groups)", "=xxII"))
_add("AF_QIPCRTR", _pair("AF_QIPCRTR", "(node, port)", "=xxII"))
_add("AF_VSOCK", _pair("AF_VSOCK", "(cid, port)", "=xxII4x", is_swapped=True))


# --- Names of interfaces


def _interface(index: int) -> str:
    if not index:
        return ""
    try:
        return _standard.if_indextoname(index)
    except OSError:
        return ""


def _index(name: Any) -> int:
    """0 for the empty name, which is any."""
    if not isinstance(name, str | bytes):
        raise TypeError(f"an interface is a str, not {type(name).__name__} {name!r}")
    if not name:
        return 0
    try:
        return _standard.if_nametoindex(os.fsdecode(name))
    except OSError:
        raise OSError(errno.ENODEV, f"{os.strerror(errno.ENODEV)}: {name!r}") from None


_PACKET = struct.Struct("=HiHBB8s")
_PACKET_TEXT = "(interface, protocol[, pkttype[, hatype[, addr]]])"


def _packet_to_python(payload: bytes) -> Any:
    protocol, index, hatype, pkttype, size, hardware = _unpack(_PACKET, payload)
    return _interface(index), _standard.ntohs(protocol), pkttype, hatype, hardware[: min(size, 8)]


def _packet_to_payload(address: Any) -> bytes:
    name, protocol, *rest = _fields("AF_PACKET", _PACKET_TEXT, address, 2, 5)
    if not isinstance(name, str):
        raise TypeError(f"the interface of an AF_PACKET address is a str, not {type(name).__name__} {name!r}")
    missing: tuple[Any, ...] = (0, 0, b"")
    pkttype, hatype, hardware = (*rest, *missing[len(rest) :])
    hardware = bytes(memoryview(hardware))
    if len(hardware) > 8:
        raise ValueError("the hardware address of an AF_PACKET address has at most 8 bytes")
    if not 0 <= _unsigned(protocol) <= 0xFFFF:
        raise OverflowError(f"the protocol of an AF_PACKET address is 0-65535, not {protocol}")
    number = _standard.htons(protocol)
    fields = number, _index(name), _low_bits(16, hatype), _low_bits(8, pkttype), len(hardware), hardware
    return _pack("AF_PACKET", _PACKET, *fields)


_add("AF_PACKET", Form(_packet_to_python, _packet_to_payload))


# The interface, and what the protocol has besides. struct sockaddr_can is as long for all of them.
def _can(text: str, layout: str) -> Form:
    form = struct.Struct("=xxi" + layout)

    def to_python(payload: bytes) -> Any:
        index, *rest = _unpack(form, payload)
        return (_interface(index), *rest)

    def to_payload(address: Any) -> bytes:
        count = len(layout) + 1
        name, *rest = _fields("AF_CAN", text, address, count, count)
        return _pack("AF_CAN", form, _index(name), *map(_unsigned, rest)).ljust(22, b"\0")

    return Form(to_python, to_payload)


_add_protocols(
    "AF_CAN",
    {
        "CAN_ISOTP": _can("(interface, rx_addr, tx_addr)", "II"),
        "CAN_J1939": _can("(interface, name, pgn, addr)", "QIB"),
    },
    _can("(interface,)", ""),
)


# --- TIPC: three kinds of addresses, with a scope

_TIPC = struct.Struct("=Bb3I")
_TIPC_TEXT = "(addr_type, v1, v2, v3[, scope])"


def _tipc_to_python(payload: bytes) -> Any:
    kind, scope, *numbers = _unpack(_TIPC, payload)
    if kind == _standard.TIPC_ADDR_ID:
        reference, node, _ = numbers
        numbers = [node, reference, 0]
    elif kind == _standard.TIPC_ADDR_NAME:
        numbers[2] = numbers[1]
    elif kind != _standard.TIPC_ADDR_NAMESEQ:
        raise ValueError(f"there is no AF_TIPC address of type {kind}")
    return (kind, *numbers, scope & 0xFFFFFFFF)


def _tipc_to_payload(address: Any) -> bytes:
    fields = [_unsigned(value) for value in _fields("AF_TIPC", _TIPC_TEXT, address, 4, 5)]
    kind, first, second, third, scope = (*fields, _standard.TIPC_CLUSTER_SCOPE)[:5]
    numbers = {
        _standard.TIPC_ADDR_ID: (second, first, 0),
        _standard.TIPC_ADDR_NAME: (first, second, 0),
        _standard.TIPC_ADDR_NAMESEQ: (first, second, third),
    }.get(kind)
    if numbers is None:
        raise TypeError(f"the addr_type of an AF_TIPC address is TIPC_ADDR_ID, _NAME or _NAMESEQ, not {kind}")
    return _pack("AF_TIPC", _TIPC, kind, scope - (1 << 32) if scope >> 31 else scope, *numbers)


if hasattr(_standard, "TIPC_ADDR_ID"):
    _add("AF_TIPC", Form(_tipc_to_python, _tipc_to_payload))


# --- Bluetooth: each protocol has a form of its own

_BDADDR = re.compile("[0-9A-Fa-f]{1,2}(:[0-9A-Fa-f]{1,2}){5}")


def _device_to_python(device: bytes) -> str:
    return ":".join(f"{byte:02X}" for byte in reversed(device))


def _device_to_payload(text: str) -> bytes:
    if not _BDADDR.fullmatch(text):
        raise OSError(f"bad bluetooth address: {text!r}, not like '01:23:45:67:89:AB'")
    return bytes(int(part, 16) for part in reversed(text.split(":")))


# A device and numbers of which the last may be left out, and are then left out in what is returned, too, if they are 0.
def _bluetooth(text: str, layout: str, least: int, *, device_at: int = 0) -> Form:
    form = struct.Struct(layout)

    def to_python(payload: bytes) -> Any:
        fields = list(_unpack(form, payload))
        fields.insert(0, _device_to_python(fields.pop(device_at)))
        while len(fields) > least and not fields[-1]:
            fields.pop()
        return tuple(fields)

    def to_payload(address: Any) -> bytes:
        most = len(_unpack(form, b""))
        has_form = isinstance(address, tuple) and least <= len(address) <= most and isinstance(address[0], str)
        if not has_form or not all(hasattr(number, "__index__") for number in address[1:]):
            raise _wrong_format(text, address)
        device, *numbers = address
        numbers += [0] * (most - len(address))
        numbers.insert(device_at, _device_to_payload(device))
        return _pack("AF_BLUETOOTH", form, *numbers)

    return Form(to_python, to_payload)


def _wrong_format(text: str, address: Any) -> OSError:
    return OSError(f"wrong format: an AF_BLUETOOTH address of this protocol is {text}, not {address!r}")


_HCI = struct.Struct("=HH")


def _hci_to_python(payload: bytes) -> Any:
    device, channel = _unpack(_HCI, payload)
    return (device, channel) if channel else device


def _hci_to_payload(address: Any) -> bytes:
    fields = address if isinstance(address, tuple) else (address,)
    if not 1 <= len(fields) <= 2 or not all(hasattr(number, "__index__") for number in fields):
        raise _wrong_format("a device's number or (number[, channel])", address)
    return _pack("AF_BLUETOOTH", _HCI, *(*fields, 0)[:2])


def _sco_to_payload(address: Any) -> bytes:
    if not isinstance(address, str | bytes):
        raise _wrong_format("a str or bytes '01:23:45:67:89:AB'", address)
    return _device_to_payload(address if isinstance(address, str) else address.decode("latin-1"))


def _of_no_protocol(_: Any) -> Any:
    raise OSError("unknown Bluetooth protocol: it is one of BTPROTO_L2CAP, BTPROTO_RFCOMM, BTPROTO_HCI, BTPROTO_SCO")


_add_protocols(
    "AF_BLUETOOTH",
    {
        "BTPROTO_L2CAP": _bluetooth("(bdaddr, psm[, cid[, bdaddr_type]])", "=H6sHBx", 2, device_at=1),
        "BTPROTO_RFCOMM": _bluetooth("(bdaddr, channel)", "=6sBx", 2),
        "BTPROTO_HCI": Form(_hci_to_python, _hci_to_payload),
        "BTPROTO_SCO": Form(lambda payload: _device_to_python(payload[:6].ljust(6, b"\0")), _sco_to_payload),
    },
    Form(_of_no_protocol, _of_no_protocol),
)


# --- The kernel's cryptography: which kind of algorithm, which one, and masks

_ALGORITHM = struct.Struct("=14sII64s")
_ALGORITHM_TEXT = "(type, name[, feat[, mask]])"


def _algorithm_to_python(payload: bytes) -> Any:
    kind, features, mask, name = _unpack(_ALGORITHM, payload)
    return os.fsdecode(kind.split(b"\0")[0]), os.fsdecode(name.split(b"\0")[0]), features, mask


def _algorithm_to_payload(address: Any) -> bytes:
    fields = _fields("AF_ALG", _ALGORITHM_TEXT, address, 2, 4)
    if not all(isinstance(text, str) for text in fields[:2]):
        raise TypeError(f"the type and name of an AF_ALG address are str, not {address!r}")
    kind, name = (text.encode() for text in fields[:2])
    if len(kind) >= 14 or len(name) >= 64:
        raise ValueError("the type of an AF_ALG address has at most 13 bytes, its name at most 63")
    features, mask = map(_unsigned, (*fields[2:], 0, 0)[:2])
    return _pack("AF_ALG", _ALGORITHM, kind, features, mask, name)


_add("AF_ALG", Form(_algorithm_to_python, _algorithm_to_payload))
