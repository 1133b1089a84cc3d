"""The table of the platforms that are tried (CPP-6): a row a combination of compiler, standard library, machine and
options. docs/cpp.md names each.

A quick row is in every `make test` and needs what everything needs; what the others need, `tools/setup platforms` gets.
"""

from __future__ import annotations

from dataclasses import dataclass

UNITS = ("usocket_system", "usocket_threads")
# On 32 bits, on a big-endian machine and on aarch64 all of them: over the system, over the stack that injects faults,
# and in C. armhf has those in C alone: to compile the rest takes minutes.
UNITS_IN_C = ("usocket_c",)
ALL_UNITS = (*UNITS, "usocket_over_faulty", *UNITS_IN_C)


@dataclass(frozen=True)
class Row:
    """One combination."""

    name: str
    compiler: str = "g++"
    flags: str = ""  # for the compiler, also when it links
    standard: int = 20
    options: tuple[str, ...] = ()  # CMake's
    kinds: tuple[str, ...] = ("static", "shared")  # of the library
    runs: str | None = ""  # what runs the programs; None: nothing does
    units: tuple[str, ...] = ()  # the unit tests that run as well
    lacks: tuple[str, ...] = ()  # what they need and the machine has not, by the names of tests/needs.cmake
    quick: bool = False
    system: str = ""  # of another machine: CMake's name and processor


# What qemu's user mode does not pass on.
QEMU_LACKS = ("tcp_info", "ptrace", "multicast", "exec")


def linux(processor: str, triple: str, qemu: str, units: tuple[str, ...] = UNITS_IN_C) -> Row:
    """Another machine, by Debian's compiler for it and qemu's user mode."""
    return Row(
        f"{processor}",
        f"{triple}-g++",
        system=f"Linux {processor}",
        runs=f"{qemu};-L;/usr/{triple}",
        units=units,
        lacks=QEMU_LACKS,
    )


ROWS = [
    # --- compilers, standard libraries and standards
    Row("g++ 12"),
    Row("g++ 12, C++23", standard=23, quick=True),
    Row("clang 14", "clang++-14", quick=True),
    Row("clang 14, C++23", "clang++-14", standard=23),
    Row("clang 14, libc++", "clang++-14", "-stdlib=libc++"),
    Row("clang 16", "clang++-16"),
    Row("clang 19", "clang++-19", standard=23),
    Row("clang 22", "clang++-22", standard=23),
    # --- ways to compile and link
    Row("hidden visibility", flags="-fvisibility=hidden -fvisibility-inlines-hidden", kinds=("shared",), quick=True),
    Row("no exceptions, no RTTI", flags="-fno-exceptions -fno-rtti"),
    Row("static", flags="-static", kinds=("static",)),
    Row("static PIE", flags="-fPIE", kinds=("static",), options=("CMAKE_EXE_LINKER_FLAGS=-static-pie",), quick=True),
    Row("LTO", options=("CMAKE_INTERPROCEDURAL_OPTIMIZATION=ON",)),
    Row("_GLIBCXX_DEBUG", flags="-D_GLIBCXX_DEBUG -D_GLIBCXX_DEBUG_PEDANTIC"),
    # --- machines
    Row(
        "i386",
        "i686-linux-gnu-g++",
        system="Linux i686",
        runs="/usr/i686-linux-gnu/lib/ld-linux.so.2;--library-path;/usr/i686-linux-gnu/lib",
        units=ALL_UNITS,
    ),
    linux("aarch64", "aarch64-linux-gnu", "qemu-aarch64", ALL_UNITS),
    linux("armhf", "arm-linux-gnueabihf", "qemu-arm"),
    linux("s390x", "s390x-linux-gnu", "qemu-s390x", ALL_UNITS),
    # --- systems
    Row(
        "POSIX alone, poll(2)",
        options=("USOCKET_CALLS=plain", "USOCKET_POLLER=poll"),
        units=UNITS,
        lacks=("fullness",),
    ),
]

# Compiled against their headers, which zig brings along; never run.
SYSTEMS = ["aarch64-macos", "x86_64-freebsd"]
