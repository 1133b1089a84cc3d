"""COMPAT-1, ADDR-8: addresses of the families that few kernels have, as CPython's own socket writes and reads them.

A shim lets the system make sockets of any family, and remember what they are bound to: so both modules say what they
would have told it.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import socket as standard
import struct
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import pytest
import usocket
from hypothesis import example, given, settings
from hypothesis import strategies as st
from python_support import preloaded, run_python
from usocket import compat
from usocket.compat import addresses

# A family, a protocol and an address, as a program would write them.
Case: TypeAlias = tuple[str, str, str]
Asking: TypeAlias = Callable[[Case], list[Any]]

SHIM = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <string.h>
#include <sys/socket.h>

enum { most = 1024 };
static struct { int family, protocol; socklen_t size; struct sockaddr_storage address; } known[most];

int socket(int family, int type, int protocol) {
    int (*real)(int, int, int) = dlsym(RTLD_NEXT, "socket");
    int fd = real(AF_UNIX, SOCK_DGRAM | (type & SOCK_CLOEXEC), 0);
    if (fd >= 0 && fd < most) {
        memset(&known[fd], 0, sizeof known[fd]);
        known[fd].family = family;
        known[fd].protocol = protocol;
    }
    return fd;
}

int bind(int fd, const struct sockaddr *address, socklen_t size) {
    memcpy(&known[fd].address, address, size);
    known[fd].size = size;
    return 0;
}

int getsockname(int fd, struct sockaddr *address, socklen_t *size) {
    memcpy(address, &known[fd].address, *size < known[fd].size ? *size : known[fd].size);
    *size = known[fd].size;
    return 0;
}

int getsockopt(int fd, int level, int name, void *value, socklen_t *size) {
    int (*real)(int, int, int, void *, socklen_t *) = dlsym(RTLD_NEXT, "getsockopt");
    int is_known = fd < most && known[fd].family && level == SOL_SOCKET && *size == sizeof(int);
    if (!is_known || (name != SO_DOMAIN && name != SO_PROTOCOL)) return real(fd, level, name, value, size);
    *(int *)value = name == SO_DOMAIN ? known[fd].family : known[fd].protocol;
    return 0;
}
"""

# In a process of its own: what a module tells the system of an address, and what it makes of that again.
SCRIPT = r"""
import ctypes, socket, sys
from usocket import compat

libc = ctypes.CDLL(None)


def told(fd):
    memory, size = ctypes.create_string_buffer(128), ctypes.c_int(128)
    libc.getsockname(fd, memory, ctypes.byref(size))
    return memory.raw[: size.value]


def outcome(module, family, protocol, address):
    with module.socket(family, socket.SOCK_SEQPACKET, protocol) as one:
        try:
            one.bind(address)
            native = told(one.fileno())
            return native, one.getsockname()
        except Exception as failure:
            return type(failure).__name__, isinstance(failure, OSError)


for case in sys.argv[1:]:
    print(repr([outcome(module, *eval(case, {"socket": socket})) for module in (socket, compat)]))
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory: pytest.TempPathFactory) -> str:
    return preloaded(SHIM, tmp_path_factory.mktemp("families"))


@functools.cache
def find_interpreter(name: str) -> str | None:
    """This one, or another of its version whose socket has the constant: not all were built with Bluetooth."""
    major, minor = sys.version_info[:2]
    for python in (sys.executable, f"/usr/bin/python{major}.{minor}"):
        asked = [python, "-c", f"import socket; socket.{name}"]
        if Path(python).exists() and subprocess.run(asked, capture_output=True).returncode == 0:
            return python
    return None


@pytest.fixture(scope="module")
def ask(shim: str) -> Callable[[Case], list[Any]]:
    """What CPython's module and ours make of a case. All cases of an interpreter are one process."""
    answers: dict[Case, list[Any]] = {}

    def answer(case: Case) -> list[Any]:
        python = find_interpreter(case[0])
        if python is None:
            pytest.skip(f"this CPython knows no {case[0]}")
        if case not in answers:
            cases = [other for other in (*RIGHT, *WRONG, *NEWER) if find_interpreter(other[0]) == python]
            done = subprocess.run(
                [
                    python,
                    "-c",
                    SCRIPT,
                    *(f"(socket.{family}, {protocol}, {address})" for family, protocol, address in cases),
                ],
                env={**os.environ, "LD_PRELOAD": shim, "PYTHONPATH": str(Path(usocket.__file__).parent.parent)},
                capture_output=True,
                text=True,
                timeout=60,
            )
            assert done.returncode == 0, done.stderr
            answers.update(zip(cases, map(eval, done.stdout.splitlines()), strict=True))
        return answers[case]

    return answer


def meant(case: Case, native: bytes) -> bytes:
    """What means something in it: an older CPython leaves in the rest what lay in its memory."""
    family, protocol, _ = case
    size = len(native)
    if family == "AF_PACKET":
        return native[: 12 + native[11]].ljust(size, b"\0")
    if family in ("AF_NETLINK", "AF_VSOCK", "AF_QIPCRTR", "AF_CAN"):
        native = native[:2] + bytes(2) + native[4:]
    return native[:8].ljust(size, b"\0") if protocol in ("socket.CAN_RAW", "socket.CAN_BCM") else native


RIGHT = [
    ("AF_NETLINK", "0", "(7, 0x80000001)"),
    ("AF_VSOCK", "0", "(socket.VMADDR_CID_ANY, 1234)"),
    ("AF_QIPCRTR", "0", "(1, 0xFFFFFFFE)"),
    ("AF_RDS", "0", "('127.0.0.1', 4000)"),
    ("AF_PACKET", "0", "('lo', 0x0800)"),
    ("AF_PACKET", "0", "('lo', 0x0800, 2, 3, b'abcdef')"),
    ("AF_PACKET", "0", "('lo', 0, 256)"),
    ("AF_PACKET", "0", "('lo', 0, -1, 70000)"),
    ("AF_CAN", "socket.CAN_RAW", "('lo',)"),
    ("AF_CAN", "socket.CAN_BCM", "('',)"),
    ("AF_CAN", "socket.CAN_ISOTP", "('lo', 0x123, 0x456)"),
    ("AF_CAN", "socket.CAN_J1939", "('lo', 1 << 63, 0x40000, 0xFF)"),
    ("AF_TIPC", "0", "(socket.TIPC_ADDR_NAMESEQ, 18888, 1, 5)"),
    ("AF_TIPC", "0", "(socket.TIPC_ADDR_NAMESEQ, 18888, 1, 5, socket.TIPC_NODE_SCOPE)"),
    ("AF_TIPC", "0", "(socket.TIPC_ADDR_NAME, 18888, 17, 0)"),
    ("AF_TIPC", "0", "(socket.TIPC_ADDR_ID, 0x01001001, 77, 0)"),
    ("AF_TIPC", "0", "(socket.TIPC_ADDR_ID, 1, 2, 3, 0xFFFFFFFF)"),
    ("AF_ALG", "0", "('skcipher', 'cbc(aes)')"),
    ("AF_ALG", "0", "('hash', 'sha256', 1, 2)"),
    ("AF_BLUETOOTH", "socket.BTPROTO_L2CAP", "('01:23:45:67:89:AB', 4099)"),
    ("AF_BLUETOOTH", "socket.BTPROTO_RFCOMM", "('01:23:45:67:89:ab', 30)"),
    ("AF_BLUETOOTH", "socket.BTPROTO_RFCOMM", "(socket.BDADDR_ANY, 0)"),
    ("AF_BLUETOOTH", "socket.BTPROTO_HCI", "(1,)"),
    ("AF_BLUETOOTH", "socket.BTPROTO_SCO", "b'01:23:45:67:89:AB'"),
]


@pytest.mark.parametrize("case", RIGHT, ids=str)
def test_compat_1_what_the_system_is_told_and_tells(ask: Asking, case: Case) -> None:
    theirs, ours = ask(case)
    assert isinstance(theirs[0], bytes), theirs
    assert (meant(case, ours[0]), ours[1]) == (meant(case, theirs[0]), theirs[1])


WRONG = [
    ("AF_NETLINK", "0", "b'x'"),
    ("AF_NETLINK", "0", "(0,) * 3"),
    ("AF_VSOCK", "0", "(1, 2, 3)"),
    ("AF_PACKET", "0", "(b'lo', 0)"),
    ("AF_PACKET", "0", "('lo', 0, 'x')"),
    ("AF_PACKET", "0", "('lo', 0, 0, 1 << 31)"),
    ("AF_NETLINK", "0", "(7,)"),
    ("AF_NETLINK", "0", "7"),
    ("AF_QIPCRTR", "0", "(1, 'x')"),
    ("AF_QIPCRTR", "0", "[1, 2]"),
    ("AF_PACKET", "0", "('no such interface', 0)"),
    ("AF_PACKET", "0", "('lo', 70000)"),
    ("AF_PACKET", "0", "('lo', 0, 0, 0, bytes(9))"),
    ("AF_PACKET", "0", "('lo',)"),
    ("AF_CAN", "socket.CAN_RAW", "'lo'"),
    ("AF_CAN", "socket.CAN_RAW", "('no such one',)"),
    ("AF_CAN", "socket.CAN_RAW", "('lo', 1, 2)"),
    ("AF_CAN", "socket.CAN_ISOTP", "('lo',)"),
    ("AF_TIPC", "0", "(socket.TIPC_ADDR_NAME, 1, 2)"),
    ("AF_TIPC", "0", "(9, 1, 2, 3)"),
    ("AF_TIPC", "0", "'name'"),
    ("AF_ALG", "0", "('s' * 14, 'n')"),
    ("AF_ALG", "0", "('s',)"),
    ("AF_BLUETOOTH", "socket.BTPROTO_L2CAP", "('01:23:45:67:89:AB',)"),
    ("AF_BLUETOOTH", "socket.BTPROTO_L2CAP", "('not a device', 1)"),
    ("AF_BLUETOOTH", "socket.BTPROTO_RFCOMM", "('01:23:45:67:89:AB', 'x')"),
    ("AF_BLUETOOTH", "socket.BTPROTO_HCI", "('x',)"),
    ("AF_BLUETOOTH", "socket.BTPROTO_SCO", "7"),
    ("AF_BLUETOOTH", "77", "('01:23:45:67:89:AB', 1)"),
    ("AF_APPLETALK", "0", "(1, 2)"),
]


@pytest.mark.parametrize("case", WRONG, ids=str)
def test_compat_1_the_class_of_the_error(ask: Asking, case: Case) -> None:
    theirs, ours = ask(case)
    assert isinstance(theirs[0], str), theirs
    assert ours == theirs


# What CPython takes and gives from 3.14 on: struct sockaddr_l2, _hci and _sco of the kernel's net/bluetooth.
NEWER = {
    ("AF_BLUETOOTH", "socket.BTPROTO_L2CAP", "('01:23:45:67:89:AB', 0, 4, 1)"): "0000ab8967452301040001",
    ("AF_BLUETOOTH", "socket.BTPROTO_L2CAP", "('01:23:45:67:89:AB', 1, 2)"): "0100ab8967452301020000",
    ("AF_BLUETOOTH", "socket.BTPROTO_HCI", "(1, 3)"): "01000300",
    ("AF_BLUETOOTH", "socket.BTPROTO_HCI", "1"): "01000000",
    ("AF_BLUETOOTH", "socket.BTPROTO_SCO", "'01:23:45:67:89:AB'"): "ab8967452301",
}


@pytest.mark.skipif(sys.byteorder != "little", reason="the numbers are written as a little machine has them")
@pytest.mark.parametrize("case", NEWER, ids=str)
def test_compat_1_newer_forms(ask: Asking, case: Case) -> None:
    _, (native, back) = ask(case)
    assert native.hex()[4:].startswith(NEWER[case])
    assert back == eval(case[2])


@pytest.mark.skipif(not hasattr(standard, "AF_NETLINK"), reason="no AF_NETLINK here")
def test_addr_8_the_kernel_itself_takes_and_gives_them() -> None:
    """Without the shim, by the families that this kernel has."""
    told = []
    for module in (standard, compat):
        with module.socket(module.AF_NETLINK, module.SOCK_RAW, 0) as one:
            one.bind((0, 0))
            pid, groups = one.getsockname()
            told.append((pid != 0, groups))
    assert told == [(True, 0)] * 2


@pytest.mark.parametrize("module", ["usocket", "usocket.compat"])
def test_sock_1_a_protocol_has_16_bits(shim: str, module: str) -> None:
    """Of Ethernet's packets it is their type. With the shim, as packets are not for everybody."""
    run_python(
        f"import {module} as module\n"
        "for proto in (0, 3, 4094, 4095, 4096, 56710, 65535):\n"
        "    with module.socket(17, 3, proto) as one, one.dup() as other:\n"
        "        assert one.proto == proto == other.proto, (one, proto)\n"
        "        assert (one.family, one.type, f'proto={proto}' in repr(one)) == (17, 3, True), one\n",
        LD_PRELOAD=shim,
    )


# --- Whatever is given as an address

NUMBERS = st.integers(-1, 9) | st.sampled_from([1 << 8, 1 << 16, 1 << 20, 1 << 31, 1 << 32, 1 << 63, -(1 << 31)])
TEXTS = st.sampled_from(["", "lo", "::1", "127.0.0.1", "01:23:45:67:89:AB", "hash", "\ud800", "a\0b"])
ELEMENTS = NUMBERS | st.integers() | TEXTS | st.binary() | st.sampled_from([None, 1.5])
TUPLES = st.lists(ELEMENTS, max_size=6).map(tuple)
NUMBERED = st.builds(lambda text, numbers: (text, *numbers), TEXTS, st.lists(NUMBERS, min_size=1, max_size=3))
ADDRESSES = NUMBERED | st.lists(NUMBERS, max_size=5).map(tuple) | TUPLES | ELEMENTS | st.lists(ELEMENTS, max_size=2)
FAMILIES = ["INET", "INET6", "UNIX", "NETLINK", "PACKET", "VSOCK", "CAN", "TIPC", "QIPCRTR", "RDS", "ALG", "BLUETOOTH"]
NUMBERS_OF_FAMILIES = [number for name in FAMILIES if (number := getattr(standard, "AF_" + name, None)) is not None]


class OfProtocol(NamedTuple):
    """What a form asks of a socket."""

    proto: int


@pytest.mark.parametrize("family", NUMBERS_OF_FAMILIES)
@settings(max_examples=500, deadline=None)
@given(proto=st.integers(0, 7), address=ADDRESSES)
@example(proto=0, address=("::1", 0, 1, 1 << 32))
def test_compat_1_no_address_has_an_error_of_its_own_kind(family: int, proto: int, address: Any) -> None:
    def unresolved(*_: Any) -> Any:
        raise standard.gaierror(standard.EAI_NONAME, "nobody is asked")

    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(OSError, TypeError, ValueError, OverflowError):
        patch.setattr(addresses, "resolve", unresolved)
        addresses.to_native("bind", family, address, OfProtocol(proto))


@pytest.mark.parametrize("address", [b"x", b"127.0.0.1", bytes(16)])
def test_compat_1_bytes_are_no_address_of_af_inet(address: bytes) -> None:
    for module in (standard, compat):
        with module.socket(module.AF_INET, module.SOCK_DGRAM) as one, pytest.raises(TypeError):
            one.connect(address)


# --- Packets of an interface: the kernel refuses flags and lengths that others take

ETHERTYPE = 0x88B5  # for experiments (IEEE 802)
FRAME = bytes(12) + ETHERTYPE.to_bytes(2, "big") + b"hello"


def packet_socket(module: Any) -> Any:
    try:
        return module.socket(module.AF_PACKET, module.SOCK_RAW, standard.htons(ETHERTYPE))
    except (AttributeError, PermissionError) as failure:
        pytest.skip(f"no packets here: {failure}")


def lo(module: Any) -> Any:
    if module is not usocket:
        return "lo", ETHERTYPE
    return usocket.AF_PACKET, struct.pack(
        "=HiHBB8s", standard.htons(ETHERTYPE), standard.if_nametoindex("lo"), 0, 0, 0, b""
    )


@pytest.mark.parametrize("module", [standard, compat, usocket])
def test_sock_10_messages_of_a_family_that_brings_no_descriptors(module: Any) -> None:
    with packet_socket(module) as one:
        one.settimeout(10)
        one.bind(lo(module))
        one.sendto(FRAME, lo(module))
        data, ancdata, flags, _ = one.recvmsg(100, 100)
        assert (data, ancdata, flags) == (FRAME, [], 0)
        one.sendto(FRAME, lo(module))
        buffer = bytearray(100)
        assert one.recvmsg_into([buffer])[0] == len(FRAME)


@pytest.mark.parametrize("take", [lambda native: native, usocket.sockaddr], ids=["opaque", "apart"])
def test_addr_8_what_a_packet_socket_is_bound_to_is_an_address(take: Callable[[bytes], Any]) -> None:
    with packet_socket(usocket) as one, packet_socket(usocket) as other:
        one.bind(lo(usocket))
        one.settimeout(10)
        other.bind(take(one.getsockname()))
        assert other.getsockname() == one.getsockname()
        assert other.sendto(FRAME, take(one.getsockname())) == len(FRAME)
        _, sender = one.recvfrom(100)
        assert other.sendto(FRAME, take(sender)) == len(FRAME)


REFUSES_ONCE = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <sys/socket.h>

ssize_t recvmsg(int fd, struct msghdr *message, int flags) {
    static int calls;
    if (calls++ == 0) return errno = EINVAL, -1;
    ssize_t (*real)(int, struct msghdr *, int) = dlsym(RTLD_NEXT, "recvmsg");
    return real(fd, message, flags);
}
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there is no such flag")
def test_sock_2_descriptors_come_closed_on_exec_or_not_at_all(tmp_path: Path) -> None:
    """A socket of AF_UNIX that says EINVAL, as one that is not connected yet, is not asked without the flag."""
    script = """
from usocket import compat
one, other = compat.socketpair()
compat.send_fds(one, [b"x"], [0])
try:
    print(compat.recv_fds(other, 1, 1))
except OSError as failure:
    print(failure.errno)
"""
    environment = {**os.environ, "LD_PRELOAD": preloaded(REFUSES_ONCE, tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, timeout=60)
    assert done.stdout == f"{errno.EINVAL}\n", done.stderr
