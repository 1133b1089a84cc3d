#!/usr/bin/env python3
"""How much of a Cortex-M3 the module takes: text (code and constants) and static memory of each part of the firmware
that tools/firmware builds, beside MicroPython's own module for lwIP, compiled for the same chip.

    firmware_size.py             of build/firmware, which `make firmware` builds
    firmware_size.py --parts     and what each part that can be left out takes: builds a firmware without each of them
                                 (in build/firmware-without-...), and one without any, with IPv6 and without; needs
                                 `tools/setup firmware`, and says so
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
OBJECTS = REPO / "build" / "firmware" / "objects"
MICROPYTHON = REPO / "build" / "micropython-src" / "tree"
LWIP = REPO / "build" / "lwip-2.2" / "tree"
TEXT_LIMIT = 30 * 1024  # core, binding and seam
LEFT_OUT = ("poll", "creating", "sharing", "windows", "texts", "groups", "quick")  # names in USOCKET_WITHOUT
PARTS = ("core", "binding", "seam", "TLS", "lwIP", "mbedTLS", "board", "MicroPython")

# An input section of the map: its address, its size, the object.
SECTION = re.compile(r"^ (\.\S+)?\s*0x0*([0-9a-f]+)\s+0x([0-9a-f]+) (\S+)$")


def part_of_object(path: str) -> str:
    """ "" of the object that the linker has made of all our C++."""
    if "ltrans" in path:
        return ""
    groups = {
        "/lwip/": "lwIP",
        "/mbedtls/": "mbedTLS",
        "objects/usocket/": "binding",
    }
    for name, part in groups.items():
        if name in path:
            return part
    board = ("board", "disk", "lan9118", "lwip_port", "main", "network_lan", "startup", "mbedtls_port")
    return "board" if Path(path).stem in board and path.count("/") <= 5 else "MicroPython"


def part_of_symbol(name: str) -> str:
    if name.startswith(("usocket_core_", "usocket_host_")):
        return "binding"
    if re.search(r"\btls::|Tls", name):
        return "TLS"
    return "seam" if re.search(r"\bsys::", name) or name.startswith("usocket_lwip_") else "core"


def sizes(objects: Path = OBJECTS) -> tuple[dict[str, int], dict[str, int]]:
    """Text and static memory of each part."""
    text: dict[str, int] = defaultdict(int)
    memory: dict[str, int] = defaultdict(int)
    ours = []  # address ranges of our C++
    name = ""
    for line in (objects / "firmware.map").read_text().partition("Linker script and memory map")[2].splitlines():
        if re.match(r"^ \.\S+$", line):
            name = line.strip()
            continue
        found = SECTION.match(line)
        if found is None:
            name = ""
            continue
        section, address, size = found[1] or name, int(found[2], 16), int(found[3], 16)
        name = ""
        kind = (
            text
            if section.startswith((".text", ".rodata"))
            else memory
            if section.startswith((".bss", ".data"))
            else None
        )
        if kind is None or size == 0 or section.startswith(".heap"):
            continue
        part = part_of_object(found[4])
        if part:
            kind[part] += size
        else:
            ours.append((address, address + size, kind))
    for address, size, symbol in symbols(objects):
        for begin, end, kind in ours:
            if begin <= address < end:
                kind[part_of_symbol(symbol)] += size
    return text, memory


def symbols(objects: Path) -> list[tuple[int, int, str]]:
    rows = run("arm-none-eabi-nm", "--print-size", "--demangle", objects / "firmware.elf").splitlines()
    found = (re.match(r"([0-9a-f]+) ([0-9a-f]+) [tTrRbBdDwWvVuU] (.*)", row) for row in rows)
    return sorted({(int(one[1], 16) & ~1, int(one[2], 16), one[3]) for one in found if one})


def size_of_modlwip() -> int:
    """Text of MicroPython's own socket module over lwIP; select, which ours brings, is a file of its own."""
    names = set()
    sources = [MICROPYTHON / "extmod" / name for name in ("modlwip.c", "modselect.c")]
    for source in sources:
        names |= set(re.findall(r"MP_QSTR_\w+", source.read_text()))
    known = (OBJECTS / "genhdr" / "qstrdefs.generated.h").read_text()
    missing = [name for name in sorted(names) if f"QDEF1({name}," not in known and f"QDEF0({name}," not in known]
    with tempfile.TemporaryDirectory() as folder:
        names_header = Path(folder) / "names.h"
        names_header.write_text("enum {" + ", ".join(f"{name} = 4000 + {i}" for i, name in enumerate(missing)) + "};\n")
        total = 0
        for source in sources:
            compiled = Path(folder) / (source.stem + ".o")
            port = REPO / "ports" / "qemu"
            includes = [f"-I{path}" for path in (port, MICROPYTHON, OBJECTS, port / "lwip", LWIP / "src" / "include")]
            flags = "-mcpu=cortex-m3 -mthumb -std=gnu11 -Os -DNDEBUG -w -ffunction-sections -DMICROPY_PY_LWIP=1".split()
            flags += [
                "-DBOARD_HEAP_SIZE=1",
                "-DMICROPY_PY_SELECT=1",
                "-DMICROPY_ROM_TEXT_COMPRESSION=1",
                "-Dsys_prot_t=uint32_t",
            ]
            run("arm-none-eabi-gcc", *flags, *includes, "-include", names_header, "-c", source, "-o", compiled)
            total += int(run("arm-none-eabi-size", compiled).splitlines()[1].split()[0])
        return total


def run(*command: str | Path) -> str:
    return subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True).stdout


def module_text(text: dict[str, int]) -> int:
    return text["core"] + text["binding"] + text["seam"]


def text_without(*parts: str, make: str = "") -> int:
    """Of a firmware without TLS and without these parts; `make`: a word for make."""
    name = "-".join(["without", *parts, *re.findall(r"\w+", make)]) if parts else "whole"
    environment = {**os.environ, "FIRMWARE": name, "USOCKET_WITHOUT": " ".join(parts)}
    command = [str(REPO / "tools" / "firmware"), *([make] if make else [])]
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return module_text(sizes(REPO / "build" / f"firmware-{name}" / "objects")[0])


def report_of_parts() -> list[str]:
    whole = text_without()
    lines = [f"without TLS: {whole:,} B"]
    lines += [f"without {part:12}{text_without(part) - whole:10,}" for part in LEFT_OUT]
    small = text_without(*LEFT_OUT)
    verdict = "ok" if small <= TEXT_LIMIT else "below"
    lines.append(f"without any: {small:,} B (goal: at most {TEXT_LIMIT:,}): {verdict}")
    return [*lines, f"and without IPv6: {text_without(*LEFT_OUT, make='CFLAGS_EXTRA=-DLWIP_IPV6=0'):,} B"]


def report() -> list[str]:
    """Of build/firmware; says what to do if that is not there."""
    if not (OBJECTS / "firmware.map").exists():
        return ["build/firmware is not there: make firmware"]
    text, memory = sizes()
    lines = [f"{'part':12}{'text':>10}{'memory':>10}"]
    lines += [f"{part:12}{text[part]:10,}{memory[part]:10,}" for part in PARTS]
    return [
        *lines,
        f"core, binding and seam: {module_text(text):,} B of text",
        f"MicroPython's own modlwip.c and modselect.c: {size_of_modlwip():,} B",
    ]


if __name__ == "__main__":
    print("\n".join(report()))
    if "--parts" in sys.argv[1:]:
        print("\n".join(report_of_parts()))
