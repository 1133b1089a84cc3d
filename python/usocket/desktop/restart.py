"""machine.reset() and its like: a board begins anew, the program here ends, and says so in a line (DEV-2).

Nothing of the program runs after it, no `except:` and no `finally:`, as on a board; what is registered with atexit
does. Whoever watches the program has still got something to do: a debugger, coverage, a profiler, a test. For them it
is SystemExit. The status tells of a failure that was there before: of the program's, of a test's.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import sys
import threading
import time
import types
from collections.abc import Iterator
from typing import TYPE_CHECKING, NoReturn

from usocket.desktop import debugger, dialect, schedule, tracebacks

if TYPE_CHECKING:
    from usocket.desktop.world import World

CALLS_ON_ITS_OWN = True  # atexit's functions, which have no caller in the program: dialect.py looks for that

_world: World | None = None  # of the program, if the process is that, and not pytest
_was_watched = False  # as it began
_status: int | None = None  # once the main thread is through with the program: how that has ended
_ending = threading.Lock()  # of the thread that ends the process
_ending_thread: int | None = None


def prepare(world: World) -> None:
    """The process is the program's from now on."""
    global _world, _was_watched
    _world, _was_watched = world, _is_watched()


@contextlib.contextmanager
def main() -> Iterator[None]:
    """The main thread runs the program in here."""
    global _status
    _status = None  # a debugger runs it again and again
    try:
        yield
    except SystemExit as end:
        _status = end.code if isinstance(end.code, int) else int(end.code is not None)
        raise
    except BaseException:
        _status = 1
        raise
    else:
        _status = 0


def end(call: str) -> NoReturn:
    """`call` is what the program has called, from any thread."""
    print(f"{_place_of(sys._getframe(1))}{call}(): a board would begin anew; the program ends", file=sys.stderr)
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and _status is not None:  # a function of atexit
        raise tracebacks.Quiet(_status)
    is_tested = _is_tested()
    if _world is not None and not is_tested and not _was_watched and not _is_watched():
        _end_process(is_main)
    if not is_main and not is_tested:
        schedule.schedule(_leave, None)
    # What is left of a run of tests does not come any more: in a test that is its error, elsewhere it shows here.
    sys.exit(int(_world is not None and is_tested))


def _leave(argument: None) -> None:
    """On the main thread, on behalf of another one."""
    if _status is None:
        sys.exit(0)


def _place_of(frame: types.FrameType | None) -> str:
    """The program's line that is at work."""
    while frame is not None:
        if dialect.is_spoken_in(frame.f_globals):
            return f"{frame.f_code.co_filename}:{frame.f_lineno}: "
        frame = frame.f_back
    return ""  # a thread's or a timer's own


def _is_watched() -> bool:
    """Whether somebody traces the main thread, this one or those that begin: each is traced on its own."""
    if sys.gettrace() or sys.getprofile() or threading.gettrace() or threading.getprofile():
        return True
    main_frame = sys._current_frames().get(threading.main_thread().ident or 0)
    if _is_traced(main_frame) or debugger.at_work(main_frame) is not None:
        return True
    monitoring = getattr(sys, "monitoring", None)  # since CPython 3.12
    return monitoring is not None and any(map(monitoring.get_tool, range(6)))


def _is_traced(frame: types.FrameType | None) -> bool:
    while frame is not None:
        if frame.f_trace is not None:
            return True
        frame = frame.f_back
    return False


def _is_tested() -> bool:
    """By unittest, the program's own too, or doctest, which has failures to tell, and a status of its own. Where the
    main thread is just now does not say so: the last failure becomes the status only as the process ends.
    """
    return "unittest" in sys.modules or (_world is not None and "unittest" in _world.modules)


def _end_process(is_main: bool) -> NoReturn:
    global _ending_thread
    if not _ending.acquire(blocking=False):
        _leave_it_to_another(is_main)
    _ending_thread = threading.get_ident()
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(Exception):  # closed by the program, or whoever reads it has gone
            stream.flush()
    os._exit(_status or 0)


def _leave_it_to_another(is_main: bool) -> NoReturn:
    """The process is ending already: a function of atexit is here, or another thread."""
    if _ending_thread == threading.get_ident():
        raise tracebacks.Quiet(0)
    while is_main:  # nothing of the program runs any more
        time.sleep(1)
    sys.exit(0)
