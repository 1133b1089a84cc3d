"""websocket (uwebsocket): the server's side of a connection whose handshake is done, as a stream of its payload.

A stream of the payload of text and binary frames, unmasked: a read goes on from one frame to the next. write() sends a
text frame, or a binary one after ioctl(9, 2). A ping is answered; a close frame ends the stream. Everything else is the
socket's.
"""

from __future__ import annotations

import contextlib
import struct
import sys
from typing import Any

_TEXT, _BINARY, _CLOSE, _PING, _PONG = 1, 2, 8, 9, 10
_BLOCK = 4096


class websocket:
    """blocking=True: write() waits for room, and leaves the socket non-blocking, as a device's does."""

    def __init__(self, sock: Any, blocking: bool = False) -> None:
        self._sock = sock
        self._blocking = blocking
        self._header = bytearray()  # of the frame that is on its way
        self._left = 0  # of its payload
        self._mask = b""
        self._at = 0
        self._opcode = 0
        self._kind = 0  # of the payload: a frame of control may stand between two parts of a message
        self._control = bytearray()
        self._taken = bytearray()  # what the read that goes on has got; after a timeout, the next one's
        self._send_as = _TEXT
        self._unsent = bytearray()
        self._is_over = False

    def read(self, n: int | None = -1) -> bytes | None:
        """n bytes (without n, all until the end), or what is there; None if that is nothing, b"" at the end."""
        n = sys.maxsize if n is None or n < 0 else n
        while len(self._taken) < n and self._take_part(n - len(self._taken)):
            pass
        return self._hand_out(n)

    def readinto(self, buffer: Any, n: int | None = None) -> int | None:
        data = self.read(len(buffer) if n is None else n)
        if data is None:
            return None
        memoryview(buffer)[: len(data)] = data
        return len(data)

    def readline(self, n: int = -1) -> bytes | None:
        n = sys.maxsize if n < 0 else n
        while b"\n" not in self._taken and len(self._taken) < n and self._take_part(1):
            pass
        return self._hand_out(min(n, self._taken.find(b"\n") + 1 or n))

    def _hand_out(self, n: int) -> bytes | None:
        data = bytes(self._taken[:n])
        del self._taken[:n]
        return data if data or self._is_over or not n else None

    def _take_part(self, n: int) -> bool:
        """Takes up to n bytes of one frame; False: nothing is there, or the stream has ended."""
        with contextlib.suppress(OSError):  # that nobody takes it is for who writes: something may have come (TIME-6)
            self._send_rest()
        while not self._is_over and (self._left or self._take_header()):
            is_control = self._opcode >= _CLOSE
            part = self._take(self._left if is_control else min(n, self._left, _BLOCK)) if self._left else b""
            if part is None:
                break
            if not is_control:
                self._taken += part
                if part:
                    return True
            elif not self._left:
                self._obey(bytes(self._control))
        return False

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
        self._opcode = header[0] & 15 or self._kind
        if self._opcode < _CLOSE:
            self._kind = self._opcode
        length = header[1] & 127
        extra = {126: 2, 127: 8}.get(length, 0)
        self._left = int.from_bytes(header[2 : 2 + extra], "big") if extra else length
        self._mask = bytes(header[2 + extra :])
        self._at = 0
        self._control.clear()
        return True

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
        self._is_over = self._opcode == _CLOSE
        with contextlib.suppress(OSError):
            if self._opcode == _PING:
                self._send(_PONG, payload)
            elif self._is_over:
                self._send(_CLOSE, payload[:2])

    def write(self, data: Any, *part: int) -> int | None:
        """A frame; None: there is no room. What of it had no room is sent as soon as the program reads or writes."""
        if isinstance(data, str):
            data = data.encode()
        if part:
            data = bytes(data)[: part[0]] if len(part) == 1 else bytes(data)[part[0] : part[0] + part[1]]
        is_sent = self._send(self._send_as, bytes(data))
        if self._blocking:
            self._sock.setblocking(False)
        return len(data) if is_sent else None

    def _send(self, opcode: int, payload: bytes) -> bool:
        size = len(payload)
        if size < 126:
            length = bytes([size])
        else:
            length = struct.pack(">BH", 126, size) if size < 1 << 16 else struct.pack(">BQ", 127, size)
        frame = bytes([128 | opcode]) + length + payload
        if self._blocking:
            return self._send_whole(frame)
        if not self._send_rest():
            return False
        sent = self._sock.write(frame)
        if sent is None:
            return False
        self._unsent += frame[sent:]
        return True

    def _send_whole(self, frame: bytes) -> bool:
        gettimeout = getattr(self._sock, "gettimeout", None)  # a stream of the program's own has setblocking() alone
        timeout = gettimeout() if gettimeout is not None else None
        self._sock.setblocking(True)
        try:
            self._sock.write(frame)
        finally:
            if timeout is not None:
                self._sock.settimeout(timeout)
        return True

    def _send_rest(self) -> bool:
        """Of a frame that had no room: in the middle of it there must be no other one. False: some is still left."""
        if self._unsent:
            del self._unsent[: self._sock.write(self._unsent) or 0]
        return not self._unsent

    def ioctl(self, request: int, argument: int = 0) -> int:
        if request == 9:  # MP_STREAM_SET_DATA_OPTS
            before, self._send_as = self._send_as, argument or self._send_as
            return before
        if request == 8:  # MP_STREAM_GET_DATA_OPTS
            return self._kind
        raise OSError(22, f"websocket.ioctl({request}): 8 and 9 are there")

    def close(self) -> None:
        try:
            if not self._is_over:
                self._send(_CLOSE, b"")
        except OSError:
            pass  # nobody is there who could hear of it
        finally:
            self._sock.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._sock, name)


__all__ = ["websocket"]
