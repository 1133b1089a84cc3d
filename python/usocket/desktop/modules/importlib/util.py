"""importlib.util, whose specs of the program's files load them as an import statement of the program would."""

from __future__ import annotations

import importlib.util as _util
from importlib.machinery import ModuleSpec as _ModuleSpec
from typing import Any

from usocket.desktop.world import OwnSpec as _OwnSpec

EXTENDS = "importlib.util"

_world: Any = None


def bind(world: Any) -> None:
    global _world
    _world = world


def spec_from_file_location(name: str, location: Any = None, **options: Any) -> _ModuleSpec | None:
    spec = _util.spec_from_file_location(name, location, **options)
    if spec is None or spec.origin is None or not _world.origins.is_own(spec.origin):
        return spec
    own = _OwnSpec.adopt(spec, _world)
    own.is_shared = _world.hides_nothing(name)
    return own


def find_spec(name: str, package: str | None = None) -> _ModuleSpec | None:
    own: _ModuleSpec | None = None if name.startswith(".") or "." in name else _world.find_own(name)
    return own or _util.find_spec(name, package)


__all__ = ["find_spec", "spec_from_file_location"]
