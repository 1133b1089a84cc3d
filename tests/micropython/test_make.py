"""bindings/micropython/usocket/micropython.mk ends the build with a reason where it could not come to anything good."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from hosts import REPO, SOURCE

BINDING = REPO / "bindings" / "micropython"


def make(folder: Path, *arguments: str, modules: Path = BINDING) -> subprocess.CompletedProcess[str]:
    command = ["make", "-C", str(SOURCE / "ports" / "unix"), f"BUILD={folder}", f"USER_C_MODULES={modules}", *arguments]
    return subprocess.run([*command, "--dry-run"], capture_output=True, text=True, timeout=100)


@pytest.fixture
def stock_build(tmp_path: Path) -> Path:
    """What a build of the interpreter alone leaves, as far as the module can tell."""
    (tmp_path / "genhdr").mkdir()
    return tmp_path


def test_name_1_a_folder_with_a_build_without_the_module_is_refused(stock_build: Path) -> None:
    done = make(stock_build, "MICROPY_PY_SOCKET=0")
    assert done.returncode != 0
    assert f"{stock_build} holds a build without usocket or with other settings" in done.stderr
    assert make(stock_build, "MICROPY_PY_SOCKET=0", "clean").returncode == 0


def test_name_1_so_is_one_with_other_settings(tmp_path: Path) -> None:
    assert make(tmp_path, "MICROPY_PY_SOCKET=0").returncode == 0
    (tmp_path / "genhdr").mkdir()
    assert make(tmp_path, "MICROPY_PY_SOCKET=0").returncode == 0
    assert "with other settings" in make(tmp_path, "MICROPY_PY_SOCKET=1").stderr


@pytest.mark.parametrize("wrong", ["MICROPY_PY_SOCKET", "MICROPY_PY_SELECT"])
def test_name_4_the_interpreters_own_modules_have_to_go(wrong: str, tmp_path: Path) -> None:
    settings = {"MICROPY_PY_SOCKET": "(0)", "MICROPY_PY_SELECT": "(0)", wrong: "(1)"}
    variant = SOURCE / "ports" / "unix" / "variants" / "standard"
    includes = [f"-I{path}" for path in (SOURCE, SOURCE / "ports" / "unix", variant, tmp_path)]
    (tmp_path / "genhdr").mkdir()
    for generated in ("qstrdefs.generated.h", "moduledefs.h", "root_pointers.h", "mpversion.h", "compressed.data.h"):
        (tmp_path / "genhdr" / generated).touch()
    defines = [f"-D{name}={value}" for name, value in settings.items()]
    command = ["gcc", "-E", "-DNO_QSTR", *includes, *defines, str(BINDING / "usocket" / "modusocket.c")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert f"build with {wrong}=0" in done.stderr


def test_name_1_a_link_to_the_module_may_stand_beside_other_modules(tmp_path: Path) -> None:
    """make takes one folder of modules."""
    modules = tmp_path / "modules"
    (modules / "blink").mkdir(parents=True)
    (modules / "blink" / "micropython.mk").write_text("SRC_USERMOD_C += $(USERMOD_DIR)/blink.c\n")
    (modules / "blink" / "blink.c").touch()
    (modules / "usocket").symlink_to(BINDING / "usocket")
    printed = make(tmp_path / "build", "MICROPY_PY_SOCKET=0", "V=1", modules=modules).stdout
    assert f"{REPO}/src/socket/socket.cpp" in printed
    assert "blink.c" in printed


def test_the_core_is_optimised_as_one_by_one_compiler_only(tmp_path: Path) -> None:
    """The inner form of one version of GCC is of no use to another, which would refuse to link it."""
    other = tmp_path / "other-gcc"
    other.write_text('#!/bin/sh\n[ "$1" = -dumpfullversion ] && echo 1 && exit\nexec gcc "$@"\n')
    other.chmod(0o755)
    arguments = ("MICROPY_PY_SOCKET=0", "V=1")
    assert "-flto" in make(tmp_path / "one", *arguments).stdout
    two = make(tmp_path / "two", *arguments, f"CC={other}")
    assert "bridge.cpp" in two.stdout and "-flto" not in two.stdout
