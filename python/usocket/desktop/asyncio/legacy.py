"""What programs for uasyncio 2 (Pycopy, and MicroPython before 1.13) know besides, where it does no harm.

There a task tells the loop what it wants by the value that it yields. Here it sees to that itself before it yields,
and the value is looked at only if it has not.
"""

from __future__ import annotations

import types
from typing import Any

from usocket.desktop.asyncio.clock import ticks
from usocket.desktop.asyncio.context import context
from usocket.desktop.asyncio.coroutine import returned_by
from usocket.desktop.asyncio.task import Task, create_task

ensure_future = create_task


class IORead:
    """`yield IORead(stream)` waits until the stream can be read."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def schedule(self) -> None:
        context.io.queue_read(self.stream)


class IOWrite(IORead):
    """`yield IOWrite(stream)` waits until the stream can be written to."""

    def schedule(self) -> None:
        context.io.queue_write(self.stream)


class IOReadDone(IORead):
    """`yield IOReadDone(stream)`: it will not be waited for again, which needs no saying any more."""

    def schedule(self) -> None:
        context.ready.push(context.running())


class IOWriteDone(IOReadDone):
    """The same for writing."""


def continue_later(task: Task, value: object) -> None:
    """A task has yielded, and is on no queue: it gets its turn when the value says so."""
    if value is None:
        # It only lets others run. But one that the program has got hold of will be put on a queue by the program.
        if not task.is_known:
            context.ready.push(task)
    elif isinstance(value, IORead):
        context.current = task
        try:
            value.schedule()
        finally:
            context.current = None
    elif isinstance(value, (types.GeneratorType, types.CoroutineType)):
        create_task(value)
        context.ready.push(task)
    elif value is False:
        pass  # somebody else will see to it
    elif isinstance(value, int):
        context.ready.push(task, ticks() + value)
    else:
        context.ready.push(task)
        task.data = TypeError(f"a task yielded {value!r}, by which the loop cannot tell when it is to go on")


def call_at(due: int, callback: Any, args: tuple[Any, ...]) -> Task:
    """A task that begins then: the callback if it is a coroutine, else one that calls it."""
    task = Task(callback if hasattr(callback, "send") else returned_by(callback, args))
    context.ready.push(task, due)
    return task
