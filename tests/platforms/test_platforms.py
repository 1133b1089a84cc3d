"""CPP-6: every combination that docs/cpp.md names is built, warnings being errors, and run as far as it can be here.

    tools/test platforms                        all of them, after tools/setup platforms
    pytest tests/platforms -k "s390x or musl"   some

A row is built in build/platforms, where the next run finds what has not changed.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rows import ROWS, SYSTEMS, Row

pytestmark = pytest.mark.timeout(1800)
REPO = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BUILD = REPO / "build" / "platforms"
GOOGLETEST = Path("/usr/src/googletest/googletest")  # Debian's libgtest-dev has the sources
# Words of private members and inner namespaces, in what is exported; or what is of no namespace of ours.
INTERNAL = re.compile(
    r"usocket::sys::|\b(Gate|Inbox|Blocking|Reader|Outbox|Registry|State|Aside)\b"
    r"|::(take|destroy|release|expose|establish|enter|leave|is_tcp|find_fd|\w+_inside|\w+_found)\(|^(?!.*\busocket(::|_))"
)


def run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    """The output of a command that must succeed."""
    words = [str(word) for word in command]
    done = subprocess.run(words, env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, f"{words} ended with {done.returncode}\n{done.stdout[-20000:]}{done.stderr[-20000:]}"
    return done.stdout


def folder_of(row: Row, what: str) -> Path:
    return BUILD / re.sub(r"\W+", "-", row.name).strip("-").lower() / what


def tool(name: str) -> Path:
    """A compiler or the like; those of zig are of the package ziglang."""
    if name.startswith("zig-"):
        path = BUILD / "bin" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m ziglang {name.removeprefix("zig-")} "$@"\n')
        path.chmod(0o755)
        return path
    found = shutil.which(name)
    assert found, f"there is no {name}: tools/setup platforms"
    return Path(found)


def c_compiler(row: Row) -> Path:
    return tool(row.compiler.replace("clang++", "clang").replace("g++", "gcc"))


def configure(row: Row, source: Path, folder: Path, *options: str) -> None:
    settings = [
        f"CMAKE_CXX_COMPILER={tool(row.compiler)}",
        f"CMAKE_C_COMPILER={c_compiler(row)}",
        f"CMAKE_CXX_FLAGS={row.flags}",
        f"CMAKE_C_FLAGS={row.flags}",
        f"CMAKE_CXX_STANDARD={row.standard}",
        "CMAKE_BUILD_TYPE=Release",
        "USOCKET_WERROR=ON",
        "USOCKET_TLS=OFF",
        *row.options,
        *options,
    ]
    if row.system:
        name, processor = row.system.split()
        settings += [f"CMAKE_SYSTEM_NAME={name}", f"CMAKE_SYSTEM_PROCESSOR={processor}"]
    if row.runs:
        settings += [f"CMAKE_CROSSCOMPILING_EMULATOR={row.runs}"]
    # What an earlier run was told may not be what this one is.
    (folder / "CMakeCache.txt").unlink(missing_ok=True)
    run("cmake", "-G", "Ninja", "-S", source, "-B", folder, *(f"-D{setting}" for setting in settings))


def check_programs(row: Row, folder: Path) -> None:
    """They are what they are called, and run."""
    for kind in row.kinds:
        for name, has_exceptions in (
            (f"program_{kind}", "-fno-exceptions" not in row.flags),
            (f"program_bare_{kind}", False),
        ):
            program = folder / name
            assert program.exists()
            if row.runs is None:
                continue
            expected = "with" if has_exceptions else "without"
            assert run(*filter(None, row.runs.split(";")), program) == f"hello\n{expected} exceptions and RTTI\n"
            if "-static" in " ".join([row.flags, *row.options]):
                assert "INTERP" not in run("readelf", "--program-headers", program), "it needs a loader"


def check_exports(folder: Path) -> None:
    """No internal symbol is exported."""
    (library,) = folder.glob("**/libusocket.so")
    lines = run("nm", "--dynamic", "--defined-only", "--demangle", library).splitlines()
    names = [line.split(maxsplit=2)[2] for line in lines]
    assert [name for name in names if name.startswith("usocket::Socket::")], "it exports nothing"
    assert [name for name in names if INTERNAL.search(name)] == []


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=row.name, marks=[pytest.mark.quick] if row.quick else []) for row in ROWS]
)
def test_a_row(row: Row) -> None:
    """CPP-6: the library and programs over it."""
    folder = folder_of(row, "program")
    configure(row, HERE, folder)
    run(
        "cmake",
        "--build",
        folder,
        "--target",
        *(f"{name}_{kind}" for name in ("program", "program_bare") for kind in row.kinds),
    )
    check_programs(row, folder)
    if "shared" in row.kinds and not row.system:
        check_exports(folder)


@pytest.mark.parametrize("row", [pytest.param(row, id=row.name) for row in ROWS if row.units])
def test_units_of(row: Row) -> None:
    """CPP-6: the unit tests."""
    folder = folder_of(row, "units")
    parts = [f"USOCKET_BUILD_{part}=OFF" for part in ("EXAMPLES", "BENCH")]
    # The installed library is of the system's compiler without options.
    sources = [] if (row.compiler, row.flags) == ("g++", "") else [f"USOCKET_GOOGLETEST={GOOGLETEST}"]
    configure(row, REPO, folder, *parts, *sources, f"USOCKET_TESTS_LACK={';'.join(row.lacks)}")
    run("cmake", "--build", folder, "--target", *row.units)
    names = "|".join(row.units)
    said = run(
        *("ctest", "--test-dir", folder, "-j2", "--output-on-failure", "--no-tests=error"),
        *("--tests-regex", rf"^({names})\."),
        env={"USOCKET_SEEDS": "200"},
    )
    assert "100% tests passed" in said


@pytest.mark.quick
@pytest.mark.parametrize("case", range(6))
def test_what_ends_too_early_is_warned_of(case: int) -> None:
    """CPP-1: clang warns where a view outlives its bytes, and nowhere else."""
    command = (tool("clang++"), "-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", f"-DCASE={case}")
    said = subprocess.run(
        [*command, f"-I{REPO / 'include'}", HERE / "borrowed.cpp"], capture_output=True, text=True, timeout=300
    )
    assert said.returncode == 0
    assert ("[-Wdangling]" in said.stderr) == (case != 0), said.stderr


@pytest.mark.quick
def test_error_categories_are_the_same_in_all_parts(tmp_path: Path) -> None:
    """CPP-4: std::error_code compares them by address, also where nothing is visible that need not be."""
    (tmp_path / "part.cpp").write_text("""
#include <usocket/error_code.hpp>
[[gnu::visibility("default")]] const void* of_part() { return &usocket::resolver_category(); }
""")
    (tmp_path / "main.cpp").write_text("""
#include <usocket/error_code.hpp>
const void* of_part();
int main() { return of_part() == &usocket::resolver_category() ? 0 : 1; }
""")
    hidden = ("-fvisibility=hidden", "-fvisibility-inlines-hidden")
    compiler = (tool("g++"), "-std=c++20", *hidden, f"-I{REPO / 'include'}", "-Wl,--unresolved-symbols=ignore-all")
    part, program = tmp_path / "libpart.so", tmp_path / "program"
    run(*compiler, "-fPIC", "-shared", "-o", part, tmp_path / "part.cpp")
    run(*compiler, "-o", program, tmp_path / "main.cpp", part, f"-Wl,-rpath,{tmp_path}")
    run(program)


def compile_core(target: str, calls: str, poller: str, folder: Path) -> None:
    """core.o and main.o, by zig, without a C++ standard library but for its headers."""
    compiler = [tool("zig-c++"), "-target", target]
    posix = REPO / "src" / "sys" / "posix"
    (folder / "constants.inc").write_text(run("sh", posix / "list_constants.sh", *compiler))
    folders = [REPO / "src", *(REPO / "src").iterdir(), posix, posix / calls]
    sources = [source for one in folders for source in sorted(one.glob("*.cpp"))]
    sources.append(posix / "poller" / f"{poller}.cpp")
    (folder / "core.cpp").write_text("".join(f'#include "{source}"\n' for source in sources))
    shutil.copy(REPO / "tests" / "consumers" / "main.cpp", folder)
    warnings = ("-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror")
    includes = (f"-I{REPO / 'include'}", f"-I{REPO / 'src'}", f"-I{folder}")
    options = ("-std=c++20", "-O2", "-fno-exceptions", "-fno-rtti", *warnings, *includes)
    for name in ("core", "main"):
        run(*compiler, *options, "-c", "-o", folder / f"{name}.o", folder / f"{name}.cpp")


@pytest.mark.parametrize("target", SYSTEMS)
def test_compiles_for(target: str, tmp_path: Path) -> None:
    """CPP-6: the core over kqueue and POSIX alone, against the headers of a system that cannot be run here."""
    compile_core(target, "plain", "kqueue", tmp_path)


def test_musl(tmp_path: Path) -> None:
    """CPP-6, CPP-2: a static program over musl, which has the core's needs and no C++ library linked."""
    compile_core("x86_64-linux-musl", "linux", "epoll", tmp_path)
    objects = (tmp_path / "core.o", tmp_path / "main.o")
    run(tool("zig-cc"), "-target", "x86_64-linux-musl", "-o", tmp_path / "program", *objects)
    assert run(tmp_path / "program") == "hello\nwithout exceptions and RTTI\n"


def test_the_docs_name_each_row() -> None:
    """CPP-6: docs/cpp.md names just what is tried."""
    text = (REPO / "docs" / "cpp.md").read_text()
    (table,) = re.findall(r"^\| tried \|.*\n\|[-| ]+\n((?:\|.*\n)+)", text, re.M)
    named = [line.split("|")[1].strip() for line in table.splitlines()]
    assert named == [row.name for row in ROWS]
