"""pytest -p usocket: tests of programs for devices, run as python -m usocket does (DEV-5).

The modules below pytest's root folder are the program's: tests, conftest.py and what they import get a device's
modules, and what they import may be in the devices' dialect. Tests are compiled by pytest, whose assertions
explain themselves. The ini option usocket_folders names the folders of programs: they and their lib are on the path.
"""

from __future__ import annotations

import sys
import types
from typing import Any

import pytest

from usocket.desktop import program, replacing, schedule, tracebacks
from usocket.desktop.origins import Origins
from usocket.desktop.world import World

__tracebackhide__ = True


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addini("usocket_folders", "folders of programs for devices, besides pytest's root folder", type="paths")


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    root = str(early_config.rootpath)
    folders = [str(folder) for folder in early_config.getini("usocket_folders")]
    libraries = program.libraries_of(*folders, root)
    for folder in reversed([*folders, *libraries]):
        if folder not in sys.path:
            sys.path.insert(0, folder)
    world = World(Origins(root, *folders, *libraries))
    world.install()
    replacing.teach_mock(world)
    replacing.teach_pytest(world)
    schedule.prepare()
    for finder in sys.meta_path:
        if type(finder).__name__ == "AssertionRewritingHook":
            _let_tests_in(finder, world)


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """A failure is shown without our lines."""
    if call.excinfo is not None and not item.config.option.fulltrace:
        error = call.excinfo.value
        tracebacks.hide_ours(error)
        if error.__traceback__ is not None:  # pytest's own lines are in there
            call.excinfo = pytest.ExceptionInfo.from_exc_info((type(error), error, error.__traceback__))


def _let_tests_in(hook: Any, world: World) -> None:
    """What pytest compiles is of the program's world, too."""
    execute = hook.exec_module

    def exec_module(module: types.ModuleType) -> None:
        spec = module.__spec__
        if spec is not None and spec.origin is not None and world.origins.is_own(spec.origin):
            world.prepare(module)
            world.modules[spec.name] = module
        try:
            execute(module)
        except BaseException as error:  # of it pytest makes a text at once
            tracebacks.hide_ours(error)
            raise error  # on 3.10 a bare `raise` has the lines again that it had before

    # This line is added, and pytest's native style shows all: it is shown as one of the import system's.
    exec_module.__code__ = exec_module.__code__.replace(co_filename="<frozen importlib._bootstrap>")
    hook.exec_module = exec_module
