"""COMPAT-2: trio, and anyio on it, where usocket.compat is the module `socket`. Prints what went well."""

import functools
import ssl  # noqa: F401  # keeps CPython's
import sys

from usocket import compat

sys.modules["socket"] = compat

import anyio  # noqa: E402
import trio  # noqa: E402
from anyio.abc import SocketAttribute, SocketStream  # noqa: E402

LIMIT_S = 30


async def echo(stream: trio.SocketStream) -> None:
    async for data in stream:
        await stream.send_all(data.upper())


async def over_trio() -> None:
    got = b""
    async with trio.open_nursery() as nursery:
        serve = functools.partial(trio.serve_tcp, echo, 0, host="127.0.0.1")
        (listener,) = await nursery.start(serve)
        assert type(listener.socket._sock) is compat.socket
        stream = await trio.open_tcp_stream("127.0.0.1", listener.socket.getsockname()[1])
        nursery.start_soon(stream.send_all, b"hello" * 100_000)
        while len(got) < 500_000:
            got += await stream.receive_some()
        await stream.aclose()
        nursery.cancel_scope.cancel()
    assert got == b"HELLO" * 100_000
    print("trio")


async def over_a_socket() -> None:
    here, there = compat.socketpair()
    with there, trio.socket.from_stdlib_socket(here) as ours:
        there.sendall(b"hello")
        assert await ours.recv(10) == b"hello"
    print("a socket that was there")


async def shout(stream: SocketStream) -> None:
    async with stream:
        async for data in stream:
            await stream.send(data.upper())


async def over_anyio() -> None:
    got = b""
    listener = await anyio.create_tcp_listener(local_host="127.0.0.1")
    async with anyio.create_task_group() as group:
        group.start_soon(listener.serve, shout)
        async with await anyio.connect_tcp("127.0.0.1", listener.extra(SocketAttribute.local_port)) as stream:
            await stream.send(b"hello")
            while len(got) < 5:
                got += await stream.receive()
        group.cancel_scope.cancel()
    await listener.aclose()
    assert got == b"HELLO"
    print("anyio")


async def run() -> None:
    with trio.fail_after(LIMIT_S):
        await over_trio()
        await over_a_socket()
        await over_anyio()


trio.run(run)
