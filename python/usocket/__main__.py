"""python -m usocket app.py [args...]: runs a program that was written for a device.

In the program's own modules `socket` is usocket.compat; the standard library and installed packages keep their own.
"""

from __future__ import annotations

import builtins
import importlib
import io
import os
import sys
import types
from collections.abc import Callable
from typing import Any

from usocket import compat

USAGE = "usage: python -m usocket app.py [args...]"


class _Origins:
    """Which modules are the program's own."""

    def __init__(self, folder: str) -> None:
        # What python -m and PYTHONPATH add to the path may be the program's own; the rest are libraries.
        own = [] if sys.flags.ignore_environment else os.environ.get("PYTHONPATH", "").split(os.pathsep)
        if not _is_path_safe():
            own.append(sys.path[0])
        self._libraries = {_real(path) for path in sys.path} - {_real(path) for path in own}
        self._libraries.add(_real(os.path.dirname(__file__)))
        self._folder = folder

    def is_own(self, module: dict[str, Any] | None) -> bool:
        """Whether these are the globals of a module of the program: of none that a library's folder holds."""
        if module is None:
            return True
        spec = module.get("__spec__")
        file = module.get("__file__") or (spec.origin if spec is not None else None)
        if not isinstance(file, str):
            return spec is None
        if file in ("built-in", "frozen"):
            return False
        # The innermost folder decides: packages are often installed below the program's own folder.
        path = _real(file)
        while (parent := os.path.dirname(path)) != path:
            if parent == self._folder:
                return True
            if parent in self._libraries:
                return False
            path = parent
        return True


def _real(path: str) -> str:
    return os.path.realpath(path)


def _is_path_safe() -> bool:
    """Whether the interpreter was told to keep the current folder and the program's off the path (-I, -P)."""
    return bool(sys.flags.isolated or getattr(sys.flags, "safe_path", False))


def _redirect_socket(origins: _Origins) -> None:
    """Makes the program's own modules import usocket.compat as `socket`."""
    standard_import: Callable[..., types.ModuleType] = builtins.__import__
    standard_import_module = importlib.import_module

    def import_(
        name: str,
        globals: dict[str, Any] | None = None,
        locals: dict[str, Any] | None = None,
        fromlist: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> types.ModuleType:
        if name == "socket" and level == 0 and origins.is_own(globals):
            return compat
        return standard_import(name, globals, locals, fromlist, level)

    def import_module(name: str, package: str | None = None) -> types.ModuleType:
        if name == "socket" and origins.is_own(sys._getframe(1).f_globals):
            return compat
        return standard_import_module(name, package)

    builtins.__import__ = import_  # type: ignore[assignment]
    importlib.import_module = import_module


def _run(script: str, source: bytes, arguments: list[str]) -> None:
    """Runs the program as the interpreter would: as __main__, its folder first on the path."""
    folder = os.path.dirname(_real(script))
    _redirect_socket(_Origins(folder))
    sys.argv = [script, *arguments]
    if not _is_path_safe():
        sys.path[0] = folder
    program = types.ModuleType("__main__")
    program.__file__ = os.path.abspath(script)
    program.__dict__["__builtins__"] = builtins
    sys.modules["__main__"] = program
    exec(compile(source, script, "exec"), program.__dict__)


def main(arguments: list[str]) -> int:
    if not arguments or arguments[0].startswith("-"):
        is_asked = arguments[:1] in (["-h"], ["--help"])
        print(USAGE, file=sys.stdout if is_asked else sys.stderr)
        return 0 if is_asked else 2
    script, *rest = arguments
    try:
        with io.open_code(os.path.abspath(script)) as file:
            source = file.read()
    except OSError as error:
        print(f"python -m usocket: can't open {script!r}: {error.strerror}\n{USAGE}", file=sys.stderr)
        return 2
    _run(script, source, rest)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
