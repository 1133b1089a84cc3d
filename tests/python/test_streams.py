"""STRM-1..6: sockets as streams. STRM-7 is in test_duck_typing.py."""

from __future__ import annotations

import errno
import os
import select
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import uselect
import usocket
from hypothesis import given
from hypothesis import strategies as st
from python_support import Caller, Pair, error_of, make_pair, run_python, send_and_close, udp_socket
from usocket import MSG_PEEK, MSG_WAITALL

# --- STRM-1


def test_strm_1_read_n_is_exactly_n_until_eof(pair: Pair) -> None:
    one, other = pair
    reader = Caller(one.read, 6)
    reader.wait_until_blocked()
    for piece in (b"ab", b"cd", b"efgh"):
        other.write(piece)
    assert reader.finish() == b"abcdef"
    other.close()
    assert (one.read(6), one.read(6)) == (b"gh", b"")


@pytest.mark.parametrize("arguments", [(), (-1,), (None,), (10**30,)])
def test_strm_1_all_until_eof(arguments: tuple[Any, ...], pair: Pair) -> None:
    one, other = pair
    data = os.urandom(3 << 20)
    sender = Caller(send_and_close, other, data)
    assert one.read(*arguments) == data
    assert one.read(*arguments) == b""
    sender.finish()


def test_strm_1_nothing(pair: Pair) -> None:
    assert (pair[0].read(0), pair[0].readline(0), pair[0].readinto(bytearray())) == (b"", b"", 0)


@pytest.mark.parametrize("n", [-2, -(2**63), -(10**30)])
def test_strm_1_other_negative_sizes(n: int, pair: Pair) -> None:
    for function in (pair[0].read, pair[0].readline):
        with pytest.raises(ValueError, match="size"):
            function(n)


def test_strm_1_read_n_allocates_no_more_than_comes(pair: Pair) -> None:
    """A size that no memory holds costs nothing until so much has arrived."""
    one, other = pair
    other.write(b"little")
    other.close()
    assert one.read(1 << 50) == b"little"


def test_strm_1_a_message_is_read_as_one() -> None:
    with udp_socket() as one, udp_socket() as other:
        other.sendto(b"message\nof two lines", one.getsockname())
        assert one.read(100) == b"message\nof two lines"


# --- STRM-2


def test_strm_2_readinto(pair: Pair) -> None:
    one, other = pair
    buffer = bytearray(b"........")
    other.write(b"abcdefghijkl")
    assert (one.readinto(buffer, 3), bytes(buffer)) == (3, b"abc.....")
    assert (one.readinto(memoryview(buffer)[6:]), bytes(buffer)) == (2, b"abc...de")
    other.close()
    assert (one.readinto(buffer, None), bytes(buffer[:7])) == (7, b"fghijkl")


def test_strm_2_readinto_is_exactly_the_buffer_until_eof(pair: Pair) -> None:
    one, other = pair
    buffer = bytearray(4)
    reader = Caller(one.readinto, buffer)
    reader.wait_until_blocked()
    other.write(b"a")
    other.write(b"bcdef")
    assert (reader.finish(), bytes(buffer)) == (4, b"abcd")
    other.close()
    assert (one.readinto(buffer), one.readinto(buffer)) == (2, 0)


@pytest.mark.parametrize("nbytes", [8, 9, 2**31, 10**30])
def test_strm_2_more_than_there_is_room_for_is_what_there_is_room_for(nbytes: int, pair: Pair) -> None:
    pair[1].write(b"12345678rest")
    buffer = bytearray(8)
    assert (pair[0].readinto(buffer, nbytes), bytes(buffer)) == (8, b"12345678")


@pytest.mark.parametrize("buffer", [b"bytes", memoryview(b"read only"), "str", None, 8, memoryview(bytearray(8))[::2]])
def test_strm_2_what_is_no_writable_buffer(buffer: Any, pair: Pair) -> None:
    for name in ("readinto", "recv_into", "recvfrom_into"):
        with pytest.raises(TypeError):
            getattr(pair[0], name)(buffer)


# --- STRM-3


def test_strm_3_readline(pair: Pair) -> None:
    one, other = pair
    other.write(b"one\ntwo\n\nlong line\nend")
    assert [one.readline(), one.readline(None), one.readline(-1)] == [b"one\n", b"two\n", b"\n"]
    assert [one.readline(4), one.readline(5), one.readline(1)] == [b"long", b" line", b"\n"]
    other.close()
    assert [one.readline(100), one.readline()] == [b"end", b""]


@pytest.mark.parametrize("size", [1, 511, 512, 513, 65535, 65536, 65537, 1 << 20])
def test_strm_3_lines_of_every_length(size: int, pair: Pair) -> None:
    one, other = pair
    line = b"x" * (size - 1) + b"\n"
    sender = Caller(other.sendall, line * 3)
    assert [one.readline() == line for _ in range(3)] == [True] * 3
    sender.finish()


def test_strm_3_a_line_that_arrives_in_pieces(pair: Pair) -> None:
    one, other = pair
    reader = Caller(one.readline)
    reader.wait_until_blocked()
    for piece in (b"a", b"bc", b"d\ne"):
        other.write(piece)
    assert reader.finish() == b"abcd\n"
    assert one.recv(10) == b"e"


# --- STRM-4


@pytest.mark.parametrize(
    ("arguments", "sent"),
    [
        ((b"abcdef",), b"abcdef"),
        ((b"abcdef", 3), b"abc"),
        ((b"abcdef", 2, 3), b"cde"),
        ((b"abcdef", 0), b""),
        ((b"abcdef", None), b"abcdef"),
        ((b"abcdef", 2, None), b"cdef"),
        ((b"abcdef", 100), b"abcdef"),
        ((b"abcdef", 10**30), b"abcdef"),
        ((b"abcdef", 5, 100), b"f"),
        ((b"abcdef", 6, 1), b""),
        ((b"abcdef", 10**30, 1), b""),
        ((bytearray(b"ab"),), b"ab"),
        ((memoryview(b"abcd")[1:3],), b"bc"),
        ((b"",), b""),
        ((b"abc", -1), b"abc"),
        ((b"abc", 1, -1), b"bc"),
    ],
)
def test_strm_4_write(arguments: tuple[Any, ...], sent: bytes, pair: Pair) -> None:
    assert pair[0].write(*arguments) == len(sent)
    pair[0].close()
    assert pair[1].read() == sent


@pytest.mark.parametrize("arguments", [(-2,), (-(10**30),), (-1, 1), (0, -2)])
def test_strm_4_negative_parts(arguments: tuple[int, ...], pair: Pair) -> None:
    with pytest.raises(ValueError, match="within the buffer"):
        pair[0].write(b"abc", *arguments)


def test_strm_4_all_of_it_when_blocking(pair: Pair) -> None:
    data = os.urandom(4 << 20)
    writer = Caller(pair[0].write, data)
    assert pair[1].read(len(data)) == data
    assert writer.finish() == len(data)


# --- STRM-5


class Model:
    """Sends known bytes and compares what each operation shows with where the reader is in them."""

    def __init__(self, socket: usocket.socket, data: bytes) -> None:
        self.socket, self.data, self.at = socket, data, 0
        self.poll = uselect.poll()
        self.poll.register(socket, uselect.POLLIN)
        self.copy = socket.dup()

    def rest(self) -> bytes:
        return self.data[self.at :]

    def step(self, operation: str, size: int) -> None:
        rest = self.rest()
        if operation == "readline":
            end = rest.find(b"\n") + 1 or len(rest)
            self.took(self.socket.readline(size) or b"", rest[: min(end, size)])
        elif operation == "read":
            self.took(self.socket.read(size) or b"", rest[:size])
        elif operation == "readinto":
            buffer = bytearray(size)
            count = self.socket.readinto(buffer) or 0
            self.took(bytes(buffer[:count]), rest[:size])
        elif operation == "recv":
            got = self.socket.recv(size)
            assert bool(got) == bool(rest and size)
            self.took(got, rest[: len(got)])
        elif operation == "peek":
            got = self.socket.recv(size, MSG_PEEK)
            assert got == rest[: len(got)] and bool(got) == bool(rest and size)
        elif operation == "other holder":
            got = self.copy.recv(size)
            self.took(got, rest[: len(got)])
        elif operation == "polls":
            ready = select.select([self.socket.fileno()], [], [], 0)[0]
            assert bool(self.poll.poll(0)) == bool(ready) is True  # EOF is ready, too

    def took(self, got: bytes, wanted: bytes) -> None:
        assert got == wanted
        self.at += len(got)


OPERATIONS = ["readline", "read", "readinto", "recv", "peek", "polls", "other holder"]
lines = st.lists(st.binary(max_size=120), max_size=60).map(lambda pieces: b"\n".join(pieces))
operations = st.lists(st.tuples(st.sampled_from(OPERATIONS), st.integers(0, 700)), max_size=60)


def test_strm_1_a_shared_queue_that_is_full_is_found_out() -> None:
    """Nothing tells so on AF_UNIX but that it stays as it is, however often the main thread looks for signals
    meanwhile."""
    one, other = usocket.socketpair(usocket.AF_UNIX)
    with one, other:
        one.fileno()
        other.setsockopt(usocket.SOL_SOCKET, usocket.SO_SNDBUF, 2000)

        def send() -> None:
            for _ in range(2):
                other.sendall(bytes(4000))

        sender = threading.Thread(target=send)
        sender.start()
        one.settimeout(30)
        assert one.read(8000) == bytes(8000)
        sender.join()


@pytest.mark.parametrize("kind", ["tcp", "unix"])
@given(data=lines, steps=operations)
def test_strm_5_any_mix_of_calls_sees_the_bytes_in_order(kind: str, data: bytes, steps: list[tuple[str, int]]) -> None:
    with make_pair(kind) as (one, other):
        other.write(data)
        other.close()
        model = Model(one, data)
        with model.copy:
            arrival = select.poll()
            arrival.register(model.copy.fileno(), select.POLLRDHUP)
            arrival.poll()  # of all of it, up to the end
            for operation, size in steps:
                model.step(operation, size)
            assert one.read() == model.rest()


@pytest.mark.parametrize("kind", ["tcp", "unix"])
def test_strm_5_a_poll_is_right_after_every_line(kind: str) -> None:
    """The system's own poll, by the descriptor's number, which fileno() was never asked for."""
    with make_pair(kind) as (one, other):
        number = int(repr(one).split("fd=")[1].split(",")[0])
        poll = select.poll()
        poll.register(number, select.POLLIN)
        text = b"".join(b"line %d\n" % index for index in range(1000))
        other.write(text)
        one.recv(len(text), MSG_PEEK | MSG_WAITALL)
        for index in range(1000):
            assert poll.poll(0) == [(number, select.POLLIN)]
            assert one.readline() == b"line %d\n" % index
        assert poll.poll(0) == []


def test_strm_5_a_forked_process_sees_what_was_not_returned() -> None:
    """Lines are read by the parent, then by a child, then by the parent again: each comes once and in order."""
    done = run_python(
        "import os, usocket\n"
        "server = usocket.socket(); server.bind(('127.0.0.1', 0)); server.listen()\n"
        "one = usocket.socket(); one.connect(server.getsockname()); other, _ = server.accept()\n"
        "other.write(b''.join(b'%d\\n' % i for i in range(3000))); other.close(); server.close()\n"
        "for i in range(1000): assert one.readline() == b'%d\\n' % i\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    for i in range(1000, 2000): assert one.readline() == b'%d\\n' % i\n"
        "    os._exit(0)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
        "for i in range(2000, 3000): assert one.readline() == b'%d\\n' % i\n"
        "assert one.read() == b''\n"
        "one.close(); print('done')\n"
    )
    assert done.stdout == "done\n"


def test_strm_5_a_child_process_gets_the_socket_as_its_input() -> None:
    """What readline() looked at but did not return is there for whoever inherits the descriptor."""
    with make_pair("tcp") as (one, other):
        other.write(b"mine\nyours\nand the rest")
        other.close()
        assert one.readline() == b"mine\n"
        done = subprocess.run(["cat"], stdin=one.fileno(), capture_output=True, timeout=60)
        assert done.stdout == b"yours\nand the rest"


URGENT = """
import socket, sys, threading, usocket
server = usocket.socket(); server.bind(("127.0.0.1", 0)); server.listen()
port = usocket.sockaddr(server.getsockname())[2]
peer = socket.create_connection(("127.0.0.1", port)); one, _ = server.accept()
one.fileno(); one.settimeout(0.3)
peer.send(b"!", socket.MSG_OOB); peer.sendall(b"ab")
while one.recv(2, usocket.MSG_PEEK) != b"ab": pass
try: getattr(one, sys.argv[1])(*map(int, sys.argv[2:]))
except OSError as error: print(error.errno, threading.active_count())
peer.sendall(b"c\\n")
one.settimeout(30); print(one.readline())
"""


@pytest.mark.parametrize("call", [("read", "4"), ("read",), ("readline",), ("recv", "4", str(usocket.MSG_WAITALL))])
def test_time_2_an_urgent_byte_does_not_stop_the_process(call: tuple[str, ...]) -> None:
    """Where the system counts no bytes before the mark, though it shows some behind it."""
    done = subprocess.run([sys.executable, "-c", URGENT, *call], capture_output=True, text=True, timeout=60)
    assert done.stdout == f"{errno.ETIMEDOUT} 1\nb'abc\\n'\n"
    assert done.stderr == ""


STRACED = """
import array, fcntl, sys, termios, threading, time, usocket
server = usocket.socket(); server.bind(("127.0.0.1", 0)); server.listen()
one = usocket.socket(); one.connect(server.getsockname()); other, _ = server.accept(); server.close()
number = int(repr(one).split("fd=")[1].split(",")[0])  # fileno() would share it
over = threading.Event()
threading.Thread(target=over.wait).start()
if sys.argv[2] == "timeout": one.settimeout(60)
some, queued = (b"x" * 79 + b"\\n") * 500, array.array("i", [0])
for _ in range(int(sys.argv[1]) // 500):
    other.sendall(some)
    while queued[0] < len(some):  # in however many pieces it comes
        time.sleep(0)
        fcntl.ioctl(number, termios.FIONREAD, queued)
    queued[0] = 0
    for _ in range(500): assert len(one.readline()) == 80
over.set(); one.close(); other.close()
"""


@pytest.mark.parametrize("mode", ["blocking", "timeout"])
def test_strm_5_readline_makes_no_system_call_per_line(mode: str, tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-o", os.devnull, "true"], capture_output=True).returncode != 0:
        pytest.skip("strace is not there or not allowed")
    lines = 20_000
    log = tmp_path / "log"
    command = [strace, "-f", "-qq", "-e", "trace=recvfrom,recvmsg,read,poll,ppoll", "-o", str(log)]
    command += [sys.executable, "-c", STRACED, str(lines), mode]
    subprocess.run(command, check=True, timeout=100)
    calls = [line for line in log.read_text().splitlines() if "recvfrom(" in line or "poll(" in line]
    assert 0 < len(calls) <= lines // 100


# --- STRM-6


@pytest.mark.parametrize("arguments", [(), ("rb",), ("wb",), ("rwb",), ("rb", 0), ("rwb", 8192), ("rb", None)])
def test_strm_6_makefile_is_a_stream_on_the_same_socket(arguments: tuple[Any, ...], pair: Pair) -> None:
    one, other = pair
    file = one.makefile(*arguments)
    file.write(b"out\n")
    assert other.readline() == b"out\n"
    other.write(b"in")
    assert file.read(2) == b"in"
    file.close()
    assert one.closed and other.read() == b""


@pytest.mark.parametrize("mode", ["", "r", "w", "rw", "b", "br", "r+b", "rb ", "RB", "rt", "a", "rb\0", "\udc80"])
def test_strm_6_other_modes(mode: str, pair: Pair) -> None:
    with pytest.raises(ValueError):
        pair[0].makefile(mode)
    assert not pair[0].closed


@pytest.mark.parametrize("arguments", [(None,), (b"rb",), (1,), ("rb", "0"), ("rb", 0, None)])
def test_strm_6_wrong_types(arguments: tuple[Any, ...], pair: Pair) -> None:
    with pytest.raises(TypeError):
        pair[0].makefile(*arguments)


def test_strm_1_errors_are_not_eof() -> None:
    """A connection that was reset is an error, not an end."""
    with make_pair("tcp") as (one, other):
        one.write(b"unread")
        Caller(other.recv, 1, MSG_PEEK).finish()
        other.close()
        assert error_of(one.read) == errno.ECONNRESET
