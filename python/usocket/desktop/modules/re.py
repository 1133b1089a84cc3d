"""re, whose patterns, texts and replacements may be bytes and str in any mix; what is found is of the text's type."""

from __future__ import annotations

import re as _re
from typing import Any

from usocket.desktop.runtime import shown_as_its_base as _shown_as_its_base

EXTENDS = "re"


@_shown_as_its_base
class _Wrong(ValueError, _re.error):
    """A device's re raises ValueError."""


def _compiled(pattern: Any, flags: int) -> Any:
    try:
        return _re.compile(pattern, flags)
    except _re.error as error:
        raise _Wrong(error.msg, error.pattern, error.pos) from None


class _Pattern:
    """A pattern for texts of both types."""

    def __init__(self, pattern: Any, flags: int = 0) -> None:
        text = pattern if isinstance(pattern, str) else bytes(pattern).decode("latin-1")
        self.pattern = pattern
        self._str = _compiled(text, flags)
        self._bytes = _compiled(text.encode(), flags)

    def _for(self, text: Any) -> Any:
        return self._str if isinstance(text, str) else self._bytes

    def match(self, text: Any, *limits: int) -> Any:
        return self._for(text).match(text, *limits)

    def search(self, text: Any, *limits: int) -> Any:
        return self._for(text).search(text, *limits)

    def split(self, text: Any, max_split: int = 0) -> Any:
        return self._for(text).split(text, max(max_split, 0))

    def sub(self, replacement: Any, text: Any, count: int = 0, flags: int = 0) -> Any:
        if isinstance(text, str) and isinstance(replacement, bytes):
            replacement = replacement.decode()
        elif not isinstance(text, str) and isinstance(replacement, str):
            replacement = replacement.encode()
        return self._for(text).sub(replacement, text, count)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._str, name)


def compile(pattern: Any, flags: int = 0) -> Any:
    return pattern if isinstance(pattern, _Pattern) else _Pattern(pattern, int(flags))


def match(pattern: Any, text: Any, flags: int = 0) -> Any:
    return compile(pattern, flags).match(text)


def search(pattern: Any, text: Any, flags: int = 0) -> Any:
    return compile(pattern, flags).search(text)


def split(pattern: Any, text: Any, maxsplit: int = 0, flags: int = 0) -> Any:
    return compile(pattern, flags).split(text, maxsplit)


def sub(pattern: Any, replacement: Any, text: Any, count: int = 0, flags: int = 0) -> Any:
    return compile(pattern, flags).sub(replacement, text, count)


__all__ = ["compile", "match", "search", "split", "sub"]
