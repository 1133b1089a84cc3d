"""Tasks, and the queues on which they wait: for their time, for an event, for a lock, for one another."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Generator
from itertools import count
from types import TracebackType
from typing import Any, TypeAlias

from usocket.desktop.asyncio.clock import ticks
from usocket.desktop.asyncio.context import context
from usocket.desktop.asyncio.errors import CancelledError

# When it is due, the order of those that are due at once, and who.
Entry: TypeAlias = "tuple[int, int, Task]"

next_number = count(1).__next__
_FEW = 64  # so many dead entries are not worth a sweep


class TaskQueue:
    """Tasks by the time at which they are due; those of one time in the order in which they came.

    A task is on one queue at a time. Its entry is the one it knows; an entry that its task has forgotten is dead, and
    is skipped when it comes up. So a push, a pop and a removal cost O(log n) at most.
    """

    __slots__ = ("_dead", "_entries")

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._dead = 0

    def push(self, task: Task, key: int | None = None) -> None:
        """Puts a task on the queue, due now or at `key` (ticks). Whatever it waited for, it no longer does."""
        task.data = None
        task.entry = entry = (ticks() if key is None else key, next_number(), task)
        heapq.heappush(self._entries, entry)

    def head(self) -> Entry | None:
        """The entry that is due first, or None."""
        entries = self._entries
        while entries:
            entry = entries[0]
            if entry[2].entry is entry:
                return entry
            heapq.heappop(entries)
            self._dead = max(0, self._dead - 1)
        return None

    def peek(self) -> Task | None:
        entry = self.head()
        return None if entry is None else entry[2]

    def take(self, entry: Entry) -> Task:
        """Takes the task whose entry head() has returned."""
        heapq.heappop(self._entries)
        entry[2].entry = None
        return entry[2]

    def pop(self) -> Task:
        """Takes the task that is due first."""
        entry = self.head()
        if entry is None:
            raise IndexError("empty heap")
        return self.take(entry)

    def is_due(self) -> bool:
        """Whether there is one that should run now."""
        entry = self.head()
        return entry is not None and entry[0] <= ticks()

    def remove(self, task: Task) -> None:
        """Takes a task off the queue, which has to be on it."""
        task.entry = None
        self._dead += 1
        if self._dead > _FEW and 2 * self._dead > len(self._entries):
            self._entries = [entry for entry in self._entries if entry[2].entry is entry]
            heapq.heapify(self._entries)
            self._dead = 0

    # As they were called up to MicroPython 1.19.
    push_head = push
    push_sorted = push
    pop_head = pop


class ReadyQueue(TaskQueue):
    """The tasks that are to run. Whoever pushes one while the loop sleeps, from a signal handler or another thread,
    wakes it: on a device that is an interrupt."""

    __slots__ = ()

    def push(self, task: Task, key: int | None = None) -> None:
        super().push(task, key)
        if context.io.is_asleep:
            context.io.wake()

    push_head = push
    push_sorted = push


class Task:
    """A coroutine that the loop runs. `await task` waits for its end, and returns or raises what it did.

    create_task() makes them.
    """

    __slots__ = ("__weakref__", "coro", "data", "entry", "is_done", "is_known", "is_retrieved", "on_done", "traceback")

    def __init__(self, coro: Any, globals: object = None) -> None:
        self.coro = coro
        # While it waits: what for, which has remove(task), a task among them; None if for its time. Before it goes on:
        # None, or what is to be thrown into it. Once it is done: the exception that ended it, StopIteration if all
        # went well.
        self.data: Any = None
        self.traceback: TracebackType | None = None  # of that exception
        self.entry: Entry | None = None
        self.is_done = False
        self.is_retrieved = False  # somebody has waited for its end: an exception is not lost
        self.is_known = False  # the program has got hold of it by core.cur_task, and may put it on a queue itself
        # Who waits for its end: nobody, tasks, or a function that is called with the task and its `data`.
        self.on_done: TaskQueue | Callable[[Task, BaseException], None] | None = None
        context.pending.add(self)

    def __await__(self) -> Generator[None, None, Any]:
        while not self.is_done:
            if self.on_done is None:
                self.on_done = TaskQueue()
            elif not isinstance(self.on_done, TaskQueue):
                raise RuntimeError("can't wait: gather() waits for this task, and a device cannot do both")
            waiting = context.running()
            self.on_done.push(waiting)
            waiting.data = self
            yield
        return self.result()

    __iter__ = __await__

    @property
    def ph_key(self) -> int:
        """The ticks at which it is due; MicroPython's name for it."""
        return 0 if self.entry is None else self.entry[0]

    def result(self) -> Any:
        """What the coroutine returned; raises what it raised. Of a task that is done."""
        self.is_retrieved = True
        if type(self.data) is StopIteration:
            return self.data.value
        # Each who waits adds frames to the traceback: not to that of the others.
        raise self.data.with_traceback(self.traceback)

    def done(self) -> bool:
        return self.is_done

    def cancel(self) -> bool:
        """Throws a CancelledError into the task, or into the one that it waits for; False: it is done already."""
        if self.is_done:
            return False
        if self is context.current:
            raise RuntimeError("can't cancel self: raise asyncio.CancelledError instead")
        task = self
        while isinstance(task.data, Task):
            task = task.data
        if hasattr(task.data, "remove"):
            task.data.remove(task)
            context.ready.push(task)
        else:
            task.wake()
        task.data = CancelledError
        return True

    def wake(self) -> None:
        """Of a task that sleeps: it is due now."""
        if self.ph_key > ticks():
            context.ready.remove(self)
            context.ready.push(self)

    def finish(self, outcome: BaseException) -> None:
        """The coroutine has ended: schedules those who wait for that."""
        waiting, self.on_done = self.on_done, None
        self.is_done = True
        context.pending.discard(self)
        self.data = outcome
        self.traceback = outcome.__traceback__
        if isinstance(waiting, TaskQueue):
            while waiting.peek() is not None:
                self.is_retrieved = True
                context.ready.push(waiting.pop())
        elif waiting is not None:
            self.is_retrieved = True
            waiting(self, outcome)


def create_task(coro: Any) -> Task:
    """A task that runs the coroutine, from the loop's next turn on."""
    if not hasattr(coro, "send"):
        raise TypeError(f"coroutine expected, not {type(coro).__name__}: call the function, create_task(f())")
    task = Task(coro)
    context.ready.push(task)
    return task


def promote_to_task(aw: Any) -> Task:
    """aw, which may be a task already."""
    return aw if isinstance(aw, Task) else create_task(aw)
