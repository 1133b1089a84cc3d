"""--trace: each call on a socket, a line each, on stderr, with what came of it and how long it took."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from usocket.desktop import layers, schedule

_LONGEST = 60

_thread = threading.local()  # its `inside`: the sockets on which a call is under way, and whether a callback made it


def start() -> None:
    layers.put_between(_traced)


def _traced(base: type[Any], *others: type[Any]) -> type[Any]:
    methods = {name: _tracing(name, getattr(base, name)) for name in layers.CALLS}
    return type("socket", (base, *others), {"__module__": base.__module__, **methods})


def _tracing(name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        inside = _thread.__dict__.setdefault("inside", set())
        place = id(self), schedule.is_in_callback()
        if place in inside:  # a call that another makes
            return method(self, *arguments, **named)
        inside.add(place)
        fd = -1 if self.closed else _fd_of(self)
        begun = time.monotonic()
        outcome = "?"
        try:
            result = method(self, *arguments, **named)
            outcome = _short(result)
            return result
        except BaseException as error:
            outcome = ": ".join(filter(None, [type(error).__name__, str(error)]))
            raise
        finally:
            inside.remove(place)
            shown = ", ".join([*map(_short, arguments), *(f"{key}={_short(value)}" for key, value in named.items())])
            spent_ms = (time.monotonic() - begun) * 1000
            # in one piece: other threads print, too
            print(f"socket {fd}: {name}({shown}) -> {outcome}  [{spent_ms:.1f} ms]\n", end="", file=sys.stderr)

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
