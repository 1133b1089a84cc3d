"""Loading a module of the program, out of a file or a zip: in the devices' dialect, with the program's builtins.

Nothing is cached: a .pyc would be taken for a usual module's.
"""

from __future__ import annotations

import os
import types
from importlib.machinery import SourceFileLoader
from typing import TYPE_CHECKING, Any
from zipimport import zipimporter

from usocket.desktop import dialect

if TYPE_CHECKING:
    from usocket.desktop.world import World


class _Own:
    """Goes before one of the interpreter's loaders."""

    world: World

    def get_code(self: Any, fullname: str) -> Any:
        path = self.get_filename(fullname)
        if not path.endswith(".py") or not self.world.origins.is_own(path):
            return super().get_code(fullname)  # type: ignore[misc]
        return dialect.compile_source(self.get_data(path), path)

    def exec_module(self: Any, module: types.ModuleType) -> None:
        if self.world.origins.is_own(self.get_filename(module.__name__)):
            self.world.prepare(module)
        super().exec_module(module)  # type: ignore[misc]


class OwnLoader(_Own, SourceFileLoader):  # type: ignore[misc]
    def __init__(self, world: World, fullname: str, path: str) -> None:
        super().__init__(fullname, path)
        self.world = world


class OwnZip(_Own, zipimporter):
    """A zip on the program's path, or a folder in one."""

    def __init__(self, world: World, path: str) -> None:
        super().__init__(path)
        self.world = world

    def get_filename(self, fullname: str) -> str:
        """zipimport's own compiles the module to find out, and refuses what it does not understand."""
        name = fullname.rpartition(".")[2] + ("/__init__.py" if self.is_package(fullname) else ".py")
        path = os.path.join(self.archive, self.prefix, name)
        try:
            self.get_data(path)
        except OSError:  # just a .pyc
            return super().get_filename(fullname)
        return path
