"""makefile(): CPython's own io objects over a socket, which stays open as long as one of them is."""

from __future__ import annotations

import errno
import io
import operator
import os
from collections.abc import Callable
from typing import IO, Any, Literal, TypeAlias, cast

from usocket import compat as _face  # late: a program may put names of its own into it

# Modes and the buffering that a file has by itself, as makefile() is typed.
Text: TypeAlias = Literal["r", "w", "rw", "wr", ""]
ReadAndWrite: TypeAlias = Literal["rwb", "rbw", "wrb", "wbr", "brw", "bwr"]
Binary: TypeAlias = Literal["b", "rb", "br", "wb", "bw", "rwb", "rbw", "wrb", "wbr", "brw", "bwr"]
Default: TypeAlias = Literal[-1, 1] | None


def open_file(
    sock: Any,
    mode: str,
    buffering: int | None,
    encoding: str | None,
    errors: str | None,
    newline: str | None,
) -> IO[Any]:
    """The file; the socket counts it in _io_refs until SocketIO.close() calls _decref_socketios()."""
    if not set(mode) <= {"r", "w", "b"}:
        raise ValueError(f"invalid mode {mode!r} (only r, w, b allowed)")
    writing = "w" in mode
    reading = "r" in mode or not writing
    binary = "b" in mode
    raw = _face.SocketIO(sock, cast("Any", "rw" if reading and writing else "r" if reading else "w"))
    sock._io_refs += 1
    if buffering is None or buffering < 0:
        buffering = io.DEFAULT_BUFFER_SIZE
    if buffering == 0:
        if not binary:
            raise ValueError("unbuffered streams must be binary")
        return cast("IO[Any]", raw)
    buffer: Any
    if reading and writing:
        buffer = io.BufferedRWPair(raw, raw, buffering)
    elif reading:
        buffer = io.BufferedReader(raw, buffering)
    else:
        buffer = io.BufferedWriter(raw, buffering)
    if binary:
        return cast("IO[Any]", buffer)
    text = io.TextIOWrapper(buffer, io.text_encoding(encoding), errors, newline)
    text.mode = mode  # type: ignore[misc]
    return text


LARGEST_OFFSET = 2**63 - 1  # that a file has; CPython and the system refuse to send what would end behind it


class _GiveupOnSendfile(Exception):
    """The file is none that the system's sendfile() takes."""


def check_sendfile(sock: Any, file: Any, count: Any) -> None:
    """What sendfile() refuses, with CPython's exceptions."""
    if "b" not in getattr(file, "mode", "b"):
        raise ValueError("file should be opened in binary mode")
    if not sock.type & _face.SOCK_STREAM:  # a bit of SOCK_SEQPACKET, too
        raise ValueError("only SOCK_STREAM type sockets are supported")
    if count is not None:
        if not isinstance(count, int):
            raise TypeError(f"count must be a positive integer (got {count!r})")
        if count <= 0:
            raise ValueError(f"count must be a positive integer (got {count!r})")
    if sock.gettimeout() == 0:
        raise ValueError("non-blocking sockets are not supported")


def send_by_system(sock: Any, file: Any, offset: int, count: int | None, sendfile: Callable[..., int]) -> int:
    """With the core's sendfile(); the file's position is then behind what went out."""
    check_sendfile(sock, file, count)
    if operator.index(offset) > LARGEST_OFFSET:
        raise OverflowError(f"sendfile(): offset must be at most {LARGEST_OFFSET}, not {offset}")
    try:
        number = file.fileno()
        os.fstat(number)
    except (AttributeError, OSError) as failure:  # io.UnsupportedOperation is one
        raise _face._GiveupOnSendfile(failure) from None
    if offset + min(count or 1, 2**30) > LARGEST_OFFSET:  # what CPython sends at a time
        raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
    try:
        sent = sendfile(number, offset, count)
    except OSError as failure:
        if failure.errno != errno.EINVAL:
            raise
        raise _face._GiveupOnSendfile(failure) from None
    if sent and hasattr(file, "seek"):
        file.seek(offset + sent)
    return sent


def send_by_reading(sock: Any, file: Any, offset: int, count: int | None) -> int:
    """sendfile() for what is no regular file."""
    check_sendfile(sock, file, count)
    if offset:
        file.seek(offset)
    total = 0
    try:
        while count is None or total < count:
            data = memoryview(file.read(8192 if count is None else min(8192, count - total)))
            if not data:
                break
            while data:
                sent = sock.send(data)
                total += sent
                data = data[sent:]
        return total
    finally:
        if total > 0 and hasattr(file, "seek"):
            file.seek(offset + total)
