"""How an exception is shown: the program's own lines, and none of the loop's."""

from __future__ import annotations

import os
import sys
import traceback
from types import TracebackType

_OURS = os.path.dirname(os.path.abspath(__file__)) + os.sep


def print_exception(error: BaseException) -> None:
    """Prints it to stderr."""
    traceback.print_exception(type(error), error, _from_program(error.__traceback__), file=sys.stderr)


def _from_program(frames: TracebackType | None) -> TracebackType | None:
    """The traceback from where the loop called the program; all of it if it never did."""
    frame = frames
    while frame is not None and frame.tb_frame.f_code.co_filename.startswith(_OURS):
        frame = frame.tb_next
    return frame or frames
