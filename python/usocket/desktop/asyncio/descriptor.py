"""Files of the interpreter, standard input above all, as streams for a loop: they wait for nothing."""

from __future__ import annotations

import codecs
import io
import os
import sys
from typing import Any

import uselect

from usocket.desktop import files

_BLOCK = 1 << 16


def as_stream(file: Any) -> Any:
    """The same, or in place of a file that waits for all it was asked for, or holds back what no poll sees, a stream on
    its descriptor.
    """
    if isinstance(file, (io.TextIOBase, io.BufferedIOBase, files.Unbuffered)):
        try:
            return _Descriptor(file, file.fileno())
        except OSError:
            pass  # not on a descriptor
    return file


class _Descriptor:
    """Reads what there is, and waits for nothing; whether it blocks is not for us to change, others share that."""

    def __init__(self, file: Any, descriptor: int) -> None:
        self._file = file
        self._descriptor = descriptor
        is_text = isinstance(file, io.TextIOBase)  # what is read from it is a str, as on a device
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace") if is_text else None
        self._poll = uselect.poll()
        self._poll.register(descriptor, uselect.POLLIN)

    def fileno(self) -> int:
        return self._descriptor

    def read(self, n: int = -1) -> bytes | str | None:
        data = self._read(n)
        if self._decoder is None or data is None:
            return data
        return self._decoder.decode(data) or (None if data else "")  # None: a part of a character

    def _read(self, n: int = -1) -> bytes | None:
        if not self._poll.poll(0):
            return None
        return os.read(self._descriptor, _BLOCK if n < 0 else n)

    def readinto(self, buf: Any) -> int | None:
        if not self._poll.poll(0):
            return None
        return os.readv(self._descriptor, [buf])

    def readline(self) -> bytes | None:
        """A byte at a time: what comes after the line is for whoever reads next."""
        line = b""
        while not line.endswith(b"\n"):
            byte = self._read(1)
            if byte is None:
                return line or None
            if not byte:
                break
            line += byte
        return line

    def write(self, buf: Any) -> int:
        if self._file in (sys.stdout, sys.stderr):
            self._file.flush()  # what was printed before goes out before
        return os.write(self._descriptor, buf)

    def close(self) -> None:
        self._file.close()
