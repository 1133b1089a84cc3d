"""open(), as devices have it.

A file takes a str for bytes and bytes for a str, readinto() takes a count, text is UTF-8, and its line ends are left as
they are. Whoever asks for errors, newline or another encoding knows CPython's open(), and gets it.
"""

from __future__ import annotations

import builtins
import io
from typing import Any

from usocket.desktop.runtime import buffer as as_bytes


class _Binary:
    """Goes before one of io's classes."""

    def write(self, data: Any) -> int:
        return int(super().write(as_bytes(data)))  # type: ignore[misc]

    def readinto(self, buffer: Any, nbytes: int | None = None) -> int:
        room = buffer if nbytes is None else memoryview(buffer)[:nbytes]
        return int(super().readinto(room))  # type: ignore[misc]


class _Reader(_Binary, io.BufferedReader):
    pass


class _Writer(_Binary, io.BufferedWriter):
    pass


class _Both(_Binary, io.BufferedRandom):
    pass


class _Text(io.TextIOWrapper):
    def write(self, data: Any) -> int:
        if isinstance(data, str):
            return super().write(data)
        self.flush()
        binary: Any = self.buffer
        return int(binary.write(data))

    def readinto(self, buffer: Any, nbytes: int | None = None) -> int:
        data: Any = self.buffer.read(len(buffer) if nbytes is None else nbytes)
        memoryview(buffer)[: len(data)] = data
        return len(data)


class _Output(_Text):
    """Holds nothing back, as a device's console: not even the dots of a program that waits, or when it is piped."""

    def write(self, data: Any) -> int:
        count = super().write(data)
        self.flush()
        return count


def open(file: Any, mode: str = "r", buffering: int = -1, encoding: str | None = None, **options: Any) -> Any:
    if options.get("errors") or options.get("newline") or (encoding or "utf-8").lower() not in ("utf-8", "utf8"):
        return builtins.open(file, mode, buffering, encoding, **options)
    plain = mode.replace("b", "").replace("t", "")
    raw: Any = builtins.open(file, plain + "b", 0, closefd=options.get("closefd", True))
    kind: type[Any] = _Both if "+" in mode else _Reader if "r" in mode else _Writer
    binary = raw if buffering == 0 and "b" in mode else kind(raw)
    if "b" in mode:
        return binary
    return _Text(binary, encoding="utf-8", newline="\n", line_buffering=buffering == 1)


_streams: list[Any] = []  # for as long as the program runs: the last to let go of one closes its descriptor


def lenient(stream: Any) -> Any:
    """sys.stdout, which takes both as well; None if it is no file of the interpreter's own."""
    if type(stream) is not io.TextIOWrapper:
        return None
    stream.flush()
    binary: Any = stream.buffer
    raw = getattr(binary, "raw", binary)
    text = _Output(_Writer(raw), encoding=stream.encoding, errors=stream.errors, newline="\n")
    _streams.extend((stream, text))
    return text
