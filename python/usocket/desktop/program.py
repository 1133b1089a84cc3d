"""Starts a program in a world of its own: as a script, as a module (-m) or as text (-c)."""

from __future__ import annotations

import importlib.util
import os
import runpy
import sys
import types
from typing import Any

from usocket.desktop import debugger, dialect, files, restart, schedule, tracebacks
from usocket.desktop.origins import Origins, is_path_safe
from usocket.desktop.world import OwnSpec, World


def make_world(folder: str) -> World:
    """The world of the program in that folder; its lib folder is searched as on a device."""
    world = World(Origins(folder))
    for library in libraries_of(folder):
        if not is_path_safe() and library not in sys.path:
            sys.path.insert(1, library)
    world.install()
    schedule.prepare()
    tracebacks.install()
    restart.prepare(world)
    return world


def libraries_of(*folders: str) -> list[str]:
    """The lib folders that there are in them, where `mip` installs."""
    return [library for folder in folders if os.path.isdir(library := os.path.join(folder, "lib"))]


def run_scripts(world: World, files: list[tuple[str, bytes]]) -> None:
    """One after the other, in one module: each a path and what it holds."""
    names = _main_names(world)
    with restart.main():
        for path, source in files:
            code = dialect.compile_source(source, path)
            names["__file__"] = path
            exec(code, names)


def run_text(world: World, source: str) -> None:
    """The source is an argument of the command: what the locale could not decode is UTF-8."""
    _run(world, dialect.compile_source(source.encode(errors="surrogateescape"), "<string>"))


def run_module(world: World, name: str) -> None:
    """As `python -m`: a package's __main__, with the package imported before."""
    spec = find_main(world, name)
    if spec is None:
        _run_library(world, name)
        return
    code, names = code_of(spec)
    sys.argv[0] = names["__file__"]
    _run(world, code, **names)


def find_main(world: World, name: str) -> OwnSpec | None:
    """The program's module that is to run: of a package its __main__. None: it is a library's, or nobody's."""
    try:
        spec = world.find(name)
        if spec is not None and spec.submodule_search_locations is not None:
            spec = world.find(f"{name}.__main__")
    except ModuleNotFoundError as error:  # of its package
        if error.name is None or not name.startswith(f"{error.name}."):
            raise
        return None
    return spec


def code_of(spec: OwnSpec) -> tuple[types.CodeType, dict[str, Any]]:
    """The code of a module that is to run, and the names that it begins with."""
    loader: Any = spec.loader
    if loader is None:
        raise ImportError(f"no module of the program is named {spec.name!r}")
    names = {"__file__": spec.origin, "__spec__": spec, "__package__": spec.parent, "__loader__": loader}
    return loader.get_code(spec.name), names


def _run_library(world: World, name: str) -> None:
    """One of a library's, that runs the program's: unittest."""
    try:
        found = importlib.util.find_spec(name)
    except ImportError:  # of its package
        found = None
    if found is None or isinstance(found, OwnSpec):
        raise ImportError(f"no module is named {name!r}")
    world.import_module(name.partition(".")[0])
    with restart.main():
        runpy.run_module(name, run_name="__main__", alter_sys=True)


def _run(world: World, code: types.CodeType, **names: Any) -> None:
    main_names = _main_names(world, **names)
    with restart.main():
        exec(code, main_names)


def _main_names(world: World, **names: Any) -> dict[str, Any]:
    """Those of __main__, which is there from now on."""
    main = types.ModuleType("__main__")
    main.__dict__.update(names)
    world.prepare(main)
    world.modules["__main__"] = sys.modules["__main__"] = main
    if not debugger.prepare():  # which reads its commands there, and has read ahead
        sys.stdin = files.unbuffered(sys.stdin) or sys.stdin
    sys.stdout = files.lenient(sys.stdout) or sys.stdout
    return main.__dict__
