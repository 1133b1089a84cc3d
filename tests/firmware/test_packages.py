"""Modules and packages beside a script, as micropython-lib's."""

from __future__ import annotations

from pathlib import Path

from boards import run


def write(folder: Path, **files: str) -> None:
    folder.mkdir()
    for name, text in files.items():
        (folder / f"{name}.py").write_text(text)


def test_packages_are_imported(tmp_path: Path) -> None:
    """With and without __init__.py, which may be empty, as any module may."""
    write(tmp_path / "plain", simple="name = __name__\n")
    write(tmp_path / "empty", __init__="", simple="name = __name__\n")
    write(tmp_path / "full", __init__="from . import simple\n", simple="name = __name__\n")
    (tmp_path / "nothing.py").write_text("")
    script = tmp_path / "script.py"
    script.write_text("""
from plain.simple import name
print(name)
from empty.simple import name
print(name)
import full, nothing
print(full.simple.name, nothing.__name__)
try:
    import absent
except ImportError as error:
    print(error)
for path in ("plain", "absent"):
    try:
        open(path)
    except OSError as error:
        print(error)
""")
    told = run(script, options=("--steady",))
    assert (told.stdout, told.returncode) == (
        "plain.simple\nempty.simple\nfull.simple nothing\nno module named 'absent'\n"
        "[Errno 21] EISDIR\n[Errno 2] ENOENT\n",
        0,
    ), told.stderr
