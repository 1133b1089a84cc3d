"""unittest, whose mock.patch() replaces by name what the program sees."""

from __future__ import annotations

from typing import Any

EXTENDS = "unittest"


def bind(world: Any) -> None:
    from usocket.desktop import replacing

    replacing.teach_mock(world)


__all__: list[str] = []
