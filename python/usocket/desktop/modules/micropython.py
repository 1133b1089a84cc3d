"""micropython: const, schedule, the decorators of the code emitters, and questions about memory.

schedule(f, x) calls f(x) on the main thread between two of its steps, also while it waits in a call. native and viper
leave a function as it is (in the latter dialect.py knows ptr8 and its like); asm_thumb is an error. What is asked about
the heap and the stack is answered in a line.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from uselect import POLLIN, POLLOUT

from usocket.desktop.runtime import buffer as _as_bytes
from usocket.desktop.runtime import const
from usocket.desktop.schedule import schedule

_MP_STREAM_POLL = 3

_Function = Callable[..., Any]


def native(function: _Function) -> _Function:
    return function


def viper(function: _Function) -> _Function:
    return function


def bytecode(function: _Function) -> _Function:
    return function


def asm_thumb(*arguments: Any, **options: Any) -> Any:
    raise NotImplementedError("micropython.asm_thumb: a desktop does not run a board's machine code")


asm_xtensa = asm_rv32 = asm_thumb


def opt_level(level: int | None = None) -> int | None:
    return 0 if level is None else None


def alloc_emergency_exception_buf(size: int) -> None:
    pass


def mem_info(verbose: Any = None) -> None:
    print("mem: the heap is CPython's")


def qstr_info(verbose: Any = None) -> None:
    print("qstr pool: the names are CPython's")


def stack_use() -> int:
    return 0


def heap_lock() -> None:
    pass


def heap_unlock() -> int:
    return 0


def heap_locked() -> int:
    return 0


def kbd_intr(character: int) -> None:
    """-1: Ctrl-C does not end the program; 3: it does."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN if character == -1 else signal.default_int_handler)


class RingIO:
    """A ring of bytes, and a stream: write() takes what there is room for, read() what is there."""

    def __init__(self, size: int | bytearray) -> None:
        self._size = size if isinstance(size, int) else len(size) - 1
        self._bytes = bytearray()

    def any(self) -> int:
        return len(self._bytes)

    def write(self, data: Any) -> int:
        taken = bytes(_as_bytes(data))[: self._size - len(self._bytes)]
        self._bytes += taken
        return len(taken)

    def read(self, n: int = -1) -> bytes:
        n = len(self._bytes) if n < 0 else n
        taken = bytes(self._bytes[:n])
        del self._bytes[:n]
        return taken

    def readinto(self, buffer: Any, n: int = -1) -> int:
        taken = self.read(len(buffer) if n < 0 else n)
        buffer[: len(taken)] = taken
        return len(taken)

    def readline(self, n: int = -1) -> bytes:
        """Up to the end of a line, or of what is there."""
        end = self._bytes.find(b"\n") + 1 or len(self._bytes)
        return self.read(end if n < 0 else min(end, n))

    def ioctl(self, request: int, events: int) -> int:
        """What a poll asks: whether there is something to read, and room."""
        if request != _MP_STREAM_POLL:
            return 0
        ready = (POLLIN if self._bytes else 0) | (POLLOUT if len(self._bytes) < self._size else 0)
        return ready & events

    def close(self) -> None:
        self._bytes.clear()


__all__ = [
    "RingIO",
    "alloc_emergency_exception_buf",
    "asm_rv32",
    "asm_thumb",
    "asm_xtensa",
    "bytecode",
    "const",
    "heap_lock",
    "heap_locked",
    "heap_unlock",
    "kbd_intr",
    "mem_info",
    "native",
    "opt_level",
    "qstr_info",
    "schedule",
    "stack_use",
    "viper",
]
