"""NAME-2: python -m usocket runs a device program, in which `socket` is ours, and nowhere else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest


def run(*arguments: str | Path, cwd: Path | None = None, options: list[str] | None = None, **env: str) -> str:
    done = call(*arguments, cwd=cwd, options=options, **env)
    assert done.returncode == 0, done.stderr
    return done.stdout


def call(
    *arguments: str | Path, cwd: Path | None = None, options: list[str] | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *(options or []), "-m", "usocket", *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        timeout=60,
        env={**os.environ, **env},
    )


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A program with a module, a package and an installed library of its own."""
    files = {
        "app.py": "import sys\nimport socket, usocket, uselect, uerrno\nprint(socket.__name__, usocket.__name__)\n",
        "helper.py": "import socket\nfrom socket import socket as cls\nimport usocket\n"
        "helper = socket.__name__, issubclass(cls, usocket.socket)\n",
        "package/__init__.py": "import socket as s\nname = s.__name__\n",
        "package/deep.py": "def late():\n    import socket\n    return socket.__name__\n",
        "site-packages/library.py": "import socket\nname = socket.SocketIO.__name__\n",
    }
    for name, text in files.items():
        path = tmp_path / "program" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path / "program" / "app.py"


def add(app: Path, text: str) -> Path:
    app.write_text(app.read_text() + text)
    return app


def test_name_2_socket_is_ours_in_the_program(app: Path) -> None:
    assert run(app) == "socket usocket\n"


def test_name_2_and_in_its_modules(app: Path) -> None:
    add(app, "import helper, package, package.deep\nprint(helper.helper, package.name, package.deep.late())\n")
    assert run(app).splitlines()[1] == "('socket', True) socket socket"


@pytest.mark.parametrize(
    "statement",
    [
        "import socket as s",
        "import importlib; s = importlib.import_module('socket')",
        "from importlib import import_module; s = import_module('socket')",
        "s = __import__('socket')",
        "names = {}; exec('import socket as s', names); s = names['s']",
    ],
)
def test_name_2_however_it_is_imported(statement: str, app: Path) -> None:
    add(app, f"{statement}\nprint(s.__name__)\n")
    assert run(app).splitlines()[1] == "socket"


def test_name_1_usocket_as_socket(app: Path) -> None:
    add(app, "import usocket as socket\nprint(socket.__name__, hasattr(socket, 'error'))\n")
    assert run(app).splitlines()[1] == "usocket False"


def test_name_2_the_standard_library_keeps_its_own(app: Path) -> None:
    add(
        app,
        "import http.client, socketserver, urllib.request\n"
        "import _socket\n"
        "print({issubclass(m.socket.socket, _socket.socket) for m in (http.client, socketserver, urllib.request)})\n"
        "print(issubclass(socket.socket, _socket.socket), socket.socket is http.client.socket.socket)\n",
    )
    assert run(app).splitlines()[1:] == ["{True}", "False False"]


def test_name_2_installed_packages_keep_their_own(app: Path) -> None:
    """Even where they are installed below the program's folder, as in a virtual environment."""
    venv = app.parent / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--system-site-packages", "--without-pip", venv], check=True)
    (site,) = (venv / "lib").glob("python*/site-packages")
    (site / "library.py").write_text((app.parent / "site-packages" / "library.py").read_text())
    import usocket

    (site / "usocket.pth").write_text(str(Path(usocket.__file__).parents[1]))
    add(app, "import library; print(library.name)\n")
    done = subprocess.run([venv / "bin" / "python", "-m", "usocket", app], capture_output=True, text=True, timeout=60)
    assert (done.stdout.splitlines(), done.stderr) == (["socket usocket", "SocketIO"], "")


def test_name_2_modules_from_pythonpath_are_the_programs_own(app: Path, tmp_path: Path) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "library.py").write_text("import socket\nname = socket.__name__\n")
    add(app, "import library; print(library.name)\n")
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    assert run(app, PYTHONPATH=path).splitlines()[1] == "socket"


def test_name_2_the_program_sees_itself_as_main(app: Path) -> None:
    add(
        app,
        "import os\n"
        "print(sys.argv, __name__, os.path.samefile(__file__, sys.argv[0]), sys.path[0] == os.path.dirname(__file__))\n"
        "print(sys.modules['__main__'].__dict__ is globals())\n",
    )
    output = run("app.py", "-x", "--help", "arg", cwd=app.parent).splitlines()
    assert output[1:] == ["['app.py', '-x', '--help', 'arg'] __main__ True True", "True"]


def test_name_2_a_program_may_change_its_folder(app: Path) -> None:
    add(app, "import os; os.chdir('/')\nimport helper, socket as again\nprint(helper.helper[0], again.__name__)\n")
    assert run("app.py", cwd=app.parent).splitlines()[1] == "socket socket"


def test_name_2_the_interpreters_isolation_is_kept(app: Path) -> None:
    add(app, "print(any(os.path.samefile(p, os.path.dirname(__file__)) for p in sys.path if os.path.exists(p)))\n")
    app.write_text("import os\n" + app.read_text())
    if "PYTHONPATH" in os.environ:
        pytest.skip("usocket is found through PYTHONPATH")
    assert run(app, options=["-I"]).splitlines() == ["socket usocket", "False"]


def test_name_2_the_programs_status_is_the_status(app: Path) -> None:
    assert call(add(app, "sys.exit(7)\n")).returncode == 7


def test_name_2_an_error_shows_where(app: Path) -> None:
    done = call(add(app, "def broken():\n    1 / 0\nbroken()\n"))
    assert done.returncode == 1
    assert done.stderr.rstrip().endswith("ZeroDivisionError: division by zero")
    assert "in broken\n    1 / 0" in done.stderr


def test_name_2_a_syntax_error_shows_where(app: Path) -> None:
    done = call(add(app, "def (:\n"))
    assert done.returncode == 1 and "app.py" in done.stderr and "SyntaxError" in done.stderr


def test_name_2_programs_in_other_encodings(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_bytes("# coding: latin-1\nprint(ascii('é'))\n".encode("latin-1"))
    assert run(path) == "'\\xe9'\n"


@pytest.mark.parametrize("arguments", [[], ["--unknown"], ["-c"], ["-m"], ["--chaos", "x", "app.py"]])
def test_name_2_without_a_program_it_says_how(arguments: list[str]) -> None:
    done = call(*arguments)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.startswith("usage: python -m usocket ")


def test_name_2_help() -> None:
    assert run("--help").startswith("usage: python -m usocket ")


@pytest.mark.parametrize("name", ["missing.py", "."])
def test_name_2_a_program_that_cannot_be_read(name: str, tmp_path: Path) -> None:
    done = call(name, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.startswith(f"python -m usocket: can't open {name!r}: ") and "Traceback" not in done.stderr


def test_time_5_ctrl_c_ends_a_program(tmp_path: Path) -> None:
    path = tmp_path / "app.py"
    path.write_text("import socket\na, b = socket.socketpair()\nprint('ready', flush=True)\na.readline()\n")
    command = [sys.executable, "-m", "usocket", str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGINT)
        errors = process.communicate(timeout=60)[1]
    assert process.returncode == -signal.SIGINT
    assert errors.rstrip().endswith("KeyboardInterrupt")
