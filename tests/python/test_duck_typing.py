"""STRM-7: CPython's own classes take our sockets, unchanged: select, selectors, asyncio, io, shutil, ssl."""

from __future__ import annotations

import asyncio
import io
import os
import select
import selectors
import shutil
import ssl
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import usocket
from python_support import Caller, Pair, listener, send_and_close, tcp_pair
from usocket import compat


@pytest.fixture(params=[usocket, compat], ids=["usocket", "compat"])
def module(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_strm_7_select_poll(pair: Pair) -> None:
    one, other = pair
    poll = select.poll()
    poll.register(one, select.POLLIN)
    assert poll.poll(0) == []
    other.write(b"x")
    assert poll.poll() == [(one.fileno(), select.POLLIN)]


def test_strm_7_select_select(pair: Pair) -> None:
    one, other = pair
    assert select.select([one, other], [], [], 0) == ([], [], [])
    other.write(b"x")
    assert select.select([one, other], [], []) == ([one], [], [])
    assert select.select([one, other], [other], []) == ([one], [other], [])


def test_strm_7_select_epoll(pair: Pair) -> None:
    with select.epoll() as poll:
        poll.register(pair[0], select.EPOLLIN)
        pair[1].write(b"x")
        assert poll.poll() == [(pair[0].fileno(), select.EPOLLIN)]


@pytest.mark.parametrize("cls", [selectors.DefaultSelector, selectors.SelectSelector, selectors.PollSelector])
def test_strm_7_selectors(cls: type[selectors.BaseSelector], pair: Pair) -> None:
    with cls() as selector:
        selector.register(pair[0], selectors.EVENT_READ, "data")
        assert selector.select(0) == []
        pair[1].write(b"x")
        ((key, events),) = selector.select()
        assert (key.fileobj, key.data, events) == (pair[0], "data", selectors.EVENT_READ)
        selector.unregister(pair[0])


def test_strm_7_lines_behind_a_foreign_poll(tcp: Pair) -> None:
    """STRM-5: the poll of the host says for each line whether there is one more."""
    one, other = tcp
    other.write(b"1\n2\n3\n")
    seen = []
    while select.select([one], [], [], 0)[0]:
        seen.append(one.readline())
    assert seen == [b"1\n", b"2\n", b"3\n"]


# --- asyncio


def run(main: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(main(), 60))


def test_strm_7_asyncio_loop_sock_methods(module: Any) -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        with listener(module) as server, module.socket() as client:
            server.setblocking(False)
            client.setblocking(False)
            accepting = loop.create_task(loop.sock_accept(server))
            address = ("127.0.0.1", usocket.sockaddr(usocket.socket.getsockname(server))[2])
            await loop.sock_connect(client, address)
            conn, _ = await accepting
            with conn:
                data = os.urandom(1 << 20)
                sending = loop.create_task(loop.sock_sendall(client, data))
                received = bytearray()
                while len(received) < len(data):
                    received += await loop.sock_recv(conn, 65536)
                await sending
                assert received == data
                buffer = bytearray(4)
                receiving = loop.create_task(loop.sock_recv_into(client, buffer))
                await loop.sock_sendall(conn, b"back")
                assert (await receiving, buffer) == (4, b"back")

    run(main)


def test_strm_7_asyncio_streams_and_a_server(module: Any) -> None:
    """Transports, with more than the system takes at once."""

    async def main() -> None:
        async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
            writer.close()

        listening, client = listener(module), module.socket()
        client.connect(listening.getsockname())
        server = await asyncio.start_server(echo, sock=listening)
        client.setblocking(False)
        reader, writer = await asyncio.open_connection(sock=client)
        data = os.urandom(4 << 20)
        for start in range(0, len(data), 1 << 19):
            writer.write(data[start : start + (1 << 19)])
        assert await reader.readexactly(len(data)) == data
        writer.write_eof()
        assert await reader.read() == b""
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    run(main)


# --- io and shutil


def test_strm_7_copyfileobj_both_ways(tcp: Pair) -> None:
    data = os.urandom(1 << 20)
    one, other = tcp
    sender = Caller(shutil.copyfileobj, io.BytesIO(data), one.makefile("wb"))
    assert other.read(len(data)) == data
    sender.finish()
    sender = Caller(send_and_close, one, data)
    copy = io.BytesIO()
    shutil.copyfileobj(other.makefile("rb"), copy)
    sender.finish()
    assert copy.getvalue() == data


def test_strm_7_text_io_wrapper_reads_lines_as_they_come(pair: Pair) -> None:
    """One line arrives, and is read: nothing waits for a buffer to fill."""
    one, other = pair
    text = io.TextIOWrapper(one.makefile(), encoding="utf-8", newline="\n")
    other.write("grüße\n".encode())
    assert text.readline() == "grüße\n"
    text.write("zurück\n")
    text.flush()
    assert other.readline() == "zurück\n".encode()
    other.write(b"a\nb\nlast")
    other.shutdown(usocket.SHUT_WR)
    assert list(text) == ["a\n", "b\n", "last"]
    text.close()
    assert one.closed and text.closed


def test_strm_7_buffered_reader_to_eof(pair: Pair) -> None:
    one, other = pair
    data = b"".join(b"line %d\n" % index for index in range(10_000))
    sender = Caller(send_and_close, other, data)
    with io.BufferedReader(one.makefile()) as file:
        assert file.readable() and not file.seekable()
        assert file.readline() == b"line 0\n"
        assert file.peek(4)[:4] == b"line"
        assert file.read(7) == b"line 1\n"
        assert b"".join([b"line 0\nline 1\n", *file]) == data
    assert one.closed
    sender.finish()


def test_strm_7_buffered_writer_and_pair(pair: Pair) -> None:
    one, other = pair
    with io.BufferedRWPair(other.makefile(), one.makefile("wb")) as file:
        assert file.write(b"abc") == 3
        file.flush()
        one.shutdown(usocket.SHUT_WR)
        assert file.read() == b"abc"
    assert one.closed and other.closed
    one, other = tcp_pair()
    with other, io.BufferedWriter(one.makefile("wb"), 16) as writer:
        writer.write(b"x" * 100)
        writer.write(b"y")
        writer.flush()
        assert other.read(101) == b"x" * 100 + b"y"


def test_strm_7_print_to_a_socket(pair: Pair) -> None:
    text = io.TextIOWrapper(pair[0].makefile("wb"), encoding="ascii", write_through=True)
    print("hello", 42, file=text)
    assert pair[1].readline() == b"hello 42\n"
    text.detach()


# --- ssl: with a cipher that needs no certificate


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    both = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    both[1].check_hostname = False
    for context in both:
        context.verify_mode = ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.set_ciphers("aNULL:@SECLEVEL=0")
        except ssl.SSLError:
            pytest.skip("this OpenSSL has no cipher without a certificate")
    return both


def test_strm_7_the_hosts_ssl_wraps_our_sockets(module: Any) -> None:
    server_context, client_context = contexts()
    one, other = tcp_pair(module)
    with one, other:
        server = Caller(server_context.wrap_socket, other, True)
        with client_context.wrap_socket(one) as client, server.finish() as wrapped:
            client.sendall(b"over TLS")
            assert wrapped.recv(100) == b"over TLS"
        assert one.closed and other.closed  # wrap_socket() has taken their descriptors
