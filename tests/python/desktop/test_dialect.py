"""DEV-4: what devices' compilers and types take, and CPython's refuse."""

from __future__ import annotations

import asyncio as standard_asyncio
import traceback
from pathlib import Path
from typing import Any

import pytest
from programs import call, call_python, names_of, output, value_of, write


@pytest.mark.parametrize(
    "expression, value",
    [
        ("b'%s=%d' % ('a', 1)", b"a=1"),
        ("b'%s' % b'a'", b"a"),
        ("b'%s' % 5", b"5"),
        ("int.from_bytes('ab', 'big')", 0x6162),
        ("b'%d %r' % (1, b'\\xff')", b"1 b'\\xff'"),
        ("b'%r' % '\u00e9'", b"'\\xe9'"),
        ("b'%s' % '\u00e9'", "\u00e9".encode()),
        ("b'%(k)s' % {'k': 'v'}", b"v"),
        ("bytearray(b'%s') % 'a'", bytearray(b"a")),
        ("'%s' % b'a'", "b'a'"),
        ("7 % 4", 3),
        ("b'a' + 'b'", b"ab"),
        ("bytearray(b'a') + 'b'", bytearray(b"ab")),
        ("'a' + 'b'", "ab"),
        ("b'{} {}'.format('a', 1)", b"a 1"),
        ("'{}'.format(1)", "1"),
        ("bytes(memoryview('abc')[1:])", b"bc"),
        ("bytearray('abc')", bytearray(b"abc")),
        ("bytearray('é', 'utf-8')", bytearray("é".encode())),
        ("bytearray(b'abc', 'utf-8')", bytearray(b"abc")),
        ("'a' in b'abc'", True),
        ("'x' not in b'abc'", True),
        ("1 in [1]", True),
        ("const(5)", 5),
        ("b'GET /'.startswith('GET')", True),
        ("bytearray(b'a\\r\\n').endswith(('x', '\\r\\n'))", True),
        ("('GET /' + '').startswith(b'GET')", True),
        ("b'xGET'.startswith('GET', 1)", True),
        ("hasattr('', '__len__')", False),
        ("hasattr('', 'join')", True),
    ],
)
def test_dev_4_expressions(expression: str, value: Any) -> None:
    result = value_of(expression)
    assert (result, type(result)) == (value, type(value))


def test_dev_4_adding_in_place_and_extending() -> None:
    names = names_of(
        "a = b'x'\na += 'y'\nb = bytearray()\nc = b\nb += 'x'\nb.extend('y')\nl = [1]\nl.extend([2])\n"
        "class C:\n    pass\no = C()\no.v = b''\no.v += 'z'\ns = 'a'\ns += 'b'\nn = 1\nn += 1\n"
    )
    assert (names["a"], names["b"], names["c"] is names["b"], names["l"]) == (b"xy", bytearray(b"xy"), True, [1, 2])
    assert (names["o"].v, names["s"], names["n"]) == (b"z", "ab", 2)


@pytest.mark.parametrize("expression", ["'a' + b'b'", "b'a' + 1", "1 + 'a'", "b'a' + None"])
def test_dev_4_what_a_device_refuses_is_refused(expression: str) -> None:
    with pytest.raises(TypeError):
        value_of(expression)


def test_dev_4_annotations_are_not_evaluated() -> None:
    names_of("x: Nothing = 1\ndef f(a: Nope) -> Never:\n    y: Neither = 1\n    return y\nf(1)\n")


def test_dev_4_the_value_and_the_number_of_an_error() -> None:
    names = names_of(
        "try:\n    raise OSError(-202)\nexcept OSError as e:\n    a = e.value, e.errno\n"
        "try:\n    raise ValueError\nexcept ValueError as e:\n    b = e.value\n"
        "def g():\n    yield\n    return 5\n"
        "try:\n    i = g()\n    next(i)\n    next(i)\nexcept StopIteration as e:\n    c = e.value\n"
    )
    assert (names["a"], names["b"], names["c"]) == ((-202, -202), None, 5)


def test_dev_4_a_loop_may_change_its_dictionary_or_set() -> None:
    assert names_of("d = {1: 1, 2: 2}\nfor k in d:\n    del d[k]\n")["d"] == {}
    assert names_of("s = {1, 2}\nfor k in s:\n    s.discard(k)\n")["s"] == set()


def test_dev_4_items_are_added_to_in_place() -> None:
    names = names_of(
        "d = {'k': b'x'}\nd['k'] += 'y'\nb = [bytearray()]\ni = 0\nb[i] += 'z'\n"
        "class C:\n    pass\no = C()\no.d = d\no.d['k'] += 'z'\nm = b'%s'\nm %= 'a'\nn = 7\nn %= i + 4\n"
    )
    assert (names["d"], names["b"], names["m"], names["n"]) == ({"k": b"xyz"}, [bytearray(b"z")], b"a", 3)


def test_dev_4_a_class_of_the_programs_has_operators_of_its_own() -> None:
    names = names_of(
        "class B(bytes):\n    def __mod__(self, what):\n        return 'own'\n    def format(self, what):\n"
        "        return 'own'\nclass A(bytearray):\n    def __iadd__(self, what):\n        self.got = what\n"
        "        return self\na = A()\na += 'x'\nm = B(b'%s') % 'x', B(b'').format('x'), a.got\n"
        "def memoryview(x):\n    return x\nv = memoryview('x')\n"
        "class N:\n    def __imod__(self, what):\n        return 'in place'\nn = N()\nn %= 'x'\n"
    )
    assert (names["m"], names["n"], names["v"]) == (("own", "own", "x"), "in place", "x")


def test_dev_4_emitters_need_no_import() -> None:
    assert names_of("@micropython.native\ndef f():\n    return 1\nvalue = f()\n")["value"] == 1


COROUTINES = """
def plain():
    yield 1
    return 'plain'
async def yielding():
    yield 2
    return 'yielding'
async def waiting():
    return [await plain(), await yielding()]
class Context:
    async def __aenter__(self):
        yield 3
        return 'entered'
    async def __aexit__(self, *what):
        return False
async def within():
    async with Context() as what:
        yield 4
        return what
def old():
    return (yield from waiting())
def unsaid():
    return await waiting()
async def nothing():
    return 'nothing'
def run(what):
    steps = []
    try:
        while True:
            steps.append(what.send(None))
    except StopIteration as error:
        return steps, error.value
"""


@pytest.mark.parametrize(
    "name, outcome",
    [
        ("waiting", ([1, 2], ["plain", "yielding"])),
        ("within", ([3, 4], "entered")),
        ("old", ([1, 2], ["plain", "yielding"])),
        ("unsaid", ([1, 2], ["plain", "yielding"])),
        ("nothing", ([], "nothing")),
    ],
)
def test_dev_4_coroutines_and_generators_are_one(name: str, outcome: Any) -> None:
    names = names_of(COROUTINES)
    assert names["run"](names[name]()) == outcome


def test_dev_4_a_coroutine_has_a_generators_type() -> None:
    assert names_of("async def f():\n    await g()\nvalue = type(f()).__name__\n")["value"] == "generator"


def test_dev_4_the_standard_loop_takes_them_too() -> None:
    """A test of a device's program may use CPython's asyncio."""
    names = names_of("async def f():\n    return 5\nasync def g():\n    return await f()\n")

    async def main() -> Any:
        return await names["g"]()

    assert standard_asyncio.run(main()) == 5


def test_dev_4_lines_and_columns_are_the_sources() -> None:
    names = names_of("def f(x):\n    y = b'a' \\\n        + 'b'\n    return (y +\n            x)\n")
    try:
        names["f"](None)
    except TypeError as error:
        (place, *_) = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == "program.py"]
        assert (place.lineno, place.name) == (4, "f")
        if hasattr(place, "colno"):
            assert (place.colno, place.end_lineno) == (12, 5)
    else:
        raise AssertionError("no error")


def test_dev_4_every_line_is_there_for_a_debugger() -> None:
    import dis

    code = names_of("async def f(x):\n    a = b'' % x\n    b = await x\n    return a + b\n")["f"].__code__
    assert {line for _, line in dis.findlinestarts(code) if line} >= {2, 3, 4}


def test_dev_4_texts_that_are_run_are_in_the_dialect() -> None:
    names = names_of(
        "exec(\"a = b'x' + 'y'\")\nb = eval(\" b'x' + 'y'\")\n"
        "def f(p):\n    exec('q = p')\n    return eval('p'), eval('p + 1', {'p': 1})\nc = f(5)\n"
        "g = {}\nexec('z = 1', g)\nd = g['z']\n"
    )
    assert (names["a"], names["b"], names["c"], names["d"]) == (b"xy", b"xy", (5, 2), 1)


def test_dev_4_what_no_device_minds_is_no_warning(tmp_path: Path) -> None:
    text = "import re\nprint(re.match('\\d', '1') is not None, () is ())\n"
    done = call(write(tmp_path, {"main.py": text}))
    assert (done.stdout, done.stderr) == ("True True\n", "")


def test_dev_4_nor_an_error_where_warnings_are(tmp_path: Path) -> None:
    files = {
        "main.py": "import other\nprint('\\d', eval(\"'\\\\\\\\d'\"), other.x)\n",
        "other.py": "x = () is ()\n'\\w'\n",
    }
    done = call_python("-X", "dev", "-W", "error", "-m", "usocket", write(tmp_path, files))
    assert (done.stdout, done.stderr) == ("\\d \\d True\n", "")


def test_dev_4_names_that_a_program_gives_to_exec_have_its_builtins() -> None:
    names = names_of(
        "g = {}\nexec(\"def f(x): return b'%s' % x\", g)\na = g['f']('a')\n"
        "b = eval(\"b'%s' % x\", {'__builtins__': {}}, {'x': 'b'})\n"
        "c = eval(\"b'%s' % x\", {'__builtins__': None}, {'x': 'c'})\n"
        "m = type(__import__('sys'))('m')\nexec('import utime\\nd = utime.ticks_diff(3, 1)', m.__dict__)\n"
    )
    assert (names["a"], names["b"], names["c"], names["m"].d) == (b"a", b"b", b"c", 2)


def test_dev_4_exec_has_them_on_a_thread_of_its_own() -> None:
    names = names_of(
        "import _thread\nfound, ended = [], _thread.allocate_lock()\nended.acquire()\n"
        "_thread.start_new_thread(exec, (\"found.append(b'a' + 'b')\\nended.release()\", globals()))\n"
    )
    assert names["ended"].acquire(True, 10) and names["found"] == [b"ab"]


def test_dev_4_compile_compiles_the_dialect() -> None:
    names = names_of(
        "a = eval(compile(\"b'a' + 'b'\", 'x', 'eval'))\n"
        "exec(compile(bytearray(b\"b = b'%s' % 'b'\"), 'x', 'exec', 0, True))\n"
        "g = {}\nexec(compile('import utime\\nc = b\"c\" + \"d\"', 'x', 'exec'), g)\n"
        "import ast\nd = type(compile('1', 'x', 'eval', ast.PyCF_ONLY_AST)).__name__\n"
    )
    assert (names["a"], names["b"], names["g"]["c"], names["d"]) == (b"ab", b"b", b"cd", "Expression")


def test_dev_4_the_number_of_an_error_is_its_first_argument_whatever_that_is() -> None:
    names = names_of(
        "a = OSError('abc')\nb = OSError('abc').errno\n"
        "class Mine(OSError):\n    pass\n"
        "try:\n    raise Mine('mine')\nexcept OSError as e:\n    kept = e\nc = kept.errno\n"
    )
    assert (names["a"].errno, str(names["a"]), names["b"], names["c"]) == ("abc", "abc", "abc", "mine")


def test_dev_4_what_nothing_of_the_program_calls_has_the_names_of_main(tmp_path: Path) -> None:
    files = {
        "main.py": "import _thread, atexit, other\nx, done = 'main', _thread.allocate_lock()\n"
        "for run in exec, eval:\n    done.acquire()\n"
        "    _thread.start_new_thread(run, (\"(print('thread', x), done.release())\",))\n    done.acquire()\n"
        "    done.release()\n"
        "other.schedule(exec)\nother.schedule(eval)\natexit.register(exec, \"print('atexit', x)\")\n",
        "other.py": "import micropython\nx = 'other'\n"
        "def schedule(run):\n    x = 'local'\n    micropython.schedule(run, \"print('schedule', x)\")\n",
    }
    for reset in "", "import machine\nx = 'end'\ndef end(x):\n    machine.reset()\nend('local')\n":
        done = call(write(tmp_path, {**files, "main.py": files["main.py"] + reset}))
        last = "atexit end" if reset else "atexit main"
        expected = ["thread main"] * 2 + ["schedule main"] * 2 + [last]
        assert done.stdout.splitlines() == expected, done.stderr


def test_dev_4_in_a_test_it_has_names_of_its_own() -> None:
    names = names_of(
        "import _thread\nfound, ended = [], _thread.allocate_lock()\nended.acquire()\n"
        "import builtins\nbuiltins.found, builtins.ended = found, ended\n"
        "_thread.start_new_thread(exec, (\"found.append(b'a' + 'b')\\nended.release()\",))\n"
    )
    assert names["ended"].acquire(True, 10) and names["found"] == [b"ab"]


CONSOLES = """
import code
typed = iter(["import utime, socket", "b'%s' % 'typed'", "def f(x):", "    return await x", "", "x = f(())", "type(x)",
              "hasattr(socket, 'SocketKind'), utime.ticks_add(1, 2)", "mine"])
def readfunc(prompt):
    try:
        return next(typed)
    except StopIteration:
        raise EOFError
"""


@pytest.mark.parametrize(
    "start",
    [
        "code.interact('', readfunc, {'mine': 5}, '')",
        "c = code.InteractiveConsole({'mine': 5})\nc.raw_input = readfunc\nc.interact('', '')",
    ],
)
def test_dev_4_what_is_typed_at_a_console_of_the_programs_is_in_the_dialect(start: str, tmp_path: Path) -> None:
    assert output(tmp_path, {"main.py": CONSOLES + start}) == ["b'typed'", "<class 'generator'>", "(False, 3)", "5"]


def test_dev_4_so_is_what_an_interpreter_of_the_programs_is_given(tmp_path: Path) -> None:
    text = (
        "import code\ni = code.InteractiveInterpreter()\n"
        "print(i.runsource(\"print(b'%s' % 'x')\"), i.runsource('if 1:'), code.compile_command('(') is None)\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["b'x'", "False True True"]
