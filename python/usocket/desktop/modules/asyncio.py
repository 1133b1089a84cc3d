"""asyncio (uasyncio): usocket.desktop.asyncio, with `coroutine`, the decorator of programs older than async def."""

from __future__ import annotations

from usocket.desktop.asyncio.coroutine import coroutine

EXTENDS = "usocket.desktop.asyncio"

__all__ = ["coroutine"]
