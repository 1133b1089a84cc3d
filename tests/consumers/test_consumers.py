"""The ways into the C++ library (CPP-3), each with both compilers, both kinds of library, and with and without
exceptions and RTTI (CPP-2); and what the library itself needs: libc.

USOCKET_BUILD names a release build other than build/.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(600)
REPO = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BUILD = Path(os.environ.get("USOCKET_BUILD", REPO / "build"))
LIB = BUILD / "lib"

compilers = pytest.mark.parametrize("compiler", ["g++", "clang++"])
kinds = pytest.mark.parametrize("kind", ["static", "shared"])
places = pytest.mark.parametrize("place", ["install", "tree"])


def run(*command: str | Path, env: dict[str, str] | None = None) -> str:
    """The output of a command that must succeed."""
    done = subprocess.run(
        [str(word) for word in command], env={**os.environ, **(env or {})}, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="session")
def prefixes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Where the library can be found: an install that was moved after it was made, and the build tree."""
    first = tmp_path_factory.mktemp("install") / "first"
    moved = first.with_name("moved")
    run("cmake", "--install", BUILD / "release", "--prefix", first)
    shutil.move(first, moved)
    return {"install": moved, "tree": BUILD}


def library_folder(prefix: Path) -> Path:
    """lib, or what the distribution calls it (lib/x86_64-linux-gnu ...)."""
    return next(prefix.glob("lib*/**/libusocket.a")).parent


def check_programs(folder: Path, kind: str, env: dict[str, str] | None = None) -> None:
    """Both programs run, are what they say, and hold the library or refer to it as `kind` says."""
    for name, expected in (("consumer", "with exceptions"), ("consumer_bare", "without exceptions")):
        program = folder / name
        assert run(program, env=env) == f"hello\n{expected} and RTTI\n"
        assert ("libusocket" in " ".join(needed(program))) == (kind == "shared")

    assert "libssl" not in " ".join(needed(folder / "consumer")), "TLS-6: a program without TLS links nothing of it"
    assert "a server needs a certificate" in run(folder / "consumer_tls", env=env)
    assert "libssl" in " ".join([*needed(folder / "consumer_tls"), *tls_library_needs(kind)])


def check_c_program(folder: Path, kind: str, env: dict[str, str] | None = None) -> None:
    assert run(folder / "consumer_c", env=env) == "hello\nin C\n"
    assert ("libusocket" in " ".join(needed(folder / "consumer_c"))) == (kind == "shared")
    assert "libstdc++" not in " ".join(needed(folder / "consumer_c"))


def tls_library_needs(kind: str) -> list[str]:
    return needed(LIB / "libusocket-tls.so") if kind == "shared" else []


def needed(binary: Path) -> list[str]:
    """The shared libraries that a program or library names."""
    return re.findall(r"\(NEEDED\).*\[(.*)]", run("readelf", "-d", binary))


def cmake_build(project: str, folder: Path, compiler: str, kind: str, *options: str) -> None:
    shared = "ON" if kind == "shared" else "OFF"
    run(
        *("cmake", "-G", "Ninja", "-S", HERE / project, "-B", folder, f"-DCMAKE_CXX_COMPILER={compiler}"),
        *(f"-DBUILD_SHARED_LIBS={shared}", *options),
    )
    run("cmake", "--build", folder)


@compilers
@kinds
@places
def test_find_package(compiler: str, kind: str, place: str, prefixes: dict[str, Path], tmp_path: Path) -> None:
    """CPP-3: find_package."""
    cmake_build("find_package", tmp_path, compiler, kind, f"-DCMAKE_PREFIX_PATH={prefixes[place]}")
    check_programs(tmp_path, kind)


@pytest.mark.parametrize("compiler", ["gcc", "clang"])
@kinds
@places
def test_find_package_without_cxx(
    compiler: str, kind: str, place: str, prefixes: dict[str, Path], tmp_path: Path
) -> None:
    """CPP-3: a project in C finds the library, and needs no compiler for C++."""
    shared = "ON" if kind == "shared" else "OFF"
    run(
        *("cmake", "-G", "Ninja", "-S", HERE / "find_package_c", "-B", tmp_path, f"-DCMAKE_C_COMPILER={compiler}"),
        *(f"-DBUILD_SHARED_LIBS={shared}", f"-DCMAKE_PREFIX_PATH={prefixes[place]}"),
    )
    run("cmake", "--build", tmp_path)
    check_c_program(tmp_path, kind)


@compilers
@kinds
def test_add_subdirectory(compiler: str, kind: str, tmp_path: Path) -> None:
    """CPP-3: add_subdirectory builds the kind that is asked for, and neither tests nor examples."""
    cmake_build("add_subdirectory", tmp_path, compiler, kind, f"-DUSOCKET_SOURCE={REPO}")
    check_programs(tmp_path, kind)
    assert run(tmp_path / "consumer_c") == "hello\nin C\n"
    assert [path.suffix for path in (tmp_path / "usocket").glob("libusocket.*")].count(".a") == (kind == "static")
    assert not (tmp_path / "usocket" / "tests").exists()


@compilers
@kinds
@places
def test_pkg_config(compiler: str, kind: str, place: str, prefixes: dict[str, Path], tmp_path: Path) -> None:
    """CPP-3: pkg-config."""
    folder = library_folder(prefixes[place])
    env = {"PKG_CONFIG_PATH": str(folder / "pkgconfig"), "LD_LIBRARY_PATH": str(folder)}
    run("make", "-C", HERE / "pkg_config", f"CXX={compiler}", f"KIND={kind}", f"OUT={tmp_path}", env=env)
    check_programs(tmp_path, kind, env)
    check_c_program(tmp_path, kind, env)


def test_needs_libc_only() -> None:
    """CPP-2: the shared library names libc and no other."""
    assert [name for name in needed(LIB / "libusocket.so") if not name.startswith("libc.so")] == []


def test_soname_is_the_version() -> None:
    """NAME-5: the shared library is named after the version that the header and pkg-config say."""
    version = run("pkg-config", "--modversion", LIB / "pkgconfig" / "usocket.pc").strip()
    assert (LIB / f"libusocket.so.{version}").exists()
    soname = re.search(r"SONAME\s+(\S+)", run("objdump", "-p", LIB / "libusocket.so"))
    assert soname is not None
    assert soname[1] == f"libusocket.so.{version.rsplit('.', 1)[0]}"


def test_archive_has_no_cxx_runtime() -> None:
    """CPP-2: nothing in the archive asks for the C++ runtime: no exceptions, no RTTI, no operator new."""
    undefined = run("nm", "--undefined-only", "--format=posix", LIB / "libusocket.a")
    wanted = {line.split()[0] for line in undefined.splitlines() if line and not line.endswith(":")}
    assert wanted, "nm listed nothing"
    runtime = re.compile(r"__cxa_(?!atexit|finalize)|__gxx|_Unwind|__dynamic_cast|_Z(N|NK)?S|_Z[nd][wal]|_ZT")
    assert {name for name in wanted if runtime.match(name)} == set()


def test_device_build(tmp_path: Path) -> None:
    """CPP-2: the device preset (-Os, neither exceptions nor RTTI, static) builds, and so do the examples in it."""
    run("cmake", "--preset", "device", "-S", REPO, "-B", tmp_path)
    run("cmake", "--build", tmp_path)
    assert list((tmp_path / "bin").iterdir())
