"""select, as devices have it: uselect's poll() and select(), which also take a stream of the program's own that has an
ioctl() and no descriptor. It is asked every millisecond (MP_STREAM_POLL), as devices ask it; a negative answer is the
number of an error, which poll() raises.
"""

from __future__ import annotations

import os as _os
import time as _time
from collections.abc import Iterable, Iterator
from typing import Any

import uselect as _uselect
from uselect import POLLERR, POLLHUP, POLLIN, POLLOUT

EXTENDS = "uselect"

_MP_STREAM_POLL = 3
_ASK_EVERY_MS = 1
_UNASKED = POLLERR | POLLHUP
_ONE_SHOT = 1


def _has_to_be_asked(stream: Any) -> bool:
    """Whether it has no descriptor. What is derived from CPython's io.IOBase has a fileno() all the same."""
    if not hasattr(stream, "ioctl"):
        return False
    try:
        return not isinstance(stream.fileno(), int)
    except (AttributeError, OSError):
        return True


class _Asked:
    """A registered stream that is asked."""

    def __init__(self, stream: Any, eventmask: int, userdata: tuple[Any, ...]) -> None:
        self.stream, self.eventmask, self.userdata = stream, eventmask, userdata

    def events(self) -> int:
        said = int(self.stream.ioctl(_MP_STREAM_POLL, self.eventmask) or 0)
        if said < 0:
            raise OSError(-said, _os.strerror(-said))
        return said & (self.eventmask | _UNASKED)


class poll(_uselect.poll[Any, Any]):
    """uselect's, which takes streams to ask besides."""

    def __init__(self) -> None:
        self._asked: dict[int, _Asked] = {}  # by id() of the stream

    def register(self, obj: Any, eventmask: int = POLLIN | POLLOUT, *userdata: Any) -> None:
        known = self._asked.get(id(obj))
        if known is not None:
            known.eventmask, known.userdata = eventmask, userdata or known.userdata
        elif _has_to_be_asked(obj):
            self._asked[id(obj)] = _Asked(obj, eventmask, userdata)
        else:
            super().register(obj, eventmask, *userdata)

    def unregister(self, obj: Any, throw: object = True) -> None:
        if self._asked.pop(id(obj), None) is None:
            super().unregister(obj, throw)

    def modify(self, obj: Any, eventmask: int) -> None:
        known = self._asked.get(id(obj))
        if known is None:
            super().modify(obj, eventmask)
        else:
            known.eventmask = eventmask

    def poll(self, timeout_ms: float | None = -1) -> list[tuple[Any, ...]]:
        if not self._asked:
            return super().poll(timeout_ms)
        return self._wait(timeout_ms, 0)

    def ipoll(self, timeout_ms: float | None = -1, flags: int = 0) -> Iterator[tuple[Any, ...]]:
        if not self._asked:
            return super().ipoll(timeout_ms, flags)
        return iter(self._wait(timeout_ms, flags))

    def _wait(self, timeout_ms: float | None, flags: int) -> list[tuple[Any, ...]]:
        is_endless = timeout_ms is None or timeout_ms < 0
        end_ms = 0 if timeout_ms is None else _time.monotonic() * 1000 + timeout_ms
        while True:
            found = self._ask(flags)
            left_ms = _ASK_EVERY_MS if is_endless else end_ms - _time.monotonic() * 1000
            pause_ms = 0 if found else min(max(left_ms, 0), _ASK_EVERY_MS)
            found += super().ipoll(pause_ms, flags)
            if found or left_ms <= 0:
                return found

    def _ask(self, flags: int) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for asked in list(self._asked.values()):
            events = asked.events() if asked.eventmask else 0
            if events:
                found.append((asked.stream, events, *asked.userdata))
                if flags & _ONE_SHOT:
                    asked.eventmask = 0
        return found


def select(
    rlist: Iterable[Any], wlist: Iterable[Any], xlist: Iterable[Any], timeout_s: float | None = None
) -> tuple[list[Any], list[Any], list[Any]]:
    wanted = list(rlist), list(wlist), list(xlist)
    if not any(_has_to_be_asked(obj) for objs in wanted for obj in objs):
        return _uselect.select(*wanted, timeout_s)
    masks: dict[int, int] = {}
    poller = poll()
    for objs, mask in zip(wanted, (POLLIN, POLLOUT, 0), strict=True):
        for obj in objs:
            masks[id(obj)] = masks.get(id(obj), 0) | mask
            poller.register(obj, masks[id(obj)])
    events = {id(obj): event for obj, event in poller.poll(-1 if timeout_s is None else timeout_s * 1000)}
    shown = (POLLIN | POLLHUP, POLLOUT | POLLERR, POLLERR)
    found = [[obj for obj in objs if events.get(id(obj), 0) & mask] for objs, mask in zip(wanted, shown, strict=True)]
    return found[0], found[1], found[2]


__all__ = ["poll", "select"]
