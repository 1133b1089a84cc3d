"""DEV-1: the program's modules and the libraries' live in worlds of their own."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from programs import call, output, write


def test_dev_1_a_module_of_the_programs_own_wins_and_hides_nothing_from_libraries(tmp_path: Path) -> None:
    files = {
        "main.py": "import logging, ssl, concurrent.futures, urllib.request\n"
        "print(logging.mine, ssl.mine, concurrent.futures.__name__, urllib.request.__name__)\n",
        "logging.py": "mine = 1\n",
        "ssl.py": "mine = 2\n",
    }
    assert output(tmp_path, files) == ["1 2 concurrent.futures urllib.request"]


@pytest.mark.parametrize("init", [{}, {"urllib/__init__.py": ""}])
def test_dev_1_a_package_of_the_programs_own_wins_with_and_without_init(init: dict[str, str], tmp_path: Path) -> None:
    files = {
        "main.py": "import http.client\nimport urllib.urequest\nprint(urllib.urequest.mine)\n",
        "urllib/urequest.py": "mine = 1\n",
        **init,
    }
    assert output(tmp_path, files) == ["1"]


def test_dev_1_the_current_folder_is_looked_into_as_on_a_board(tmp_path: Path) -> None:
    files = {
        "main.py": "import os, here\nos.chdir('app')\nimport appmod\nos.chdir('..')\nimport random\n"
        "print(here.mine, appmod.mine, random.mine)\n",
        "here.py": "mine = 0\n",
        "random.py": "mine = 2\n",
        "app/appmod.py": "mine = 1\n",
    }
    write(tmp_path, files)
    assert call("main.py", cwd=tmp_path).stdout == "0 1 2\n"


@pytest.mark.parametrize(
    "start",
    ["_thread.start_new_thread(__import__, ('worker',))\nended.acquire()", "atexit.register(__import__, 'worker')"],
)
def test_dev_1_import_is_a_function_like_any_other(start: str, tmp_path: Path) -> None:
    text = f"import _thread, atexit\nended = _thread.allocate_lock()\nended.acquire()\n{start}\n"
    worker = "import __main__\nprint('at work')\n__main__.ended.release()\n"
    assert output(tmp_path, {"main.py": text, "worker.py": worker}) == ["at work"]


@pytest.mark.parametrize("library", ["urllib", "http", "json", "collections", "unittest", "xml", "logging"])
@pytest.mark.parametrize(
    "text",
    [
        "from {0} import own",
        "from {0} import own as own",
        "from {0} import *\nfrom {0} import own",
        "import {0}\nimport {0}.own\nfrom {0} import own",
        "import {0}.own\nown = {0}.own",
    ],
)
def test_dev_1_a_folder_of_a_librarys_name_gives_what_it_has(text: str, library: str, tmp_path: Path) -> None:
    files = {"main.py": text.format(library) + "\nprint(own.mine)\n", f"lib/{library}/own.py": "mine = 1\n"}
    assert output(tmp_path, files) == ["1"]


@pytest.mark.parametrize(
    "text, says",
    [
        ("import urllib.parse, urllib.own\nprint(urllib.parse.quote(' '), urllib.own.mine)", "%20 1"),
        ("from urllib import own, parse\nprint(parse.quote(' '), own.mine)", "%20 1"),
        ("import json, json.own\nprint(json.loads('[2]'), json.own.mine)", "[2] 1"),
        ("import json.own\nprint(json.loads('[2]'), json.own.mine)", "[2] 1"),
        ("from json import own, loads\nprint(loads('[2]'), own.mine)", "[2] 1"),
        ("import json.own, ujson\nprint(hasattr(json, 'nothing'), ujson.dumps([]))", "False []"),
    ],
)
def test_dev_1_beside_what_the_library_has(text: str, says: str, tmp_path: Path) -> None:
    files = {"main.py": text, "urllib/own.py": "mine = 1\n", "json/own.py": "mine = 1\n"}
    assert output(tmp_path, files) == [says]


def test_dev_1_a_folder_of_a_librarys_name_hides_only_what_it_has(tmp_path: Path) -> None:
    files = {
        "main.py": "import urllib.urequest, urllib.parse\nprint(urllib.parse.quote(' '))\n",
        "urllib/urequest.py": "",
        "logging/readme.txt": "",
        "late.py": "",
    }
    assert output(tmp_path, files) == ["%20"]


@pytest.mark.parametrize(
    "name, ours",
    [
        ("usocket", "usocket"),
        ("socket", "socket"),
        ("uselect", "select"),
        ("select", "select"),
        ("asyncio", "asyncio"),
        ("uasyncio", "asyncio"),
        ("ssl", "tls"),
        ("ussl", "tls"),
        ("tls", "tls"),
    ],
)
def test_dev_1_the_network_is_ours(name: str, ours: str, tmp_path: Path) -> None:
    assert output(tmp_path, {"main.py": f"import {name} as m\nprint(m.__name__)\n"}) == [ours]


def test_dev_1_relative_imports_stars_and_submodules(tmp_path: Path) -> None:
    files = {
        "main.py": "import pack.deep.low\nfrom pack import *\nfrom pack.deep import low as l\n"
        "print(pack.deep.low is l, one)\n",
        "pack/__init__.py": "__all__ = ['one', 'deep']\none = 1\nfrom . import deep\n",
        "pack/deep/__init__.py": "from ..other import two\n",
        "pack/deep/low.py": "from .. import one\nfrom . import two\n",
        "pack/other.py": "two = 2\n",
    }
    assert output(tmp_path, files) == ["True 1"]


@pytest.mark.parametrize("top", ["drivers", "logging"])
def test_dev_1_folders_in_folders_without_init(top: str, tmp_path: Path) -> None:
    files = {
        "main.py": f"import {top}.boards.small.pins as pins, {top}\nfrom {top}.boards import large\n"
        f"print(pins.LED, {top}.boards.small.pins is pins, large.LED)\n",
        f"{top}/boards/small/pins.py": "LED = 2\n",
        f"{top}/boards/large.py": "LED = 3\n",
    }
    assert output(tmp_path, files) == ["2 True 3"]


def test_dev_1_a_module_is_loaded_once_and_anew_when_taken_out(tmp_path: Path) -> None:
    files = {
        "main.py": "import sys, mine\nimport mine as again\ndel sys.modules['mine']\nimport mine as anew\n"
        "print(mine is not anew, again is not anew)\n",
        "mine.py": "print('loaded')\n",
    }
    assert output(tmp_path, files) == ["loaded", "loaded", "True True"]


def test_dev_1_libraries_find_modules_of_the_program(tmp_path: Path) -> None:
    files = {
        "main.py": "import pickle, shapes\nprint(type(pickle.loads(pickle.dumps(shapes.Dot()))) is shapes.Dot)\n",
        "shapes.py": "class Dot:\n    pass\n",
    }
    assert output(tmp_path, files) == ["True"]


def test_dev_1_so_they_do_in_its_packages(tmp_path: Path) -> None:
    files = {
        "main.py": "import pkgutil\nlow = pkgutil.resolve_name('pack.low')\nprint(low.ticks, low.text)\n"
        "import pack.low, sys\nprint(pack.low is low)\ndel sys.modules['pack.low']\n"
        "import pack.low\nprint(pack.low is low)\n",
        "pack/__init__.py": "",
        "pack/low.py": "import folder.deep\nfrom utime import ticks_add\nticks = ticks_add(1, 2)\n"
        "text = b'%s' % folder.deep.x\n",
        "folder/deep.py": "x = 'x'\n",
    }
    assert output(tmp_path, files) == ["3 b'x'", "True", "False"]


def test_dev_1_a_program_may_clear_its_modules(tmp_path: Path) -> None:
    files = {
        "main.py": "import sys, time, mine, logging\nkept = sys\nsys.modules.clear()\n"
        "import mine as anew, logging as other, time, json, asyncio, machine, xml.dom.minidom\n"
        "print(mine is not anew, logging is not other, kept is sys, json.loads('[1]'), time.ticks_ms() >= 0)\n"
        "print('mine' in sys.modules, sys.modules['mine'] is anew, 'machine' in sorted(sys.modules))\n"
        "del sys.modules['logging']\nimport logging\nprint(logging is not other)\n"
        "sys.modules['ure'] = None\ntry:\n    import ure\nexcept ImportError as e:\n    print(e)\n",
        "mine.py": "",
        "logging.py": "",
    }
    end = "import of ure halted; None in sys.modules"
    assert output(tmp_path, files) == ["True True True [1] True", "True True True", "True", end]


@pytest.mark.parametrize("name", ["bad", "logging"])
def test_dev_1_a_module_that_fails_is_not_kept(name: str, tmp_path: Path) -> None:
    files = {
        "main.py": "for _ in range(2):\n    try:\n"
        f"        import {name}\n    except ValueError as e:\n        print(e)\n",
        f"{name}.py": "raise ValueError('bad')\n",
    }
    assert output(tmp_path, files) == ["bad", "bad"]


def test_dev_1_fromlist_may_be_anything_that_is_true(tmp_path: Path) -> None:
    files = {"main.py": "print(__import__('pack.low', globals(), locals(), True).__name__)\n", "pack/low.py": ""}
    assert output(tmp_path, files) == ["pack.low"]


def test_dev_1_lib_is_searched_as_on_a_device(tmp_path: Path) -> None:
    assert output(tmp_path, {"main.py": "import driver\nprint(driver.x)\n", "lib/driver.py": "x = 1\n"}) == ["1"]


def test_dev_1_names_set_in_builtins_are_the_programs(tmp_path: Path) -> None:
    files = {
        "main.py": "import builtins\nbuiltins.shout = str.upper\nimport other\n",
        "other.py": "print(shout('a'))\n",
    }
    assert output(tmp_path, files) == ["A"]


def test_dev_2_a_missing_module_says_where_to_put_it(tmp_path: Path) -> None:
    done = call(write(tmp_path, {"main.py": "import umqtt.simple\n"}))
    assert "No module named 'umqtt'" in done.stderr and "docs/desktop.md" in done.stderr


def test_dev_2_a_missing_module_of_firmware_says_who_has_it(tmp_path: Path) -> None:
    done = call(write(tmp_path, {"main.py": "import urequests\n"}))
    assert "lib folder, as on the device (micropython-lib has it);" in done.stderr.splitlines()[-1]


def test_dev_2_a_module_without_meaning_says_so_in_one_line(tmp_path: Path) -> None:
    done = call(write(tmp_path, {"main.py": "import bluetooth\n"}))
    assert done.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: the module 'bluetooth' has no meaning on a desktop: there is no Bluetooth radio to drive;"
        " see docs/desktop.md"
    )


def test_dev_1_importing_usocket_changes_nothing() -> None:
    program = (
        "import builtins, sys\nbefore = builtins.__import__, list(sys.meta_path), sys.excepthook\nimport usocket\n"
        "assert before == (builtins.__import__, list(sys.meta_path), sys.excepthook)\n"
        "assert not any(name.startswith('usocket.desktop') for name in sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_dev_4_the_programs_modules_are_in_the_dialect_and_the_libraries_are_not(tmp_path: Path) -> None:
    files = {
        "main.py": "import mine, logging\nprint(mine.f('a'), type(logging.Logger.info).__name__)\n",
        "mine.py": "def f(x: Unknown):\n    return b'%s' % x\n",
    }
    assert output(tmp_path, files) == ["b'a' function"]


def test_dev_1_a_star_brings_the_submodules_that_all_names(tmp_path: Path) -> None:
    files = {
        "main.py": "from app import *\nprint(part.value)\n",
        "app/__init__.py": "__all__ = ['part']\n",
        "app/part.py": "value = 5\n",
    }
    assert output(tmp_path, files) == ["5"]


def test_dev_2_what_a_program_puts_into_sys_modules_is_what_it_imports(tmp_path: Path) -> None:
    text = (
        "import sys\nsys.modules['machine'] = type(sys)('machine')\nimport machine\n"
        "print(machine is sys.modules['machine'], hasattr(machine, 'Pin'))\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["True False"]


def test_dev_1_names_that_a_program_gives_to_exec_are_of_its_world(tmp_path: Path) -> None:
    text = (
        "text = 'import socket, utime, mine\\nprint(mine.x, hasattr(socket, \"SocketKind\"))\\n'\n"
        "exec(text, {})\nexec(compile(text, 'x', 'exec'), {'__name__': 'y'})\n"
    )
    assert output(tmp_path, {"main.py": text, "mine.py": "x = 1\n"}) == ["1 False"] * 2


def test_dev_1_import_without_globals_takes_the_callers(tmp_path: Path) -> None:
    files = {
        "main.py": "import prims\nprint(prims.Late)\n",
        "prims/__init__.py": "def __getattr__(name):\n"
        "    value = getattr(__import__('late', None, None, True, 1), name)\n    globals()[name] = value\n"
        "    return value\n",
        "prims/late.py": "Late = 5\n",
    }
    assert output(tmp_path, files) == ["5"]


@pytest.mark.parametrize("change", ["sys.path = ['', 'lib']", "sys.path.clear()", "sys.path = []"])
def test_dev_1_what_a_device_has_built_in_needs_no_path(change: str, tmp_path: Path) -> None:
    text = (
        f"import sys\n{change}\n"
        "import os, time, json, ssl, machine, network, asyncio, struct, xml.dom.minidom, email.mime.text, cmd\n"
        "async def main():\n    await asyncio.sleep_ms(1)\n    print(json.dumps(time.ticks_ms() > 0))\n"
        "asyncio.run(main())\nimport mine\n"
    )
    write(tmp_path, {"main.py": text, "lib/mine.py": "print('mine')\n"})
    done = call("main.py", cwd=tmp_path)
    assert done.stdout.splitlines() == ["true", *(["mine"] if "lib" in change else [])], done.stderr


def test_dev_1_a_relative_path_is_of_the_programs_folder_too(tmp_path: Path) -> None:
    files = {
        "main.py": "import sys\nsys.path = ['', 'lib']\nimport mine, beside\nprint(mine.x, beside.x)\n",
        "lib/mine.py": "x = 1\n",
        "beside.py": "x = 2\n",
    }
    done = call(write(tmp_path / "board", files), cwd=tmp_path)
    assert done.stdout == "1 2\n", done.stderr


def test_dev_1_runpy_runs_what_is_the_programs_in_its_world(tmp_path: Path) -> None:
    files = {
        "main.py": "import runpy, sys\nmain, argv = sys.modules['__main__'], list(sys.argv)\n"
        "a = runpy.run_module('config')\nb = runpy.run_module('config', {'y': 2}, 'named', True)\n"
        "c = runpy.run_path('config.py', run_name='path')\nd = runpy.run_module('folder')\n"
        "print(a['__name__'], a['x'], b['__name__'], b['y'], b['of_sys'], c['__name__'], c['x'], d['__name__'])\n"
        "print(sys.modules['__main__'] is main, sys.argv == argv, 'named' in sys.modules)\n"
        "print(runpy.run_module('colorsys')['ONE_THIRD'] < 1)\n"
        "try:\n    runpy.run_module('nothing')\nexcept ImportError as e:\n    print(e)\n",
        "config.py": "import sys, utime\nx = b'%s' % 'x'\n"
        "of_sys = sys.argv[0] == __file__ and __name__ in sys.modules\n",
        "folder/__main__.py": "import utime\n",
    }
    write(tmp_path, files)
    done = call("main.py", cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "config b'x' named 2 True path b'x' folder.__main__",
        "True True False",
        "True",
        "No module named nothing",
    ], done.stderr


def test_dev_1_libraries_find_what_lies_beside_a_programs_modules(tmp_path: Path) -> None:
    files = {
        "main.py": "import pkgutil, importlib.resources\nprint(pkgutil.get_data('pack', 'page.html'))\n"
        "print(importlib.resources.files('pack').joinpath('page.html').read_text())\n"
        "import pack\nprint(pkgutil.get_data('pack', 'page.html'), pack.x)\n",
        "pack/__init__.py": "import utime\nx = b'%s' % 'x'\n",
        "pack/page.html": "<p>",
    }
    assert output(tmp_path, files) == ["b'<p>'", "<p>", "b'<p>' b'x'"]


def test_dev_1_libraries_find_the_programs_folders_without_init(tmp_path: Path) -> None:
    files = {
        "main.py": "import pkgutil\nlow = pkgutil.resolve_name('folder.low')\nimport folder.low\n"
        "print(folder.low is low, low.x)\n"
        "import machine, importlib.util\nprint(importlib.util.find_spec('machine'), hasattr(machine, 'Pin'))\n",
        "folder/low.py": "import utime\nx = b'%s' % 'x'\n",
        "machine/readme.txt": "",
    }
    assert output(tmp_path, files) == ["True b'x'", "None True"]


def test_dev_1_a_module_that_a_library_has_loaded_can_be_loaded_again(tmp_path: Path) -> None:
    files = {
        "main.py": "import pkgutil, importlib\nmine = pkgutil.resolve_name('mine')\n"
        "importlib.reload(mine)\nimportlib.reload(mine)\nprint(importlib.import_module('mine') is mine)\n",
        "mine.py": "import utime\nprint(b'%s' % 'loaded')\n",
    }
    assert output(tmp_path, files) == ["b'loaded'"] * 3 + ["True"]


@pytest.mark.parametrize("library", ["/lib", "/flash/lib", "/own/lib"])
def test_dev_1_the_root_of_a_boards_files_is_the_programs_folder(library: str, tmp_path: Path) -> None:
    files = {
        "main.py": f"import sys\nsys.path = ['', '.frozen', {library!r}]\nimport mine\nprint(mine.x, sys.path[2])\n",
        f"{library.removeprefix('/flash').lstrip('/')}/mine.py": "x = 1\n",
    }
    assert output(tmp_path, files) == [f"1 {library}"]


def test_dev_1_a_desktops_own_lib_is_not_looked_into(tmp_path: Path) -> None:
    there = next(entry.name for entry in Path("/lib").iterdir() if entry.name.isidentifier() and entry.is_dir())
    text = f"import sys\nsys.path = ['/lib', '/']\nfor name in ({there!r}, 'proc'):\n    try:\n"
    text += "        print(__import__(name))\n    except ImportError:\n        pass\n"
    assert output(tmp_path, {"main.py": text}) == []


LOADED = "import socket, utime\ntext = b'%s' % 'x'\nticks = utime.ticks_add(1, 2)\nclass Dot:\n    pass\n"


@pytest.mark.parametrize(
    "load",
    [
        "import importlib.util as util\nspec = util.spec_from_file_location('plug', path)\n"
        "plug = util.module_from_spec(spec)\nspec.loader.exec_module(plug)",
        "import importlib, sys\nspec = importlib.util.spec_from_file_location('plug', path)\n"
        "plug = sys.modules['plug'] = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(plug)\n"
        "import plug as again, pickle\nassert plug is again and pickle.loads(pickle.dumps(plug.Dot))",
        "from importlib.machinery import SourceFileLoader\nplug = type(util := __import__('sys'))('plug')\n"
        "SourceFileLoader('plug', path).exec_module(plug)",
        "import importlib.util, sys\nsys.path.append('plugins')\nspec = importlib.util.find_spec('plug')\n"
        "plug = importlib.util.module_from_spec(spec)\nspec.loader.exec_module(plug)",
    ],
)
def test_dev_1_a_module_that_is_loaded_by_hand_is_of_the_programs_world(load: str, tmp_path: Path) -> None:
    text = f"path = __file__.replace('main', 'plugins/plug')\n{load}\nprint(plug.text, plug.ticks, plug.__name__)\n"
    text += "print(hasattr(plug.socket, 'SocketKind'))\n"
    assert output(tmp_path, {"main.py": text, "plugins/plug.py": LOADED}) == ["b'x' 3 plug", "False"]


def test_dev_1_a_librarys_module_that_is_loaded_by_hand_is_of_its_own(tmp_path: Path) -> None:
    text = (
        "import colorsys, importlib.util as util\nspec = util.spec_from_file_location('colors', colorsys.__file__)\n"
        "colors = util.module_from_spec(spec)\nspec.loader.exec_module(colors)\n"
        "print(colors.__builtins__ is __builtins__)\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["False"]


@pytest.mark.parametrize("on_path", ["sys.path.append('app.zip')", "sys.path.insert(0, __file__[:-7] + 'app.zip')", ""])
def test_dev_1_modules_out_of_a_zip_are_the_programs(on_path: str, tmp_path: Path) -> None:
    text = f"import sys\n{on_path}\nimport pack.low, logging\nprint(pack.low.text, logging.x)\n"
    path = write(tmp_path, {"main.py": text})
    with zipfile.ZipFile(tmp_path / "app.zip", "w") as archive:
        archive.writestr("pack/__init__.py", "def run(what):\n    return await what\n")
        archive.writestr("pack/low.py", "import utime\ntext = b'%s' % 'x'\n")
        archive.writestr("logging.py", "x = 1\n")
    done = call(path, **({} if on_path else {"PYTHONPATH": str(tmp_path / "app.zip")}))
    assert done.stdout == "b'x' 1\n", done.stderr
