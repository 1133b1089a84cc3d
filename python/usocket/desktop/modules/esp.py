"""esp: osdebug() and sleep_type() do nothing, flash_size() and its like say what a board of 4 MB says, deepsleep() ends
the program.

What writes to the flash is an error.
"""

from __future__ import annotations

from typing import Any, NoReturn

from usocket.desktop import restart
from usocket.desktop.modules import gc as _gc

LOG_NONE, LOG_ERROR, LOG_WARNING, LOG_INFO, LOG_DEBUG, LOG_VERBOSE = range(6)
SLEEP_NONE, SLEEP_LIGHT, SLEEP_MODEM = 0, 1, 2


def osdebug(*arguments: Any) -> None:
    pass


def sleep_type(kind: int | None = None) -> int | None:
    return SLEEP_NONE if kind is None else None


def deepsleep(time_us: int = 0) -> NoReturn:
    """A board begins anew afterwards."""
    restart.end("esp.deepsleep")


def freemem() -> int:
    return _gc.mem_free()


def check_fw() -> bool:
    """It is as it was installed."""
    return True


def flash_id() -> int:
    return 0


def flash_size() -> int:
    return 4 << 20


def flash_user_start() -> int:
    return 2 << 20


def _no_flash(*arguments: Any) -> None:
    raise OSError(19, "esp: a desktop has no flash")


flash_read = flash_write = flash_erase = _no_flash

__all__ = [name for name in dir() if name[0] != "_" and name not in ("Any", "NoReturn", "annotations", "restart")]
