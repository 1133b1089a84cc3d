"""The REPL at a terminal that a program has added by os.dupterm(): what is typed there runs in its main module.

It reads when dupterm_notify() says that there is something, which a socket's callback does (SOCK-11). What is typed is
echoed. Ctrl-C interrupts the program.
"""

from __future__ import annotations

import sys
from typing import Any

from usocket.desktop import interactive, tracebacks

_CTRL_C, _BACKSPACES, _ENDS = b"\x03", b"\x08\x7f", b"\r\n"


class Console:
    def __init__(self, stream: Any, names: dict[str, Any]) -> None:
        self._stream = stream
        self._names = names
        self._line = bytearray()
        self._lines: list[str] = []  # of a statement that goes on
        self._last = b""

    def take(self) -> bool:
        """All that was typed; False: the stream has ended."""
        while True:
            byte = self._read()
            if not byte:
                return byte is None
            self._type(byte)
            self._last = byte

    def _read(self) -> bytes | None:
        buffer = bytearray(1)
        try:
            # A class of the program's, as devices ask for it, has readinto().
            count = self._stream.readinto(buffer)
        except BlockingIOError:
            return None
        except OSError:
            return b""
        return None if count is None else bytes(buffer[:count])

    def _type(self, byte: bytes) -> None:
        if byte == _CTRL_C:
            self._line.clear()
            self._lines.clear()
            self._show("\r\n>>> ")
            raise KeyboardInterrupt
        if byte in _ENDS:
            if byte == b"\r" or self._last != b"\r":
                self._end_line()
        elif byte in _BACKSPACES:
            if self._line:
                del self._line[-1]
                self._show("\b \b")
        else:
            self._line += byte
            self._stream.write(byte)

    def _end_line(self) -> None:
        self._show("\r\n")
        self._lines.append(self._line.decode(errors="replace"))
        self._line.clear()
        is_whole = self._run("\n".join(self._lines))
        if is_whole:
            self._lines.clear()
        self._show(">>> " if is_whole else "... ")

    def _run(self, source: str) -> bool:
        """False: more lines belong to it."""
        try:
            code = interactive.compile_command(source, "<stdin>")
            if code is None:
                return False
            exec(code, self._names)
        except Exception as error:
            tracebacks.print_exception(error, sys.stdout)
        return True

    def _show(self, text: str) -> None:
        self._stream.write(text.encode())
