"""Which files are the program's own, and which are a library's."""

from __future__ import annotations

import os
import sys

import uerrno
import uselect

# What boards have on sys.path from the start. A desktop's /lib is full of what is no program's.
_OF_BOARDS = ("/", "/lib", "/flash", "/flash/lib")


class Origins:
    """Splits what the interpreter can import into the program's own files and the libraries'.

    The libraries are what is on sys.path as the program starts, but for what PYTHONPATH and `python -m` put there.
    Whatever the program adds to sys.path later is its own. What it takes out stays the libraries': what a device has
    built in needs no path.
    """

    def __init__(self, *folders: str) -> None:
        own = [] if sys.flags.ignore_environment else os.environ.get("PYTHONPATH", "").split(os.pathsep)
        if not is_path_safe():
            own.append(sys.path[0])
        self._libraries = {_real(path) for path in sys.path} - {_real(path) for path in own}
        ours = os.path.dirname(os.path.dirname(__file__))
        self._libraries.update(map(_real, (ours, *uselect.__path__, *uerrno.__path__)))
        self._folders = {_real(folder) for folder in folders}
        self._at_start: list[str] = []
        self._at_start = self.library_paths()

    def is_own(self, file: str) -> bool:
        """The innermost folder decides: packages are often installed below the program's own folder."""
        path = _real(file)
        while True:
            if path in self._folders:
                return True
            if path in self._libraries:
                return False
            parent = os.path.dirname(path)
            if parent == path:
                return True
            path = parent

    def own_paths(self) -> list[str]:
        return [place for path in sys.path for place in self._places_of(path) if self.is_own(place or os.getcwd())]

    def _places_of(self, path: str) -> list[str]:
        """A board starts in the folder where its main.py is, which is the root of its files: a relative path is the
        current folder's and then the program's, an absolute one is looked for in the program's folder first.
        """
        if not os.path.isabs(path):
            return [path, *(os.path.join(folder, path) for folder in self._folders)]
        below = (path.removeprefix("/flash") if path in _OF_BOARDS else path).lstrip("/")
        here = [place for folder in self._folders if os.path.isdir(place := os.path.join(folder, below))]
        return here if path in _OF_BOARDS else [*here, path]

    def library_paths(self) -> list[str]:
        now = [path for path in sys.path if not self.is_own(path or os.getcwd())]
        return now + [path for path in self._at_start if path not in now]


def _real(path: str) -> str:
    return os.path.realpath(path)


def is_path_safe() -> bool:
    """Whether the interpreter was told to keep the current folder and the program's off the path (-I, -P)."""
    return bool(sys.flags.isolated or getattr(sys.flags, "safe_path", False))
