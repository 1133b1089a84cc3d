"""The loop of the devices' asyncio where it meets the desktop: sockets, threads, signals, many connections (DEV-3).

What tasks do among themselves is in asyncio_scripts/, held against MicroPython.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import io
import os
import signal
import threading
import time
import traceback
import types
import weakref
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uselect
import usocket
from programs import output
from python_support import Caller, descriptors, error_of, fill, listener, nobodys, run_python
from usocket.desktop import asyncio
from usocket.desktop.asyncio import core, stream
from usocket.desktop.asyncio.context import context
from usocket.desktop.asyncio.ioqueue import IOQueue
from usocket.desktop.modules import socket

LONG_MS = 100_000  # nobody waits so long


@pytest.fixture(autouse=True)
def anew() -> Iterator[None]:
    asyncio.new_event_loop()
    yield
    for task in context.pending:
        with contextlib.suppress(BaseException):
            task.coro.close()
    context.pending.clear()
    asyncio.new_event_loop()
    core.Loop.set_exception_handler(None)
    gc.collect()


@pytest.fixture
def streams(tcp: Any) -> tuple[asyncio.Stream, asyncio.Stream]:
    for sock in tcp:
        sock.setblocking(False)
    return asyncio.StreamReader(tcp[0]), asyncio.StreamWriter(tcp[1])


def port_of(server: asyncio.Server) -> int:
    return int(server._sock.getsockname()[1])


async def turns(n: int) -> None:
    for _ in range(n):
        await asyncio.sleep_ms(0)


class CountingPoll:
    """The loop's poll, and what it is asked."""

    def __init__(self, io: IOQueue) -> None:
        self._poll = io.poller
        self.calls: list[str] = []

    def __getattr__(self, name: str) -> Any:
        self.calls.append(name)
        return getattr(self._poll, name)


@pytest.fixture
def counted() -> CountingPoll:
    poll = CountingPoll(context.io)
    context.io.poller = poll  # type: ignore[assignment]
    return poll


# --- From outside the loop


def test_dev_3_flag_set_by_a_thread_wakes_the_loop() -> None:
    flag = asyncio.ThreadSafeFlag()

    async def main() -> str:
        setter = Caller(set_once_asleep, flag.set)
        await flag.wait()
        setter.finish()
        return "woken"

    assert asyncio.run(main()) == "woken"


def set_once_asleep(set_: Callable[[], object]) -> None:
    while not context.io.is_asleep:
        os.sched_yield()
    set_()


def test_dev_3_flag_set_as_the_loop_goes_to_sleep_is_seen() -> None:
    flag = asyncio.ThreadSafeFlag()

    async def main() -> None:
        await flag.wait()

    class SettingPoll(CountingPoll):
        """Registering what wakes the loop is the last that it does before it sleeps."""

        def register(self, *arguments: Any) -> None:
            flag.set()
            self._poll.register(*arguments)

    context.io.poller = SettingPoll(context.io)  # type: ignore[assignment]
    asyncio.run(main())


def test_dev_3_flag_set_by_a_signal_handler_wakes_the_loop() -> None:
    flag = asyncio.ThreadSafeFlag()
    before = signal.signal(signal.SIGUSR1, lambda *_: flag.set())
    main_thread = threading.main_thread().ident
    assert main_thread is not None

    async def main() -> None:
        sender = Caller(set_once_asleep, lambda: signal.pthread_kill(main_thread, signal.SIGUSR1))
        await flag.wait()
        sender.finish()

    try:
        asyncio.run(main())
    finally:
        signal.signal(signal.SIGUSR1, before)


def test_dev_3_event_set_by_an_interrupt_wakes_the_loop() -> None:
    """Not allowed, and done: what a timer's callback sets while the loop sleeps."""
    event = asyncio.Event()

    async def main() -> None:
        setter = Caller(set_once_asleep, event.set)
        await event.wait()
        setter.finish()

    asyncio.run(main())


def test_dev_3_one_task_at_a_time_waits_for_a_flag() -> None:
    flag = asyncio.ThreadSafeFlag()

    async def main() -> None:
        asyncio.create_task(flag.wait())
        await turns(1)
        with pytest.raises(RuntimeError, match="one at a time"):
            await flag.wait()

    asyncio.run(main())


def test_dev_3_interrupt_ends_the_loop_at_once() -> None:
    program = """
import os, signal, threading
from usocket.desktop import asyncio
from usocket.desktop.asyncio.context import context

def interrupt():
    while not context.io.is_asleep:
        os.sched_yield()
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)

async def main():
    threading.Thread(target=interrupt).start()
    await asyncio.sleep(1000)

try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""
    assert run_python(program, limit_s=50).stdout == "interrupted\n"


def test_dev_3_main_task_that_nothing_can_wake_waits_for_an_interrupt() -> None:
    event = asyncio.Event()
    before = signal.signal(signal.SIGUSR1, lambda *_: event.set())
    main_thread = threading.main_thread().ident
    assert main_thread is not None
    try:
        sender = Caller(set_once_asleep, lambda: signal.pthread_kill(main_thread, signal.SIGUSR1))
        assert asyncio.run(event.wait()) is True
        sender.finish()
    finally:
        signal.signal(signal.SIGUSR1, before)


# --- Fair and fast


def test_dev_3_task_that_never_sleeps_starves_no_stream(streams: tuple[asyncio.Stream, asyncio.Stream]) -> None:
    reader, writer = streams

    async def spin() -> None:
        while True:
            await asyncio.sleep_ms(0)

    async def main() -> bytes:
        for _ in range(3):
            asyncio.create_task(spin())
        reading = asyncio.create_task(reader.readline())
        await turns(10)
        writer.write(b"line\n")
        return bytes(await reading)

    assert asyncio.run(main()) == b"line\n"


def test_dev_3_stream_that_is_always_ready_starves_no_task(streams: tuple[asyncio.Stream, asyncio.Stream]) -> None:
    reader, writer = streams
    writer.write(b"x" * 1000)

    async def read() -> None:
        while True:
            await reader.read(1)

    async def main() -> None:
        asyncio.create_task(read())
        await turns(20)

    asyncio.run(main())


def test_dev_3_a_thousand_connections() -> None:
    count, said = 1000, []

    async def serve(reader: asyncio.Stream, writer: asyncio.Stream) -> None:
        line = await reader.readline()
        await writer.awrite(line)
        await writer.wait_closed()

    async def ask(port: int, everybody: asyncio.Event, i: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        said.append(i)
        if len(said) == count:
            everybody.set()
        await everybody.wait()
        await writer.awrite(b"%d\n" % i)
        assert await reader.readline() == b"%d\n" % i
        await writer.wait_closed()

    async def main() -> None:
        everybody = asyncio.Event()
        async with await asyncio.start_server(serve, "127.0.0.1", 0, backlog=count) as server:
            await asyncio.gather(*[ask(port_of(server), everybody, i) for i in range(count)])

    asyncio.run(main())
    assert len(said) == count


def test_dev_3_a_look_at_the_streams_is_shared_by_those_it_wakes(counted: CountingPoll) -> None:
    pairs = [usocket.socketpair() for _ in range(50)]  # where what is written is there at once

    async def main() -> None:
        for sock, _ in pairs:
            sock.setblocking(False)
        tasks = [asyncio.create_task(asyncio.StreamReader(sock).read(1)) for sock, _ in pairs]
        await turns(1)
        for _, other in pairs:
            other.write(b"x")
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert counted.calls.count("poll") < 10
    for pair in pairs:
        for sock in pair:
            sock.close()


def test_dev_3_reader_that_comes_back_costs_no_registration(
    streams: tuple[asyncio.Stream, asyncio.Stream], counted: CountingPoll
) -> None:
    reader, writer = streams

    async def main() -> None:
        for _ in range(20):
            writer.write(b"x")
            await writer.drain()
            await reader.read(1)

    asyncio.run(main())
    # The other registration is of what wakes the loop.
    assert [counted.calls.count(name) for name in ("register", "modify", "unregister")] == [2, 0, 0]


async def sleep_of_the_loop() -> None:
    flag = asyncio.ThreadSafeFlag()
    setter = Caller(set_once_asleep, flag.set)
    await flag.wait()
    setter.finish()


@pytest.mark.parametrize("pause", [lambda: turns(20), sleep_of_the_loop], ids=["in time", "before a sleep"])
def test_dev_3_stream_that_nobody_waits_for_is_let_go(tcp: Any, pause: Callable[[], Any]) -> None:
    sock, other = tcp
    sock.setblocking(False)
    other.write(b"x")

    async def main() -> None:
        await asyncio.StreamReader(sock).read(1)
        await pause()
        assert not context.io.map

    asyncio.run(main())


def test_dev_3_stream_that_is_ready_and_nobody_waits_for_is_let_go_at_once(tcp: Any) -> None:
    sock, other = tcp
    sock.setblocking(False)
    other.write(b"xy")

    async def main() -> None:
        await asyncio.StreamReader(sock).read(1)
        await turns(3)
        assert not context.io.map

    asyncio.run(main())


def test_dev_3_loop_without_a_main_task_ends_when_nothing_is_left(tcp: Any) -> None:
    sock, other = tcp
    sock.setblocking(False)
    other.write(b"x")
    task = asyncio.create_task(asyncio.StreamReader(sock).read(1))
    asyncio.run_until_complete()
    assert task.done()


def test_dev_3_cancelled_sleepers_leave_nothing() -> None:
    async def main() -> None:
        for _ in range(1000):
            task = asyncio.create_task(asyncio.sleep_ms(LONG_MS))
            await turns(1)
            task.cancel()
            await turns(1)
        assert len(context.ready._entries) < 200

    asyncio.run(main())


def test_dev_3_sleepers_wake_in_the_order_of_their_times(monkeypatch: pytest.MonkeyPatch) -> None:
    woken = []
    begun = core.ticks()

    async def sleep(ms: int) -> None:
        with monkeypatch.context() as stopped:  # however long it takes until all sleep
            stopped.setattr(core, "ticks", lambda: begun)
            waiting = asyncio.sleep_ms(ms)
        await waiting
        woken.append(ms)

    async def main() -> None:
        await asyncio.gather(*[sleep(ms) for ms in (30, 10, 20, 0, 15, -1)])

    asyncio.run(main())
    assert sorted(woken[:2]) == [-1, 0]
    assert woken[2:] == [10, 15, 20, 30]


# --- Streams


def test_dev_3_both_directions_of_a_stream_are_waited_for_at_once(tcp: Any) -> None:
    sock, other = tcp
    sock.setblocking(False)
    fill(sock)

    async def main() -> None:
        stream = asyncio.Stream(sock)
        reading = asyncio.create_task(stream.read(1))
        stream.write(b"end")
        draining = asyncio.create_task(stream.drain())
        await turns(2)
        other.write(b"x")
        assert await reading == b"x"
        assert not draining.done()
        received = Caller(other.read)
        await draining
        sock.shutdown(usocket.SHUT_WR)
        assert received.finish().endswith(b"end")

    asyncio.run(main())


def test_dev_3_two_readers_of_a_stream_are_one_too_many(streams: tuple[asyncio.Stream, asyncio.Stream]) -> None:
    reader, _ = streams

    async def main() -> None:
        asyncio.create_task(reader.read(1))
        await turns(1)
        with pytest.raises(RuntimeError, match="one at a time"):
            await reader.read(1)

    asyncio.run(main())


def test_dev_3_write_during_a_drain_is_drained_too(tcp: Any) -> None:
    sock, other = tcp
    sock.setblocking(False)
    fill(sock)

    async def main() -> None:
        writer = asyncio.StreamWriter(sock)
        writer.write(b"one")
        draining = asyncio.create_task(writer.drain())
        await turns(2)
        writer.write(b"two")
        received = Caller(other.read)
        await draining
        sock.shutdown(usocket.SHUT_WR)
        assert received.finish().endswith(b"onetwo")

    asyncio.run(main())


def test_dev_3_drain_sends_more_than_the_queue_holds(streams: tuple[asyncio.Stream, asyncio.Stream]) -> None:
    reader, writer = streams
    data = bytes(range(256)) * (1 << 15)

    async def main() -> None:
        reading = asyncio.create_task(reader.readexactly(len(data)))
        writer.write(data)
        assert writer.out_buf
        await writer.drain()
        assert not writer.out_buf
        assert await reading == data

    asyncio.run(main())


def test_time_6_what_a_cancelled_read_had_got_comes_first(streams: tuple[asyncio.Stream, asyncio.Stream]) -> None:
    reader, writer = streams
    buffer = bytearray(4)

    async def main() -> None:
        for reading in (reader.readline, lambda: reader.readexactly(40), reader.read):
            writer.write("half a ")
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for_ms(reading(), 50)
        writer.write("line\nand more")
        assert await reader.read(5) == b"half "
        assert await reader.readinto(buffer) == 4 and buffer == b"a ha"
        assert await reader.readline() == b"lf a half a line\n"
        assert await reader.readexactly(3) == b"and"
        writer.s.close()
        with pytest.raises(EOFError):
            await reader.readexactly(40)
        assert await reader.read() == b" more"

    asyncio.run(main())


def test_time_6_what_ends_with_its_time_is_not_lost() -> None:
    async def read() -> bytes:
        await asyncio.sleep_ms(10)
        return b"read"

    async def be_busy() -> None:
        time.sleep(0.05)  # until both, the task and its time, are over

    async def main() -> bytes:
        reading = asyncio.create_task(read())
        await asyncio.sleep_ms(0)
        asyncio.create_task(be_busy())
        data: bytes = await asyncio.wait_for_ms(reading, 10)
        return data

    assert asyncio.run(main()) == b"read"


def test_dev_3_text_goes_out_as_utf_8(streams: tuple[asyncio.Stream, asyncio.Stream]) -> None:
    reader, writer = streams

    async def main() -> None:
        writer.write("Grüße\n")
        await writer.awrite("äöü", 2, 2)  # bytes, as a memoryview has them
        assert await reader.readline() == "Grüße\n".encode()
        await writer.wait_closed()
        assert await reader.read() == "ö".encode()

    asyncio.run(main())


def test_dev_3_stream_that_was_closed_tells_its_reader(streams: tuple[asyncio.Stream, asyncio.Stream]) -> None:
    reader, _ = streams

    async def main() -> None:
        reading = asyncio.create_task(reader.read(1))
        await turns(2)
        reader.s.close()
        with pytest.raises(OSError) as raised:
            await reading
        assert raised.value.errno == errno.EBADF
        with pytest.raises(OSError):
            await reader.read(1)

    asyncio.run(main())


def test_dev_3_refused_connection_is_an_error_and_leaks_nothing() -> None:
    async def main(port: int) -> None:
        with pytest.raises(OSError) as raised:
            await asyncio.open_connection("127.0.0.1", port)
        assert raised.value.errno == errno.ECONNREFUSED

    with nobodys() as address:
        before = descriptors()
        asyncio.run(main(usocket.sockaddr(address)[2]))
        asyncio.new_event_loop()
        assert descriptors() <= before


def test_dev_3_cancelled_connection_leaks_nothing() -> None:
    before = descriptors()

    async def main(port: int) -> None:
        task = asyncio.create_task(asyncio.open_connection("127.0.0.1", port))
        await turns(1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with listener() as server:
        asyncio.run(main(usocket.sockaddr(server.getsockname())[2]))
    asyncio.new_event_loop()
    assert descriptors() <= before


def test_dev_3_connection_tries_every_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with nobodys() as nobody, listener() as server:
        info = (usocket.AF_INET, usocket.SOCK_STREAM, 0, "")
        found = [(*info, nobody), (*info, server.getsockname())]
        asked = types.SimpleNamespace(getaddrinfo=lambda *_: found, socket=socket.socket)
        monkeypatch.setattr(stream, "_find_socket", lambda: asked)
        _, writer = asyncio.run(asyncio.open_connection("both", 1))
        assert writer.s.getpeername() == ("127.0.0.1", usocket.sockaddr(server.getsockname())[2])
        writer.s.close()


REPLACED = """
import asyncio, io, sys
from errno import EINPROGRESS

class Sock(io.IOBase):
    def __init__(self):
        self.inbox = io.BytesIO(b"answer\\n")
    def ioctl(self, request, argument):
        return argument
    def setblocking(self, flag):
        pass
    def connect(self, address):
        print("connect", address)
        if address[1] == 81:
            raise OSError(EINPROGRESS)
        if address[1] == 82:
            raise OSError(111)
    def write(self, data):
        return len(data)
    def readline(self):
        return self.inbox.readline()
    def close(self):
        pass

class socket:
    AF_INET, SOCK_STREAM, IPPROTO_TCP = 2, 1, 6
    @staticmethod
    def getaddrinfo(host, port, af=0, type=0):
        return [(2, 1, 6, "", (host, port))]
    def socket(af=AF_INET, type=SOCK_STREAM, proto=IPPROTO_TCP):
        return Sock()

async def ask(port):
    reader, writer = await asyncio.open_connection("replaced", port)
    await writer.awrite(b"question\\n")
    print(await reader.readline())

sys.modules["socket"] = socket
for port in (80, 81, 82):
    try:
        asyncio.run(ask(port))
    except OSError as e:
        print(e.errno)
"""


def test_dev_3_connections_are_of_the_programs_socket(tmp_path: Path) -> None:
    lines = ["connect ('replaced', 80)", "b'answer\\n'", "connect ('replaced', 81)", "b'answer\\n'"]
    assert output(tmp_path, {"main.py": REPLACED}) == [*lines, "connect ('replaced', 82)", "111"]


@pytest.mark.parametrize("start", ["open_connection('there', 1)", "start_server(None, 'there', 1)"])
def test_dev_3_what_a_test_replaces_in_socket_is_what_asyncio_sees(start: str, tmp_path: Path) -> None:
    text = (
        "import asyncio, unittest.mock as mock\n"
        "with mock.patch('socket.getaddrinfo', side_effect=OSError(7)) as asked:\n    try:\n"
        f"        asyncio.run(asyncio.{start})\n    except OSError as e:\n        print(e, asked.call_args[0][:2])\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["[Errno 7] E2BIG ('there', 1)"]


def test_dev_3_servers_are_of_the_programs_socket(tmp_path: Path) -> None:
    files = {
        "main.py": "import asyncio\nasync def main():\n    server = await asyncio.start_server(None, '', 0)\n"
        "    print(server.__class__.__name__)\nasyncio.run(main())\n",
        "socket.py": "from usocket import *\nimport usocket\nclass socket(usocket.socket):\n"
        "    def bind(self, address):\n        print('bind')\n        super().bind(address)\n",
    }
    assert output(tmp_path, files) == ["bind", "Server"]


def test_dev_3_peername_is_a_tuple() -> None:
    names = []

    async def serve(reader: asyncio.Stream, writer: asyncio.Stream) -> None:
        names.append(reader.get_extra_info("peername"))
        await writer.wait_closed()

    async def main() -> None:
        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            reader, writer = await asyncio.open_connection("127.0.0.1", port_of(server))
            await reader.read()
            assert names == [writer.s.getsockname()]
            await writer.wait_closed()

    asyncio.run(main())


def test_dev_3_port_in_use_is_an_error_and_leaks_nothing() -> None:
    with listener() as server:
        before = descriptors()
        port = usocket.sockaddr(server.getsockname())[2]
        assert error_of(asyncio.run, asyncio.start_server(print, "127.0.0.1", port)) == errno.EADDRINUSE
        asyncio.new_event_loop()
        assert descriptors() <= before


def test_dev_3_server_whose_starter_is_cancelled_closes() -> None:
    async def main() -> None:
        starting = asyncio.create_task(asyncio.start_server(print, "127.0.0.1", 0))
        await turns(1)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        await turns(2)
        assert not context.io.map

    asyncio.run(main())


def test_dev_3_server_that_cannot_accept_tries_again() -> None:
    async def main() -> None:
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        sock, server._sock = server._sock, FailingOnce(server._sock)  # type: ignore[assignment]
        reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])
        assert await reader.read() == b"served"
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    async def serve(reader: asyncio.Stream, writer: asyncio.Stream) -> None:
        await writer.awrite(b"served")
        await writer.wait_closed()

    asyncio.run(main())


class FailingOnce:
    def __init__(self, sock: usocket.socket) -> None:
        self._sock = sock
        self._has_failed = False

    def accept(self) -> Any:
        if not self._has_failed:
            self._has_failed = True
            raise OSError(errno.EMFILE, "no descriptor is left")
        return self._sock.accept()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


# --- Streams that are no sockets


def test_dev_3_standard_input_is_a_stream() -> None:
    program = """
import sys
from usocket.desktop import asyncio

async def main():
    reader = asyncio.StreamReader(sys.stdin)
    writer = asyncio.StreamWriter(sys.stdout, {})
    print("typed", await reader.read(2), await reader.read(1), await asyncio.StreamReader(sys.stdin.buffer).read(1))
    while line := await reader.readline():
        print("printed", line)
        await writer.awrite(b"written " + line)
    print("end")

asyncio.run(main())
"""
    reading, writing = os.pipe()
    os.write(writing, "hé!one\ntwo\n".encode())
    os.close(writing)
    saved = os.dup(0)
    os.dup2(reading, 0)
    try:
        done = run_python(program, limit_s=50, PYTHONUNBUFFERED="")
    finally:
        os.dup2(saved, 0)
        os.close(saved)
        os.close(reading)
    lines = ["typed h é b'!'", "printed b'one\\n'", "written one", "printed b'two\\n'", "written two", "end"]
    assert done.stdout.splitlines() == lines


class Sensor:
    """Is ready the third time that it is asked, and gives out text."""

    def __init__(self) -> None:
        self.asked = 0

    def ioctl(self, request: int, argument: int) -> int:
        assert request == 3
        self.asked += 1
        return uselect.POLLIN & argument if self.asked > 2 else 0

    def read(self, n: int = -1) -> str:
        return "" if self.asked > 4 else "measured\n"

    def readline(self) -> str:
        return "measured\n"


class DerivedSensor(Sensor, io.IOBase):
    """The usual way on a device; CPython's io.IOBase has a fileno()."""


@pytest.mark.parametrize("kind", [Sensor, DerivedSensor])
def test_dev_3_class_with_ioctl_is_a_stream(kind: type[Sensor]) -> None:
    async def main() -> None:
        asyncio.create_task(asyncio.sleep_ms(LONG_MS))
        assert await asyncio.StreamReader(kind()).readline() == b"measured\n"
        assert await asyncio.StreamReader(kind()).readexactly(9) == b"measured\n"
        assert await asyncio.StreamReader(kind()).read() == b"measured\n" * 2

    asyncio.run(main())


def test_dev_3_what_cannot_be_polled_is_an_error_where_it_is_waited_for() -> None:
    async def main() -> None:
        with pytest.raises(TypeError):
            await asyncio.StreamReader(object()).read(1)
        await asyncio.sleep_ms(0)

    asyncio.run(main())


# --- What a program sees when something goes wrong


def fail() -> Iterator[None]:
    yield from asyncio.sleep_ms(0)
    raise ValueError("it failed")


def lines_shown(printed: str) -> list[str]:
    return [line.strip() for line in printed.splitlines() if line.lstrip().startswith("File ")]


def line_of(function: Any, offset: int) -> str:
    return f'File "{__file__}", line {function.__code__.co_firstlineno + offset}, in {function.__name__}'


def test_dev_3_unretrieved_exception_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> None:
        asyncio.create_task(fail())
        await turns(4)

    asyncio.run(main())
    printed = capsys.readouterr().err
    lines = printed.splitlines()
    assert lines[0] == "Task exception wasn't retrieved"
    assert lines[1].startswith("future: <")
    assert lines[2] == "Traceback (most recent call last):"
    assert lines[-1] == "ValueError: it failed"
    assert lines_shown(printed) == [line_of(fail, 2)]


async def read_closed(stream: asyncio.Stream) -> None:
    try:
        await asyncio.wait_for_ms(stream.read(1), LONG_MS)
    except OSError as error:
        raise ValueError("no data") from error


def test_dev_5_unretrieved_exception_is_printed_without_our_lines(
    streams: tuple[asyncio.Stream, asyncio.Stream], capsys: pytest.CaptureFixture[str]
) -> None:
    async def main() -> None:
        streams[0].s.close()
        asyncio.create_task(read_closed(streams[0]))
        await turns(10)

    asyncio.run(main())
    assert lines_shown(capsys.readouterr().err) == [line_of(read_closed, 2), line_of(read_closed, 4)]


PENDING = """
import gc
import usocket
from usocket.desktop import asyncio

near, far = usocket.socketpair()
near.setblocking(False)

async def clean_up(wait):
    try:
        await wait
    finally:
        print("cleans up")
        await asyncio.sleep_ms(0)
        print("has cleaned up")

async def endure():
    while True:
        try:
            await asyncio.sleep(1000)
        except:
            print("catches")

async def hold(lock):
    async with lock:
        await asyncio.sleep(1000)

async def main():
    lock = asyncio.Lock()
    waits = [asyncio.Event().wait(), asyncio.ThreadSafeFlag().wait(), asyncio.StreamReader(near).read(1),
             asyncio.sleep(1000), asyncio.wait_for(endure(), 1000), asyncio.gather(endure())]
    for coroutine in (*map(clean_up, waits), endure(), hold(lock), hold(lock)):
        asyncio.create_task(coroutine)
    await asyncio.sleep_ms(1)
    await asyncio.sleep_ms(1)
"""


@pytest.mark.parametrize(
    "end",
    ["asyncio.run(main())", "asyncio.run(main()); asyncio.new_event_loop(); gc.collect()"],
    ids=["at the end", "forgotten"],
)
def test_dev_3_tasks_that_have_not_ended_stop_without_a_word(end: str) -> None:
    done = run_python(PENDING + end + "\nprint('end')", limit_s=50)
    assert (done.stdout, done.stderr) == ("end\n", "")


def test_dev_3_tasks_that_have_ended_are_not_kept() -> None:
    async def main() -> None:
        task = asyncio.create_task(turns(1))
        await task
        assert task not in context.pending
        assert asyncio.current_task() in context.pending

    asyncio.run(main())


def test_dev_3_task_that_died_is_collected(capsys: pytest.CaptureFixture[str]) -> None:
    async def main() -> weakref.ref[asyncio.Task]:
        task = weakref.ref(asyncio.create_task(fail()))
        await turns(4)
        return task

    gc.disable()
    try:
        task = asyncio.run(main())
        assert task() is None
    finally:
        gc.enable()


def test_dev_3_exception_that_many_wait_for_keeps_its_traceback() -> None:
    async def main() -> int:
        task = asyncio.create_task(fail())
        for _ in range(20):
            with pytest.raises(ValueError):
                await task
        try:
            await task
        except ValueError as error:
            return len(traceback.extract_tb(error.__traceback__))
        return 0

    assert asyncio.run(main()) < 10


def test_dev_3_waiting_outside_a_task_says_so() -> None:
    with pytest.raises(RuntimeError, match=r"asyncio\.run"):
        asyncio.sleep_ms(0).send(None)


# --- Names of uasyncio 2


def test_dev_3_ioread_of_uasyncio_2(tcp: Any) -> None:
    sock, other = tcp

    def read() -> Iterator[Any]:
        yield asyncio.IORead(sock)
        received = sock.recv(10)
        yield asyncio.IOReadDone(sock)
        yield asyncio.IOWrite(sock)
        return received

    async def main() -> None:
        task = asyncio.create_task(read())
        await turns(2)
        other.write(b"data")
        assert await task == b"data"

    asyncio.run(main())


def test_dev_3_values_that_a_task_of_uasyncio_2_yields() -> None:
    steps: list[object] = []

    def other() -> Iterator[Any]:
        steps.append("other")
        yield

    def main() -> Iterator[Any]:
        yield
        steps.append("after a turn")
        yield 1
        steps.append("after a millisecond")
        yield other()
        yield
        try:
            yield "nonsense"
        except TypeError:
            steps.append("TypeError")

    asyncio.run(main())
    assert steps == ["after a turn", "after a millisecond", "other", "TypeError"]


def test_dev_3_task_that_the_program_has_queued_itself_gets_no_turn_else() -> None:
    """A bare yield means what it does on a device once the program has taken hold of the task."""
    waiting: list[asyncio.Task] = []
    steps = []

    def wait() -> Iterator[None]:
        waiting.append(core.cur_task)
        yield
        steps.append("resumed")

    async def main() -> None:
        asyncio.create_task(wait())
        await turns(5)
        steps.append("now")
        core._task_queue.push(waiting[0])
        await turns(1)

    asyncio.run(main())
    assert steps == ["now", "resumed"]


def test_dev_3_calls_of_uasyncio_2() -> None:
    called: list[object] = []

    async def coroutine(what: object) -> None:
        called.append(what)

    loop = asyncio.get_event_loop(10, 10)
    loop.call_later_ms(3_600_000, called.append, "in an hour")
    # In the order in which they are due, however long it takes to say so.
    loop.call_soon(called.append, "soon")
    loop.call_soon(coroutine("coroutine"))
    loop.call_later(0.001, coroutine, "later")
    loop.call_later_ms(2, called.append, "later in ms")
    loop.call_at_(loop.time() + 4, called.append, ("at",))
    loop.call_at_(loop.time() + 6, loop.stop)
    loop.run_forever()
    assert called == ["soon", "coroutine", "later", "later in ms", "at"]
    asyncio.run(asyncio.ensure_future(turns(1)) and turns(1))


def test_dev_3_names_of_programs_that_know_cpython_as_well() -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        assert loop is asyncio.get_event_loop()
        assert await loop.run_in_executor(None, turns, 1) is None
        return int(await loop.run_in_executor(None, max, 1, 2))

    assert asyncio.run(main()) == 2
    with pytest.raises(RuntimeError):
        asyncio.get_running_loop()


def test_dev_3_other_names_of_the_queue() -> None:
    queue = asyncio.TaskQueue()
    one, two = asyncio.Task(turns(0)), asyncio.Task(turns(0))
    queue.push_sorted(one, 20)
    queue.push_head(two, 10)
    assert queue.pop_head() is two
    assert queue.peek() is one
    assert queue.pop() is one
    assert queue.peek() is None
    with pytest.raises(IndexError):
        queue.pop()
    for task in (one, two):
        task.coro.close()


def test_dev_3_all_of_micropythons_names_are_there() -> None:
    names = (
        "CancelledError Event Lock Loop StreamReader StreamWriter Task ThreadSafeFlag TimeoutError core create_task"
        " current_task gather get_event_loop new_event_loop open_connection run run_until_complete sleep sleep_ms"
        " start_server wait_for wait_for_ms __version__"
    ).split()
    assert [name for name in names if not hasattr(asyncio, name)] == []
    assert asyncio.__version__ >= (3, 0, 0)
    assert asyncio.CancelledError(1, 2).value == 1
    assert asyncio.TimeoutError().value is None
