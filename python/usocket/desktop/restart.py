"""machine.reset() and its like: a board begins anew, the program here ends, and says so in a line (DEV-2).

Nothing of the program runs after it, no `except:` and no `finally:`, as on a board; what is registered with atexit
does. Whoever watches the program has still got something to do: a debugger, coverage, a profiler, a test. For them it
is SystemExit.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import types
from typing import NoReturn

from usocket.desktop import debugger, dialect, schedule

CALLS_ON_ITS_OWN = True  # atexit's functions, which have no caller in the program: dialect.py looks for that

ends_at_once = False  # set by the command, whose process is the program's


def end(call: str) -> NoReturn:
    """`call` is what the program has called, from any thread."""
    frame: types.FrameType | None = sys._getframe(1)
    print(f"{_place_of(frame)}{call}(): a board would begin anew; the program ends", file=sys.stderr)
    if ends_at_once and not _is_watched() and not _is_tested(frame):
        _end_process()
    if threading.current_thread() is not threading.main_thread():
        schedule.schedule(sys.exit, 0)
    sys.exit(0)


def _place_of(frame: types.FrameType | None) -> str:
    """The program's line that is at work."""
    while frame is not None:
        if dialect.is_spoken_in(frame.f_globals):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}: "
        frame = frame.f_back
    return ""  # a thread's or a timer's own


def _is_watched() -> bool:
    if sys.gettrace() or sys.getprofile() or debugger.at_work() is not None:
        return True
    monitoring = getattr(sys, "monitoring", None)  # since CPython 3.12
    return monitoring is not None and any(map(monitoring.get_tool, range(6)))


def _is_tested(frame: types.FrameType | None) -> bool:
    """By unittest, whose modules say so: it has failures to tell, and a status of its own."""
    while frame is not None:
        if "__unittest" in frame.f_globals:
            return True
        frame = frame.f_back
    return False


def _end_process() -> NoReturn:
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed by the program, or whoever reads it has gone
            stream.flush()
    os._exit(0)
