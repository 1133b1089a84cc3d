"""The wheels that an index would have: built for each interpreter at hand, repaired, installed where nothing else is.

3.12 and newer share one wheel of the stable ABI; it is built by the oldest of them and installed on all.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.parser import Parser
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = pytest.mark.timeout(900)
REPO = Path(__file__).resolve().parents[2]
SMOKE = Path(__file__).with_name("smoke.py")
BUILD_TOOLS = ("nanobind", "scikit-build-core")  # of requirements-dev.txt
ABOUT = """
import os, sys, sysconfig, venv, ensurepip
assert os.path.exists(os.path.join(sysconfig.get_path("include"), "Python.h"))
print(sys.version_info[0], sys.version_info[1], int(bool(sysconfig.get_config_var("Py_GIL_DISABLED"))))
"""


@dataclass(frozen=True)
class Interpreter:
    """One that can hold the extension: it has headers, venv and pip."""

    command: str
    version: tuple[int, int]
    has_gil: bool

    @property
    def wheel(self) -> str:
        """What tells its wheel from others: for 3.12 and newer it is one and the same."""
        if self.has_gil and self.version >= (3, 12):
            return "cp312-abi3"
        tag = f"cp3{self.version[1]}"
        return f"{tag}-{tag}" if self.has_gil else f"{tag}-{tag}t"

    def __str__(self) -> str:
        return f"{self.version[0]}.{self.version[1]}{'' if self.has_gil else 't'}"


def about(command: str) -> Interpreter | None:
    """None if it is of no use here: a shim for what is not there, too old, without headers."""
    try:
        done = subprocess.run([command, "-I", "-c", ABOUT], capture_output=True, text=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    if done.returncode != 0:
        return None
    major, minor, is_free = map(int, done.stdout.split())
    return Interpreter(command, (major, minor), not is_free) if (major, minor) >= (3, 10) else None


def commands_of_pyenv() -> list[str]:
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return []
    root = subprocess.run([pyenv, "root"], capture_output=True, text=True, timeout=30).stdout.strip()
    return [str(python) for python in sorted(Path(root).glob("versions/3.*/bin/python3"))]


def interpreters() -> list[Interpreter]:
    """This one, those that USOCKET_PYTHONS names, those on PATH under their own names, pyenv's; each version once."""
    names = [f"python3.{minor}{free}" for minor in range(10, 16) for free in ("", "t")]
    named = os.environ.get("USOCKET_PYTHONS", "").split(os.pathsep)
    commands = [sys.executable, *named, *map(shutil.which, names), *commands_of_pyenv()]
    found: dict[str, Interpreter] = {}
    for command in filter(None, commands):
        interpreter = about(command)
        if interpreter is not None:
            found.setdefault(str(interpreter), interpreter)
    return sorted(found.values(), key=lambda interpreter: (interpreter.version, not interpreter.has_gil))


INTERPRETERS = interpreters()


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """The output of a command that must succeed."""
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=600, env=environment)
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def python_of(interpreter: Interpreter, folder: Path) -> Path:
    """The python of a new virtual environment."""
    run(interpreter.command, "-m", "venv", folder)
    return folder / "bin" / "python"


def build_environment(interpreter: Interpreter, folder: Path) -> Path:
    """The python of one that has the build's tools: .venv, or from the index."""
    if interpreter.command == sys.executable:
        return Path(sys.executable)
    pinned = re.findall(r"^(\S+)==(\S+)$", (REPO / "requirements-dev.txt").read_text(), re.M)
    tools = [f"{name}=={version}" for name, version in pinned if name in BUILD_TOOLS]
    python = python_of(interpreter, folder)
    run(python, "-m", "pip", "install", "--disable-pip-version-check", "--quiet", *tools)
    return python


def build_wheel(interpreter: Interpreter, folder: Path) -> Path:
    """Its wheel, as auditwheel leaves it."""
    python = build_environment(interpreter, folder / "tools")
    options = ["--disable-pip-version-check", "--no-build-isolation", "--no-deps", "--wheel-dir", str(folder)]
    run(python, "-m", "pip", "wheel", *options, REPO)
    (raw,) = folder.glob("*.whl")
    run(sys.executable, "-m", "auditwheel", "repair", "--plat", "auto", "--wheel-dir", folder / "repaired", raw)
    (repaired,) = (folder / "repaired").glob("*.whl")
    return repaired


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Each wheel that the interpreters at hand need. Two at a time: much of what makes one is done by one core."""
    builders = {interpreter.wheel: interpreter for interpreter in reversed(INTERPRETERS)}  # the oldest of each
    folders = [tmp_path_factory.mktemp(f"wheel-{interpreter}") for interpreter in builders.values()]
    with ThreadPoolExecutor(2) as pool:
        return dict(zip(builders, pool.map(build_wheel, builders.values(), folders), strict=True))


@pytest.mark.parametrize("interpreter", INTERPRETERS, ids=str)
def test_a_wheel_works_where_nothing_else_is(wheels: dict[str, Path], interpreter: Interpreter, tmp_path: Path) -> None:
    wheel = wheels[interpreter.wheel]
    assert f"-{interpreter.wheel}-manylinux_" in wheel.name
    python = python_of(interpreter, tmp_path / "venv")
    run(python, "-m", "pip", "install", "--disable-pip-version-check", "--no-index", "--no-deps", wheel)
    said = run(python, "-I", SMOKE, "--with-tls", cwd=tmp_path)
    gil = "with a GIL" if interpreter.has_gil else "without a GIL"
    assert said == f"ok {interpreter.version[0]} {interpreter.version[1]} {gil}\n"


def test_a_wheel_carries_its_openssl(wheels: dict[str, Path]) -> None:
    """TLS-6: it needs none of the machine's, whose version may be another; only _tls links it."""
    for wheel in wheels.values():
        with ZipFile(wheel) as files:
            carried = [Path(name).name for name in files.namelist() if name.startswith("usocket.libs/lib")]
        assert {name.split("-")[0] for name in carried} == {"libssl", "libcrypto"}


def test_the_stable_abi_is_kept(wheels: dict[str, Path]) -> None:
    """No symbol in it is of a later version than 3.12, or in no stable ABI at all."""
    if "cp312-abi3" not in wheels:
        pytest.skip("no interpreter of 3.12 or newer is at hand")
    run(sys.executable, "-m", "abi3audit", "--strict", wheels["cp312-abi3"])


@pytest.mark.skipif(sys.version_info < (3, 11), reason="cibuildwheel needs 3.11")
def test_cibuildwheel_would_build_them_all() -> None:
    """It needs containers to do so; what it would do it tells without. Of 3.13 and 3.14 it tests 3.12's wheel."""
    asked = ("-m", "cibuildwheel", "--platform", "linux", "--print-build-identifiers", REPO)
    told = {name.partition("_")[0] for name in run(sys.executable, *asked).split()}
    pythons = ("cp310", "cp311", "cp312", "cp313", "cp313t", "cp314", "cp314t")
    assert told == {f"{python}-{libc}" for python in pythons for libc in ("manylinux", "musllinux")}


def test_what_an_index_shows(wheels: dict[str, Path]) -> None:
    """Its page has no link that leads to a file of this repository: an index has none."""
    wheel = next(iter(wheels.values()))
    with ZipFile(wheel) as files:
        (name,) = (name for name in files.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(files.read(name).decode())
    page = metadata.get_payload()
    assert isinstance(page, str)
    assert "usocket" in page
    assert [link for link in re.findall(r"\]\(([^)]+)\)", page) if not link.startswith(("https://", "#"))] == []
    assert metadata["Description-Content-Type"] == "text/markdown"
    assert metadata.get_all("Project-URL")
