"""Programs for devices, for tests: in a process of their own, or in this one in a world of their own."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

from usocket.desktop import dialect
from usocket.desktop.origins import Origins
from usocket.desktop.world import World


def write(folder: Path, files: dict[str, str]) -> Path:
    """The files of a program, of which the first is returned."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder / next(iter(files))


def call(*arguments: str | Path, cwd: Path | None = None, **env: str) -> subprocess.CompletedProcess[str]:
    """python -m usocket."""
    return call_python("-m", "usocket", *arguments, cwd=cwd, **env)


def call_python(
    *arguments: str | Path, cwd: Path | None = None, stdin: str = "", **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=60,
        env={**os.environ, **env},
    )


def output(folder: Path, files: dict[str, str]) -> list[str]:
    """What the program prints, by lines; it must end well."""
    done = call(write(folder, files))
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def names_of(text: str) -> dict[str, Any]:
    """The names of a module of that text, compiled in the dialect and run in a world of its own in this process."""
    module = types.ModuleType("program")
    World(Origins(os.path.dirname(__file__))).prepare(module)
    exec(dialect.compile_source(text, "program.py"), module.__dict__)
    return module.__dict__


def value_of(expression: str) -> Any:
    return names_of(f"value = {expression}")["value"]
