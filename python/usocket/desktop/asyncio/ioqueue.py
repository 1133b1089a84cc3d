"""The streams that tasks wait for, and the one place where the loop sleeps."""

from __future__ import annotations

import os
import weakref
from collections import deque
from typing import Any, Protocol

import uselect

from usocket.desktop.asyncio.context import context
from usocket.desktop.asyncio.task import Task, next_number
from usocket.desktop.modules.select import poll

_POLLIN, _POLLOUT = uselect.POLLIN, uselect.POLLOUT

_LINGERS = 8  # rounds: those between reads of a task that reads, answers and drains, with deadlines on each


class Wait:
    """Who waits for a stream, and for which events it is registered."""

    __slots__ = ("events", "is_listed", "lingers", "queue", "reader", "stream", "writer")

    def __init__(self, queue: IOQueue, stream: Any) -> None:
        self.queue = queue
        self.stream = stream
        self.reader: Task | None = None
        self.writer: Task | None = None
        self.events = 0
        self.is_listed = False  # in the queue's list of changes
        self.lingers = 0  # so many rounds more it stays registered for reading, though nobody waits

    def wanted(self) -> int:
        return (0 if self.reader is None else _POLLIN) | (0 if self.writer is None else _POLLOUT)

    def remove(self, task: Task) -> None:
        """The task waits no longer: it was cancelled."""
        if self.reader is task:
            self.reader = None
        if self.writer is task:
            self.writer = None
        self.lingers = 0
        self.queue.has_changed(self)


class Wakeable(Protocol):
    """What is set from anywhere, and has a task that waits for that."""

    def take_waiting(self) -> Task | None: ...


class IOQueue:
    """What a program for devices uses of it is `yield core._io_queue.queue_read(stream)`, or queue_write.

    A stream stays registered for a few rounds after its reader was woken: one that reads again, as most do, costs no
    system call. Once the loop has to sleep, those whose reader has not come back are let go.
    """

    def __init__(self) -> None:
        self.poller = poll()
        self.map: dict[int, Wait] = {}  # by id() of the stream
        self._changed: list[Wait] = []  # may be registered for other events than are waited for
        self._count = 0  # of tasks that wait for others than streams
        self.woken: deque[Wakeable] = deque()  # not yet given their turn
        self._waker: _Waker | None = None
        self.is_asleep = False
        self.round_end = 0  # entries of tasks up to this number are of the round: queued before the last look

    # --- Waiting for a stream

    def queue_read(self, stream: Any) -> None:
        """The task that runs is to go on when the stream can be read; it has to yield next."""
        wait = self._wait_for(stream)
        if wait.reader is not None:
            raise RuntimeError("another task waits to read this stream already: one at a time")
        task = context.running()
        wait.reader = task
        task.data = wait
        if not wait.events & _POLLIN:
            self.has_changed(wait)

    def queue_write(self, stream: Any) -> None:
        """The same for writing."""
        wait = self._wait_for(stream)
        if wait.writer is not None:
            raise RuntimeError("another task waits to write to this stream already: one at a time")
        task = context.running()
        wait.writer = task
        task.data = wait
        if not wait.events & _POLLOUT:
            self.has_changed(wait)

    def _wait_for(self, stream: Any) -> Wait:
        key = id(stream)
        wait = self.map.get(key)
        if wait is None:
            self.map[key] = wait = Wait(self, stream)
        return wait

    def has_changed(self, wait: Wait) -> None:
        """What it is registered for may be more or less than is waited for."""
        if not wait.is_listed:
            wait.is_listed = True
            self._changed.append(wait)

    def remove(self, task: Task) -> None:
        """The task waits for no stream any longer."""
        for wait in list(self.map.values()):
            if task in (wait.reader, wait.writer):
                wait.remove(task)

    def _settle(self, is_idle: bool) -> None:
        """Tells the poll what is waited for, where that has changed. is_idle: and has no others wait in vain."""
        changed, self._changed = self._changed, []
        for wait in changed:
            wait.is_listed = False
            wanted = wait.wanted()
            if wanted == wait.events and wanted:
                continue
            if wait.lingers and not is_idle and wanted | _POLLIN == wait.events:
                wait.lingers -= 1
                self.has_changed(wait)
                continue
            try:
                self._register(wait, wanted)
            except (OSError, ValueError, TypeError) as error:
                self._refuse(wait, error)

    def _register(self, wait: Wait, wanted: int) -> None:
        stream, before = wait.stream, wait.events
        wait.events = wanted
        if not wanted:
            del self.map[id(stream)]
            if before:
                self.poller.unregister(stream, False)
        elif before:
            self.poller.modify(stream, wanted)
        else:
            self.poller.register(stream, wanted, wait)

    def _refuse(self, wait: Wait, error: Exception) -> None:
        """A stream that cannot be polled: its tasks are told, where they wait."""
        self.map.pop(id(wait.stream), None)
        for task in {wait.reader, wait.writer} - {None}:
            assert task is not None
            context.ready.push(task)
            task.data = error

    # --- Waiting for what is set from anywhere

    def wait_for_wake(self) -> None:
        """A task begins to wait for a Wakeable."""
        self._count += 1

    def no_longer(self) -> None:
        """It does so no more."""
        self._count -= 1

    def wake(self, what: Wakeable | None = None) -> None:
        """Ends the loop's sleep, and gives the task that waits its turn. From any thread or signal handler."""
        if what is not None:
            self.woken.append(what)
        if self.is_asleep and self._waker is not None:
            self._waker.wake()

    def take_woken(self) -> None:
        woken = self.woken
        while woken:
            task = woken.popleft().take_waiting()
            if task is not None:
                context.ready.push(task)

    # --- The loop

    def is_waited_for(self) -> bool:
        """Whether anything may still happen here that gives a task its turn."""
        return self._count > 0 or any(wait.wanted() for wait in self.map.values())

    def wait_io_event(self, timeout_ms: float) -> None:
        """Gives the tasks whose streams are ready their turn. If there are none, waits until there is one, or wake()
        is called, or the time is over (-1: never)."""
        if self._changed:
            self._settle(timeout_ms != 0)
        if timeout_ms:
            self._deliver(self._sleep(timeout_ms))
        else:
            self._deliver(self.poller.poll(0))
        self.round_end = next_number()

    def _sleep(self, timeout_ms: float) -> list[tuple[Any, ...]]:
        if self._waker is None:
            self._waker = _Waker()
            self.poller.register(self._waker, _POLLIN, None)
        # What others set from here on ends the poll; what they had set before is seen here.
        self.is_asleep = True
        try:
            if self.woken or context.ready.is_due():
                timeout_ms = 0
            return self.poller.poll(timeout_ms)
        finally:
            self.is_asleep = False

    def _deliver(self, events: list[tuple[Any, ...]]) -> None:
        push = context.ready.push
        for _, event, wait in events:
            if wait is None:
                assert self._waker is not None
                self._waker.reset()
                continue
            # Errors and hang-ups are for both.
            wait.lingers = 0
            if wait.reader is not None and event & ~_POLLOUT:
                push(wait.reader)
                wait.reader = None
                wait.lingers = _LINGERS
            if wait.writer is not None and event & ~_POLLIN:
                push(wait.writer)
                wait.writer = None
            self.has_changed(wait)


class _Waker:
    """A descriptor that becomes readable when the loop is to wake up."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe()
        os.set_blocking(self._reading, False)
        os.set_blocking(self._writing, False)
        weakref.finalize(self, _close, self._reading, self._writing)

    def fileno(self) -> int:
        return self._reading

    def wake(self) -> None:
        try:
            os.write(self._writing, b"\0")
        except BlockingIOError:
            pass  # so many are on their way that one more makes no difference

    def reset(self) -> None:
        try:
            while len(os.read(self._reading, 1 << 12)) == 1 << 12:
                pass
        except BlockingIOError:
            pass


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
