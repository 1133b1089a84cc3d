"""deflate: DeflateIO, a stream that inflates what it reads from another, or deflates what is written to it."""

from __future__ import annotations

import errno as _errno
import zlib as _zlib
from typing import Any

AUTO, RAW, ZLIB, GZIP = range(4)


class DeflateIO:
    """read(), readinto() and readline() inflate; write() deflates, and close() ends that. wbits is the window's size as
    a power of two; 0: what the stream says, or zlib's largest. close=True closes the other stream too."""

    def __init__(self, stream: Any, format: int = AUTO, wbits: int = 0, close: bool = False) -> None:
        if format not in (AUTO, RAW, ZLIB, GZIP) or (wbits and not 5 <= wbits <= 15):
            raise ValueError("the format is AUTO, RAW, ZLIB or GZIP, and wbits 5 to 15")
        self._stream, self._closes = stream, close
        self._format, self._wbits = format, max(wbits, 9) if wbits else 15
        self._inflater: Any = None
        self._deflater: Any = None
        self._inflated = bytearray()

    def read(self, n: int = -1) -> bytes:
        while n < 0 or len(self._inflated) < n:
            if not self._inflate():
                break
        count = len(self._inflated) if n < 0 else n
        taken = bytes(self._inflated[:count])
        del self._inflated[:count]
        return taken

    def readinto(self, buffer: Any, n: int = -1) -> int:
        taken = self.read(len(buffer) if n < 0 else n)
        memoryview(buffer)[: len(taken)] = taken
        return len(taken)

    def readline(self) -> bytes:
        while b"\n" not in self._inflated and self._inflate():
            pass
        return self.read(self._inflated.find(b"\n") + 1 or len(self._inflated))

    def _inflate(self) -> bool:
        """False: there is no more."""
        if self._inflater is None:
            wbits = {AUTO: 32 + 15, RAW: -self._wbits, ZLIB: self._wbits, GZIP: 16 + self._wbits}[self._format]
            self._inflater = _zlib.decompressobj(wbits)
        if self._inflater.eof:
            return False
        byte = self._stream.read(1)  # what is behind the end is somebody else's
        if byte is None:
            raise OSError(_errno.EAGAIN, "nothing is there to inflate")
        if not byte:
            raise EOFError
        try:
            self._inflated += self._inflater.decompress(byte)
        except _zlib.error as error:
            raise OSError(_errno.EINVAL, str(error)) from None
        return True

    def write(self, data: Any) -> int:
        data = data.encode() if isinstance(data, str) else data
        if self._deflater is None:
            wbits = {ZLIB: self._wbits, GZIP: 16 + self._wbits}.get(self._format, -self._wbits)
            self._deflater = _zlib.compressobj(wbits=wbits)
        self._stream.write(self._deflater.compress(data))
        return len(data)

    def close(self) -> None:
        if self._deflater is not None:
            self._stream.write(self._deflater.flush())
            self._deflater = None
        if self._closes:
            self._stream.close()

    def __enter__(self) -> DeflateIO:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


__all__ = ["AUTO", "GZIP", "RAW", "ZLIB", "DeflateIO"]
