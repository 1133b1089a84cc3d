"""SOCK-1, SOCK-6, ADDR-3: every public function and method, called with every wrong type and with values at and past
each bound: a clear exception each time, never a crash, and no descriptor and no memory is lost."""

from __future__ import annotations

import contextlib
import functools
import gc
import os
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import uselect
import usocket
import ussl
from python_support import Caller, descriptors, make_pair, run_python
from usocket import AF_INET, AF_UNIX, SOCK_DGRAM, SOCK_STREAM, compat

# --- What an argument can be: what it takes, what it must refuse as a TypeError, what lies at and past its bounds


class Kind:
    def __init__(self, good: Any, wrong: list[Any], bounds: list[Any] | None = None) -> None:
        self.good, self.wrong, self.bounds = good, wrong, bounds or []


class Raises:
    """Has every special method, and none works."""

    def __index__(self) -> int:
        raise ZeroDivisionError

    def __float__(self) -> float:
        raise ZeroDivisionError

    def __bool__(self) -> bool:
        raise ZeroDivisionError

    def fileno(self) -> int:
        raise ZeroDivisionError


class NotAnInt:
    def __index__(self) -> str:
        return "1"

    fileno = __index__


def strange() -> list[Any]:
    return [object(), [], {}, set(), 1j, ..., type, len, lambda: 0, NotAnInt(), range(3), usocket, float]


NUMBERS = [
    0,
    1,
    -1,
    2**15,
    2**16 - 1,
    2**16,
    2**31 - 1,
    2**31,
    -(2**31),
    -(2**31) - 1,
    2**32,
    2**63 - 1,
    2**63,
    -(2**63) - 1,
    10**30,
]
STRIDED = memoryview(bytearray(8))[::2]

INT = Kind(0, [None, 1.5, "1", b"1", (), *strange()], NUMBERS)
SIZE = Kind(4, INT.wrong, NUMBERS)
OPTIONAL_INT = Kind(4, [wrong for wrong in INT.wrong if wrong is not None], [None, *NUMBERS])
NUMBER = Kind(
    0, ["1", b"1", (), *strange()], [None, 0.0, -0.0, 1e-9, -1.0, float("nan"), float("inf"), 1e300, *NUMBERS]
)
READABLE = Kind(b"data", [None, 1, 1.5, "str", (), STRIDED, *strange()], [b"", bytearray(3), memoryview(b"xyz")])
SENDABLE = Kind(
    b"data", [wrong for wrong in READABLE.wrong if wrong != "str"], [*READABLE.bounds, "", "text", "\udc80"]
)
WRITABLE = Kind(bytearray(8), [None, 1, "str", b"bytes", (), memoryview(b"x"), STRIDED, *strange()], [bytearray()])
ADDRESS = Kind(
    ("127.0.0.1", 9),
    [None, 1, 1.5, [], ("127.0.0.1", "9"), ("127.0.0.1", None), (None, 9), (1, 2), ([], 9), *strange()],
    [b"", b"x", bytes(200), (), ("127.0.0.1",), ("127.0.0.1", -1), ("127.0.0.1", 2**16), ("127.0.0.1", 10**30)]
    + [("127.0.0.1", 9, 0, 0), ("", 0), ("x" * 1000, 9), ("\0", 9), ("\udc80", 9), "path", "\0" * 200, "x" * 200],
)
OPTIONAL_ADDRESS = Kind(ADDRESS.good, [wrong for wrong in ADDRESS.wrong if wrong is not None], [None, *ADDRESS.bounds])
# A tuple of whatever is no address for AF_UNIX.
UNIX_ADDRESS = Kind(
    "\0usocket-test",
    [wrong for wrong in ADDRESS.wrong if not isinstance(wrong, tuple)],
    [*ADDRESS.bounds, *(wrong for wrong in ADDRESS.wrong if isinstance(wrong, tuple)), ADDRESS.good],
)
OPTIONAL_UNIX_ADDRESS = Kind("\0x", [wrong for wrong in UNIX_ADDRESS.wrong if wrong is not None], [None])
HOST = Kind("127.0.0.1", [1, 1.5, (), *strange()], [None, "", b"", b"127.0.0.1", "\0", "x" * 1025, b"\xff\0", "\udc80"])
PORT = Kind(9, [1.5, b"9", (), *strange()], [None, "", "9", "no-such-service", "\0", "\udc80", *NUMBERS])
FAMILY = Kind(AF_INET, INT.wrong, NUMBERS)
TEXT = Kind("1.2.3.4", [None, 1, b"1.2.3.4", (), *strange()], ["", "x", "\0", "\udc80", "1" * 10_000])
PACKED = Kind(bytes(4), READABLE.wrong, [b"", bytes(3), bytes(16), bytes(10_000)])
NATIVE = Kind(usocket.getaddrinfo("127.0.0.1", 9)[0][4], READABLE.wrong, [b"", b"x", bytes(128), bytes(129)])
MODE = Kind("rb", [None, 1, b"rb", (), *strange()], ["", "wb", "rwb", "r", "rb\0", "\udc80", "x" * 10_000])
BUFFERING = OPTIONAL_INT
TRUTH = Kind(True, [Raises()], [None, "", [1], 0])
OPTION = Kind(1, [None, 1.5, "1", (), *strange()], [*NUMBERS, b"", bytes(4), bytes(10_000)])
BUFFERS = Kind(
    [b"a", b"b"], [None, 1, [1], ["x", 1], object(), ...], [[], [b""], (b"x",), iter([b"x"]), ["x", b"x"], "xy"]
)
ANCDATA = Kind(
    (), [None, 1, ["x"], [(1, 2)], [("x", 2, b"")], [(1, 2, "x")], object()], [[], [(1, 1, b"")], [(0, 0, bytes(9))]]
)
SPACES = Kind([bytearray(4), bytearray(4)], [None, 1, [1], [b"x"], ["x"], object()], [[], [bytearray()]])
FILE = Kind(Path(__file__).open("rb"), [None, "x", 1.5, (), object()], [0, 2**31 - 1])
OBJECT = Kind(None, [], [])  # anything goes
THROW = Kind(False, [], [True, "x", 1.5, None])  # any object is true or false
MASK = Kind(1, INT.wrong, NUMBERS)
POLLED = Kind(0, [None, "x", 1.5, (), NotAnInt(), *strange()], [-1, 2**31, 10**30])

Signature = tuple[Kind, ...]
Kinds = dict[Kind, Kind]

SOCKET: dict[str, Signature] = {
    "bind": (ADDRESS,),
    "connect": (ADDRESS,),
    "listen": (OPTIONAL_INT,),
    "accept": (),
    "shutdown": (INT,),
    "close": (),
    "send": (SENDABLE, INT),
    "sendall": (SENDABLE, INT),
    "sendto": (SENDABLE, INT, ADDRESS),
    "sendmsg": (BUFFERS, ANCDATA, INT, OPTIONAL_ADDRESS),
    "recv": (SIZE, INT),
    "recvfrom": (SIZE, INT),
    "recv_into": (WRITABLE, SIZE, INT),
    "recvfrom_into": (WRITABLE, SIZE, INT),
    "recvmsg": (SIZE, Kind(4, SIZE.wrong, [0, 100, -1, 10**30]), INT),
    "recvmsg_into": (SPACES, Kind(4, SIZE.wrong, [0, 100, -1, 10**30]), INT),
    "sendfile": (FILE, SIZE, OPTIONAL_INT),
    "read": (OPTIONAL_INT,),
    "read1": (OPTIONAL_INT,),
    "readinto": (WRITABLE, OPTIONAL_INT),
    "readline": (OPTIONAL_INT,),
    "write": (SENDABLE, SIZE, OPTIONAL_INT),
    "makefile": (MODE, BUFFERING),
    "readable": (),
    "writable": (),
    "seekable": (),
    "flush": (),
    "settimeout": (NUMBER,),
    "gettimeout": (),
    "setblocking": (TRUTH,),
    "getblocking": (),
    "setsockopt": (INT, INT, OPTION),
    "_setsockopt_null": (INT, INT, SIZE),
    "getsockopt": (INT, INT, SIZE),
    "getsockname": (),
    "getpeername": (),
    "fileno": (),
    "detach": (),
    "dup": (),
    "do_handshake": (),
    "version": (),
    "cipher": (),
    "selected_alpn_protocol": (),
    "getpeercert": (TRUTH,),
    "tls_session": (),
    "session_reused": (),
    "_accept": (),
    "_hand_over": (Kind(os.close, [None, 1, "x"]),),
    "_accept_as": (Kind(usocket.socket, [None, 1, "x", int, object, usocket, type]),),
    "_dup_as": (Kind(usocket.socket, [None, 1, "x", int, object, usocket, type]),),
}
OF_UNIX = {ADDRESS: UNIX_ADDRESS, OPTIONAL_ADDRESS: OPTIONAL_UNIX_ADDRESS}
OF_COMPAT = {SENDABLE: READABLE, BUFFERS: Kind(BUFFERS.good, [*BUFFERS.wrong, ["x", b"x"], "xy"], [[], [b""]])}


def signatures(*replaced: Kinds) -> Iterator[tuple[str, Signature]]:
    """Those of the socket's methods, with some kinds of arguments in the place of others."""
    kinds = {old: new for one in replaced for old, new in one.items()}
    for name, signature in SOCKET.items():
        yield name, tuple(kinds.get(kind, kind) for kind in signature)


PROPERTIES = {"_is_wrapped", "closed", "family", "type", "proto"}
SETTINGS = {"_takes_str", "_skips_empty", "_shows"}  # of a class
NAME = Kind("localhost", [1, 1.5, (), STRIDED, *strange()], [None, "", b"x", "x" * 256, "a\0b", ".x", "\udc80", "\xfc"])
SESSION = Kind(b"", NAME.wrong, [None, b"x", bytes(10_000)])
A_SOCKET = Kind(usocket.socket(), [None, 1, "x", object(), usocket.socket], [usocket.socket(AF_INET, SOCK_DGRAM)])
POLL: dict[str, Signature] = {
    "register": (POLLED, MASK, OBJECT),
    "_register_weakly": (A_SOCKET, MASK),
    "unregister": (OBJECT, THROW),
    "modify": (OBJECT, MASK),
    "poll": (NUMBER,),
    "ipoll": (NUMBER, INT),
}
CONTEXT: dict[str, Signature] = {
    "set_cert_key": (READABLE, READABLE),
    "load_verify_locations": (READABLE,),
    "set_cert_reqs": (INT,),
    "set_alpn_protocols": (Kind("h2", NAME.wrong, [None, "", b"x", "x" * 256, ",", "a,b", "\udc80"]),),
    "wrap": (A_SOCKET, TRUTH, NAME, TRUTH, SESSION),
}
FUNCTIONS: dict[str, Signature] = {
    "socket": (FAMILY, Kind(SOCK_STREAM, INT.wrong, NUMBERS), INT),
    "socketpair": (Kind(AF_UNIX, INT.wrong, NUMBERS), Kind(SOCK_STREAM, INT.wrong, NUMBERS), INT),
    "getaddrinfo": (HOST, PORT, FAMILY, INT, INT, Kind(usocket.AI_NUMERICHOST, INT.wrong, NUMBERS)),
    "inet_ntop": (FAMILY, PACKED),
    "inet_pton": (FAMILY, TEXT),
    "sockaddr": (NATIVE,),
}

# --- Calls

# What a call may end in when an argument is of the right type: it depends on the system and the state.
FAILURES = (ValueError, OSError, KeyError, MemoryError, ZeroDivisionError, NotImplementedError)


def close_all(thing: Any) -> None:
    """Closes what a call has made."""
    if isinstance(thing, usocket.socket):
        thing.close()
    elif isinstance(thing, tuple | list):
        for one in thing:
            close_all(one)


@contextlib.contextmanager
def a_socket(cls: type[usocket.socket]) -> Iterator[usocket.socket]:
    one, other = usocket.socketpair(AF_UNIX, SOCK_STREAM)
    with other, cls(fileno=one.detach()) as socket:
        socket.settimeout(0)
        other.send(b"something\n")
        yield socket


@contextlib.contextmanager
def an_inet_socket(cls: type[usocket.socket]) -> Iterator[usocket.socket]:
    with cls(AF_INET, SOCK_DGRAM) as socket:
        socket.settimeout(0)
        yield socket


@contextlib.contextmanager
def a_poll(_: object = None) -> Iterator[uselect.poll]:
    poll = uselect.poll()
    one, other = usocket.socketpair()
    with one, other:
        poll.register(one)  # is ready: no call waits
        yield poll


@contextlib.contextmanager
def a_context(_: object = None) -> Iterator[Any]:
    yield ussl.SSLContext()._context


@contextlib.contextmanager
def the_module(module: Any) -> Iterator[Any]:
    yield module


Place = tuple[Callable[[Any], contextlib.AbstractContextManager[Any]], Any]


def attempts(signature: Signature) -> Iterator[tuple[tuple[Any, ...], bool]]:
    """The arguments of each call, and whether one of them is of a wrong type."""
    good = [kind.good for kind in signature]
    for position, kind in enumerate(signature):
        for values, is_wrong in ((kind.wrong, True), (kind.bounds, False)):
            for value in values:
                yield (*good[:position], value, *good[position + 1 :]), is_wrong
    yield tuple(good), False


def function_of(target: Any, name: str) -> Callable[..., Any]:
    """A socket of usocket.compat shows the methods of TLS once it has TLS, and has them before."""
    shown = getattr(target, name, None)
    return shown if shown is not None else functools.partial(getattr(type(target), name), target)


def attempt(place: Place, name: str, arguments: tuple[Any, ...], is_wrong: bool) -> None:
    make, argument = place
    with make(argument) as target:
        function = function_of(target, name)
        if name in ("detach", "close"):
            target.close()
        # CPython's own types of exceptions, which come before and beside ours.
        others: tuple[type[Exception], ...] = (OverflowError,) if name == "sendfile" else ()
        if argument in (compat, compat.socket):
            others = (TypeError, ValueError, OverflowError, BufferError)
        if is_wrong:
            with pytest.raises((TypeError, ZeroDivisionError, *others)):
                close_all(function(*arguments))
        else:
            with contextlib.suppress(*FAILURES, *others):
                close_all(function(*arguments))


@contextlib.contextmanager
def nothing_lost() -> Iterator[None]:
    """Descriptors and traced memory are the same before and after."""
    gc.collect()
    before = descriptors()
    tracemalloc.start()
    try:
        memory = tracemalloc.get_traced_memory()[0]
        yield
        gc.collect()
        assert tracemalloc.get_traced_memory()[0] - memory < 64 * 1024
    finally:
        tracemalloc.stop()
    assert descriptors() == before


CASES: list[Any] = [
    *(
        pytest.param((make, cls), name, signature, id=f"{module} {family} {name}")
        for module, cls, of_class in (("usocket", usocket.socket, Kinds()), ("compat", compat.socket, OF_COMPAT))
        for family, make, of_family in (("unix", a_socket, OF_UNIX), ("inet", an_inet_socket, Kinds()))
        for name, signature in signatures(of_class, of_family)
    ),
    *(pytest.param((a_poll, None), name, signature, id=f"poll {name}") for name, signature in POLL.items()),
    *(pytest.param((a_context, None), name, signature, id=f"context {name}") for name, signature in CONTEXT.items()),
    *(
        pytest.param((the_module, module), name, signature, id=f"{module.__name__} {name}")
        for module in (usocket, compat)
        for name, signature in FUNCTIONS.items()
    ),
]


def is_fine_in_compat(place: Place, name: str, arguments: tuple[Any, ...]) -> bool:
    """What CPython's own socket takes although usocket does not."""
    if place[1] not in (compat, compat.socket):
        return False
    return (
        name == "makefile"
        or (name, arguments[0]) == ("socketpair", None)
        or (name, arguments[1:2]) == ("getaddrinfo", (b"9",))
    )


@pytest.mark.parametrize(("place", "name", "signature"), CASES)
def test_sock_1_every_argument_of_every_type(
    place: Place, name: str, signature: Signature, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where the paths of AF_UNIX end up
    calls = [
        (arguments, is_wrong and not is_fine_in_compat(place, name, arguments))
        for arguments, is_wrong in attempts(signature)
    ]
    for arguments, is_wrong in calls:
        attempt(place, name, arguments, is_wrong)
    with nothing_lost():
        for _ in range(3):
            for arguments, is_wrong in calls:
                attempt(place, name, arguments, is_wrong)


@pytest.mark.parametrize(("place", "name", "signature"), CASES)
def test_sock_1_every_number_of_arguments(place: Place, name: str, signature: Signature) -> None:
    """Too many, and a keyword that nobody knows."""
    make, argument = place
    good = [kind.good for kind in signature]
    with make(argument) as target, pytest.raises(TypeError):
        function_of(target, name)(*good, *[0] * 3)
    with make(argument) as target, pytest.raises(TypeError):
        function_of(target, name)(*good, no_such_keyword=1)


REQUIRED = {"bind", "connect", "shutdown", "send", "sendall", "sendto", "sendmsg", "recv", "recvfrom", "recv_into"}
REQUIRED |= {"recvfrom_into", "readinto", "write", "settimeout", "setblocking", "setsockopt", "getsockopt"}


@pytest.mark.parametrize("name", sorted(REQUIRED))
@pytest.mark.parametrize("cls", [usocket.socket, compat.socket])
def test_sock_1_too_few_arguments(cls: type[usocket.socket], name: str) -> None:
    with a_socket(cls) as socket, pytest.raises(TypeError):
        getattr(socket, name)()


def test_sock_1_everything_public_is_tried() -> None:
    def public(thing: object) -> set[str]:
        return {name for name in vars(thing) if not name.startswith("__")}

    assert public(usocket.socket) == set(SOCKET) | PROPERTIES | SETTINGS
    assert public(uselect.poll) == set(POLL)
    assert public(usocket._usocket._TlsContext) == set(CONTEXT)
    assert {name for name in usocket.__all__ if not isinstance(getattr(usocket, name), int)} == set(FUNCTIONS)


@pytest.mark.parametrize("name", sorted(PROPERTIES))
def test_sock_8_properties_are_read_only(name: str) -> None:
    with a_socket(usocket.socket) as socket, pytest.raises(AttributeError):
        setattr(socket, name, 1)


def test_sock_6_an_exporter_that_fails_is_a_type_error() -> None:
    """A buffer that is gone by the time it is asked for."""
    view = memoryview(bytearray(4))
    view.release()
    with a_socket(usocket.socket) as socket:
        for name in ("send", "write", "readinto", "recv_into"):
            with pytest.raises((TypeError, ValueError)):
                getattr(socket, name)(view)


# --- Arguments that use the socket while they are converted

MEDDLINGS: dict[str, Callable[[Any], object]] = {
    "close": lambda socket: socket.close(),
    "detach": lambda socket: os.close(socket.detach()),
    "construct": lambda socket: (socket.__init__(AF_INET, SOCK_DGRAM), socket.settimeout(0)),
    "construct and close": lambda socket: (socket.__init__(), socket.close()),
    "fileno": lambda socket: socket.fileno(),
    "settimeout": lambda socket: socket.settimeout(1e-6),
    "read": lambda socket: socket.read(1),
    "collect": lambda socket: gc.collect(),
}


class Meddler:
    """A number, whichever way it is asked for, that does something else first."""

    def __init__(self, meddle: Callable[[], object], number: int) -> None:
        self._meddle, self._number = meddle, number

    def __index__(self) -> int:
        with contextlib.suppress(OSError):
            self._meddle()
        return self._number

    def __float__(self) -> float:
        return float(self.__index__())

    def __bool__(self) -> bool:
        return bool(self.__index__())

    def fileno(self) -> int:
        return self.__index__()


def meddlings(name: str, signature: Signature) -> Iterator[tuple[Callable[[Any], object], int]]:
    """What an argument does, and which."""
    for meddle in MEDDLINGS.values():
        for position, kind in enumerate(signature):
            if isinstance(kind.good, int) or kind is ADDRESS:
                yield meddle, position


@pytest.mark.parametrize("name", [name for name, signature in SOCKET.items() if list(meddlings(name, signature))])
@pytest.mark.parametrize("make", [a_socket, an_inet_socket])
def test_sock_1_an_argument_that_uses_the_socket(make: Callable[[Any], Any], name: str) -> None:
    """No crash, no descriptor lost, and the call is one on the socket as it then is."""
    signature = SOCKET[name]
    with nothing_lost():
        for meddle, position in meddlings(name, signature):
            with make(usocket.socket) as socket:
                arguments = [kind.good for kind in signature]
                good = arguments[position]
                meddler = Meddler(partial(meddle, socket), good if isinstance(good, int) else 9)
                arguments[position] = meddler if isinstance(good, int) else (good[0], meddler)
                with contextlib.suppress(*FAILURES):
                    socket.setblocking(False)
                    close_all(getattr(socket, name)(*arguments))


def test_sock_1_an_argument_that_deletes_the_last_reference() -> None:
    """The call keeps its socket."""
    with nothing_lost():
        sockets = [usocket.socket(AF_UNIX, SOCK_DGRAM)]
        with pytest.raises(OSError), pytest.warns(ResourceWarning):
            sockets[0].recv(Meddler(sockets.clear, 1), usocket.MSG_DONTWAIT)
            gc.collect()
            raise OSError


@pytest.mark.parametrize("name", ["recv", "send", "sendall", "write", "recv_into", "readinto", "setsockopt", "listen"])
def test_time_5_what_an_argument_raises_is_what_the_call_raises(name: str) -> None:
    class Interrupts:
        def __index__(self) -> int:
            raise KeyboardInterrupt

    arguments = {
        "recv": (Interrupts(),),
        "listen": (Interrupts(),),
        "setsockopt": (1, 2, Interrupts()),
        "recv_into": (bytearray(1), Interrupts()),
        "readinto": (bytearray(1), Interrupts()),
    }
    with a_socket(usocket.socket) as socket, pytest.raises(KeyboardInterrupt):
        getattr(socket, name)(*arguments.get(name, (b"x", Interrupts())))


@pytest.mark.parametrize("name", ["send", "sendall", "write", "recv_into", "readinto", "recvfrom_into"])
def test_sock_6_an_argument_cannot_resize_the_buffer_beside_it(name: str) -> None:
    buffer = bytearray(8)
    refused: list[BufferError] = []

    def resize() -> None:
        try:
            buffer.clear()
        except BufferError as error:
            refused.append(error)

    with a_socket(usocket.socket) as socket:
        getattr(socket, name)(buffer, Meddler(resize, 0))
    assert len(refused) == 1
    buffer.clear()


@pytest.mark.parametrize("name", ["sendall", "write", "recv_into", "readinto", "recvfrom_into"])
def test_sock_6_another_thread_cannot_resize_the_buffer_of_a_call(name: str) -> None:
    buffer = bytearray(1 << 20)
    with make_pair("unix") as (socket, _):
        caller = Caller(getattr(socket, name), buffer)
        caller.wait_until_blocked()
        with pytest.raises(BufferError):
            buffer.clear()
        socket.close()
        with pytest.raises(OSError):
            caller.finish()
    caller.error = None  # its frames hold the buffer
    buffer.clear()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python's own classes export buffers from 3.12 on")
def test_sock_1_a_buffer_that_uses_the_socket() -> None:
    class Exporter(Meddler):
        def __buffer__(self, flags: int) -> memoryview:
            return memoryview(bytearray(self.__index__()))

        def __release_buffer__(self, view: memoryview) -> None:
            self.__index__()

    with nothing_lost():
        for meddle in MEDDLINGS.values():
            for name in ("send", "sendall", "write", "recv_into", "readinto"):
                with a_socket(usocket.socket) as socket, contextlib.suppress(OSError):
                    getattr(socket, name)(Exporter(partial(meddle, socket), 4))


def test_sock_6_resident_memory_is_bounded() -> None:
    """What tracemalloc does not see: the core's own memory."""
    if "asan" in os.environ.get("LD_PRELOAD", ""):
        pytest.skip("AddressSanitizer holds freed memory back")

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def work(count: int) -> None:
        for _ in range(count):
            one, other = usocket.socketpair()
            with one, other:
                poll = uselect.poll()
                poll.register(one, uselect.POLLIN)
                other.send(b"a line\nand a part")
                one.settimeout(0)
                assert one.readline() == b"a line\n"
                one.settimeout(1e-6)
                with contextlib.suppress(OSError):
                    one.read(100)
                poll.poll(0)
            usocket.getaddrinfo("127.0.0.1", 80)

    work(500)
    before = resident()
    work(5000)
    assert resident() - before < 4 << 20


def test_sock_10_descriptors_are_closed_if_there_is_no_memory_for_the_result() -> None:
    """Whatever piece of the result it is that has found none."""
    pytest.importorskip("_testcapi")
    program = """
import _testcapi, array, os, usocket
one, other = usocket.socketpair()
rights = [(usocket.SOL_SOCKET, usocket.SCM_RIGHTS, array.array("i", [0]))]
lacking = 0
for which in range(40):
    before = os.listdir("/proc/self/fd")
    other.sendmsg([b"x" * 1000], rights)
    _testcapi.set_nomemory(which, which + 1)
    try:
        result = one.recvmsg(1000, 100)
    except MemoryError:
        _testcapi.remove_mem_hooks()
        lacking += 1
        one.settimeout(0)
        try:
            one.recv(1000)
        except BlockingIOError:
            pass
        one.settimeout(None)
    else:
        _testcapi.remove_mem_hooks()
        (_, _, rest), = result[1]
        os.close(int.from_bytes(rest, "little"))
    assert os.listdir("/proc/self/fd") == before, which
assert lacking > 2
"""
    run_python(program)
