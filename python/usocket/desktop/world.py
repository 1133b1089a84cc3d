"""The program's world of modules.

A module of the program has builtins of its own, whose __import__ looks here instead of in sys.modules. So two modules
of one name can live side by side: the program's `logging` and the standard library's. Searched in this order:

1. the program's own files,
2. our stand-ins,
3. the libraries' world, through the interpreter's import, which comes back for
4. the program's folders without __init__.py.

The libraries' world is the interpreter's own, with one change: it looks for the program's files last, not first. A
module of the program that hides nothing of the libraries' is in sys.modules too, so that pickle and inspect find it.
"""

from __future__ import annotations

import builtins
import importlib
import os
import sys
import types
from collections.abc import Iterable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from importlib.util import module_from_spec
from typing import Any
from zipimport import zipimporter

from usocket.desktop import dialect, stand_ins
from usocket.desktop.loaders import OwnLoader, OwnZip
from usocket.desktop.origins import Origins


class World:
    def __init__(self, origins: Origins) -> None:
        self.origins = origins
        self.modules: dict[str, types.ModuleType] = {}
        self.builtins = types.ModuleType("builtins", builtins.__doc__)
        self.builtins.__dict__.update(builtins.__dict__)
        dialect.add_to(self.builtins.__dict__)
        self.builtins.__dict__["__import__"] = self._import
        self.modules["builtins"] = self.builtins

    # --- Importing

    def import_module(self, name: str) -> types.ModuleType:
        """The module of that absolute name, as the program sees it."""
        known = self._known(name)
        if known is not None:
            return known
        parent_name, _, child = name.rpartition(".")
        if not parent_name:
            return self._import_top(name)
        parent = self._own_folder_of(parent_name, child) or self.import_module(parent_name)
        module = self._known(name) or self._import_child(name, parent)  # the parent may have imported it
        if getattr(parent, child, None) is not module:
            setattr(parent, child, module)
        return module

    def resolve(self, name: str) -> Any:
        """What a dotted name leads to, as the program sees it: a module, or something in one."""
        top, *rest = name.replace(":", ".").split(".")
        found: Any = self.import_module(top)
        full = top
        for part in rest:
            full = f"{full}.{part}"
            if not hasattr(found, part):
                self.import_module(full)
            found = getattr(found, part)
        return found

    def _own_folder_of(self, package: str, *children: str) -> types.ModuleType | None:
        """The program's folder without an __init__ that has one of these modules of a package. Of a library's package
        of that name it hides just what it has.
        """
        hidden = self.modules.get(package)
        if "." in package or not (hidden is None or isinstance(hidden, stand_ins.StandIn)):
            return None
        spec = self.find_own(package) or self.find_folder(package)
        if spec is None or spec.origin is not None:
            return None
        if not any(_find_spec(f"{package}.{child}", spec.submodule_search_locations) for child in children):
            return None
        folder = self._load(spec)
        hidden = hidden or stand_ins.find(package, self)
        if hidden is not None or self._is_librarys(package):
            folder.__dict__["__getattr__"] = lambda name: getattr(hidden or importlib.import_module(package), name)
        return folder

    def _replacement(self, name: str) -> types.ModuleType | None:
        """What a test has put into sys.modules in the place of a device's module: no import has made it."""
        module = None if name in sys.stdlib_module_names else sys.modules.get(name)
        return module if getattr(module, "__spec__", None) is None else None

    def _known(self, name: str) -> types.ModuleType | None:
        if name not in self.modules:
            return None
        module = self.modules[name]
        if isinstance(module, stand_ins.StandIn):
            return self._replacement(name) or module
        if module is None:
            raise ModuleNotFoundError(f"import of {name} halted; None in sys.modules", name=name)
        spec = getattr(module, "__spec__", None)
        if isinstance(spec, OwnSpec) and spec.is_shared and sys.modules.get(name) is not module:
            del self.modules[name]  # a library took it out of sys.modules, to have it loaded anew
            return None
        return module

    def _import_top(self, name: str) -> types.ModuleType:
        spec = self.find_own(name)
        if spec is not None:
            return self._load(spec)
        replacement = self._replacement(name)
        if replacement is not None:
            return replacement  # for as long as it is there
        stand_in = stand_ins.find(name, self)
        if stand_in is not None:
            self.modules[name] = stand_in
            return stand_in
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
        raise ModuleNotFoundError(stand_ins.explain_missing(name), name=name)

    def _import_child(self, name: str, parent: types.ModuleType) -> types.ModuleType:
        target = stand_ins.target_of_child(name)
        if target is not None and not self.is_own(parent):
            module = importlib.import_module(target)
            self.modules[name] = module
            return module
        if not self.is_own(parent):
            return importlib.import_module(name)
        if not hasattr(parent, "__path__"):
            raise ModuleNotFoundError(f"No module named {name!r}; {parent.__name__!r} is not a package", name=name)
        spec = self.find_own(name, parent.__path__)
        if spec is not None:
            return self._load(spec)
        if parent.__file__ is None:  # a folder, of which a library may have more
            return importlib.import_module(name)
        raise ModuleNotFoundError(f"No module named {name!r}", name=name)

    def import_for_libraries(self, name: str) -> types.ModuleType:
        """A module that the libraries' world does not have."""
        folder = None if "." in name or name in self.modules or self.find_own(name) else self.find_folder(name)
        return self.import_module(name) if folder is None else self._load(folder)

    def is_own(self, module: types.ModuleType) -> bool:
        return isinstance(module.__spec__, OwnSpec)

    def _import(
        self,
        name: str,
        globals: dict[str, Any] | None = None,
        locals: dict[str, Any] | None = None,
        fromlist: Iterable[str] | None = (),
        level: int = 0,
    ) -> types.ModuleType:
        """__import__() of the program's modules; globals: the caller's, unless they are given."""
        if globals is None:
            globals, _ = dialect.names_here(sys._getframe(), self.builtins.__dict__)
        full = importlib.util.resolve_name("." * level + name, _package(globals)) if level else name
        module = self.import_module(full)
        if not fromlist:
            # `import a.b` binds a; `from .` always has a list
            return module if level else self.import_module(name.partition(".")[0])
        items = list(fromlist) if isinstance(fromlist, tuple | list) else []  # True will do for a program that calls it
        module = self._own_folder_of(full, *items) or module
        if "*" in items:
            items = [item for item in getattr(module, "__all__", ()) if isinstance(item, str)]
        for item in items:
            if not hasattr(module, item) and hasattr(module, "__path__"):
                child = f"{full}.{item}"
                try:
                    self.import_module(child)
                except ModuleNotFoundError as error:
                    if error.name != child:
                        raise
            elif isinstance(module, stand_ins.StandIn) and not hasattr(module, item):
                reason = module.explain(item)
                raise ImportError(f"cannot import name {item!r} from {name!r}{reason}", name=name)
        return module

    # --- Finding

    def find(self, name: str) -> OwnSpec | None:
        """The program's module of that absolute name, without importing more than the packages it is in. None: it is a
        library's, or nobody's.
        """
        parent_name, _, child = name.rpartition(".")
        if not parent_name:
            return self.find_own(name) or (None if self._is_librarys(name) else self.find_folder(name))
        parent = self._own_folder_of(parent_name, child) or self.import_module(parent_name)
        return self.find_own(name, parent.__path__) if self.is_own(parent) and hasattr(parent, "__path__") else None

    def find_own(self, name: str, path: Sequence[str] | None = None) -> OwnSpec | None:
        """The program's own file of that name: a module, or a package with an __init__."""
        spec = _find_spec(name, self.origins.own_paths() if path is None else path)
        if spec is None or spec.loader is None or spec.origin is None:
            return self.find_folder(name, path) if path is not None else None
        if not self.origins.is_own(spec.origin):
            return None
        return OwnSpec.adopt(spec, self)

    def find_folder(self, name: str, path: Sequence[str] | None = None) -> OwnSpec | None:
        """The program's folder of that name, if it has no __init__."""
        spec = _find_spec(name, self.origins.own_paths() if path is None else path)
        return None if spec is None or spec.origin is not None else OwnSpec.adopt(spec, self)

    # --- Loading

    def prepare(self, module: types.ModuleType) -> None:
        """Makes the module one of the program's, before any of it runs."""
        module.__dict__["__builtins__"] = self.builtins.__dict__

    def _load(self, spec: OwnSpec) -> types.ModuleType:
        module = module_from_spec(spec)
        self.prepare(module)
        name = spec.name
        self.modules[name] = module
        spec.is_shared = self.hides_nothing(name)
        if spec.is_shared:
            sys.modules[name] = module
        try:
            if spec.loader is not None:
                spec.loader.exec_module(module)
        except BaseException:
            self.modules.pop(name, None)
            if spec.is_shared:
                sys.modules.pop(name, None)
            raise
        return self.modules.setdefault(name, module)

    def hides_nothing(self, name: str) -> bool:
        """Whether a module of that name may be in sys.modules, too."""
        top = name.partition(".")[0]
        if top in self.modules and top != name:
            parent = self.modules[top].__spec__
            return isinstance(parent, OwnSpec) and parent.is_shared
        return not (top in sys.modules or self._is_librarys(top))

    def _is_librarys(self, top: str) -> bool:
        return top in sys.stdlib_module_names or bool(PathFinder.find_spec(top, self.origins.library_paths()))

    # --- The libraries' world

    def install(self) -> None:
        """From here on the interpreter's own import looks for the program's files last."""
        finders: list[Any] = [_Libraries(self.origins) if f is PathFinder else f for f in sys.meta_path]
        sys.meta_path[:] = [*finders, _OwnLast(self)]
        sys.path_hooks.insert(0, self._open_zip)
        for path, finder in list(sys.path_importer_cache.items()):
            if isinstance(finder, zipimporter):
                del sys.path_importer_cache[path]

    def _open_zip(self, path: str) -> OwnZip:
        """What looks into an entry of sys.path, if that is a zip of the program's."""
        if not self.origins.is_own(path):
            raise ImportError(path)
        return OwnZip(self, path)


def _find_spec(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
    try:
        return PathFinder.find_spec(name, path)
    except KeyError:  # a folder without an __init__ in a package that is not in sys.modules
        spec = ModuleSpec(name, None, is_package=True)
        folders = (os.path.join(folder, name.rpartition(".")[2]) for folder in path or ())
        spec.submodule_search_locations = list(filter(os.path.isdir, folders))
        return spec


class OwnSpec(ModuleSpec):
    """The spec of a module of the program."""

    is_shared = False  # whether it is in sys.modules too

    @classmethod
    def adopt(cls, spec: ModuleSpec, world: World) -> OwnSpec:
        loader = spec.loader
        if type(loader) is SourceFileLoader:
            loader = OwnLoader(world, loader.name, loader.path)
        own = cls(spec.name, loader, origin=spec.origin)
        own.submodule_search_locations = spec.submodule_search_locations
        own.has_location = spec.has_location
        return own


class _Libraries(MetaPathFinder):
    """PathFinder for the libraries' world: without the program's files."""

    def __init__(self, origins: Origins) -> None:
        self._origins = origins

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        package = sys.modules.get(fullname.rpartition(".")[0])
        if isinstance(getattr(package, "__spec__", None), OwnSpec):
            return None
        return PathFinder.find_spec(fullname, self._origins.library_paths() if path is None else path, target)

    def invalidate_caches(self) -> None:
        PathFinder.invalidate_caches()

    def find_distributions(self, *arguments: Any) -> Any:
        """importlib.metadata asks the path's finder."""
        return PathFinder.find_distributions(*arguments)


class _OwnLast(MetaPathFinder):
    """Where a library asks for a module of the program (pickle, unittest, a framework), it gets the program's."""

    def __init__(self, world: World) -> None:
        self._world = world

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        spec = self._world.find_own(fullname, path)
        if spec is None and path is None and not stand_ins.is_one(fullname):
            spec = self._world.find_folder(fullname)
        if spec is None:
            return None
        spec.loader = _Borrowed(self._world, spec.loader)
        spec.is_shared = True
        return spec


class _Borrowed(importlib.abc.Loader):
    """Loads by importing into the program's world. All else that a loader can is the program's loader's."""

    def __init__(self, world: World, loader: Any) -> None:
        self._world = world
        self._loader = loader
        self._is_done = False

    def create_module(self, spec: ModuleSpec) -> types.ModuleType:
        self._is_done = True
        return self._world.import_for_libraries(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """The module has run, unless it is to be loaded again."""
        if not self._is_done and self._loader is not None:
            self._loader.exec_module(module)
        self._is_done = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)


def _package(globals: dict[str, Any]) -> str:
    package = globals.get("__package__")
    if package is None:
        package = globals["__name__"]
        if "__path__" not in globals:
            package = package.rpartition(".")[0]
    if not package:
        raise ImportError("attempted relative import with no known parent package")
    return str(package)
