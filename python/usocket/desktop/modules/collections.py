"""collections: deque(iterable, maxlen, flags) and namedtuple(name, fields) as on devices; the rest is CPython's."""

from __future__ import annotations

import collections as _collections
from collections.abc import Iterable
from typing import Any

EXTENDS = "collections"


class deque(_collections.deque[Any]):
    """With flags 1 a full one raises IndexError instead of dropping what is oldest."""

    def __init__(self, iterable: Iterable[Any] = (), maxlen: int | None = None, flags: int = 0) -> None:
        super().__init__(iterable, maxlen)
        self._is_strict = bool(flags & 1)

    def append(self, item: Any) -> None:
        if self._is_strict and len(self) == self.maxlen:
            raise IndexError("full")
        super().append(item)


__all__ = ["deque"]
