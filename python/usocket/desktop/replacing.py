"""What tests replace by name is what the program sees (DEV-5): `mock.patch("socket.socket")` and the like.

unittest.mock and pytest look a dotted name up by the interpreter's import. Where the program has a module of that name
too, that is not the one which the program uses.
"""

from __future__ import annotations

import types
from typing import Any
from unittest import mock

from usocket.desktop.world import World


def teach_mock(world: World) -> None:
    """patch(), patch.multiple() and patch.dict() with a name; pytest-mock's `mocker`, which calls them."""
    names: Any = mock
    if hasattr(mock, "pkgutil"):
        names.pkgutil = types.SimpleNamespace(resolve_name=world.resolve)
    else:  # CPython 3.10
        names._importer = world.resolve


def teach_pytest(world: World) -> None:
    """monkeypatch.setattr() and delattr() with a name."""
    from _pytest import monkeypatch

    names: Any = monkeypatch
    names.resolve = world.resolve
