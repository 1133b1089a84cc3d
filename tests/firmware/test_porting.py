"""docs/porting.md, "How to build it", by the letter: its files, flags and options, and its port, for a Cortex-M3."""

from __future__ import annotations

import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from boards import REPO

LWIP = REPO / "build" / "lwip-2.2" / "tree"
GUIDE = (REPO / "docs" / "porting.md").read_text()
CPU = ("-mcpu=cortex-m3", "-mthumb")
MAIN = """
#include <usocket/usocket.hpp>
extern "C" {
struct netif;
extern struct netif nic;
void nic_receive(struct netif*) {}
uint64_t board_ticks() { return 0; }
}
int main() {
    auto made = usocket::connect("board.example", 80);
    return made ? made->fileno() : 1;
}
"""

pytestmark = pytest.mark.timeout(900)


def between(begin: str, end: str) -> str:
    _, found, rest = GUIDE.partition(begin)
    assert found, begin
    return rest.partition(end)[0]


HOW = between("### How to build it\n", "\n### ")
LWIP_STEP, USOCKET_STEP = between("\n1. lwIP:", "\n2. usocket:"), between("\n2. usocket:", "\n3. Your port.")
PORT = between("```c\n", "```")


def named(text: str, pattern: str) -> list[str]:
    return re.findall(rf"`({pattern})`", text)


def files(root: Path, globs: list[str]) -> list[Path]:
    found = sorted({path for glob in globs for path in root.glob(glob)})
    assert found, globs
    return found


def run(*command: str | Path, cwd: Path = REPO) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=800)


def must(*command: str | Path, cwd: Path = REPO) -> str:
    done = run(*command, cwd=cwd)
    assert done.returncode == 0, f"{command[0]} {command[-1]}\n{done.stderr}"
    return done.stdout


class Board:
    """What somebody has who starts with that page: options of lwIP's, a list of constants, flags."""

    def __init__(self, folder: Path, *more_options: str) -> None:
        self.folder = folder
        (folder / "arch").mkdir()
        (folder / "arch" / "cc.h").write_text("#include <stdlib.h>\n#define LWIP_RAND() ((u32_t)rand())\n")
        options = named(LWIP_STEP.partition("For TCP_KEEPINTVL")[0], "[A-Z_]+ [01]")
        assert len(options) > 5
        (folder / "lwipopts.h").write_text("".join(f"#define {option}\n" for option in (*options, *more_options)))
        (flags,) = named(USOCKET_STEP, "-std=[^`]*")
        (list_constants,) = re.findall(r"^ *sh (.*) >generated/constants.inc$", USOCKET_STEP, re.MULTILINE)
        (folder / "constants.inc").write_text(must("sh", *list_constants.split()))
        self.of_lwip = [*CPU, f"-I{folder}", f"-I{LWIP}/src/include"]
        self.of_usocket = [*flags.replace("-Igenerated", f"-I{folder}").split(), *self.of_lwip]

    def compile(self, compiler: str, flags: list[str], sources: list[Path]) -> list[Path]:
        def one(numbered: tuple[int, Path]) -> Path:
            number, source = numbered
            result = self.folder / f"{number}-{source.stem}.o"
            must(f"arm-none-eabi-{compiler}", *flags, "-ffunction-sections", "-o", result, "-c", source)
            return result

        first = len(list(self.folder.glob("*.o")))
        with ThreadPoolExecutor(2) as pool:
            return list(pool.map(one, enumerate(sources, first)))


@pytest.mark.parametrize(
    ("option", "flags"), [("LWIP_IPV6 0", ()), ("LWIP_IPV6 1", ("-DUSOCKET_SMALL",))], ids=["all", "small"]
)
def test_stack_1_cpp_6_what_the_guide_lists_is_all_that_a_board_needs(
    option: str, flags: tuple[str, ...], tmp_path: Path
) -> None:
    """It compiles, and a program with it links."""
    board = Board(tmp_path, option)
    (tmp_path / "port.c").write_text(PORT + "struct netif nic;\n")
    (tmp_path / "main.cpp").write_text(MAIN)
    of_usocket = [*board.of_usocket, *flags]
    sources = files(REPO, named(USOCKET_STEP, r"src/[^` ]*\.cpp"))
    objects = board.compile("g++", of_usocket, [*sources, tmp_path / "main.cpp"])
    objects += board.compile("gcc", [*board.of_lwip, "-w"], files(LWIP, named(LWIP_STEP, r"src/[^` ]*\.c")))
    objects += board.compile("gcc", [*board.of_lwip, f"-I{REPO}/src"], [tmp_path / "port.c"])
    must(
        *("arm-none-eabi-g++", *CPU, "--specs=nosys.specs", "-Wl,--gc-sections", "-o", tmp_path / "board.elf"),
        *objects,
    )


def test_stack_2_too_few_places_for_names_do_not_compile(tmp_path: Path) -> None:
    """And the message says what to set."""
    board = Board(tmp_path, "LWIP_IPV6 1", "USOCKET_LWIP_LOOKUPS 3")
    done = run("arm-none-eabi-g++", *board.of_usocket, "-fsyntax-only", "src/sys/lwip/lookup.cpp")
    assert done.returncode != 0
    assert "DNS_TABLE_SIZE has to be twice USOCKET_LWIP_LOOKUPS" in done.stderr
