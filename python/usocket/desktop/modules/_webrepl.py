"""_webrepl: a REPL and a file transfer over a websocket, behind a password, as webrepl.py puts it together.

Text frames are what is typed, and go to whoever reads; binary ones are requests: to put a file, to get one, to tell the
version. Files are the desktop's, from the current folder on.
"""

from __future__ import annotations

import struct as _struct
from typing import Any

from usocket.desktop.modules import sys as _sys

_GET_DATA_OPTS, _SET_DATA_OPTS = 8, 9  # requests of the websocket's ioctl(): the kind of its frames
_TEXT, _BINARY = 1, 2
_REQUEST = _struct.Struct("<2sBBQLH64s")  # signature, kind, flags, offset, size, length of the name, name
_PUT, _GET, _VERSION = 1, 2, 3
_CHUNK = 256

_password: str | None = None


def password(text: str) -> None:
    """What a client has to type first, of at most nine characters."""
    global _password
    if len(text) > 9:
        raise ValueError("a password of webrepl has at most 9 characters")
    _password = text


class _webrepl:
    def __init__(self, sock: Any, *rest: Any) -> None:
        self._sock = sock
        self._typed = bytearray()  # of the password
        self._is_in = False
        self._request = bytearray()  # of the request that is on its way
        self._file: Any = None
        self._left = 0  # of the file that comes in
        sock.write(b"Password: ")

    def read(self, n: int = 1) -> bytes | None:
        """What is typed next, a byte at a time; None if nothing is there, b"" once the connection has ended."""
        while True:
            byte: bytes | None = self._sock.read(1)
            if not byte:
                return byte
            if not self._is_in:
                if not self._let_in(byte):
                    return b""
            elif self._sock.ioctl(_GET_DATA_OPTS) == _TEXT:
                return byte
            else:
                self._take(byte)

    def readinto(self, buffer: Any) -> int | None:
        """The next byte that was typed."""
        byte = self.read()
        if byte:
            buffer[0:1] = byte
        return None if byte is None else len(byte)

    def _let_in(self, byte: bytes) -> bool:
        """False: it was the wrong password."""
        if byte not in b"\r\n":
            self._typed += byte
            return True
        self._is_in = bytes(self._typed).decode(errors="replace") == _password
        self._sock.write(b"\r\nWebREPL connected\r\n>>> " if self._is_in else b"\r\nAccess denied\r\n")
        return self._is_in

    def write(self, data: Any) -> int | None:
        return self._sock.write(data) if self._is_in else len(data)

    def close(self) -> None:
        self._sock.close()

    # --- Files

    def _take(self, byte: bytes) -> None:
        if self._file is None:
            self._request += byte
            if len(self._request) == _REQUEST.size:
                self._obey(bytes(self._request))
                self._request.clear()
        elif self._left:
            self._file.write(byte)
            self._left -= 1
            self._end_if(not self._left)
        else:
            part = self._file.read(_CHUNK)  # the byte asks for it
            self._send(_struct.pack("<H", len(part)) + part)
            self._end_if(not part)

    def _obey(self, request: bytes) -> None:
        _, kind, _, _, size, length, name = _REQUEST.unpack(request)
        if kind == _VERSION:
            self._send(bytes(_sys.implementation.version[:3]))
        elif kind in (_PUT, _GET):
            self._file = open(name[:length].decode(), "wb" if kind == _PUT else "rb")
            self._left = size if kind == _PUT else 0
            self._answer()
            self._end_if(kind == _PUT and not size)

    def _end_if(self, is_over: bool) -> None:
        if is_over:
            self._file.close()
            self._file = None
            self._answer()

    def _answer(self) -> None:
        self._send(b"WB\0\0")

    def _send(self, data: bytes) -> None:
        kind = self._sock.ioctl(_SET_DATA_OPTS, _BINARY)
        self._sock.write(data)
        self._sock.ioctl(_SET_DATA_OPTS, kind)


__all__ = ["_webrepl", "password"]
