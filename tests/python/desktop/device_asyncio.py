"""Runs a program for devices whose asyncio is ours, in an interpreter of its own: device_asyncio.py PROGRAM"""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import usocket.desktop.asyncio as asyncio
from usocket.desktop.asyncio.coroutine import generators_are_coroutines


def main(program: str, *arguments: str) -> None:
    for name in [name for name in sys.modules if name.partition(".")[0] == "asyncio"]:
        del sys.modules[name]
    sys.modules["asyncio"] = asyncio
    sys.modules["asyncio.core"] = asyncio.core
    sys.argv = [program, *arguments]
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    exec(generators_are_coroutines(compile(Path(program).read_bytes(), program, "exec")), module.__dict__)


if __name__ == "__main__":
    main(*sys.argv[1:])
