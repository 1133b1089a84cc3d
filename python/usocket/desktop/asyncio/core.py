"""The loop: which task runs next, and what becomes of one that ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator
from typing import Any

from usocket.desktop.asyncio import ending as ending
from usocket.desktop.asyncio import legacy
from usocket.desktop.asyncio.clock import ms_until, ticks, ticks_add, ticks_diff
from usocket.desktop.asyncio.context import context
from usocket.desktop.asyncio.coroutine import Waiting, coroutine, returned_by
from usocket.desktop.asyncio.errors import CancelledError, TimeoutError
from usocket.desktop.asyncio.ioqueue import IOQueue
from usocket.desktop.asyncio.task import ReadyQueue, Task, TaskQueue, create_task, promote_to_task
from usocket.desktop.tracebacks import print_exception

__all__ = [
    "CancelledError",
    "IOQueue",
    "Loop",
    "Task",
    "TaskQueue",
    "TimeoutError",
    "create_task",
    "current_task",
    "get_event_loop",
    "get_running_loop",
    "new_event_loop",
    "run",
    "run_until_complete",
    "sleep",
    "sleep_ms",
    "ticks",
    "ticks_add",
    "ticks_diff",
]


def __getattr__(name: str) -> Any:
    """The names of MicroPython's asyncio.core that programs reach for to wait in their own way."""
    if name == "cur_task":
        if context.current is not None:
            context.current.is_known = True
        return context.current
    if name == "_task_queue":
        return context.ready
    if name == "_io_queue":
        return context.io
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


# --- Tasks


def current_task() -> Task:
    """The task that runs."""
    task = context.running()
    task.is_known = True
    return task


# --- Sleeping


@coroutine
def _sleep_until(due: int) -> Generator[None, None, None]:
    context.ready.push(context.running(), due)
    yield


def sleep_ms(t: float) -> Waiting[None]:
    """Lets others run for t milliseconds; 0 or less: for one turn."""
    return _sleep_until(ticks() + max(0, int(t)))


def sleep(t: float) -> Waiting[None]:
    """Lets others run for t seconds, which may be a float."""
    return sleep_ms(t * 1000)


# --- The loop


def run(coro: Any) -> Any:
    """Runs the coroutine and all tasks until it ends, and returns or raises what it does. Tasks that are left wait
    for the next run."""
    return run_until_complete(create_task(coro))


def run_until_complete(main_task: Task | None = None) -> Any:
    """Runs tasks until this one ends, and returns or raises what it does; without one until no task is left."""
    if main_task is not None and main_task.is_done:
        return main_task.result()
    outer, context.current = context.current, None
    try:
        while (task := _next_task(main_task)) is not None:
            outcome = _step(task)
            if outcome is None:
                continue
            _end(task, outcome, main_task)
            if task is main_task:
                if isinstance(outcome, StopIteration):
                    return outcome.value
                raise outcome
            del outcome  # and what its traceback holds
        return None
    finally:
        context.current = outer


def _next_task(main_task: Task | None) -> Task | None:
    """Waits until a task is due, and takes it; None: there will be none.

    Streams are looked at once a round: when the first task comes up that became due after the last look. So no task
    starves another or a stream, and a look at the streams is shared by all tasks that it woke.
    """
    ready, io = context.ready, context.io
    while True:
        if io.woken:
            io.take_woken()
        entry = ready.head()
        if entry is None:
            if (main_task is None or main_task.is_done) and not io.is_waited_for():
                return None
            io.wait_io_event(-1)  # with nothing to wait for: until a signal, or another thread
        elif entry[0] > ticks():
            io.wait_io_event(max(0, ms_until(entry[0])))
        elif entry[1] > io.round_end:
            io.wait_io_event(0)
        else:
            return ready.take(entry)


def _step(task: Task) -> BaseException | None:
    """Continues a task until it waits again, for which it has seen to itself; what ended it, or None."""
    thrown, task.data = task.data, None
    if task.is_done:
        # Nobody was waiting when it died, and nobody has come since.
        task.data = thrown
        if not task.is_retrieved:
            _report(task)
        return None
    context.current = task
    try:
        value = task.coro.send(None) if thrown is None else task.coro.throw(thrown)
    except (CancelledError, Exception) as outcome:
        # The exception leads to this frame, by its traceback and on CPython 3.13 by the frames in it. It is the task's,
        # so the task must not be this frame's, or nothing of what their frames hold goes before the collector comes.
        del task, thrown
        return outcome.with_traceback(outcome.__traceback__ and outcome.__traceback__.tb_next)
    finally:
        context.current = None
    if task.entry is None and task.data is None:
        legacy.continue_later(task, value)
    return None


def _end(task: Task, outcome: BaseException, main_task: Task | None) -> None:
    """A task has come to its end."""
    task.finish(outcome)
    if task is main_task:
        task.is_retrieved = True
    if not task.is_retrieved and not isinstance(outcome, (CancelledError, StopIteration)):
        # Somebody may wait for it in the meantime; if not, _step() finds it.
        context.ready.push(task)
        task.data = outcome


def _report(task: Task) -> None:
    Loop.call_exception_handler({"message": "Task exception wasn't retrieved", "exception": task.data, "future": task})


def _nothing() -> Generator[None, None, None]:
    yield from ()


class Loop:
    """The loop as an object. There is one, so that the class itself will do, as on a device."""

    _exc_handler: Callable[[Any, dict[str, Any]], object] | None = None
    _stop_task: Task | None = None

    @staticmethod
    def create_task(coro: Any) -> Task:
        return create_task(coro)

    @staticmethod
    def run_forever() -> None:
        """Runs tasks until stop() is called."""
        Loop._stop_task = Task(_nothing())
        run_until_complete(Loop._stop_task)

    @staticmethod
    def run_until_complete(aw: Any) -> Any:
        """Runs tasks until this task or coroutine ends, and returns or raises what it does."""
        return run_until_complete(promote_to_task(aw))

    @staticmethod
    def stop() -> None:
        """Ends run_forever(), after the tasks whose turn comes first."""
        if Loop._stop_task is not None:
            context.ready.push(Loop._stop_task)
            Loop._stop_task = None

    @staticmethod
    def close() -> None:
        pass

    @staticmethod
    def set_exception_handler(handler: Callable[[Any, dict[str, Any]], object] | None) -> None:
        """handler(loop, context) is called when a task has died of an exception that nobody waits for. The context
        has "message", "exception" and "future", which is the task."""
        Loop._exc_handler = handler

    @staticmethod
    def get_exception_handler() -> Callable[[Any, dict[str, Any]], object] | None:
        return Loop._exc_handler

    @staticmethod
    def default_exception_handler(loop: Any, context: dict[str, Any]) -> None:
        """Prints what is in the context to stderr."""
        print(context["message"], file=sys.stderr)
        print("future:", context["future"], "coro=", context["future"].coro, file=sys.stderr)
        print_exception(context["exception"])

    @staticmethod
    def call_exception_handler(context: dict[str, Any]) -> None:
        (Loop._exc_handler or Loop.default_exception_handler)(Loop, context)

    # Of uasyncio 2.

    @staticmethod
    def time() -> int:
        return ticks()

    @staticmethod
    def call_soon(callback: Any, *args: Any) -> Task:
        return legacy.call_at(ticks(), callback, args)

    @staticmethod
    def call_later(delay: float, callback: Any, *args: Any) -> Task:
        return legacy.call_at(ticks() + int(delay * 1000), callback, args)

    @staticmethod
    def call_later_ms(delay: int, callback: Any, *args: Any) -> Task:
        return legacy.call_at(ticks() + delay, callback, args)

    @staticmethod
    def call_at_(time: int, callback: Any, args: tuple[Any, ...] = ()) -> Task:
        return legacy.call_at(time, callback, args)

    # Of CPython, for programs that know both.

    @staticmethod
    @coroutine
    def run_in_executor(executor: object, function: Callable[..., Any], *args: Any) -> Generator[Any, Any, Any]:
        """Calls the function, here and now: a device has no threads to spare. A coroutine that it returns is run:
        programs that tell an async function from another call this for both, where both are generators."""
        return (yield from returned_by(function, args))


def get_event_loop(runq_len: int = 0, waitq_len: int = 0) -> type[Loop]:
    """The loop. The lengths are of uasyncio 2, and mean nothing any more."""
    return Loop


def get_running_loop() -> type[Loop]:
    """The loop, for a task."""
    context.running()
    return Loop


def new_event_loop() -> type[Loop]:
    """Begins anew: forgets all tasks. It is the same loop, as there is only one."""
    context.current = None
    context.ready = ReadyQueue()
    context.io = IOQueue()
    return Loop


new_event_loop()
