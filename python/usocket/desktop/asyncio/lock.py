"""Lock: one task at a time."""

from __future__ import annotations

from collections.abc import Generator

from usocket.desktop.asyncio.context import context
from usocket.desktop.asyncio.coroutine import Waiting, coroutine
from usocket.desktop.asyncio.errors import CancelledError
from usocket.desktop.asyncio.task import Task, TaskQueue


class Lock:
    """Goes to those who wait in the order in which they came. `async with lock:` acquires and releases it."""

    def __init__(self) -> None:
        self._is_locked = False
        self._next: Task | None = None  # has been given the lock, and not had its turn yet
        self._waiting = TaskQueue()

    def locked(self) -> bool:
        return self._is_locked

    @coroutine
    def acquire(self) -> Generator[None, None, bool]:
        """Waits until nobody has it, and takes it; True."""
        if self._is_locked or self._next is not None:
            task = context.running()
            self._waiting.push(task)
            task.data = self._waiting
            try:
                yield
            except CancelledError:
                if self._next is task:
                    self._pass_on()
                raise
            self._next = None
        self._is_locked = True
        return True

    def release(self) -> None:
        if not self._is_locked:
            raise RuntimeError("Lock not acquired")
        self._pass_on()

    def _pass_on(self) -> None:
        """Nobody has it now: it is for whoever has waited longest."""
        self._is_locked = False
        self._next = None
        if self._waiting.peek() is not None:
            self._next = self._waiting.pop()
            context.ready.push(self._next)

    def __aenter__(self) -> Waiting[bool]:
        return self.acquire()

    @coroutine
    def __aexit__(self, *exception: object) -> Generator[None, None, None]:
        self.release()
        yield from ()
