"""importlib.machinery, whose SourceFileLoader loads the program's files as an import statement of the program would."""

from __future__ import annotations

from typing import Any

from usocket.desktop.loaders import OwnLoader as _OwnLoader

EXTENDS = "importlib.machinery"

_world: Any = None


def bind(world: Any) -> None:
    global _world
    _world = world


class SourceFileLoader(_OwnLoader):
    def __init__(self, fullname: str, path: str) -> None:
        super().__init__(_world, fullname, path)


__all__ = ["SourceFileLoader"]
