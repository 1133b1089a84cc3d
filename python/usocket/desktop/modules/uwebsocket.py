"""websocket (uwebsocket): the server's side of a connection whose handshake is done, as a stream of its payload.

read() returns the payload of text and binary frames in pieces, unmasked; write() sends text frames, or binary ones
after ioctl(9, 2). A ping is answered; a close frame ends the stream. Everything else is the socket's.
"""

from __future__ import annotations

import struct
from typing import Any

_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10


class websocket:
    def __init__(self, sock: Any, blocking: bool = False) -> None:
        self._sock = sock
        self._blocking = blocking
        self._header = bytearray()  # of the frame that is on its way
        self._left = 0  # of its payload
        self._mask = b""
        self._at = 0
        self._opcode = 0
        self._control = bytearray()
        self._send_as = _TEXT
        self._is_over = False

    def read(self, n: int = -1) -> bytes | None:
        """Up to n bytes of one frame (without n, of all until the end); b"" at the end; None if nothing is there."""
        if n is None or n < 0:
            parts = []
            while part := self.read(4096):
                parts.append(part)
            return b"".join(parts)
        data = bytearray()
        while not self._is_over and len(data) < n:
            if not self._left and not self._take_header():
                break
            part = self._take(min(n - len(data), self._left) if self._opcode < _CLOSE else self._left)
            if part is None:
                break
            if self._opcode < _CLOSE:
                data += part
                if not self._left and not self._blocking:
                    break
            elif not self._left:
                self._obey(bytes(self._control))
        return bytes(data) if data or self._is_over else None

    def readinto(self, buffer: Any, n: int | None = None) -> int | None:
        data = self.read(len(buffer) if n is None else n)
        if data is None:
            return None
        memoryview(buffer)[: len(data)] = data
        return len(data)

    def readline(self, n: int = -1) -> bytes | None:
        line = bytearray()
        while not line.endswith(b"\n") and (n < 0 or len(line) < n):
            byte = self.read(1)
            if not byte:
                break
            line += byte
        return bytes(line)

    def _take_header(self) -> bool:
        while True:
            size = self._header_size()
            if len(self._header) == size:
                break
            part = self._sock.read(size - len(self._header))
            if not part:
                self._is_over = part is not None
                return False
            self._header += part
        header = self._header
        self._header = bytearray()
        self._opcode = header[0] & 15 or self._opcode
        length = header[1] & 127
        extra = {126: 2, 127: 8}.get(length, 0)
        self._left = int.from_bytes(header[2 : 2 + extra], "big") if extra else length
        self._mask = bytes(header[2 + extra :])
        self._at = 0
        self._control.clear()
        if not self._left and self._opcode >= _CLOSE:
            self._obey(b"")
        return bool(self._left) or self._take_next()

    def _take_next(self) -> bool:
        return not self._is_over and self._take_header()

    def _header_size(self) -> int:
        if len(self._header) < 2:
            return 2
        length = self._header[1] & 127
        return 2 + {126: 2, 127: 8}.get(length, 0) + (4 if self._header[1] & 128 else 0)

    def _take(self, n: int) -> bytes | None:
        part = self._sock.read(n)
        if not part:
            self._is_over = part is not None
            return None
        self._left -= len(part)
        if self._mask:
            mask = self._mask
            part = bytes(byte ^ mask[(self._at + i) % 4] for i, byte in enumerate(part))
            self._at += len(part)
        if self._opcode >= _CLOSE:
            self._control += part
        return bytes(part)

    def _obey(self, payload: bytes) -> None:
        if self._opcode == _PING:
            self._send(_PONG, payload)
        elif self._opcode == _CLOSE:
            self._send(_CLOSE, payload[:2])
            self._is_over = True

    def write(self, data: Any, *part: int) -> int:
        if isinstance(data, str):
            data = data.encode()
        if part:
            data = bytes(data)[: part[0]] if len(part) == 1 else bytes(data)[part[0] : part[0] + part[1]]
        self._send(self._send_as, bytes(data))
        return len(data)

    def _send(self, opcode: int, payload: bytes) -> None:
        size = len(payload)
        length = bytes([size]) if size < 126 else struct.pack(">BH", 126, size)
        if size > 65535:
            length = struct.pack(">BQ", 127, size)
        self._sock.write(bytes([128 | opcode]) + length + payload)

    def ioctl(self, request: int, argument: int = 0) -> int:
        if request == 9:  # MP_STREAM_SET_DATA_OPTS
            before, self._send_as = self._send_as, argument or self._send_as
            return before
        if request == 8:  # MP_STREAM_GET_DATA_OPTS
            return self._opcode
        raise OSError(22, f"websocket.ioctl({request}): 8 and 9 are there")

    def close(self) -> None:
        if not self._is_over:
            self._send(_CLOSE, b"")
        self._sock.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


__all__ = ["websocket"]
