"""python -m usocket: the command line."""

from __future__ import annotations

import importlib
import io
import os
import sys

from usocket.desktop import chaos, program, trace
from usocket.desktop.origins import is_path_safe

USAGE = "usage: python -m usocket [--trace] [--chaos SEED] (app.py | -m module | -c text) [args...]"

HELP = f"""{USAGE}

Runs a program that was written for MicroPython or Pycopy, unchanged: its modules get usocket's sockets, a device's
`asyncio`, `machine`, `network`, `time.ticks_ms()` and so on, and may be written in the devices' dialect. The standard
library and installed packages keep what is theirs, and a module of the program's own always wins.

  app.py args...   the program, and what it finds in sys.argv
  -m module        a module or package of the program's, or a library's (unittest), as python -m has it
  -c text          the text itself
  --trace          each call on a socket, a line each, on stderr
  --chaos SEED     a network that cuts transfers short, delays, loses and breaks; the same for the same seed
  -h, --help       this

Debug it:       python -m pdb -m usocket app.py
Measure it:     python -m coverage run -m usocket app.py
Test it:        pytest -p usocket
Read on:        docs/desktop.md"""


class _Wrong(Exception):
    """How the command line is wrong."""


def main(arguments: list[str]) -> int:
    if arguments[:1] in (["-h"], ["--help"]):
        return _help()
    try:
        os.getcwd()
    except OSError as error:
        print(f"python -m usocket: the current folder is not there any more: {error.strerror}", file=sys.stderr)
        return 2
    try:
        seed, traces, rest = _parse(arguments)
    except _Wrong as error:
        print("\n".join(filter(None, [USAGE, str(error)])), file=sys.stderr)
        return 2
    if seed is None:
        return run(traces, rest)
    try:
        chaos.start(seed)
    except chaos.Unavailable as error:
        print(f"python -m usocket: {error}", file=sys.stderr)
        return 2
    # this module has been made anew, too
    status: int = importlib.import_module(__name__).run(traces, rest)
    return status


def _help() -> int:
    try:
        print(HELP, flush=True)
    except BrokenPipeError:  # `| head` has seen enough; the interpreter, which flushes at the end, is not to complain
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def run(traces: bool, rest: list[str]) -> int:
    """Runs what `rest` names, with the arguments in it."""
    if traces:
        trace.start()
    if rest[0] in ("-m", "-c"):
        return _run_named(rest)
    script, *rest = rest
    path = os.path.abspath(script)
    try:
        files = [(file, _source(file)) for file in _with_boot(path)]
    except OSError as error:
        print(f"python -m usocket: can't open {script!r}: {error.strerror}\n{USAGE}", file=sys.stderr)
        return 2
    folder = os.path.dirname(os.path.realpath(path))
    sys.argv = [script, *rest]
    if not is_path_safe():
        sys.path.insert(0, folder)
    program.run_scripts(program.make_world(folder), files)
    return 0


def _with_boot(path: str) -> list[str]:
    """A board runs boot.py, and then main.py with the names that it has left."""
    boot = os.path.join(os.path.dirname(path), "boot.py")
    return [boot, path] if os.path.basename(path) == "main.py" and os.path.isfile(boot) else [path]


def _source(path: str) -> bytes:
    with io.open_code(path) as file:
        return file.read()


# Tools that start the program themselves: they come first.
_AROUND = {
    "pytest": "pytest has a plugin for that: pytest -p usocket",
    **{
        tool: f"{tool} comes first: python -m {tool} {options}-m usocket app.py"
        for tool, options in {"pdb": "", "coverage": "run ", "cProfile": "", "profile": ""}.items()
    },
}


def _run_named(arguments: list[str]) -> int:
    option, what, *rest = arguments
    if option == "-m" and what in _AROUND:
        print(f"python -m usocket: {_AROUND[what]}", file=sys.stderr)
        return 2
    folder = os.getcwd()
    sys.argv = [option, *rest]
    if not is_path_safe():
        sys.path.insert(0, folder)
    world = program.make_world(folder)
    if option == "-c":
        program.run_text(world, what)
        return 0
    try:
        program.run_module(world, what)
    except ImportError as error:
        if f"named {what!r}" not in str(error):
            raise
        print(f"python -m usocket: {error}", file=sys.stderr)
        return 1
    return 0


def _parse(arguments: list[str]) -> tuple[int | None, bool, list[str]]:
    """The seed of --chaos, whether to trace, and what is left: what to run, and its arguments."""
    seed = None
    traces = False
    rest = list(arguments)
    while rest and rest[0].startswith("-"):
        option = rest[0]
        if option in ("-m", "-c"):
            if len(rest) < 2:
                raise _Wrong(f"{option} needs {'a module' if option == '-m' else 'the text of a program'}")
            break
        if option == "--trace":
            traces = True
        elif option == "--chaos":
            if len(rest) < 2 or not rest[1].isdecimal():
                raise _Wrong("--chaos needs a seed, a whole number")
            seed = int(rest.pop(1))
        else:
            raise _Wrong(f"unknown option {option}")
        rest.pop(0)
    if not rest:
        raise _Wrong("")
    return seed, traces, rest
