"""What may be a coroutine. On a device async functions and generators are the same thing; here they are made to be.

The loop itself takes both. What CPython's syntax refuses, `await` of a generator and `yield from` of a coroutine, is
for whoever compiles a program for devices to allow, with the functions of this file.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Awaitable, Callable, Generator
from typing import Any, ParamSpec, TypeVar, cast

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Result_co = TypeVar("Result_co", covariant=True)


class Waiting(Generator[Any, Any, Result_co], Awaitable[Result_co]):
    """The type of what both `await` and `yield from` take."""


def coroutine(function: Callable[Parameters, Generator[Any, Any, Result]]) -> Callable[Parameters, Waiting[Result]]:
    """A generator function whose generators can be awaited too."""
    return cast("Callable[Parameters, Waiting[Result]]", types.coroutine(function))


@coroutine
def suspend(value: Any = None) -> Generator[Any, Any, Any]:
    """`yield value` in an async function is `await suspend(value)`: on a device it hands over to the loop."""
    return (yield value)


def generators_are_coroutines(code: types.CodeType) -> types.CodeType:
    """The same code with every generator function in it as if decorated with `coroutine`: their generators can be
    awaited, and they can `yield from` a coroutine. They stay generators for all else."""
    constants = tuple(
        generators_are_coroutines(constant) if isinstance(constant, types.CodeType) else constant
        for constant in code.co_consts
    )
    flags = code.co_flags
    if flags & inspect.CO_GENERATOR:
        flags |= inspect.CO_ITERABLE_COROUTINE
    return code.replace(co_consts=constants, co_flags=flags)


def awaitable(what: Any) -> Any:
    """`await what`, where what may be anything that a device awaits (an iterable), is `await awaitable(what)`; in a
    function that is not async, which a device allows, `yield from awaitable(what)`."""
    if isinstance(what, types.CoroutineType):
        return what
    if isinstance(what, types.GeneratorType):
        return what if what.gi_code.co_flags & inspect.CO_ITERABLE_COROUTINE else _Awaited(what)
    return _Awaited(what)


@coroutine
def returned_by(function: Callable[..., Any], arguments: tuple[Any, ...]) -> Generator[Any, Any, Any]:
    """What the function returns, if that is a coroutine what this one returns."""
    returned = function(*arguments)
    if hasattr(returned, "send"):
        returned = yield from awaitable(returned)
    return returned


class _Awaited:
    """An iterable, or an object whose __await__ or __iter__ is a coroutine itself, as an awaitable."""

    __slots__ = ("_what",)

    def __init__(self, what: Any) -> None:
        self._what = what

    def __await__(self) -> Generator[Any, Any, Any]:
        kind = type(self._what)
        method = getattr(kind, "__await__", None) or getattr(kind, "__iter__", None)
        if method is None:
            raise TypeError(f"{kind.__name__} can't be awaited: a coroutine, a task or an iterable can")
        steps = method(self._what)
        return (yield from steps.__await__() if isinstance(steps, types.CoroutineType) else steps)

    __iter__ = __await__
