"""--trace: each call on a socket, a line each, on stderr, with what came of it and how long it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any

from usocket.desktop import layers

_LONGEST = 60


def start() -> None:
    layers.put_between(_traced)


def _traced(base: type[Any], *others: type[Any]) -> type[Any]:
    methods = {name: _tracing(name, getattr(base, name)) for name in layers.CALLS}
    return type("socket", (base, *others), {"__module__": base.__module__, **methods})


def _tracing(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        if self.__dict__.get("is_inside"):  # a call that another makes
            return method(self, *arguments, **named)
        self.is_inside = True
        fd = -1 if self.closed else _fd_of(self)
        begun = time.monotonic()
        outcome = "?"
        try:
            result = method(self, *arguments, **named)
            outcome = _short(result)
            return result
        except BaseException as error:
            outcome = f"{type(error).__name__}: {error}"
            raise
        finally:
            self.is_inside = False
            shown = ", ".join([*map(_short, arguments), *(f"{key}={_short(value)}" for key, value in named.items())])
            spent_ms = (time.monotonic() - begun) * 1000
            print(f"socket {fd}: {name}({shown}) -> {outcome}  [{spent_ms:.1f} ms]", file=sys.stderr)

    call.__name__ = name
    return call


def _fd_of(sock: Any) -> int:
    """Without fileno(), which has the socket's queue looked at by others."""
    text = repr(sock)
    _, found, rest = text.partition("fd=")
    digits = "".join(character for character in rest.partition(",")[0] if character.isdigit())
    return int(digits) if found and digits else -1


def _short(value: Any) -> str:
    if isinstance(value, memoryview | bytearray):
        value = bytes(value[:_LONGEST])
    text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
