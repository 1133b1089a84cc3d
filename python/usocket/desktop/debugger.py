"""A debugger of bdb's kind that is at work, pdb above all, sees the program and nothing of ours (DEV-5)."""

from __future__ import annotations

import sys
import types
from typing import Any

from usocket.desktop import dialect, tracebacks


def prepare() -> bool:
    """Whether there is one."""
    debugger: Any = getattr(sys.gettrace(), "__self__", None)
    if not hasattr(debugger, "is_skipped_module"):
        return False
    debugger.skip = {*(debugger.skip or ()), "usocket", "usocket.*"}  # steps over our frames
    get_stack = debugger.get_stack

    def get_our_stack(frame: Any, entry: Any) -> tuple[list[Any], int]:
        """What `where` shows, and `up` and `down` walk along."""
        stack, current = get_stack(frame, entry)
        kept = [place for place in range(len(stack)) if place == current or not _is_ours(stack[place][0])]
        return [stack[place] for place in kept], kept.index(current) if current in kept else current

    debugger.get_stack = get_our_stack
    module = sys.modules[type(debugger).__module__]
    module.eval = _evaluate  # type: ignore[attr-defined]  # of `p`, `pp`, `display` and conditions
    return True


def _is_ours(frame: types.FrameType) -> bool:
    return tracebacks.is_ours(frame.f_code.co_filename)


def _evaluate(source: Any, globals: Any, locals: Any = None) -> Any:
    """In the dialect, where the frame is the program's."""
    return (dialect.evaluate if dialect.is_spoken_in(globals) else eval)(source, globals, locals)
