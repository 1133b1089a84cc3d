"""asyncio (uasyncio): usocket.desktop.asyncio, with `coroutine`, the decorator of programs older than async def."""

from __future__ import annotations

from typing import Any

from usocket.desktop.asyncio import stream as _stream
from usocket.desktop.asyncio.coroutine import coroutine

EXTENDS = "usocket.desktop.asyncio"


def bind(world: Any) -> None:
    """Its connections are of the program's `socket`."""
    _stream.find_socket_by(lambda: world.import_module("socket"))


__all__ = ["coroutine"]
