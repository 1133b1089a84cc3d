"""os, with dupterm(), ilistdir(), urandom(), and the file system of the desktop.

dupterm() sends what the program prints to a stream as well, and returns the one before. What is typed there is read
when dupterm_notify() is called, and runs in the program's main module, as at a board's prompt. mount() and umount()
have no meaning.
"""

from __future__ import annotations

import collections as _collections
import os as _os
import sys as _sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from usocket.desktop.console import Console as _Console
from usocket.desktop.origins import is_path_safe as _is_path_safe

if TYPE_CHECKING:
    from usocket.desktop.world import World

EXTENDS = "os"

_Uname = _collections.namedtuple("_Uname", "sysname nodename release version machine")


def uname() -> _Uname:
    return _Uname(*_os.uname())


def ilistdir(path: str = ".") -> Iterator[tuple[str, int, int, int]]:
    """(name, 0x4000 for a folder or 0x8000 for a file, inode, size) of each entry."""
    with _os.scandir(path) as entries:
        for entry in entries:
            status = entry.stat(follow_symlinks=False)
            yield entry.name, 0x4000 if entry.is_dir() else 0x8000, status.st_ino, status.st_size


def chdir(path: str) -> None:
    """A board looks for modules in the current folder first."""
    _os.chdir(path)
    if "" not in _sys.path and not _is_path_safe():
        _sys.path.insert(0, "")


def stat(path: str) -> _os.stat_result:
    return _os.stat(path)


def statvfs(path: str) -> tuple[int, ...]:
    return tuple(_os.statvfs(path))


def sync() -> None:
    _os.sync()


class _Duplicate:
    """Standard output that goes to a second stream too, while there is one. It stays in its place for good: print()
    does not hold what it writes to."""

    def __init__(self, first: Any) -> None:
        self.first = first
        self.second: Any = None
        self.console: Any = None
        self.is_writing = False

    def write(self, text: str) -> int:
        if self.second is not None and not self.is_writing:  # not what its write() prints
            self.is_writing = True
            try:
                self.second.write(text.replace("\n", "\r\n").encode())
            except Exception:
                self.second = None  # as on a device: it is taken away
            finally:
                self.is_writing = False
        return int(self.first.write(text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self.first, name)


def dupterm(stream: Any, index: int = 0) -> Any:
    """Sends what is printed to the stream as well; None: not any more. Returns the one before."""
    if not isinstance(_sys.stdout, _Duplicate):
        if stream is None:
            return None
        _duplicates.append(_Duplicate(_sys.stdout))
        _sys.stdout = _duplicates[-1]
    duplicate = _sys.stdout
    before = duplicate.second
    duplicate.second = stream
    duplicate.console = None if stream is None else _Console(stream, _main_names())
    return before


def dupterm_notify(stream: Any) -> None:
    """There is something to read from it, whatever `stream` is. At its end it is taken away."""
    duplicate = _sys.stdout
    if not isinstance(duplicate, _Duplicate) or duplicate.second is None:
        return
    terminal = duplicate.second
    if not duplicate.console.take():
        print("dupterm: EOF received, deactivating")
        if duplicate.second is terminal:
            dupterm(None)
        terminal.close()


_duplicates: list[_Duplicate] = []
_worlds: list[World] = []


def bind(world: World) -> None:
    _worlds[:] = [world]


def _main_names() -> dict[str, Any]:
    main = _worlds[-1].modules.get("__main__") if _worlds else None
    return {} if main is None else main.__dict__


__all__ = ["chdir", "dupterm", "dupterm_notify", "ilistdir", "stat", "statvfs", "sync", "uname"]
