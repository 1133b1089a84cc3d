"""What pip installs from a checkout: an sdist that builds, a wheel from it that holds all of the package, typed."""

from __future__ import annotations

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)
REPO = Path(__file__).resolve().parents[2]


def run(*command: str | Path, cwd: Path | None = None) -> str:
    """The output of a command that must succeed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=cwd, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the sdist, built from this checkout; with .venv's build tools, so offline."""
    out = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", out, REPO)
    assert len(list(out.glob("usocket-*.tar.gz"))) == 1
    (wheel,) = out.glob("usocket-*.whl")
    return wheel


def test_wheel_is_typed(wheel: Path) -> None:
    """Every package of the wheel says that it is typed, and the extension has its stub."""
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {f"{package}/py.typed" for package in ("usocket", "uselect", "uerrno", "ussl")} <= names
    for extension in ("_usocket", "_tls"):
        assert f"usocket/{extension}.pyi" in names
        assert [name for name in names if name.startswith(f"usocket/{extension}.") and name.endswith(".so")]


def test_wheel_holds_nothing_else(wheel: Path) -> None:
    """No library, header or build file of the C++ side lands in site-packages."""
    tops = {name.split("/")[0] for name in zipfile.ZipFile(wheel).namelist()}
    assert {top for top in tops if not top.endswith(".dist-info")} == {"usocket", "uselect", "uerrno", "ussl"}


def test_wheel_works_alone(wheel: Path, tmp_path: Path) -> None:
    """NAME-1, NAME-2, NAME-4: in an empty environment, away from the checkout, all import and a socket works."""
    venv.create(tmp_path / "venv", with_pip=True, symlinks=True)
    python = tmp_path / "venv" / "bin" / "python"
    run(python, "-m", "pip", "install", "--no-index", "--no-deps", wheel)
    program = (
        "import usocket, usocket.compat, uselect, uerrno, ussl\n"
        "a, b = usocket.socketpair()\n"
        "a.write(b'over\\nand out'); a.close()\n"
        "print(b.readline(), b.read())\n"
    )
    assert run(python, "-I", "-c", program, cwd=tmp_path) == "b'over\\n' b'and out'\n"
