"""runpy, whose run_module() and run_path() run what is the program's in the program's world. A library's module, and a
path that is no file, are the interpreter's own to run.
"""

from __future__ import annotations

import contextlib as _contextlib
import os as _os
import runpy as _runpy
import sys as _sys
import types as _types
from collections.abc import Iterator
from typing import Any

from usocket.desktop import dialect as _dialect
from usocket.desktop import program as _program

EXTENDS = "runpy"

_world: Any = None


def bind(world: Any) -> None:
    global _world
    _world = world


def run_module(
    mod_name: str, init_globals: dict[str, Any] | None = None, run_name: str | None = None, alter_sys: bool = False
) -> dict[str, Any]:
    spec = _program.find_main(_world, mod_name)
    if spec is None:
        return _runpy.run_module(mod_name, init_globals, run_name, alter_sys)
    code, names = _program.code_of(spec)
    with _in_sys(run_name or spec.name, names["__file__"] if alter_sys else None) as module:
        return _run(module, code, {**(init_globals or {}), **names})


def run_path(path: Any, init_globals: dict[str, Any] | None = None, run_name: str | None = None) -> dict[str, Any]:
    file = _os.fsdecode(path)
    if not _os.path.isfile(file) or not file.endswith(".py") or not _world.origins.is_own(file):
        return _runpy.run_path(file, init_globals, run_name or "<run_path>")
    with open(file, "rb") as source:
        code = _dialect.compile_source(source.read(), file)
    name = run_name or "<run_path>"
    names = {"__file__": file, "__package__": name.rpartition(".")[0], "__spec__": None, "__loader__": None}
    with _in_sys(name, file) as module:
        return _run(module, code, {**(init_globals or {}), **names})


@_contextlib.contextmanager
def _in_sys(name: str, file: str | None) -> Iterator[_types.ModuleType]:
    """A module of that name, which sys knows for the while, if there is a file."""
    module = _types.ModuleType(name)
    if file is None:
        yield module
        return
    places: tuple[Any, ...] = (_world.modules, _sys.modules)
    before = [place.get(name) for place in places]
    argument = _sys.argv[0]
    for place in places:
        place[name] = module
    _sys.argv[0] = file
    try:
        yield module
    finally:
        _sys.argv[0] = argument
        for place, known in zip(places, before, strict=True):
            if known is None:
                place.pop(name, None)
            else:
                place[name] = known


def _run(module: _types.ModuleType, code: _types.CodeType, names: dict[str, Any]) -> dict[str, Any]:
    module.__dict__.update(names)
    _world.prepare(module)
    exec(code, module.__dict__)
    return module.__dict__.copy()


__all__ = ["run_module", "run_path"]
