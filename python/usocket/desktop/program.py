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
    restart.ends_at_once = True
    return world


def libraries_of(*folders: str) -> list[str]:
    """The lib folders that there are in them, where `mip` installs."""
    return [library for folder in folders if os.path.isdir(library := os.path.join(folder, "lib"))]


def run_scripts(world: World, files: list[tuple[str, bytes]]) -> None:
    """One after the other, in one module: each a path and what it holds."""
    names = _main_names(world)
    for path, source in files:
        code = dialect.compile_source(source, path)
        names["__file__"] = path
        exec(code, names)


def run_text(world: World, source: str) -> None:
    _run(world, dialect.compile_source(source, "<string>"))


def run_module(world: World, name: str) -> None:
    """As `python -m`: a package's __main__, with the package imported before."""
    package = name.rpartition(".")[0]
    if package:
        world.import_module(package)
    spec = _find(world, name)
    if spec is not None and spec.submodule_search_locations is not None:
        world.import_module(name)
        package, spec = name, _find(world, f"{name}.__main__")
    if spec is None:
        _run_library(world, name)
        return
    if spec.loader is None:
        raise ImportError(f"no module of the program is named {name!r}")
    path = str(spec.origin)
    sys.argv[0] = path
    code = spec.loader.get_code(spec.name)
    _run(world, code, __file__=path, __spec__=spec, __package__=package, __loader__=spec.loader)


def _run_library(world: World, name: str) -> None:
    """One of a library's, that runs the program's: unittest."""
    try:
        found = importlib.util.find_spec(name)
    except ImportError:  # of its package
        found = None
    if found is None or isinstance(found, OwnSpec):
        raise ImportError(f"no module is named {name!r}")
    world.import_module(name.partition(".")[0])
    runpy.run_module(name, run_name="__main__", alter_sys=True)


def _find(world: World, name: str) -> Any:
    package, _, _ = name.rpartition(".")
    return world.find_own(name, world.modules[package].__path__ if package else None)


def _run(world: World, code: types.CodeType, **names: Any) -> None:
    exec(code, _main_names(world, **names))


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
