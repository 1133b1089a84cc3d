"""A debugger of bdb's kind that is at work, pdb above all, sees the program and nothing of ours (DEV-5)."""

from __future__ import annotations

import functools
import importlib.util
import sys
import types
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from typing import Any

from usocket.desktop import dialect, tracebacks


def prepare() -> bool:
    """Whether there is one. One that the program itself begins, with breakpoint(), is made the same way."""
    if "bdb" in sys.modules:
        _teach(sys.modules["bdb"])
    else:
        sys.meta_path.insert(0, _Teaching())
    debugger: Any = at_work(sys._getframe())
    if debugger is not None:
        _hide_ours_from(debugger)
    return debugger is not None


class _Teaching(MetaPathFinder):
    """Teaches bdb as it is imported."""

    def find_spec(self, fullname: str, path: Any = None, target: types.ModuleType | None = None) -> ModuleSpec | None:
        if fullname != "bdb":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(fullname)
        loader: Any = spec and spec.loader
        if loader is not None:
            execute = loader.exec_module

            def exec_module(module: types.ModuleType) -> None:
                execute(module)
                _teach(module)

            loader.exec_module = exec_module
        return spec


def _teach(bdb: Any) -> None:
    make = bdb.Bdb.__init__
    if hasattr(make, "__wrapped__"):
        return

    @functools.wraps(make)
    def __init__(self: Any, *arguments: Any, **named: Any) -> None:
        make(self, *arguments, **named)
        _hide_ours_from(self)

    bdb.Bdb.__init__ = __init__


def _hide_ours_from(debugger: Any) -> None:
    debugger.skip = {*(debugger.skip or ()), "usocket", "usocket.*", "ussl"}  # steps over our frames
    get_stack = debugger.get_stack

    def get_our_stack(frame: Any, entry: Any) -> tuple[list[Any], int]:
        """What `where` shows, and `up` and `down` walk along."""
        stack, current = get_stack(frame, entry)
        while entry is not None and current > 0 and _is_ours(stack[current][0]):
            current -= 1  # after an error: to the line of the program's that has led there
        kept = [place for place in range(len(stack)) if place == current or not _is_ours(stack[place][0])]
        return [stack[place] for place in kept], kept.index(current) if current in kept else current

    debugger.get_stack = get_our_stack
    module = sys.modules[type(debugger).__module__]
    module.eval = _evaluate  # type: ignore[attr-defined]  # of `p`, `pp`, `display` and conditions


def at_work(frame: types.FrameType | None) -> Any:
    """The one that has begun what runs there. While it has no breakpoint it traces nothing, and still waits for an
    error.
    """
    bdb = sys.modules.get("bdb")
    while bdb is not None and frame is not None:
        if isinstance(frame.f_locals.get("self"), bdb.Bdb):
            return frame.f_locals["self"]
        frame = frame.f_back
    return None


def _is_ours(frame: types.FrameType) -> bool:
    return tracebacks.is_ours(frame.f_code.co_filename)


def _evaluate(source: Any, globals: Any, locals: Any = None) -> Any:
    """In the dialect, where the frame is the program's."""
    return (dialect.evaluate if dialect.is_spoken_in(globals) else eval)(source, globals, locals)
