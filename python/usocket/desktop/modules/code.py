"""code, whose interpreters and consoles run what is typed in the devices' dialect, in the program's world."""

from __future__ import annotations

import code as _code
from collections.abc import Callable
from typing import Any

from usocket.desktop import interactive as _interactive

EXTENDS = "code"

_world: Any = None


def bind(world: Any) -> None:
    global _world
    _world = world


def _prepare(interpreter: Any) -> None:
    interpreter.compile = _interactive.compile_command
    interpreter.locals.setdefault("__builtins__", _world.builtins.__dict__)


class InteractiveInterpreter(_code.InteractiveInterpreter):
    def __init__(self, locals: Any = None) -> None:
        super().__init__(locals)
        _prepare(self)


class InteractiveConsole(_code.InteractiveConsole):
    def __init__(self, locals: Any = None, filename: str = "<console>", **options: Any) -> None:
        super().__init__(locals, filename, **options)
        _prepare(self)


def interact(
    banner: str | None = None,
    readfunc: Callable[[str], str] | None = None,
    local: Any = None,
    exitmsg: str | None = None,
    local_exit: bool = False,
) -> None:
    options: Any = {"local_exit": True} if local_exit else {}  # since CPython 3.13
    console: Any = InteractiveConsole(local, **options)
    if readfunc is not None:
        console.raw_input = readfunc
    console.interact(banner, exitmsg)


def compile_command(source: str, filename: str = "<input>", symbol: str = "single") -> Any:
    return _interactive.compile_command(source, filename, symbol)


__all__ = ["InteractiveConsole", "InteractiveInterpreter", "compile_command", "interact"]
