"""open(), standard input and output, as devices have them.

A file takes a str for bytes and bytes for a str, readinto() takes a count, text is UTF-8, and its line ends are left as
they are. Whoever asks for errors, newline or another encoding knows CPython's open(), and gets it.
"""

from __future__ import annotations

import builtins
import codecs
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


class Unbuffered(_Binary, io.FileIO):
    """Takes from its descriptor no more than it returns: a poll sees the rest, as does whoever shares it."""

    def read(self, size: int | None = -1) -> Any:
        if size is None or size < 0:
            return self.readall()
        data = b""
        while len(data) < size:
            part = super().read(size - len(data))
            if not part:
                return data or part  # None: it does not block, and there is nothing
            data += part
        return data

    def readline(self, size: int | None = -1) -> Any:
        line = bytearray()
        while len(line) != size and line[-1:] != b"\n":
            byte = super().read(1)
            if not byte:
                return bytes(line) or byte
            line += byte
        return bytes(line)


class _Input(io.TextIOBase):
    """Text over one of these. Ends of lines are left as they are."""

    encoding = "utf-8"
    errors = "strict"

    def __init__(self, buffer: Unbuffered, encoding: str, errors: str) -> None:
        self.buffer = buffer
        self.encoding, self.errors = encoding, errors
        self.name, self.mode = "<stdin>", "r"
        self._decoder = codecs.getincrementaldecoder(encoding)(errors)

    def read(self, size: int | None = -1) -> Any:
        """So many characters. A character has a byte at least, so no more is taken than belongs to them."""
        if size is None or size < 0:
            return self._decoder.decode(self.buffer.read() or b"", True)
        text = ""
        while len(text) < size:
            data = self.buffer.read(size - len(text))
            text += self._decoder.decode(data or b"", data == b"")
            if not data:
                return None if data is None and not text else text
        return text

    def readline(self, size: int | None = -1) -> Any:
        if size is not None and size >= 0:
            line = ""
            while len(line) < size and not line.endswith("\n"):
                character = self.read(1)
                if not character:
                    return line or character
                line += character
            return line
        data = self.buffer.readline()
        return None if data is None else self._decoder.decode(data, not data.endswith(b"\n"))

    def readinto(self, buffer: Any, nbytes: int | None = None) -> int:
        return self.buffer.readinto(buffer, nbytes)

    def readable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.buffer.fileno()

    def isatty(self) -> bool:
        return self.buffer.isatty()


def unbuffered(stream: Any) -> Any:
    """sys.stdin, which holds nothing that a poll does not see; None if it is no file of the interpreter's own."""
    if type(stream) is not io.TextIOWrapper:
        return None
    _streams.append(stream)
    return _Input(Unbuffered(stream.fileno(), closefd=False), stream.encoding, stream.errors or "strict")
