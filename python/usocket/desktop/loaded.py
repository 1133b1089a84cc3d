"""sys.modules of the program: the modules that it has loaded (DEV-1).

As on a device it may take them out, one or all, to have them loaded anew; the interpreter's own are not touched by
that. What it asks for by name and has not loaded is looked up among the interpreter's.
"""

from __future__ import annotations

import sys
import types
from collections.abc import Iterator, MutableMapping
from typing import TYPE_CHECKING, Any

from usocket.desktop.stand_ins import StandIn

if TYPE_CHECKING:
    from usocket.desktop.world import World

_STAY = ("__main__", "builtins", "sys")


class Loaded(MutableMapping[str, Any]):
    def __init__(self, world: World) -> None:
        self._world = world

    def __getitem__(self, name: str) -> Any:
        modules = self._world.modules
        return modules[name] if name in modules else sys.modules[name]

    def __setitem__(self, name: str, module: Any) -> None:
        self._world.modules[name] = module
        if self._is_shared(name, module):
            sys.modules[name] = module

    @staticmethod
    def _is_shared(name: str, module: Any) -> bool:
        """Whether libraries are to see it, too."""
        hides_nothing = not isinstance(module, StandIn) and name.partition(".")[0] not in sys.stdlib_module_names
        spec = getattr(module, "__spec__", None) if isinstance(module, types.ModuleType) else None
        return bool(getattr(spec, "is_shared", hides_nothing))

    def __delitem__(self, name: str) -> None:
        if name not in self._world.modules:
            del sys.modules[name]
            return
        module = self._world.modules.pop(name)
        if sys.modules.get(name) is module:
            sys.modules.pop(name, None)

    def __iter__(self) -> Iterator[str]:
        return iter(list(self._world.modules))

    def __len__(self) -> int:
        return len(self._world.modules)

    def __contains__(self, name: object) -> bool:
        return name in self._world.modules or name in sys.modules

    def clear(self) -> None:
        for name in self:
            if name not in _STAY:
                del self[name]

    def copy(self) -> dict[str, Any]:
        return dict(self._world.modules)

    def __repr__(self) -> str:
        return repr(self._world.modules)
