"""bindings/micropython/micropython.cmake over lwIP, for MicroPython's ports that CMake builds: it compiles for the
Cortex-M0+ of a Pico W. The SDK that the rp2 port needs is not packaged, so nothing is linked."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from boards import REPO

BUILD = REPO / "build"
SOURCE = BUILD / "micropython-src" / "tree"

pytestmark = pytest.mark.timeout(600)


def run(*command: str | Path) -> str:
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=500)
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def compile_for_a_cortex_m0(folder: Path, lwip: str, *options: str) -> set[str]:
    """With that folder of options of lwIP, and a file of the port's own, which must not find headers of BSD sockets.
    What is then asked of the firmware."""
    port = REPO / "ports" / "qemu"
    includes = f"{port};{lwip};{BUILD}/lwip-2.2/tree/src/include"
    own = folder / "own.c"
    own.write_text("#if __has_include(<netdb.h>)\n#error the headers of the seam\n#endif\n")
    cpu = "-mcpu=cortex-m0plus -mthumb -Wall -Werror"
    run(
        *("cmake", "-S", REPO / "tests" / "micropython" / "cmake_port", "-B", folder, "-G", "Ninja"),
        *("-DCMAKE_SYSTEM_NAME=Generic", "-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY"),
        *("-DCMAKE_C_COMPILER=arm-none-eabi-gcc", "-DCMAKE_CXX_COMPILER=arm-none-eabi-g++"),
        *(f"-DCMAKE_C_FLAGS={cpu}", f"-DCMAKE_CXX_FLAGS={cpu}"),
        f"-DMICROPY_DIR={SOURCE}",
        f"-DUSER_C_MODULES={REPO}/bindings/micropython",
        *(f"-DPORT_DIR={port}", f"-DPORT_INCLUDES={includes}", f"-DPORT_SOURCES={own}", "-DPORT_HAS_THREADS=OFF"),
        *("-DUSOCKET_STACK_NAME=lwip", "-DUSOCKET_INTERNAL_ERRNO=ON", *options),
    )
    run("cmake", "--build", folder, "-j2")
    assert "modlwip" not in (folder / "build.ninja").read_text()  # its `socket` would be a second one
    symbols = run("arm-none-eabi-nm", "--demangle", folder / "libfirmware.a")
    defined = set(re.findall(r"^[0-9a-f]+ [^U] (\S+)", symbols, re.MULTILINE))
    return set(re.findall(r" U (.*)", symbols)) - defined


def test_stack_1_cmake_compiles_it_for_a_cortex_m0(tmp_path: Path) -> None:
    """What it then asks of the firmware: lwIP, the four functions, libc, and the atomics that a Cortex-M0+ lacks."""
    wanted = compile_for_a_cortex_m0(tmp_path, f"{REPO}/ports/qemu/lwip")
    assert {"usocket_port_idle", "tcp_write", "netif_poll_all", "mp_sched_schedule"} <= wanted
    asked = {name for name in wanted if re.match(r"operator (new|delete)|std::|__cxa_(?!atexit)|__gxx|typeinfo", name)}
    assert not asked
    atomics = "load store exchange compare_exchange fetch_add fetch_sub fetch_and fetch_or".split()
    assert {name for name in wanted if name.startswith("__atomic")} <= {f"__atomic_{what}_4" for what in atomics}


def test_stack_1_it_lives_with_the_options_that_the_rp2_port_has_of_lwip(tmp_path: Path) -> None:
    """As they are: no loopback, no intervals of keep-alive. Its threads are told by USOCKET_DEFINES."""
    options = f"{SOURCE}/ports/rp2/lwip_inc;{SOURCE}"
    defines = "-DUSOCKET_DEFINES=USOCKET_LWIP_THREADS;USOCKET_WINDOWS=2;USOCKET_WINDOW_SIZE=1024"
    wanted = compile_for_a_cortex_m0(tmp_path, options, defines)
    assert "tcp_write" in wanted
    assert "netif_poll_all" not in wanted
