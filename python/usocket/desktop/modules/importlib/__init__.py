"""importlib, whose import_module() and reload() import what an import statement of the program would."""

from __future__ import annotations

import importlib as _importlib
import importlib.util as _util
import types as _types
from typing import Any

EXTENDS = "importlib"

_world: Any = None


util: Any = None  # bind() sets them
machinery: Any = None


def bind(world: Any) -> None:
    global _world, util, machinery
    from usocket.desktop import stand_ins

    _world = world
    util, machinery = (stand_ins.make(f"importlib.{name}", world) for name in ("util", "machinery"))


def import_module(name: str, package: str | None = None) -> _types.ModuleType:
    module: _types.ModuleType = _world.import_module(_util.resolve_name(name, package) if name[:1] == "." else name)
    return module


def reload(module: _types.ModuleType) -> _types.ModuleType:
    if not _world.is_own(module):
        return _importlib.reload(module)
    assert module.__spec__ is not None and module.__spec__.loader is not None
    module.__spec__.loader.exec_module(module)
    return module


__all__ = ["import_module", "machinery", "reload", "util"]
