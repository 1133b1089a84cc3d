"""DEV-5, DEV-6: python -m usocket, its options, errors, and the tools that go with it."""

from __future__ import annotations

import importlib.util
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from programs import call, call_python, output, write

BROKEN = "def inner(x):\n    return b'' + x\n\ndef outer():\n    import helper\n    inner(5 .real)\n\nouter()\n"


def test_dev_5_help_names_the_options() -> None:
    text = call("--help").stdout
    assert all(word in text for word in ("-m module", "-c text", "--trace", "--chaos SEED", "pdb", "docs/desktop.md"))


def test_dev_5_c_runs_a_text(tmp_path: Path) -> None:
    done = call("-c", "import sys, socket, utime\nprint(sys.argv, b'%s' % 'x')", "a", cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("['-c', 'a'] b'x'\n", "")


def test_dev_5_m_runs_a_module_or_a_package(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "tool.py": "import sys\nprint(__name__, __spec__.name, sys.argv[1:])\n",
            "pack/__init__.py": "x = 1\n",
            "pack/__main__.py": "from . import x\nimport utime\nprint(__name__, x)\n",
        },
    )
    assert call("-m", "tool", "a", cwd=tmp_path).stdout == "__main__ tool ['a']\n"
    assert call("-m", "pack", cwd=tmp_path).stdout == "__main__ 1\n"


def test_dev_5_m_of_pytest_says_how_else(tmp_path: Path) -> None:
    done = call("-m", "pytest", cwd=tmp_path)
    assert done.returncode == 2 and done.stderr.endswith("pytest -p usocket\n")


@pytest.mark.parametrize("tool", ["pdb", "coverage", "cProfile", "profile"])
def test_dev_5_m_of_a_tool_that_starts_the_program_says_how_else(tool: str, tmp_path: Path) -> None:
    done = call("-m", tool, "main.py", cwd=tmp_path)
    options = "run " if tool == "coverage" else ""
    assert done.returncode == 2 and done.stderr.endswith(f"python -m {tool} {options}-m usocket app.py\n")


def test_dev_5_m_of_nothing_says_so(tmp_path: Path) -> None:
    done = call("-m", "nothing", cwd=tmp_path)
    assert done.returncode == 1 and done.stderr == "python -m usocket: no module is named 'nothing'\n"


def test_dev_5_m_runs_a_folder_without_init(tmp_path: Path) -> None:
    text = "import sys, utime\nprint(__name__, __spec__.name, __package__, sys.argv[1:], b'%s' % 'x')\n"
    write(tmp_path, {"folder/__main__.py": text, "folder/tool.py": text})
    assert call("-m", "folder", "a", cwd=tmp_path).stdout == "__main__ folder.__main__ folder ['a'] b'x'\n"
    assert call("-m", "folder.tool", "a", cwd=tmp_path).stdout == "__main__ folder.tool folder ['a'] b'x'\n"


@pytest.mark.parametrize("name", ["email.mime.text", "xml.dom.minidom", "urllib.request", "encodings.rot_13"])
def test_dev_5_m_runs_a_librarys_submodule(name: str, tmp_path: Path) -> None:
    done = call("-m", name, cwd=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_dev_5_m_runs_a_librarys_submodule_with_its_arguments(tmp_path: Path) -> None:
    assert call("-m", "http.server", "--help", cwd=tmp_path).stdout.startswith("usage: server.py")


@pytest.mark.parametrize("name", ["http.nothing", "nothing.at.all", "tool.part", "folder.part"])
def test_dev_5_m_of_nothing_in_a_package_says_so(name: str, tmp_path: Path) -> None:
    write(tmp_path, {"tool.py": "", "folder/readme.txt": ""})
    done = call("-m", name, cwd=tmp_path)
    assert done.returncode == 1 and done.stderr == f"python -m usocket: no module is named {name!r}\n"


def test_dev_5_m_unittest_finds_tests_in_a_folder_without_init(tmp_path: Path) -> None:
    test = (
        "import unittest, utime\nclass Test(unittest.TestCase):\n    def test_it(self):\n"
        "        self.assertEqual(b'%s' % 'a', b'a')\n"
    )
    write(tmp_path, {"tests/test_it.py": test})
    for name in ("tests.test_it", "tests.test_it.Test.test_it"):
        done = call("-m", "unittest", name, cwd=tmp_path)
        assert done.returncode == 0 and "Ran 1 test" in done.stderr, done.stderr


def test_dev_5_c_takes_a_text_that_the_locale_cannot_decode(tmp_path: Path) -> None:
    env = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = call("-c", "print(len('\u00e9'), ascii('\u00e9'))", cwd=tmp_path, **env)
    assert (done.stdout, done.stderr) == ("1 '\\xe9'\n", "")


def test_dev_5_a_traceback_shows_the_programs_lines_and_none_of_ours(tmp_path: Path) -> None:
    path = write(tmp_path, {"main.py": BROKEN, "helper.py": "x = 1\n"})
    done = call("main.py", cwd=tmp_path)
    files = re.findall(r'File "([^"]*)", line (\d+)', done.stderr)
    assert files == [(str(path), "8"), (str(path), "6"), (str(path), "2")]


def test_dev_5_nor_does_the_one_of_an_error_that_nobody_can_catch(tmp_path: Path) -> None:
    text = (
        "import _thread, atexit, machine, time\n"
        "class Owner:\n    def __del__(self):\n        machine.UART(1)\nOwner()\n"
        "begun = _thread.allocate_lock()\nbegun.acquire()\n"
        "def work():\n    begun.release()\n    machine.UART(2)\n_thread.start_new_thread(work, ())\n"
        "begun.acquire()\nwhile _thread._count():\n    time.sleep_ms(1)\n"
        "atexit.register(machine.UART, 3)\n"
    )
    path = write(tmp_path, {"main.py": text})
    done = call(path)
    assert done.stderr.count("Exception ignored in") == done.stderr.count("OSError: [Errno 19] machine.UART") == 3
    files = re.findall(r'File "([^"]*)", line (\d+)', done.stderr)
    assert files == [(str(path), "4"), (str(path), "10")], done.stderr


def test_dev_5_nor_does_a_traceback_through_an_import(tmp_path: Path) -> None:
    path = write(tmp_path, {"main.py": "import helper\n", "helper.py": "\n1 / 0\n"})
    files = re.findall(r'File "([^"]*)", line (\d+)', call(path).stderr)
    assert files == [(str(path), "1"), (str(tmp_path / "helper.py"), "2")]


# What CPython itself needs to start a module (-m) is looked for in the current folder before ours is asked.
EARLY = ["collections", "contextlib", "functools", "importlib", "keyword", "operator", "types", "usocket", "warnings"]
LATE = ["enum", "linecache", "math", "pathlib", "random", "re", "select", "signal", "struct", "threading", "traceback"]
LATE += ["typing", "uerrno", "urllib", "uselect", "weakref"]


def usocket_command() -> str:
    return str(Path(sys.executable).with_name("usocket"))


@pytest.mark.parametrize("name", [*LATE, *EARLY])
def test_dev_1_a_module_of_the_programs_own_in_the_current_folder_is_not_for_us(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, {"main.py": f"import {name}\nprint({name}.mine)\n1 / 0\n", f"{name}.py": "mine = 1\n"})
    starts = [[usocket_command()], [sys.executable, "-m", "usocket"]]
    for start in starts[: 1 if name in EARLY else 2]:
        done = subprocess.run([*start, "main.py"], cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.stdout == "1\n", done.stderr
        assert re.findall(r'File "([^"]*)", line (\d+)', done.stderr) == [(str(path), "3")]


def test_dev_1_a_boards_main_finds_what_its_boot_has_left(tmp_path: Path) -> None:
    files = {"main.py": "print(led, __name__)\n1 / 0\n", "boot.py": "import machine\nled = b'%s' % 'on'\n"}
    path = write(tmp_path, files)
    done = call("main.py", cwd=tmp_path)
    assert done.stdout == "b'on' __main__\n", done.stderr
    assert f'File "{path}", line 2' in done.stderr


def test_dev_1_boot_alone_or_beside_another_program_is_just_a_module(tmp_path: Path) -> None:
    path = write(tmp_path, {"app.py": "import boot\n", "boot.py": "print('boot', __name__)\n"})
    assert call(path).stdout == "boot boot\n"
    assert call(tmp_path / "boot.py").stdout == "boot __main__\n"


def test_dev_1_what_ends_boot_ends_the_program(tmp_path: Path) -> None:
    path = write(tmp_path, {"main.py": "print('main')\n", "boot.py": "1 / 0\n"})
    done = call(path)
    assert done.returncode == 1 and done.stdout == "" and str(tmp_path / "boot.py") in done.stderr


def test_dev_5_pdb_stops_at_lines_and_steps_over_ours(tmp_path: Path) -> None:
    path = write(tmp_path, {"main.py": "def f(x):\n    y = b'%s' % x\n    return y + 'b'\n\nf('a')\n"})
    done = call_python("-m", "pdb", "-m", "usocket", path, stdin=f"b {path}:2\nc\ns\np y\ns\nq\n")
    stops = re.findall(r"> (.*)\((\d+)\)", done.stdout)
    assert [line for file, line in stops if file == str(path)] == ["2", "3", "3"] and "b'a'" in done.stdout
    assert not [file for file, _ in stops if "usocket/desktop" in file]


@pytest.mark.parametrize("stop", ["breakpoint()", "import pdb; pdb.set_trace()"])
def test_dev_5_so_does_the_pdb_that_the_program_begins(stop: str, tmp_path: Path) -> None:
    text = f"import asyncio\nasync def work():\n    x = b'a'\n    {stop}\n    return x\nasyncio.run(work())\n"
    path = write(tmp_path, {"main.py": text})
    done = call_python("-m", "usocket", path, stdin="w\np x + 'b'\nu\np 6\nc\n")
    assert "b'ab'" in done.stdout and "usocket/desktop" not in done.stdout, done.stdout
    assert f"> {path}(6)<module>()" in done.stdout and done.returncode == 0, done.stderr
    done = call_python("-m", "pdb", "-m", "usocket", path, stdin="c\nw\np x + 'b'\nq\n")
    assert "b'ab'" in done.stdout and "usocket/desktop" not in done.stdout, done.stdout


def test_dev_5_pdb_shows_a_stack_without_ours_and_evaluates_in_the_dialect(tmp_path: Path) -> None:
    path = write(tmp_path, {"main.py": "def f(x):\n    return x\n\nf(b'a')\n"})
    done = call_python("-m", "pdb", "-m", "usocket", path, stdin=f"b {path}:2\nc\nw\np x + 'b'\nu\np x\nq\n")
    shown = done.stdout[done.stdout.index(f"{path}(2)f()") :]
    assert not re.search(r"usocket/(desktop|__main__)|runpy", shown), shown
    assert f"{path}(4)<module>()" in shown and "b'ab'" in shown and "NameError" in shown


def coverage_of(text: str, folder: Path) -> str:
    """coverage's report on a program."""
    if importlib.util.find_spec("coverage") is None:
        pytest.skip("coverage is not installed")
    path, data = write(folder, {"main.py": text}), folder / ".coverage"
    call_python("-m", "coverage", "run", f"--data-file={data}", "-m", "usocket", path, cwd=folder)
    return call_python("-m", "coverage", "report", "-m", f"--data-file={data}", f"--include={path}", cwd=folder).stdout


def test_dev_5_coverage_counts_the_programs_lines(tmp_path: Path) -> None:
    report = coverage_of("import utime\nif utime.ticks_ms() < 0:\n    print(b'%s' % 'no')\n", tmp_path)
    assert re.search(r"main.py +3 +1 +67% +3", report), report


def test_dev_5_coverage_counts_the_lines_of_threads(tmp_path: Path) -> None:
    text = (
        "import _thread\nended = _thread.allocate_lock()\nended.acquire()\n"
        "def serve():\n    a = 1\n    ended.release()\n_thread.start_new_thread(serve, ())\nended.acquire()\n"
    )
    report = coverage_of(text, tmp_path)
    assert "main.py 8 0 100%" in " ".join(report.split()), report


def test_dev_5_coverage_counts_the_lines_after_a_wait_for(tmp_path: Path) -> None:
    """CPython 3.11 does not trace what has had an exception thrown into it."""
    text = (
        "import asyncio\nasync def work(n):\n    await asyncio.sleep_ms(n)\n    return n\n"
        "async def main():\n    a = await asyncio.wait_for(work(1), 100)\n    b = a + 1\n    try:\n"
        "        await asyncio.wait_for_ms(work(100_000), 1)\n    except asyncio.TimeoutError:\n        b += 1\n"
        "    return b\nasyncio.run(main())\n"
    )
    report = coverage_of(text, tmp_path)
    assert "main.py 13 0 100%" in " ".join(report.split()), report


def traced(path: Path) -> list[str]:
    """What --trace prints, without the descriptors and the times."""
    done = call("--trace", path)
    assert done.returncode == 0, done.stderr
    return [re.sub(r"^socket \d+: (.*)  \[.* ms\]$", r"\1", line) for line in done.stderr.splitlines()]


def test_dev_6_trace_shows_each_call_with_its_outcome(tmp_path: Path) -> None:
    text = (
        "import socket\na, b = socket.socketpair()\na.write('hi\\n')\nb.readline()\nb.settimeout(0)\n"
        "try:\n    b.recv(1)\nexcept OSError:\n    pass\n"
    )
    lines = traced(write(tmp_path, {"main.py": text}))
    assert lines[:3] == ["write('hi\\n') -> 3", "readline() -> b'hi\\n'", "settimeout(0) -> None"]
    assert lines[3].startswith("recv(1) -> BlockingIOError")


def test_dev_6_trace_shows_the_calls_that_others_make_meanwhile(tmp_path: Path) -> None:
    text = (
        "import socket, machine, _thread\na, b = socket.socketpair()\n"
        "ended = _thread.allocate_lock()\nended.acquire()\n"
        "def work():\n    a.write('thread')\n    b.write('1\\n')\n    ended.release()\n"
        "def tick(timer):\n    a.write('timer')\n    b.write('2\\n')\n"
        "_thread.start_new_thread(work, ())\na.readline()\nended.acquire()\n"
        "machine.Timer(period=20, mode=machine.Timer.ONE_SHOT, callback=tick)\na.readline()\n"
    )
    lines = traced(write(tmp_path, {"main.py": text}))
    made = ["write('thread') -> 6", "write('1\\n') -> 2", "readline() -> b'1\\n'"]
    made += ["write('timer') -> 5", "write('2\\n') -> 2", "readline() -> b'2\\n'"]
    assert sorted(lines) == sorted(made)


def test_dev_6_trace_shows_a_loop_over_the_lines_and_keeps_nothing_in_the_socket(tmp_path: Path) -> None:
    text = (
        "import socket\na, b = socket.socketpair()\na.is_inside = b.is_inside = True\na.write('1\\n2\\n')\na.close()\n"
        "for line in b:\n    pass\nprint(vars(b))\n"
    )
    path = write(tmp_path, {"main.py": text})
    lines = [f"__next__() -> {outcome}" for outcome in ("b'1\\n'", "b'2\\n'", "StopIteration")]
    assert traced(path) == ["write('1\\n2\\n') -> 4", "close() -> None", *lines]
    assert call("--trace", path).stdout == call(path).stdout == "{'is_inside': True}\n"


def test_dev_6_trace_changes_no_class(tmp_path: Path) -> None:
    text = (
        "import socket, usocket\ns = socket.socket()\n"
        "print(issubclass(socket.socket, usocket.socket), isinstance(s, usocket.socket))\n"
        "print(s.dup().__class__ is s.__class__)\n"
        "s.close()\nprint(repr(s).split()[1])\n"
    )
    path = write(tmp_path, {"main.py": text})
    plain, traced = call(path), call("--trace", path)
    assert plain.stdout == traced.stdout == "True True\nTrue\nstate=-1\n"
    assert traced.stderr.count("\n") == 2, traced.stderr  # dup() and close(), and nothing of the repr


def test_dev_6_trace_sees_the_sockets_of_asyncio(tmp_path: Path) -> None:
    text = (
        "import asyncio, socket\nl = socket.create_server(('127.0.0.1', 0))\n"
        "async def main():\n    r, w = await asyncio.open_connection(*l.getsockname())\n"
        "    w.write('x')\n    await w.drain()\n"
        "asyncio.run(main())\n"
    )
    assert "write(" in call("--trace", write(tmp_path, {"main.py": text})).stderr


@pytest.mark.parametrize("option", [["--chaos"], ["--chaos", "many", "main.py"], ["--what", "main.py"]])
def test_dev_5_a_wrong_option_says_how(option: list[str]) -> None:
    done = call(*option)
    assert done.returncode == 2 and done.stderr.startswith("usage: ") and len(done.stderr.splitlines()) == 2


def test_dev_5_help_minds_no_reader_who_has_gone() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "usocket", "--help"]
    with open(writing, "wb") as pipe:
        done = subprocess.run(command, stdout=pipe, stderr=subprocess.PIPE, text=True, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_dev_5_a_current_folder_that_is_gone_is_said_in_a_line(tmp_path: Path) -> None:
    """What it cannot be told apart from for the interpreter is -c, which needs no file."""
    start = f"import os, sys, runpy\nos.chdir({str(tmp_path)!r})\nos.rmdir({str(tmp_path)!r})\n"
    start += "sys.argv = ['usocket', '-c', '1']\nsys.path[0] = ''\nrunpy.run_module('usocket', run_name='__main__')\n"
    done = call_python("-c", start)
    assert done.returncode == 2 and len(done.stderr.splitlines()) == 1, done.stderr
    assert "the current folder is not there any more" in done.stderr


# An extension of the interpreter that the desktop imports once it has begun; there Ctrl-C comes.
INTERRUPTED = """
import os, signal, sys
class Interrupts:
    def find_spec(self, name, path=None, target=None):
        if name == "usocket.desktop.world":
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupts())
"""


def test_dev_5_ctrl_c_before_the_program_has_begun_is_a_line(tmp_path: Path) -> None:
    write(tmp_path, {"sitecustomize.py": INTERRUPTED})
    done = call("-c", "print('on')", PYTHONPATH=str(tmp_path))
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGINT, "", "KeyboardInterrupt\n")


# --- Tracebacks that others show

# Errors that pass through our asyncio and our TLS.
FAILING = """
import asyncio, socket, ssl

def refused():
    async def connect():
        await asyncio.open_connection("127.0.0.1", free)
    with socket.socket() as unheard:
        unheard.bind(socket.getaddrinfo("127.0.0.1", 0)[0][-1])
        free = unheard.getsockname()[1]
        asyncio.run(connect())

def garbage():
    a, b = socket.socketpair()
    with a, b:
        b.write("g" * 50)
        ssl.wrap_socket(a)

def no_certificate():
    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=b"x")

def no_file():
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain("nofile", "nofile")

FAILURES = [refused, garbage, no_certificate, no_file]
"""
OURS = re.compile(r"site-packages/(usocket|ussl)/|python/(usocket|ussl)/")


@pytest.mark.parametrize(
    "shows",
    [
        "traceback.print_exc()",
        "traceback.print_exception(error)",
        "print(*traceback.format_tb(error.__traceback__))",
        "print(traceback.extract_tb(error.__traceback__))",
        "print(*traceback.TracebackException.from_exception(error).format())",
        "logging.exception('x')",
        "sys.print_exception(error)",
    ],
)
def test_dev_5_none_of_ours_whoever_shows_an_error(shows: str, tmp_path: Path) -> None:
    text = (
        "import logging, sys, traceback\nfrom failing import FAILURES\nfor failure in FAILURES:\n"
        f"    try:\n        failure()\n    except Exception as error:\n        {shows}\n"
    )
    done = call(write(tmp_path, {"main.py": text, "failing.py": FAILING}))
    shown = done.stdout + done.stderr
    assert done.returncode == 0 and len(re.findall(r"failing\.py", shown)) >= 5 and not OURS.search(shown), shown


# A function that is called by ours: by the loop, by a timer, by an import, by exec.
STACKS = """
import asyncio, logging, micropython, sys, traceback, inspect
logging.basicConfig(format="%(filename)s:%(lineno)d", stream=sys.stdout)

def frames():
    frame = sys._getframe()
    while frame:
        yield frame.f_code.co_filename
        frame = frame.f_back

def show():
    SHOW

async def task():
    show()

def within():
    asyncio.run(task())
    exec("show()")
    micropython.schedule(lambda _: show(), None)

within()
"""


@pytest.mark.parametrize(
    "show",
    [
        "traceback.print_stack(file=sys.stdout)",
        "print(*traceback.format_stack())",
        "print(traceback.extract_stack())",
        "print(*traceback.StackSummary.extract(traceback.walk_stack(None)).format())",
        "print(inspect.stack())",
        "print(inspect.getouterframes(inspect.currentframe()))",
        "print(*frames())",
        "logging.warning('x', stack_info=True)",
    ],
)
def test_dev_5_nor_in_a_stack_however_it_is_walked(show: str, tmp_path: Path) -> None:
    done = call(write(tmp_path, {"main.py": STACKS.replace("SHOW", show)}))
    assert done.returncode == 0, done.stderr
    shown = re.sub("<string>|" + re.escape(str(tmp_path)), "", done.stdout)
    assert shown.count("main.py") >= 10 and not OURS.search(shown) and "runpy" not in shown, shown


def test_dev_5_who_logs_and_who_calls_is_the_programs(tmp_path: Path) -> None:
    """Where nobody but ours has called: the loop, a timer, logging's exc()."""
    text = (
        "import asyncio, logging, micropython, sys, types\n"
        "logging.basicConfig(format='%(filename)s:%(lineno)d', stream=sys.stdout)\nlog = logging.getLogger('x')\n"
        "def caller():\n    return sys._getframe(1).f_lineno\nasync def main():\n"
        "    log.warning('x', stacklevel=2)\n"
        "    print(sys._getframe(1).f_lineno)\n    log.exc(ValueError(), 'y')\nasyncio.run(main())\n"
        "micropython.schedule(log.warning, 'z')\nlog.warning('x')\nprint(caller())\n"
        "try:\n    sys._getframe(1)\nexcept ValueError as e:\n    print(e)\n"
        "frame = sys._getframe()\n"
        "print(frame == sys._getframe(), frame.f_globals is globals(), isinstance(frame, types.FrameType))\n"
    )
    lines = output(tmp_path, {"main.py": text})
    assert lines == [
        *["main.py:10", "10", "main.py:9", "ValueError", "main.py:11", "main.py:12", "13"],
        *["call stack is not deep enough", "True True True"],
    ]


UNITTEST = """
import unittest
from failing import FAILURES
class Test(unittest.TestCase):
    def test_0(self): FAILURES[0]()
    def test_1(self): FAILURES[1]()
    def test_2(self): FAILURES[2]()
    def test_3(self): FAILURES[3]()
if __name__ == "__main__": unittest.main()
"""


@pytest.mark.parametrize("command", [["test_it.py"], ["-m", "unittest"]])
def test_dev_5_unittest_shows_none_of_ours(command: list[str], tmp_path: Path) -> None:
    write(tmp_path, {"test_it.py": UNITTEST, "failing.py": FAILING})
    done = call(*command, cwd=tmp_path)
    assert "FAILED (errors=4)" in done.stderr and not OURS.search(done.stderr), done.stderr


@pytest.mark.parametrize("style", ["auto", "long", "short", "native"])
def test_dev_5_pytest_shows_none_of_ours(style: str, tmp_path: Path) -> None:
    """Of pytest, of unittest's tests, and of what a test imports as it is collected."""
    files = {
        "test_it.py": UNITTEST + "def test_4(): FAILURES[0]()\n",
        "test_collected.py": "import broken\n",
        "broken.py": "from failing import FAILURES\nFAILURES[0]()\n",
        "failing.py": FAILING,
    }
    write(tmp_path, files)
    arguments = ["-q", "-p", "usocket.pytest_plugin", f"--tb={style}", "--continue-on-collection-errors"]
    done = call_python("-m", "pytest", *arguments, "--rootdir", tmp_path, tmp_path, cwd=tmp_path)
    assert "5 failed" in done.stdout and "1 error" in done.stdout and not OURS.search(done.stdout), done.stdout


def test_dev_5_pdb_shows_an_error_without_ours_and_stands_in_the_program(tmp_path: Path) -> None:
    path = write(tmp_path, {"main.py": "from failing import FAILURES\nFAILURES[0]()\n", "failing.py": FAILING})
    done = call_python("-m", "pdb", "-m", "usocket", path, stdin="c\nw\nq\n")
    shown = done.stdout.partition("(Pdb)")[2].partition("Post mortem debugger finished")[0] + done.stderr
    assert "ConnectionRefusedError" in shown and f"> {tmp_path}/failing.py(" in shown
    assert f"{path}(2)<module>()" in shown and not OURS.search(shown), shown


# --- The pytest plugin

LIBRARY = "import usocket, time\ndef ticks(): return b'%s' % 'x', time.ticks_ms()\n"
USES_LIBRARY = "import sys\ndef test_it():\n    from umqtt import simple\n    assert simple.ticks()[0] == b'x'\n"


@pytest.mark.parametrize("folder, ini", [("src/", "src"), ("", "."), ("", "")])
@pytest.mark.parametrize("plugin", ["usocket", "usocket.pytest_plugin"])
def test_dev_5_the_plugin_finds_lib_as_the_command_does(folder: str, ini: str, plugin: str, tmp_path: Path) -> None:
    files = {
        f"{folder}main.py": "from umqtt import simple\nprint(simple.ticks()[0])\n",
        f"{folder}lib/umqtt/simple.py": LIBRARY,
        "tests/test_it.py": USES_LIBRARY,
        "pytest.ini": f"[pytest]\naddopts = -p {plugin}\n" + f"usocket_folders = {ini}\n" * bool(ini),
    }
    path = write(tmp_path, files)
    assert call(path).stdout == "b'x'\n"
    done = call_python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert "1 passed" in done.stdout, done.stdout + done.stderr


def test_dev_5_the_plugin_gives_tests_a_devices_modules(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "tests/test_blink.py": "import socket, time, blink\n\ndef test_blink():\n    a, b = socket.socketpair()\n"
            "    blink.blink(a)\n    assert b.readline() == b'led 1\\n' and time.ticks_ms() >= 0\n\n"
            "def test_explained():\n    x = 1\n    assert x == 2\n",
            "tests/conftest.py": "import machine\n",
            "src/blink.py": "import machine\nled = machine.Pin(2)\ndef blink(s):\n    led.toggle()\n"
            "    s.write(b'led %s\\n' % str(led.value()))\n",
            "pytest.ini": "[pytest]\naddopts = -p usocket.pytest_plugin\nusocket_folders = src\n",
        },
    )
    done = call_python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path)
    assert "1 failed, 1 passed" in done.stdout and "assert 1 == 2" in done.stdout, done.stdout + done.stderr


def test_dev_5_without_the_plugin_tests_have_cpythons(tmp_path: Path) -> None:
    write(
        tmp_path,
        {"test_it.py": "import time\ndef test_it():\n    assert not hasattr(time, 'ticks_ms')\n", "pytest.ini": ""},
    )
    assert "1 passed" in call_python("-m", "pytest", "-q", "-p", "no:cacheprovider", cwd=tmp_path).stdout


@pytest.mark.parametrize("is_main", [True, False])
def test_dev_5_a_syntax_error_shows_its_line_and_none_of_ours(is_main: bool, tmp_path: Path) -> None:
    wrong = "x = 1\ny = (\n"
    files = {"main.py": wrong} if is_main else {"main.py": "import other\n", "other.py": wrong}
    done = call(write(tmp_path, files))
    assert done.returncode == 1
    shown = [line for line in done.stderr.splitlines() if line.startswith("  File")]
    assert [line.rpartition("/")[2] for line in shown] == (
        ['main.py", line 2'] if is_main else ['main.py", line 1, in <module>', 'other.py", line 2']
    )


# What tests replace by name; app.py has got to see it, and afterwards what was there before.
REPLACED = """
    socket.socket socket.getaddrinfo socket.create_connection socket.socket.connect usocket.socket usocket.getaddrinfo
    time.sleep time.time time.sleep_ms time.localtime time.monotonic time.strftime utime.sleep utime.ticks_ms
    os.listdir os.stat os.uname os.dupterm os.remove sys.exit sys.argv sys.stdout sys.platform sys.print_exception
    json.loads json.dumps select.poll select.select uselect.poll asyncio.sleep asyncio.run asyncio.open_connection
    ssl.SSLContext ssl.wrap_socket machine.Pin machine.Pin.value machine.reset network.WLAN network.WLAN.isconnected
    gc.collect gc.mem_free struct.pack ubinascii.hexlify hashlib.sha256 random.randint re.compile io.StringIO math.sin
    micropython.mem_info _thread.start_new_thread builtins.open builtins.print
"""
REPLACING = f"""
import pytest
from unittest import mock
import app

NAMES = {REPLACED.split()}

@pytest.mark.parametrize("name", NAMES)
def test_mock(name):
    before = app.seen(name)
    with mock.patch(name) as other, mock.patch(name) as another:
        seen = app.seen(name)
    assert seen is another and app.seen(name) is before

@pytest.mark.parametrize("name", NAMES)
def test_monkeypatch(name):
    before = app.seen(name)
    with pytest.MonkeyPatch.context() as patches:
        patches.setattr(name, "other")
        patches.setattr(name, "another")
        seen = app.seen(name)
    assert seen == "another" and app.seen(name) is before

@pytest.mark.parametrize("name", NAMES)
def test_of_the_object(name):
    owner, _, attribute = name.rpartition(".")
    before = app.seen(name)
    with mock.patch.object(app.seen(owner), attribute) as other:
        seen = app.seen(name)
    assert seen is other and app.seen(name) is before

def test_several():
    with mock.patch.multiple("time", sleep=1, monotonic=2), mock.patch.dict("os.environ", a="b"):
        assert (app.seen("time.sleep"), app.seen("time.monotonic"), app.seen("os.environ")["a"]) == (1, 2, "b")

def test_of_the_programs_own():
    with mock.patch("app.seen"):
        assert isinstance(app.seen, mock.Mock)

def test_what_is_not_there():
    with pytest.raises(AttributeError), mock.patch("time.nothing"):
        pass
    with pytest.raises(ImportError, match="nowhere"), mock.patch("nowhere.nothing"):
        pass
"""
SEEN = """
import _thread, asyncio, builtins, gc, hashlib, io, json, machine, math, micropython, network, os, random, re, select
import socket, ssl, struct, sys, time, ubinascii, uselect, usocket, utime

def seen(name):
    if name.startswith("builtins."):
        return {"open": lambda: open, "print": lambda: print}[name[9:]]()
    found, *rest = name.split(".")
    found = globals()[found]
    for part in rest:
        found = getattr(found, part)
    return found
"""


def test_dev_5_what_a_test_replaces_by_name_is_what_the_program_sees(tmp_path: Path) -> None:
    write(tmp_path, {"test_it.py": REPLACING, "app.py": SEEN})
    done = call_python("-m", "pytest", "-q", "-p", "usocket.pytest_plugin", cwd=tmp_path)
    count = 3 * len(REPLACED.split()) + 3
    assert f"{count} passed" in done.stdout, done.stdout


def test_dev_5_and_so_it_is_without_pytest(tmp_path: Path) -> None:
    text = (
        "import unittest, socket\nfrom unittest import mock\n"
        "class Test(unittest.TestCase):\n"
        "    @mock.patch('socket.socket')\n    @mock.patch('time.sleep')\n    def test(self, sleep, made):\n"
        "        import time\n        time.sleep(1000)\n"
        "        self.assertIs(socket.socket(), made())\n"
        "if __name__ == '__main__': unittest.main()\n"
    )
    path = write(tmp_path, {"test_it.py": text})
    for command in ([path], ["-m", "unittest"]):
        done = call(*command, cwd=tmp_path)
        assert done.returncode == 0 and "Ran 1 test" in done.stderr, done.stderr


def test_dev_5_a_test_replaces_a_devices_module_by_name(tmp_path: Path) -> None:
    files = {
        "test_it.py": (
            "import sys\nfrom unittest import mock\nimport app\n"
            "def test_a_name():\n    with mock.patch('machine.Pin') as pin:\n        assert app.made() is pin()\n"
            "def test_a_module():\n    with mock.patch.dict(sys.modules, {'bluetooth': mock.Mock()}):\n"
            "        assert app.radio() is sys.modules['bluetooth']\n"
            "def test_a_name_of_a_standard_module():\n    with mock.patch('time.sleep_ms') as sleep:\n"
            "        app.rest()\n    sleep.assert_called_once_with(5)\n"
            "def test_the_same_by_pytest(monkeypatch):\n    slept = []\n"
            "    monkeypatch.setattr('time.sleep_ms', slept.append)\n    app.rest()\n    assert slept == [5]\n"
        ),
        "app.py": (
            "def made():\n    import machine\n    return machine.Pin(1)\n"
            "def radio():\n    import bluetooth\n    return bluetooth\n"
            "def rest():\n    import utime\n    utime.sleep_ms(5)\n"
        ),
    }
    write(tmp_path, files)
    done = call_python("-m", "pytest", "-q", "-p", "usocket.pytest_plugin", cwd=tmp_path)
    assert "4 passed" in done.stdout, done.stdout
