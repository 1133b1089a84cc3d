"""Errors as the program's author wants to see them: with the lines of the program and of libraries, without ours."""

from __future__ import annotations

import functools
import importlib
import os
import sys
import threading
import traceback
import types
from collections.abc import Iterator
from typing import Any

_PACKAGES = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
_OURS = tuple(os.path.join(_PACKAGES, name, "") for name in ("usocket", "uselect", "uerrno", "ussl"))
# The command usocket is a file of a few lines that an installer has written.
_COMMAND = sys.argv[0] if os.path.basename(sys.argv[0]) == "usocket" else None


class Quiet(SystemExit):
    """Ends what cannot be ended otherwise, a function of atexit: nothing is shown of it."""


def is_ours(filename: str) -> bool:
    """Also what imports and starts a module: the interpreter itself shows neither."""
    return (
        filename.startswith((*_OURS, "<frozen importlib", "<frozen runpy"))
        or filename in (importlib.__file__, _COMMAND)
        or os.path.basename(filename) == "runpy.py"
    )


def without_ours(entry: types.TracebackType | None) -> types.TracebackType | None:
    kept = []
    while entry is not None:
        if not is_ours(entry.tb_frame.f_code.co_filename):
            kept.append(entry)
        entry = entry.tb_next
    result = None
    for entry in reversed(kept):
        result = types.TracebackType(result, entry.tb_frame, entry.tb_lasti, entry.tb_lineno)
    return result


def hide_ours(error: BaseException | None) -> None:
    """Of the error and of those that it was raised in or from."""
    seen: set[int] = set()
    waiting = [error]
    while waiting:
        error = waiting.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        error.__traceback__ = without_ours(error.__traceback__)
        waiting += [error.__cause__, error.__context__]


def print_exception(error: BaseException, file: Any = None) -> None:
    hide_ours(error)
    traceback.print_exception(type(error), error, error.__traceback__, file=file)


def teach_traceback() -> None:
    """Whoever shows an error or the stack by the module traceback shows it without our lines: logging, unittest,
    doctest, pdb.
    """
    from usocket.desktop import frames

    shown: Any = traceback.TracebackException
    prepare = shown.__init__
    if hasattr(prepare, "__wrapped__"):
        return

    @functools.wraps(prepare)
    def __init__(self: Any, exc_type: Any, exc_value: Any, exc_traceback: Any, **options: Any) -> None:
        prepare(self, exc_type, exc_value, without_ours(exc_traceback), **options)

    def walk_stack(f: Any) -> Iterator[tuple[Any, int]]:
        return ((frame, frame.f_lineno) for frame in frames.up_from(sys._getframe(1) if f is None else f))

    shown.__init__ = __init__
    traceback.walk_stack = walk_stack  # of print_stack() and its like


def install() -> None:
    """What ends the program or a thread of it, or cannot be raised, is shown without our lines, and so is what it shows
    itself.
    """
    teach_traceback()
    show = sys.excepthook

    def excepthook(kind: type[BaseException], error: BaseException, entry: types.TracebackType | None) -> None:
        hide_ours(error)
        show(kind, error, error.__traceback__)

    show_threads = threading.excepthook

    def threads_excepthook(arguments: threading.ExceptHookArgs) -> None:
        hide_ours(arguments.exc_value)
        show_threads(
            threading.ExceptHookArgs(
                (
                    arguments.exc_type,
                    arguments.exc_value,
                    arguments.exc_value.__traceback__ if arguments.exc_value else None,
                    arguments.thread,
                )
            )
        )

    show_unraisable = sys.unraisablehook

    def unraisablehook(arguments: Any) -> None:
        error = arguments.exc_value
        if isinstance(error, Quiet):
            return
        hide_ours(error)
        entry = without_ours(arguments.exc_traceback)
        show_unraisable(type(arguments)((arguments.exc_type, error, entry, arguments.err_msg, arguments.object)))

    sys.excepthook = excepthook
    sys.unraisablehook = unraisablehook
    threading.excepthook = threads_excepthook
