"""Event, for tasks to wait until another has set it; ThreadSafeFlag, which is set from anywhere."""

from __future__ import annotations

from collections.abc import Generator

from usocket.desktop.asyncio.context import context
from usocket.desktop.asyncio.coroutine import coroutine
from usocket.desktop.asyncio.task import Task, TaskQueue


class Event:
    """Is set or not, and lets any number of tasks wait until it is. For use in tasks alone."""

    def __init__(self) -> None:
        self.state = False
        self.waiting = TaskQueue()

    def is_set(self) -> bool:
        return self.state

    def set(self) -> None:
        """Sets it: all who wait go on, in the order in which they came."""
        while self.waiting.peek() is not None:
            context.ready.push(self.waiting.pop())
        self.state = True

    def clear(self) -> None:
        self.state = False

    @coroutine
    def wait(self) -> Generator[None, None, bool]:
        """Waits until it is set, if it is not; True."""
        if not self.state:
            task = context.running()
            self.waiting.push(task)
            task.data = self.waiting
            yield
        return True


class ThreadSafeFlag:
    """A flag that threads, signal handlers and timers may set; one task waits for it, and finds it cleared."""

    def __init__(self) -> None:
        self._is_set = False
        self._task: Task | None = None

    def set(self) -> None:
        self._is_set = True
        context.io.wake(self)

    def clear(self) -> None:
        self._is_set = False

    @coroutine
    def wait(self) -> Generator[None, None, None]:
        """Waits until it is set, if it is not, and clears it."""
        if not self._is_set:
            if self._task is not None:
                raise RuntimeError("another task waits for this flag already: one at a time")
            io = context.io
            io.wait_for_wake()
            self._task = task = context.running()
            task.data = self
            try:
                if self._is_set:  # set since we looked
                    io.wake(self)
                yield
            finally:
                self._task = None
                io.no_longer()
        self._is_set = False

    def remove(self, task: Task) -> None:
        """The task waits no longer: it was cancelled."""
        self._task = None

    def take_waiting(self) -> Task | None:
        """The task that is to go on, if one waits and the flag is still set."""
        if not self._is_set:
            return None
        task, self._task = self._task, None
        return task
