"""Waiting for several at once: with a deadline, and for all of them."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from usocket.desktop.asyncio.context import context
from usocket.desktop.asyncio.core import sleep_ms
from usocket.desktop.asyncio.coroutine import Waiting, coroutine
from usocket.desktop.asyncio.errors import CancelledError, TimeoutError
from usocket.desktop.asyncio.task import Task, create_task, promote_to_task

# --- wait_for


def wait_for(aw: Any, timeout: float | None) -> Waiting[Any]:
    """What aw returns or raises. After timeout seconds aw is cancelled, and once it has ended TimeoutError raised.
    None: without a limit."""
    return _wait_for(aw, None if timeout is None else timeout * 1000)


def wait_for_ms(aw: Any, timeout: float | None) -> Waiting[Any]:
    """The same in milliseconds."""
    return _wait_for(aw, timeout)


class _Sleeper:
    """The task in wait_for(), as long as it sleeps. Nothing is thrown into it to end that: CPython 3.11 does not trace
    it any more then.
    """

    def __init__(self, task: Task) -> None:
        self.task: Task | None = task
        self.has_ended = False  # before its time

    def end(self) -> None:
        task = self.task
        # With something to be thrown into it, it is not asleep any more.
        if task is not None and task.data is None:
            self.has_ended = True
            task.wake()


def _relay(task: Task, sleeper: _Sleeper) -> Generator[None, None, None]:
    try:
        yield from task
    except (CancelledError, Exception):
        pass  # wait_for() will raise it
    sleeper.end()


@coroutine
def _wait_for(aw: Any, timeout_ms: float | None) -> Generator[None, None, Any]:
    task = promote_to_task(aw)
    if timeout_ms is None:
        return (yield from task)
    sleeper = _Sleeper(context.running())
    relay = create_task(_relay(task, sleeper))
    try:
        yield from sleep_ms(timeout_ms)
    except CancelledError:
        relay.cancel()
        raise
    finally:
        sleeper.task = None
    # It may have ended just before the time was over: what it returns would be lost (TIME-6).
    if sleeper.has_ended or task.is_done:
        return task.result()
    relay.cancel()  # and so the task, for which it waits
    yield from relay
    raise TimeoutError


# --- gather


class _Gathering:
    """What the task in gather() waits for."""

    def __init__(self, tasks: list[Task], keeps_exceptions: bool) -> None:
        self._gatherer = context.running()
        self._running = [task for task in tasks if not task.is_done]
        self._left = len(self._running)
        self._keeps_exceptions = keeps_exceptions
        self.failure: BaseException | None = None  # the first, in time, that is to be raised
        if any(task.on_done is not None for task in self._running) or len(set(self._running)) != self._left:
            raise RuntimeError("can't gather: another task waits for one of these already")

    @coroutine
    def wait(self) -> Generator[None, None, None]:
        """Until all have ended, or one in an exception that is to be raised; when cancelled, cancels them."""
        for task in self._running:
            task.on_done = self._on_done
        self._gatherer.data = self
        is_cancelled = True
        try:
            yield
            is_cancelled = False
        finally:
            for task in self._running:
                if not task.is_done:
                    task.on_done = None
                    if is_cancelled:
                        task.cancel()

    def _on_done(self, task: Task, outcome: BaseException) -> None:
        if self._gatherer.data is not self:
            return  # it has been given its turn, by another or by cancel()
        self._left -= 1
        if not (self._keeps_exceptions or isinstance(outcome, StopIteration)):
            self.failure = outcome
        if self._left == 0 or self.failure is not None:
            context.ready.push(self._gatherer)

    @property
    def has_any(self) -> bool:
        return bool(self._running)

    def remove(self, task: Task) -> None:
        """The gatherer waits no longer: it was cancelled."""


def _is_failed(task: Task) -> bool:
    return task.is_done and not isinstance(task.data, StopIteration)


@coroutine
def gather(*aws: Any, return_exceptions: bool = False) -> Generator[None, None, list[Any]]:
    """Waits for all of them, and returns a list of what they return. The first exception is raised at once, and
    leaves the others running; or with return_exceptions stands in the list."""
    tasks = [promote_to_task(aw) for aw in aws]
    gathering = _Gathering(tasks, return_exceptions)
    if gathering.has_any and (return_exceptions or not any(map(_is_failed, tasks))):
        yield from gathering.wait()
    if not return_exceptions:
        failure = gathering.failure or next((task.data for task in tasks if _is_failed(task)), None)
        if failure is not None:
            raise failure
    return [task.data.value if isinstance(task.data, StopIteration) else task.data for task in tasks]
