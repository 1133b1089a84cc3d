"""What a device's compiler takes for a coroutine, and CPython's does not (DEV-3, DEV-4)."""

from __future__ import annotations

import inspect
import types
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from usocket.desktop import asyncio
from usocket.desktop.asyncio.coroutine import awaitable, generators_are_coroutines, suspend


def compiled(source: str) -> dict[str, Any]:
    names: dict[str, Any] = {"asyncio": asyncio, "awaitable": awaitable, "suspend": suspend}
    exec(generators_are_coroutines(compile(source, "program", "exec")), names)
    return names


def test_dev_3_all_that_is_to_be_awaited_can_be_delegated_to_as_well() -> None:
    def main() -> Iterator[Any]:
        event, lock, flag = asyncio.Event(), asyncio.Lock(), asyncio.ThreadSafeFlag()
        event.set()
        flag.set()
        yield from asyncio.sleep(0)
        yield from asyncio.sleep_ms(0)
        yield from event.wait()
        yield from lock.acquire()
        yield from flag.wait()
        yield from asyncio.gather(asyncio.sleep_ms(0))
        yield from asyncio.wait_for_ms(asyncio.sleep_ms(0), 10_000)
        yield from asyncio.create_task(asyncio.sleep_ms(0))
        server = yield from asyncio.start_server(print, "127.0.0.1", 0)
        server.close()
        yield from server.wait_closed()
        return "all"

    assert asyncio.run(main()) == "all"


def test_dev_3_compiled_generators_are_awaited_and_delegate_to_coroutines() -> None:
    program = compiled("""
def generator(n):
    yield from asyncio.sleep_ms(0)
    return n

async def coroutine(n):
    return await generator(n)

def delegating(n):
    return (yield from coroutine(n))

class Class:
    def method(self, n):
        function = lambda: (yield from coroutine(n))
        return (yield from function())

async def main():
    return [await generator(1), await coroutine(2), await delegating(3), await Class().method(4)]
""")
    assert asyncio.run(program["main"]()) == [1, 2, 3, 4]


def test_dev_3_compiled_generators_still_generate() -> None:
    program = compiled("""
def count(n):
    for i in range(n):
        yield i
squares = [i * i for i in count(4)]
lazily = list(i * 2 for i in count(3))
""")
    assert (program["squares"], program["lazily"]) == ([0, 1, 4, 9], [0, 2, 4])
    assert isinstance(program["count"](1), types.GeneratorType)
    assert inspect.isgeneratorfunction(program["count"])


def test_dev_4_yield_in_an_async_function_is_suspend() -> None:
    async def wait() -> str:
        await suspend()
        await suspend(1)
        return "waited"

    assert asyncio.run(wait()) == "waited"


def plain() -> Iterator[Any]:
    yield from asyncio.sleep_ms(0)
    return "generator"


class Iterable:
    def __iter__(self) -> Iterator[Any]:
        yield from asyncio.sleep_ms(0)
        return "iterable"


class AsyncIter:
    async def __iter__(self) -> str:
        await asyncio.sleep_ms(0)
        return "async iterable"


class AsyncAwait:
    async def __await__(self) -> str:
        await asyncio.sleep_ms(0)
        return "async await"


class Flagged:
    @types.coroutine
    def __await__(self) -> Iterator[Any]:
        yield from asyncio.sleep_ms(0)
        return "flagged"


async def coroutine() -> str:
    await asyncio.sleep_ms(0)
    return "coroutine"


@pytest.mark.parametrize(
    "what", [plain, Iterable, AsyncIter, AsyncAwait, Flagged, coroutine, lambda: asyncio.create_task(coroutine())]
)
def test_dev_4_whatever_a_device_awaits(what: Any) -> None:
    async def awaiting() -> Any:
        return await awaitable(what())

    @types.coroutine
    def delegating() -> Generator[Any, Any, Any]:
        return (yield from awaitable(what()))

    first = asyncio.run(awaiting())
    assert isinstance(first, str)
    assert asyncio.run(delegating()) == first


def test_dev_4_what_cannot_be_awaited_is_a_type_error() -> None:
    async def main() -> None:
        with pytest.raises(TypeError):
            await awaitable(None)

    asyncio.run(main())
