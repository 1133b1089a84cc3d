"""The exceptions of asyncio. They have `value`, the first argument, as every exception has on a device."""

from __future__ import annotations

from typing import Any


class CancelledError(BaseException):
    """Thrown into a task that is cancelled; `except Exception` lets it pass."""

    __module__ = "asyncio"  # as it is shown

    @property
    def value(self) -> Any:
        return self.args[0] if self.args else None


class TimeoutError(Exception):
    """wait_for() took longer than it was given."""

    __module__ = "asyncio"

    @property
    def value(self) -> Any:
        return self.args[0] if self.args else None
