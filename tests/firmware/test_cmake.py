"""bindings/micropython/micropython.cmake over lwIP, for MicroPython's ports that CMake builds: it compiles for the
Cortex-M0+ of a Pico W. The SDK that the rp2 port needs is not packaged, so nothing is linked."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from boards import REPO

BUILD = REPO / "build"

pytestmark = pytest.mark.timeout(600)


def run(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def test_stack_1_cmake_compiles_it_for_a_cortex_m0(tmp_path: Path) -> None:
    """What it then asks of the firmware: lwIP, the four functions, libc, and the atomics that a Cortex-M0+ lacks."""
    port = REPO / "ports" / "qemu"
    includes = f"{port}/lwip;{BUILD}/lwip-2.2/tree/src/include"
    run(
        *("cmake", "-S", REPO / "tests" / "micropython" / "cmake_port", "-B", tmp_path, "-G", "Ninja"),
        *("-DCMAKE_SYSTEM_NAME=Generic", "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY"),
        *("-DCMAKE_C_COMPILER=arm-none-eabi-gcc", "-DCMAKE_CXX_COMPILER=arm-none-eabi-g++"),
        *("-DCMAKE_C_FLAGS=-mcpu=cortex-m0plus -mthumb", "-DCMAKE_CXX_FLAGS=-mcpu=cortex-m0plus -mthumb"),
        f"-DMICROPY_DIR={BUILD}/micropython-src/tree",
        f"-DUSER_C_MODULES={REPO}/bindings/micropython",
        *(f"-DPORT_DIR={port}", f"-DPORT_INCLUDES={includes}", "-DPORT_HAS_THREADS=OFF"),
        *("-DUSOCKET_STACK_NAME=lwip", "-DUSOCKET_INTERNAL_ERRNO=ON"),
    )
    run("cmake", "--build", tmp_path, "-j2")
    symbols = run("arm-none-eabi-nm", "--demangle", tmp_path / "libfirmware.a")
    defined = set(re.findall(r"^[0-9a-f]+ [^U] (\S+)", symbols, re.MULTILINE))
    wanted = set(re.findall(r" U (.*)", symbols)) - defined
    assert {"usocket_port_idle", "tcp_write", "mp_sched_schedule"} <= wanted
    asked = {name for name in wanted if re.match(r"operator (new|delete)|std::|__cxa_(?!atexit)|__gxx|typeinfo", name)}
    assert not asked
    atomics = "load store exchange compare_exchange fetch_add fetch_sub fetch_and fetch_or".split()
    assert {name for name in wanted if name.startswith("__atomic")} <= {f"__atomic_{what}_4" for what in atomics}
