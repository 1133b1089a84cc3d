"""The end of the process, where the tasks of a device stop where they are."""

from __future__ import annotations

import atexit

from usocket.desktop.asyncio.context import context


@atexit.register
def stop_tasks() -> None:
    """Keeps what has not ended from being collected after all, when CPython takes its modules apart: an `except:` in
    an endless loop would catch even that, and never let the process end."""
    if not context.pending:
        return
    try:
        import ctypes
    except ImportError:
        return
    for task in context.pending:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(task.coro))
