"""Streams: what a task reads from and writes to, and connections and servers of them."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Generator
from errno import EINPROGRESS
from typing import Any, TypeAlias

from usocket import _usocket
from usocket.desktop.asyncio.context import context
from usocket.desktop.asyncio.core import sleep_ms
from usocket.desktop.asyncio.coroutine import coroutine, returned_by
from usocket.desktop.asyncio.descriptor import as_stream
from usocket.desktop.asyncio.errors import CancelledError
from usocket.desktop.asyncio.task import Task, create_task
from usocket.desktop.modules import socket as our_socket
from usocket.desktop.tracebacks import print_exception

Waits: TypeAlias = Generator[Any, Any, None]

_EMFILE_PAUSE_MS = 100


def _as_bytes(data: Any) -> bytes:
    """Text, which text streams of a program's own give out as well, is as good as its bytes on a device."""
    return data.encode() if isinstance(data, str) else data


class Stream:
    """A non-blocking socket, or whatever has its stream methods, as a stream for tasks. Both a reader and a writer.

    Reading lets others run, even if there is something to read already.
    """

    def __init__(self, s: Any, e: dict[str, Any] | None = None) -> None:
        self.s = as_stream(s)
        self.e = {} if e is None else e
        self.out_buf = bytearray()  # written, and not sent yet
        self._begun = bytearray()  # what a read had got when it was cancelled: first in line

    def get_extra_info(self, v: str) -> Any:
        """ "peername": the other side's address, of a connection that a server has accepted."""
        return self.e[v]

    def close(self) -> None:
        """Does nothing, as on a device: wait_closed() closes it."""

    @coroutine
    def wait_closed(self) -> Waits:
        """Closes the stream."""
        self.s.close()
        yield from ()

    @coroutine
    def read(self, n: int = -1) -> Generator[Any, Any, bytes]:
        """At most n bytes, as soon as there are some; with -1 all until the other side's end. b"" at the end."""
        if n < 0:
            return (yield from self._collect(self.s.read, lambda got: None))
        if self._begun:
            yield from sleep_ms(0)
            return self._take_begun(n)
        while True:
            context.io.queue_read(self.s)
            yield
            block: bytes | None = self.s.read(n)
            if block is not None:
                return block

    @coroutine
    def readinto(self, buf: Any) -> Generator[Any, Any, int | None]:
        """As many bytes as there are, and fit: how many; 0 at the end; None: it was a false alarm."""
        if self._begun:
            yield from sleep_ms(0)
            begun = self._take_begun(len(memoryview(buf).cast("B")))
            memoryview(buf).cast("B")[: len(begun)] = begun
            return len(begun)
        context.io.queue_read(self.s)
        yield
        count: int | None = self.s.readinto(buf)
        return count

    @coroutine
    def readexactly(self, n: int) -> Generator[Any, Any, bytes]:
        """n bytes; EOFError if the stream ends before."""
        got = yield from self._collect(
            lambda: self.s.read(n - len(self._begun)), lambda got: n if len(got) >= n else None
        )
        if len(got) < n:
            self._begun[:0] = got
            raise EOFError
        return got

    @coroutine
    def readline(self) -> Generator[Any, Any, bytes]:
        """A line with its end, or what there is before the stream's end."""
        return (yield from self._collect(self.s.readline, lambda got: got.find(b"\n") + 1 or None))

    def _collect(
        self, take: Callable[[], Any], size_of: Callable[[bytearray], int | None]
    ) -> Generator[Any, Any, bytes]:
        """What take() gives bit by bit, until size_of() says how much of it is wanted, or to the stream's end. What
        there is stays, in line, until it is returned: who is cancelled meanwhile loses none of it.
        """
        if size_of(self._begun) is not None:
            yield from sleep_ms(0)
        while (size := size_of(self._begun)) is None:
            context.io.queue_read(self.s)
            yield
            block = take()
            if block is not None:
                if not block:
                    break
                self._begun += _as_bytes(block)
        return self._take_begun(len(self._begun) if size is None else size)

    def _take_begun(self, n: int) -> bytes:
        taken = bytes(self._begun[:n])
        del self._begun[:n]
        return taken

    def write(self, buf: Any) -> None:
        """Sends what goes at once; drain() sends the rest."""
        buf = _as_bytes(buf)
        if not self.out_buf:
            sent = self.s.write(buf)
            if sent == len(buf):
                return
            if sent:
                buf = memoryview(buf)[sent:]
        self.out_buf += buf

    @coroutine
    def drain(self) -> Waits:
        """Sends what is written and not sent; lets others run in any case."""
        if not self.out_buf:
            yield from sleep_ms(0)
        while self.out_buf:
            context.io.queue_write(self.s)
            yield
            with memoryview(self.out_buf) as rest:
                sent = self.s.write(rest)
            del self.out_buf[: sent or 0]

    # Of uasyncio 2.

    aclose = wait_closed

    @coroutine
    def awrite(self, buf: Any, off: int = 0, sz: int = -1) -> Waits:
        """Writes and drains."""
        if off or sz != -1:
            buf = memoryview(_as_bytes(buf))[off : None if sz == -1 else off + sz]
        self.write(buf)
        yield from self.drain()

    awritestr = awrite


StreamReader = Stream
StreamWriter = Stream


# --- Connections


def find_socket_by(find: Callable[[], Any]) -> None:
    """Sets what finds the module that connections and servers are made with: the program's `socket` at that time, as
    a device's asyncio imports it. A program's test may have put another in its place.
    """
    global _find_socket
    _find_socket = find


def _find_socket() -> Any:
    return our_socket


@coroutine
def open_connection(
    host: str, port: int, ssl: Any = None, server_hostname: str | None = None
) -> Generator[Any, Any, tuple[Stream, Stream]]:
    """Connects; (reader, writer), which are the same. The name is resolved first, and nobody else runs meanwhile.
    ssl: an SSLContext, or True for one that checks the server's certificate and name."""
    failure: OSError | None = None
    socket = _find_socket()
    for family, kind, proto, _, address in socket.getaddrinfo(host, port, 0, _usocket.SOCK_STREAM):
        try:
            sock = yield from _connect(socket.socket(family, kind, proto), address)
        except OSError as error:
            failure = failure or error
            continue
        if ssl:
            sock = yield from _wrap(sock, ssl, server_hostname=server_hostname or host)
        stream = Stream(sock)
        return stream, stream
    assert failure is not None
    raise failure


@coroutine
def _connect(sock: Any, address: Any) -> Generator[Any, Any, Any]:
    try:
        sock.setblocking(False)
        try:
            sock.connect(address)
        except OSError as not_yet:
            if not isinstance(not_yet, BlockingIOError) and not_yet.args[:1] != (EINPROGRESS,):
                raise
            context.io.queue_write(sock)
            yield
            if isinstance(sock, _usocket.socket):  # and no test's
                error = sock.getsockopt(_usocket.SOL_SOCKET, _usocket.SO_ERROR)
                if error:
                    raise OSError(error, os.strerror(error)) from None
        else:
            yield from sleep_ms(0)
    except BaseException:
        sock.close()
        raise
    return sock


@coroutine
def _wrap(sock: Any, ssl: Any, **arguments: Any) -> Generator[Any, Any, Any]:
    """Puts TLS on the socket, and agrees with the peer; else it is closed. What a context returns is the stream: ours
    returns the socket."""
    try:
        if ssl is True:
            ssl = importlib.import_module("usocket.desktop.modules.tls").SSLContext()
        wrapped = ssl.wrap_socket(sock, do_handshake_on_connect=False, **arguments)
        while True:
            try:
                wrapped.do_handshake()
                return wrapped
            except BlockingIOError:
                context.io.queue_read(wrapped)
                yield
    except BaseException:
        sock.close()
        raise


# --- Servers


class Server:
    """Accepts connections. `async with` closes it at the end."""

    def __init__(self, sock: Any, cb: Callable[[Stream, Stream], Any], backlog: int, ssl: Any) -> None:
        self._sock = sock
        self._cb = cb
        self._at_once = max(1, backlog)  # so many are accepted before others have their turn
        self._ssl = ssl
        self._is_closing = False
        self.task: Task = create_task(self._serve())

    def close(self) -> None:
        """Accepts no more. Connections that there are stay."""
        self._is_closing = True
        self.task.cancel()

    @coroutine
    def wait_closed(self) -> Waits:
        """Until it is closed."""
        yield from self.task

    @coroutine
    def __aenter__(self) -> Generator[Any, Any, Server]:
        yield from ()
        return self

    @coroutine
    def __aexit__(self, *exception: object) -> Waits:
        self.close()
        yield from self.task

    def _serve(self) -> Waits:
        try:
            while True:
                context.io.queue_read(self._sock)
                yield
                try:
                    for _ in range(self._at_once):
                        self._begin(*self._sock.accept())
                except BlockingIOError:
                    pass
                except OSError:
                    # No descriptor is left, say: whoever wants to connect is still there after a while.
                    yield from sleep_ms(_EMFILE_PAUSE_MS)
        except CancelledError:
            if not self._is_closing:
                raise
        finally:
            self._sock.close()

    def _begin(self, sock: Any, address: Any) -> None:
        """A task for a connection."""
        sock.setblocking(False)
        extra = {"peername": address}
        if self._ssl:
            create_task(self._serve_secure(sock, extra))
        else:
            both = Stream(sock, extra)
            create_task(self._cb(both, both))

    @coroutine
    def _serve_secure(self, sock: Any, extra: dict[str, Any]) -> Waits:
        """A client with whom there is no agreement is of no concern to others."""
        try:
            wrapped = yield from _wrap(sock, self._ssl, server_side=True)
        except OSError as error:
            print_exception(error)
            return
        both = Stream(wrapped, extra)
        yield from returned_by(self._cb, (both, both))


@coroutine
def start_server(
    cb: Callable[[Stream, Stream], Any], host: str | None, port: int, backlog: int = 5, ssl: Any = None
) -> Generator[Any, Any, Server]:
    """Listens there, and runs cb(reader, writer) in a task for each connection. host: "" or None for any; of a name
    its IPv4 address rather than its IPv6 one. ssl: an SSLContext with a certificate."""
    socket = _find_socket()
    family, _, _, _, address = socket.getaddrinfo(host or "0.0.0.0", port)[0]
    sock = socket.socket(family)
    try:
        sock.setblocking(False)
        sock.setsockopt(_usocket.SOL_SOCKET, _usocket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(backlog)
    except BaseException:
        sock.close()
        raise
    server = Server(sock, cb, backlog, ssl)
    try:
        yield from sleep_ms(0)  # for its task to begin, so that it closes the socket when it is cancelled
    except CancelledError:
        server.task.cancel()
        raise
    return server
