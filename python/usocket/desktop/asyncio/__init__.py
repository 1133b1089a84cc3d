"""asyncio as devices have it (DEV-3): MicroPython's names and semantics, over uselect.poll.

Not CPython's asyncio, and nothing of it: a task is a coroutine or a generator, and whoever wants to wait puts the
running task on a queue and yields. docs/asyncio.md says what is there and what differs.
"""

from usocket.desktop.asyncio import core
from usocket.desktop.asyncio.core import (
    Loop,
    create_task,
    current_task,
    get_event_loop,
    get_running_loop,
    new_event_loop,
    run,
    run_until_complete,
    sleep,
    sleep_ms,
)
from usocket.desktop.asyncio.errors import CancelledError, TimeoutError
from usocket.desktop.asyncio.event import Event, ThreadSafeFlag
from usocket.desktop.asyncio.funcs import gather, wait_for, wait_for_ms
from usocket.desktop.asyncio.legacy import IORead, IOReadDone, IOWrite, IOWriteDone, ensure_future
from usocket.desktop.asyncio.lock import Lock
from usocket.desktop.asyncio.stream import Server, Stream, StreamReader, StreamWriter, open_connection, start_server
from usocket.desktop.asyncio.task import Task, TaskQueue

# Of MicroPython's asyncio; programs tell the older uasyncio 2 by its lack of one.
__version__ = (3, 0, 0)

__all__ = [
    "CancelledError",
    "Event",
    "IORead",
    "IOReadDone",
    "IOWrite",
    "IOWriteDone",
    "Lock",
    "Loop",
    "Server",
    "Stream",
    "StreamReader",
    "StreamWriter",
    "Task",
    "TaskQueue",
    "ThreadSafeFlag",
    "TimeoutError",
    "core",
    "create_task",
    "current_task",
    "ensure_future",
    "gather",
    "get_event_loop",
    "get_running_loop",
    "new_event_loop",
    "open_connection",
    "run",
    "run_until_complete",
    "sleep",
    "sleep_ms",
    "start_server",
    "wait_for",
    "wait_for_ms",
]
