"""SOCK-1, SOCK-6: what a wrong argument's TypeError says: how the call is written, what it wants and what it got."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import usocket
from python_support import Pair
from usocket import compat

Call = Callable[[usocket.socket], Any]

MESSAGES: list[tuple[Call, str]] = [
    (lambda s: s.send(3), "send(bytes, flags=0): argument 1: a bytes-like object or str is required, not 'int'"),
    (lambda s: s.send(b"", "x"), "send(bytes, flags=0): argument 2: an int is required, not 'str'"),
    (lambda s: s.send(), "send(bytes, flags=0) takes 1 to 2 arguments, not 0"),
    (lambda s: s.sendall(3), "sendall(bytes, flags=0): argument 1: a bytes-like object or str is required, not 'int'"),
    (
        lambda s: s.send(memoryview(b"abcd")[::2]),
        "send(bytes, flags=0): argument 1: a contiguous bytes-like object is required, not 'memoryview'",
    ),
    (lambda s: s.sendto(b""), "sendto(bytes[, flags], address) takes 2 to 3 arguments, not 1"),
    (
        lambda s: s.sendto(None, ("", 1)),
        "sendto(bytes[, flags], address): argument 1: a bytes-like object or str is required, not 'NoneType'",
    ),
    (
        lambda s: s.sendto(b"", "x", ("", 1)),
        "sendto(bytes[, flags], address): argument 2: an int is required, not 'str'",
    ),
    (lambda s: s.sendmsg([b"", 1]), "sendmsg(buffers): argument 2: a bytes-like object or str is required, not 'int'"),
    (lambda s: s.write(3), "write(buf[, off][, n]): argument 1: a bytes-like object or str is required, not 'int'"),
    (lambda s: s.write(b"", "x"), "write(buf[, off][, n]): argument 2: an int or None is required, not 'str'"),
    (lambda s: s.write(b"", None, 1), "write(buf[, off][, n]): argument 2: an int is required, not 'NoneType'"),
    (lambda s: s.recv("a"), "recv(bufsize, flags=0): argument 1: an int is required, not 'str'"),
    (lambda s: s.recv(1.5), "recv(bufsize, flags=0): argument 1: an int is required, not 'float'"),
    (
        lambda s: s.recv_into(b"x"),
        "recv_into(buffer, nbytes=0, flags=0): argument 1: a contiguous and writable bytes-like object is required, "
        "not 'bytes'",
    ),
    (lambda s: s.recv_into(flag=1), "recv_into(buffer, nbytes=0, flags=0) has no keyword argument 'flag'"),
    (lambda s: s.recv_into(bytearray(), buffer=1), "recv_into(buffer, nbytes=0, flags=0): 'buffer' is given twice"),
    (lambda s: s.recv_into(nbytes=1), "recv_into(buffer, nbytes=0, flags=0) takes 1 to 3 arguments, not 0"),
    (lambda s: s.read("x"), "read(n=None): argument 1: an int or None is required, not 'str'"),
    (lambda s: s.settimeout("3"), "settimeout(value): argument 1: a number or None is required, not 'str'"),
    (lambda s: s.setsockopt(1), "setsockopt(level, optname, value) takes 3 arguments, not 1"),
    (lambda s: s.setsockopt(1, "x", 1), "setsockopt(level, optname, value): argument 2: an int is required, not 'str'"),
    (
        lambda s: s.setsockopt(1, 1, "x"),
        "setsockopt(level, optname, value): argument 3: an int or a bytes-like object is required, not 'str'",
    ),
    (lambda s: s.bind(), "bind(address) takes 1 argument, not 0"),
    (
        lambda s: s.bind(3),
        "an address is bytes as getaddrinfo() returns them, a tuple or, for AF_UNIX, a str, not int",
    ),
    (lambda s: s.makefile(3), "makefile(mode='rb', buffering=0): argument 1: a str is required, not 'int'"),
    (
        lambda s: usocket.socket("x"),
        "socket(af=AF_INET, type=SOCK_STREAM, proto=0, *, fileno=None): argument 1: an int is required, not 'str'",
    ),
    (
        lambda s: usocket.socket(fileno="x"),
        "socket(af=AF_INET, type=SOCK_STREAM, proto=0, *, fileno=None): fileno: an int is required, not 'str'",
    ),
    (
        lambda s: usocket.getaddrinfo(1, 80),
        "getaddrinfo(host, port, af=0, type=0, proto=0, flags=0): argument 1: a str, bytes or None is required, "
        "not 'int'",
    ),
    (lambda s: usocket.inet_pton(2, b"x"), "inet_pton(af, txt_addr): argument 2: a str is required, not 'bytes'"),
]


@pytest.mark.parametrize(("call", "message"), MESSAGES, ids=[message for _, message in MESSAGES])
def test_sock_1_a_type_error_says_what_is_wanted(call: Call, message: str, tcp: Pair) -> None:
    with pytest.raises(TypeError) as caught:
        call(tcp[0])
    assert str(caught.value) == message


def test_sock_1_every_method_says_how_it_is_written() -> None:
    """In its help, and the same words in its messages; none is a list of overloads."""
    for name, method in methods():
        assert method.__doc__.startswith(f"{name}(") or method.__text_signature__, name
        with pytest.raises(TypeError) as caught:
            method(usocket.socket.__new__(usocket.socket), *[object()] * 9)
        message = str(caught.value)
        assert message.startswith((f"{name}(", "socket.")) and "\n" not in message and len(message) < 160


def methods() -> Iterator[tuple[str, Any]]:
    for name, method in vars(usocket.socket).items():
        if callable(method) and not name.startswith("__"):
            yield name, method


@pytest.mark.parametrize("name", ["send", "recv", "accept", "listen", "getpeername", "read", "write", "sendall"])
def test_sock_3_an_os_error_reads_as_the_systems(name: str) -> None:
    with usocket.socket() as socket:
        socket.close()
        arguments = {"send": (b"x",), "recv": (1,), "write": (b"x",), "sendall": (b"x",)}.get(name, ())
        with pytest.raises(OSError) as caught:
            getattr(socket, name)(*arguments)
    assert caught.value.args == (errno.EBADF, os.strerror(errno.EBADF))


# --- What is sent may be a str


SENDING: dict[str, Callable[[Any, Any], Any]] = {
    "send": lambda socket, text: socket.send(text),
    "sendall": lambda socket, text: socket.sendall(text) or len(text.encode()),
    "sendmsg": lambda socket, text: socket.sendmsg([text[:1], text[1:].encode(), ""]),
    "write": lambda socket, text: socket.write(text),
}


@pytest.mark.parametrize("name", SENDING)
@pytest.mark.parametrize("text", ["plain", "na\N{LATIN SMALL LETTER I WITH DIAERESIS}f \N{SNOWMAN}", ""])
def test_sock_6_a_str_goes_out_as_utf_8(name: str, text: str, pair: Pair) -> None:
    assert SENDING[name](pair[0], text) == len(text.encode())
    pair[0].close()
    assert pair[1].read() == text.encode()


def test_sock_6_a_str_goes_out_as_utf_8_in_a_datagram() -> None:
    with usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM) as socket:
        socket.bind(("127.0.0.1", 0))
        assert socket.sendto("\N{SNOWMAN}", socket.getsockname()) == 3
        assert socket.sendto("\N{SNOWMAN}", 0, socket.getsockname()) == 3
        assert [socket.recv(10) for _ in range(2)] == ["\N{SNOWMAN}".encode()] * 2


def test_strm_4_parts_of_a_str_are_counted_in_bytes(pair: Pair) -> None:
    assert pair[0].write("\N{SNOWMAN}abc", 4) == 4
    assert pair[0].write("\N{SNOWMAN}abc", 3, 2) == 2
    assert pair[1].read(6) == "\N{SNOWMAN}aab".encode()


@pytest.mark.parametrize("name", SENDING)
def test_sock_6_a_str_that_has_no_utf_8_is_refused(name: str, pair: Pair) -> None:
    pair[1].settimeout(0)
    with pytest.raises(UnicodeEncodeError):
        SENDING[name](pair[0], "\udc80") if name != "sendall" else pair[0].sendall("\udc80")
    assert pair[1].read() is None


@pytest.mark.parametrize("name", SENDING)
def test_sock_6_compat_refuses_str(name: str) -> None:
    """COMPAT-1: as CPython's socket does; subclasses too, and what accept() and dup() make."""
    one, other = compat.socketpair()
    with one, other, one.dup() as copy:
        for socket in (one, copy):
            with pytest.raises(TypeError, match="a bytes-like object is required, not 'str'"):
                SENDING[name](socket, "text")
