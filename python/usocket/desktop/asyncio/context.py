"""What the loop is at: the task that runs, the tasks that are to run, the streams that tasks wait for.

There is one, as there is one loop; core.new_event_loop() begins it anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from usocket.desktop.asyncio.ioqueue import IOQueue
    from usocket.desktop.asyncio.task import Task, TaskQueue


class Context:
    __slots__ = ("current", "io", "pending", "ready")

    current: Task | None
    ready: TaskQueue
    io: IOQueue
    # Those that have not ended, whoever else knows of them. A device stops a task that is forgotten without a word;
    # CPython would collect it, and so run its `finally` or `except:` in the middle of whichever task runs then.
    pending: set[Task]

    def running(self) -> Task:
        """The task that runs, for what only a task may do."""
        if self.current is None:
            raise RuntimeError("no running event loop: this has to be awaited in a task, which asyncio.run() starts")
        return self.current


context = Context()
context.pending = set()
