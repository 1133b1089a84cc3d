"""Which module stands in for which, by name (DEV-1, DEV-2).

A stand-in of modules/ that says EXTENDS = "name" adds to the standard library's module of that name: what it does not
define itself is the other's. Assigning to a name that it does not define sets the other's.
"""

from __future__ import annotations

import collections
import importlib
import importlib.util
import types
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from usocket.desktop.world import World

_FOLDER = "usocket.desktop.modules"

# Our own modules, and the standard library's under the names that devices have for them.
TARGETS = {
    "uerrno": "uerrno",
    "uheapq": "heapq",
    "ucontextlib": "contextlib",
    "urandom": "random",
    "umath": "math",
    "uarray": "array",
    "ucmath": "cmath",
    "udatetime": "datetime",
    "uzlib": "zlib",
}

# Another name for a module of modules/.
ALIASES = {
    "uasyncio": "asyncio",
    "uos": "os",
    "ujson": "json",
    "utime": "time",
    "uio": "io",
    "ure": "re",
    "ubinascii": "binascii",
    "ustruct": "struct",
    "ucollections": "collections",
    "uhashlib": "hashlib",
    "usys": "sys",
    "ulogging": "logging",
    "ussl": "tls",
    "ssl": "tls",
    "websocket": "uwebsocket",
    "utraceback": "traceback",
    "uselect": "select",
}

# Modules of devices that have no meaning on a desktop, and why.
MEANINGLESS = {
    "bluetooth": "there is no Bluetooth radio to drive",
    "ubluetooth": "there is no Bluetooth radio to drive",
    "aioble": "there is no Bluetooth radio to drive",
    "espnow": "there is no ESP-NOW radio to drive",
    "aioespnow": "there is no ESP-NOW radio to drive",
    "onewire": "there is no bus to drive",
    "dht": "there is no sensor to read",
    "framebuf": "there is no display to draw for",
    "lcd160cr": "there is no display to draw for",
    "esp32": "it is about the chip's own parts (RMT, ULP, NVS, partitions)",
    "stm": "it is about the chip's registers",
    "ffi": "CPython has ctypes",
    "btree": "CPython has sqlite3 and dbm",
    "cryptolib": "CPython's standard library has no AES",
    "ucryptolib": "CPython's standard library has no AES",
    "_boot": "a desktop starts nothing by itself",
    "vfs": "a desktop's files are where they are, there is nothing to mount",
}

_NO_REGISTERS = "a desktop has no registers"
_NO_MOUNTS = MEANINGLESS["vfs"]

# Names of devices' modules that have none either, and why.
MEANINGLESS_NAMES = {
    **dict.fromkeys(("machine.mem8", "machine.mem16", "machine.mem32"), _NO_REGISTERS),
    **dict.fromkeys(("machine.bitstream", "machine.dht_readinto"), "nothing is connected to a desktop's pins"),
    **dict.fromkeys(("os.mount", "os.umount", "os.VfsFat", "os.VfsLfs1", "os.VfsLfs2", "os.VfsPosix"), _NO_MOUNTS),
}


def find(name: str, world: World) -> types.ModuleType | None:
    """What the program gets for that name instead of the libraries' module; None: there is no stand-in."""
    if name in TARGETS:
        return importlib.import_module(TARGETS[name])
    file = ALIASES.get(name, name)
    if file.startswith("__") or not is_one(name):
        if name in MEANINGLESS:
            raise ModuleNotFoundError(
                f"the module {name!r} has no meaning on a desktop: {MEANINGLESS[name]}; see docs/desktop.md", name=name
            )
        return None
    if file != name:
        # `import utime` and `import time` are one module, unless the program has a `time` of its own
        known = world.modules.get(file)
        if isinstance(known, StandIn):
            return known
    return make(file, world)


def is_one(name: str) -> bool:
    """Whether a device's module of that name is among modules/."""
    file = ALIASES.get(name, name)
    return file.isidentifier() and importlib.util.find_spec(f"{_FOLDER}.{file}") is not None


def make(file: str, world: World) -> StandIn:
    module = importlib.import_module(f"{_FOLDER}.{file}")
    if hasattr(module, "bind"):
        module.bind(world)
    base = getattr(module, "EXTENDS", None)
    stand_in = StandIn(file, module, None if base is None else importlib.import_module(base))
    world.modules.setdefault(file, stand_in)
    return stand_in


class StandIn(types.ModuleType):
    """A stand-in of modules/ as the program sees it."""

    __base: types.ModuleType | None
    __module: types.ModuleType | None

    def __init__(
        self, name: str, module: types.ModuleType | str | None = None, base: types.ModuleType | None = None
    ) -> None:
        super().__init__(name, module.__doc__ if isinstance(module, types.ModuleType) else module)
        own = _names_of(self)  # there are none before
        own.update(_StandIn__base=base, _StandIn__module=None)
        if not isinstance(module, types.ModuleType):  # a program has made a module by type(sys)(name, doc)
            return
        values = {name: getattr(module, name) for name in module.__all__}
        own.update(values, _StandIn__module=module)
        if base is not None:
            own["__file__"] = getattr(base, "__file__", None)
        own["__all__"] = sorted({*values, *(() if base is None else _public(base))})

    @property
    def __dict__(self) -> Any:  # type: ignore[override]
        """The base's names are among its own: whoever replaces one for a while, as mock.patch() does, sets it again
        afterwards, and does not delete it.
        """
        own = _names_of(self)
        return own if self.__base is None else collections.ChainMap(own, vars(self.__base))

    def __getattr__(self, name: str) -> Any:
        base = self.__base
        if base is not None and hasattr(base, name):
            return getattr(base, name)
        # names that a module finds as they are asked for
        find = getattr(self.__module, "__getattr__", None)
        if find is not None and not name.startswith("__"):
            return find(name)
        raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}{self.explain(name)}", name=name)

    def explain(self, name: str) -> str:
        """Why it is not there, and where to read on; nothing of what CPython's own module lacks as well."""
        reason = MEANINGLESS_NAMES.get(f"{self.__name__}.{name}")
        if reason is not None:
            return f", it has no meaning on a desktop: {reason}; see docs/desktop.md"
        return "" if self.__base is not None or name.startswith("__") else "; docs/desktop.md says what is here"

    def __setattr__(self, name: str, value: Any) -> None:
        base = self.__base
        if base is None or name.startswith("__") or name in _names_of(self) or isinstance(value, types.ModuleType):
            super().__setattr__(name, value)
        else:
            setattr(base, name, value)

    def __delattr__(self, name: str) -> None:
        if self.__base is None or name in _names_of(self):
            super().__delattr__(name)
        else:
            delattr(self.__base, name)

    def __dir__(self) -> list[str]:
        return sorted(self.__dict__)


def _names_of(stand_in: types.ModuleType) -> dict[str, Any]:
    """Its own, without the base's."""
    names: dict[str, Any] = types.ModuleType.__dict__["__dict__"].__get__(stand_in)  # type: ignore[index]
    return names


def _public(module: types.ModuleType) -> list[str]:
    names = getattr(module, "__all__", None)
    return [name for name in vars(module) if not name.startswith("_")] if names is None else list(names)


def target_of_child(name: str) -> str | None:
    """The full name, in the libraries' world, of a module below a stand-in: os.path, uasyncio.core."""
    top, _, rest = name.partition(".")
    base = TARGETS.get(top)
    if base is None:
        file = ALIASES.get(top, top)
        if importlib.util.find_spec(f"{_FOLDER}.{file}") is None:
            return None
        base = getattr(importlib.import_module(f"{_FOLDER}.{file}"), "EXTENDS", None)
    return None if base is None else f"{base}.{rest}"


# What boards have in their firmware, or get by mip: micropython-lib's.
_OF_MICROPYTHON_LIB = frozenset(
    "aiohttp aiorepl mip ntptime requests uaiohttpclient umqtt upysh urequests urllib webrepl webrepl_setup".split()
)


def explain_missing(name: str) -> str:
    origin = " (micropython-lib has it)" if name in _OF_MICROPYTHON_LIB else ""
    return (
        f"No module named {name!r}: put it beside the program or in its lib folder, as on the device{origin};"
        " docs/desktop.md says which modules are here"
    )
