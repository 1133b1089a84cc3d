"""time, with ticks and sleeps in milliseconds and microseconds, whole seconds, and dates of eight numbers.

ticks_ms() and its like count in 30 bits and wrap, as on devices. time() is whole seconds since 1970, which is what
gmtime(0) says too. What else CPython's module has is there: monotonic(), strftime(), perf_counter().
"""

from __future__ import annotations

import calendar as _calendar
import time as _time
from collections.abc import Sequence

EXTENDS = "time"

_PERIOD = 1 << 30


def ticks_ms() -> int:
    return _time.monotonic_ns() // 1_000_000 % _PERIOD


def ticks_us() -> int:
    return _time.monotonic_ns() // 1_000 % _PERIOD


def ticks_cpu() -> int:
    return ticks_us()


def ticks_add(ticks: int, delta: int) -> int:
    return (ticks + delta) % _PERIOD


def ticks_diff(end: int, start: int) -> int:
    return (end - start + _PERIOD // 2) % _PERIOD - _PERIOD // 2


def sleep(seconds: float) -> None:
    _time.sleep(max(seconds, 0))


def sleep_ms(ms: int) -> None:
    _time.sleep(max(ms, 0) / 1_000)


def sleep_us(us: int) -> None:
    _time.sleep(max(us, 0) / 1_000_000)


def time() -> int:
    return int(_time.time())


def gmtime(seconds: float | None = None) -> tuple[int, ...]:
    return tuple(_time.gmtime(seconds))[:8]


def localtime(seconds: float | None = None) -> tuple[int, ...]:
    return tuple(_time.localtime(seconds))[:8]


def mktime(date: Sequence[int]) -> int:
    year, month, day, hour, minute, second = map(int, date[:6])
    return int(_time.mktime((year, month, day, hour, minute, second, 0, 0, -1)))


def timegm(date: Sequence[int]) -> int:
    return _calendar.timegm((*date[:6], 0, 0, 0))


__all__ = [
    "gmtime",
    "localtime",
    "mktime",
    "sleep",
    "sleep_ms",
    "sleep_us",
    "ticks_add",
    "ticks_cpu",
    "ticks_diff",
    "ticks_ms",
    "ticks_us",
    "time",
    "timegm",
]
