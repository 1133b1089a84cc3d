"""How an exception is shown: the program's own lines, and none of ours (DEV-5)."""

from __future__ import annotations

import os
import sys
import traceback

import usocket

_OURS = os.path.dirname(os.path.abspath(usocket.__file__)) + os.sep


def print_exception(error: BaseException) -> None:
    """Prints it to stderr."""
    shown = traceback.TracebackException.from_exception(error)
    _leave_out_ours(shown)
    print("".join(shown.format()), end="", file=sys.stderr)


def _leave_out_ours(shown: traceback.TracebackException | None) -> None:
    """From it, and from those that it was raised in or from; not where nothing would be left."""
    if shown is not None:
        theirs = [frame for frame in shown.stack if not frame.filename.startswith(_OURS)]
        shown.stack = traceback.StackSummary.from_list(theirs or shown.stack)
        _leave_out_ours(shown.__cause__)
        _leave_out_ours(shown.__context__)
