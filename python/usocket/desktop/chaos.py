"""--chaos SEED: usocket over a bad network (DEV-6).

The package has its extension a second time, over a stack that injects faults (src/sys/chaos). For a run under chaos it
takes the place of the usual one, before the program begins. At the end a line on stderr says how much of each kind of
trouble there was.
"""

from __future__ import annotations

import atexit
import ctypes
import importlib
import importlib.machinery
import importlib.util
import sys
from pathlib import Path

_NAME = "usocket._usocket"
_PACKAGES = ("usocket", "uselect", "uerrno")
# In the order of src/sys/chaos/chaos.cpp.
_KINDS = ("cut", "put off", "delayed", "interrupted", "lost", "refused", "reset")


class Unavailable(Exception):
    """This build of usocket has no such stack."""


def start(seed: int) -> None:
    """Makes all that is usocket's anew, over the bad network."""
    path = _path_of_extension()
    for name in [name for name in sys.modules if name.partition(".")[0] in _PACKAGES]:
        del sys.modules[name]
    stack = ctypes.CDLL(path)
    stack.usocket_chaos_start(ctypes.c_uint64(seed))
    loader = importlib.machinery.ExtensionFileLoader(_NAME, path)
    spec = importlib.util.spec_from_file_location(_NAME, path, loader=loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[_NAME] = module
    loader.exec_module(module)
    importlib.import_module("usocket")
    atexit.register(_summarize, stack, seed)


def _path_of_extension() -> str:
    package = importlib.import_module("usocket")
    for folder in map(Path, package.__path__):
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            path = folder / f"_usocket_chaos{suffix}"
            if path.exists():
                return str(path)
    raise Unavailable("this build of usocket has no --chaos: its linker knew no --wrap")


def _summarize(stack: ctypes.CDLL, seed: int) -> None:
    counts = (ctypes.c_uint64 * (1 + len(_KINDS)))()
    stack.usocket_chaos_counts(counts)
    sockets, *kinds = counts
    said = ", ".join(f"{count} {kind}" for count, kind in zip(kinds, _KINDS, strict=True))
    print(f"chaos {seed}: {sockets} sockets; {said}", file=sys.stderr)
