"""CPP-3: the recipes in packaging/, each with its own tool, and FetchContent."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.timeout(1200)
REPO = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
PORT = REPO / "packaging" / "vcpkg" / "usocket"
PROGRAM = REPO / "packaging" / "conan" / "test_package" / "program.cpp"
VERSION = ".".join(
    re.findall(r"define USOCKET_VERSION_[MP]\w+ (\d+)", (REPO / "include" / "usocket" / "version.hpp").read_text())
)
SAID = f"usocket {VERSION}\n"


def run(*command: str | Path, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """The output of a command that must succeed."""
    words = [str(word) for word in command]
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        **(env or {}),
    }
    done = subprocess.run(words, cwd=cwd, env=environment, capture_output=True, text=True, timeout=1000)
    assert done.returncode == 0, f"{words} ended with {done.returncode}\n{done.stdout[-9000:]}{done.stderr[-9000:]}"
    return done.stdout


def checkout(folder: Path) -> Path:
    """The files of this checkout that a user would get."""
    names = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "src", "include", "cmake", cwd=REPO)
    for name in ["CMakeLists.txt", "LICENSE", *names.splitlines()]:
        if (REPO / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(REPO / name, folder / name)
    return folder


def test_fetch_content(tmp_path: Path) -> None:
    """CPP-3: FetchContent, from an archive."""
    archive = shutil.make_archive(str(tmp_path / "usocket"), "gztar", checkout(tmp_path / "usocket"))
    (tmp_path / "project").mkdir()
    (tmp_path / "project" / "CMakeLists.txt").write_text(f"""
cmake_minimum_required(VERSION 3.22)
project(program LANGUAGES CXX)
include(FetchContent)
FetchContent_Declare(usocket URL {archive} DOWNLOAD_EXTRACT_TIMESTAMP OFF)
FetchContent_MakeAvailable(usocket)
add_executable(program {PROGRAM})
target_link_libraries(program PRIVATE usocket::usocket)
""")
    run("cmake", "-G", "Ninja", "-S", tmp_path / "project", "-B", tmp_path / "build", "-DUSOCKET_TLS=OFF")
    run("cmake", "--build", tmp_path / "build")
    assert run(tmp_path / "build" / "program") == SAID


@pytest.mark.parametrize("shared", ["False", "True"])
def test_conan(shared: str, tmp_path: Path) -> None:
    """CPP-3: the Conan recipe, with its test package, without a remote."""
    env = {"CONAN_HOME": str(tmp_path)}
    run("conan", "profile", "detect", env=env)
    recipe = REPO / "packaging" / "conan"
    test = shutil.copytree(recipe / "test_package", tmp_path / "test_package")
    options = ["--settings", "compiler.cppstd=20", "--options", f"usocket/*:shared={shared}", "--no-remote"]
    # It shows what the program prints with what it says itself.
    said = run("sh", "-c", 'exec "$@" 2>&1', "-", "conan", "create", recipe, *options, "--test-folder", test, env=env)
    assert SAID in said


def test_meson(tmp_path: Path) -> None:
    """CPP-3: the wrap for Meson."""
    origin = checkout(tmp_path / "origin")
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@localhost", "commit", "-qm", "a"],
    ):
        run("git", *words, cwd=origin)
    subprojects = tmp_path / "project" / "subprojects"
    subprojects.mkdir(parents=True)
    shutil.copytree(REPO / "packaging" / "meson" / "packagefiles", subprojects / "packagefiles")
    wrap = (REPO / "packaging" / "meson" / "usocket.wrap").read_text()
    (subprojects / "usocket.wrap").write_text(re.sub(r"(?m)^url = .*$", f"url = {origin}", wrap))
    shutil.copy(PROGRAM, tmp_path / "project" / "program.cpp")
    (tmp_path / "project" / "meson.build").write_text("""
project('program', 'cpp', default_options: ['cpp_std=c++20'], meson_version: '>=1.3')
executable('program', 'program.cpp', dependencies: dependency('usocket'))
""")
    run("meson", "setup", tmp_path / "build", tmp_path / "project")
    run("meson", "compile", "-C", tmp_path / "build")
    assert run(tmp_path / "build" / "program") == SAID


@pytest.mark.parametrize("linkage", ["static", "dynamic"])
def test_vcpkg(linkage: str, tmp_path: Path) -> None:
    """CPP-3: the port for vcpkg, by functions that do what vcpkg's do, and what vcpkg checks of a package."""
    manifest = json.loads((PORT / "vcpkg.json").read_text())
    assert manifest["version"] == VERSION
    package = tmp_path / "package"
    run(
        "cmake",
        f"-DPORT={PORT}",
        f"-DFEATURES={';'.join(manifest['features'])}",
        f"-DVCPKG_LIBRARY_LINKAGE={linkage}",
        f"-DCURRENT_BUILDTREES_DIR={tmp_path}",
        f"-DCURRENT_PACKAGES_DIR={package}",
        *("-P", HERE / "vcpkg.cmake"),
    )
    kinds = {"static": ".a", "dynamic": ".so"}
    for folder in (package / "lib", package / "debug" / "lib"):
        assert {path.suffix for path in folder.glob("libusocket*") if not path.name[-1].isdigit()} == {kinds[linkage]}
    assert (package / "share" / "usocket" / "copyright").read_text() == (REPO / "LICENSE").read_text()
    assert not (package / "debug" / "include").exists() and not (package / "debug" / "share").exists()
    assert not list(package.glob("**/lib/cmake"))

    (tmp_path / "CMakeLists.txt").write_text(f"""
cmake_minimum_required(VERSION 3.22)
project(program LANGUAGES CXX)
find_package(usocket 0.1 REQUIRED CONFIG COMPONENTS tls)
add_executable(program {PROGRAM})
target_link_libraries(program PRIVATE usocket::usocket usocket::tls)
""")
    for configuration in ("Release", "Debug"):
        build = tmp_path / configuration
        options = (f"-DCMAKE_PREFIX_PATH={package}", f"-DCMAKE_BUILD_TYPE={configuration}")
        run("cmake", "-G", "Ninja", "-S", tmp_path, "-B", build, *options)
        run("cmake", "--build", build)
        assert run(build / "program") == SAID
        is_debug = "/debug/lib/" in (build / "build.ninja").read_text()
        assert is_debug == (configuration == "Debug")


@pytest.fixture(scope="module")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the Debian packages install, in a folder."""
    folder = tmp_path_factory.mktemp("debian")
    nanobind = run(sys.executable, "-m", "nanobind", "--cmake_dir").strip()
    run(REPO / "packaging" / "build-debian", folder, env={"NANOBIND_DIR": nanobind})
    for name in ("libusocket0", "libusocket-dev", "python3-usocket"):
        (package,) = folder.glob(f"{name}_{VERSION}_*.deb")
        run("dpkg-deb", "--extract", package, folder / "root")
    return folder / "root"


def test_debian_has_a_library_and_its_headers(debian: Path, tmp_path: Path) -> None:
    """CPP-3: libusocket0 and libusocket-dev, by pkg-config."""
    (library,) = debian.glob("usr/lib/*/libusocket.so.*.*.*")
    env = {"PKG_CONFIG_PATH": str(library.parent / "pkgconfig"), "LD_LIBRARY_PATH": str(library.parent)}
    flags = run("pkg-config", "--cflags", "--libs", "usocket", env=env).split()
    run("g++", "-std=c++20", PROGRAM, "-o", tmp_path / "program", *flags)
    assert run(tmp_path / "program", env=env) == SAID


def test_debian_has_the_python_package(debian: Path) -> None:
    """NAME-5: python3-usocket, for the system's python3."""
    program = (
        "import usocket, ussl, uselect, uerrno\n"
        "one, other = usocket.socketpair()\n"
        "one.write(b'hello')\n"
        "print(other.recv(9), usocket.__version__)\n"
    )
    env = {"PYTHONPATH": str(debian / "usr" / "lib" / "python3" / "dist-packages")}
    assert run("/usr/bin/python3", "-c", program, env=env) == f"b'hello' {VERSION}\n"
    text = "import utime; print(b'%s' % 'hello')"
    assert run(debian / "usr" / "bin" / "usocket", "-c", text, env=env) == "b'hello'\n"
