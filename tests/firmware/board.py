#!/usr/bin/env python3
"""Runs the firmware in QEMU: a prompt, or a script with its arguments.

    board.py                            a prompt on this terminal; Ctrl-A X ends it
    board.py script.py a b              runs a script of this machine's; its status is the board's
    board.py --mirror script.py         on a wire that sends everything back (wire.py)
    board.py --forward 8080:80          the board's port 80 is 127.0.0.1:8080 here
    board.py --steady script.py         alone, and the time is the instructions that it has done
    board.py --wire FOLDER script.py    on a wire whose other end is a socket of somebody else's

Without --mirror, --wire and --steady the board is in a network of QEMU's own, 10.0.2.0/24, where DHCP gives it an
address.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from wire import Faults, Wire  # noqa: E402

STACK = HERE.parents[1] / "src" / "sys" / "lwip" / "stack.cmake"
# Its own address is the one that the scripts use, and what it sends there goes out.
MIRRORED = """
import network
lan = network.LAN()
lan.config(loopback=False)
lan.ifconfig(("127.0.0.1", "255.0.0.0", "127.0.0.2", "0.0.0.0"))
lan.ipconfig(addr6="::1")
"""


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs the firmware in QEMU.")
    parser.add_argument("--firmware", type=Path, default=HERE.parents[1] / "build" / "firmware" / "firmware.elf")
    parser.add_argument("--without", default="", metavar="PARTS", help="what the firmware was built without")
    kind = parser.add_mutually_exclusive_group()
    kind.add_argument("--mirror", action="store_true", help="a wire that sends everything back")
    kind.add_argument("--wire", type=Path, metavar="FOLDER", help="a wire between its sockets: board, and wire, yours")
    kind.add_argument("--steady", action="store_true", help="no wire; the clock counts instructions, of 32 ns")
    parser.add_argument("--seed", type=int, default=0, help="of the wire's faults")
    parser.add_argument("--loss", type=float, default=0, help="how likely a frame is lost")
    parser.add_argument("--doubling", type=float, default=0, help="how likely it comes twice")
    parser.add_argument("--delaying", type=float, default=0, help="how likely it is late")
    parser.add_argument("--longest-delay", type=float, default=0, metavar="MS", help="by how much at most")
    parser.add_argument("--forward", action="append", default=[], metavar="HERE:THERE", help="a port of this machine's")
    parser.add_argument("--restrict", action="store_true", help="the board reaches nothing outside of its network")
    parser.add_argument("--capture", type=Path, help="writes what is on the wire into a file, for Wireshark")
    parser.add_argument("script", nargs=argparse.REMAINDER, help="with its arguments")
    return parser.parse_args()


def lacks(without: str = "") -> list[str]:
    """What the board cannot do (STACK-1): what the stack cannot, threads, and the parts that were left out. That
    addresses and numbers are the stack's own matters to CPython alone, which has others beside them."""
    line = next(line for line in STACK.read_text().splitlines() if line.startswith("set(USOCKET_STACK_LACKS "))
    words = line.removeprefix("set(USOCKET_STACK_LACKS ").removesuffix(")").split()
    return [word for word in words if word != "layout"] + ["threads", *without.split()]


def write_boot(folder: Path, arguments: argparse.Namespace) -> Path:
    """What the board runs before the script."""
    (folder / "lacking.py").write_text(f"LACKS = {tuple(lacks(arguments.without))!r}\n")
    boot = folder / "boot.py"
    boot.write_text(f"import sys\nsys.path.append({str(folder)!r})\n" + (MIRRORED if arguments.mirror else ""))
    return boot


def network(arguments: argparse.Namespace, folder: Path) -> list[str]:
    if arguments.mirror or arguments.wire or arguments.steady:
        ends = arguments.wire or folder
        paths = f"local.type=unix,local.path={ends}/board,remote.type=unix,remote.path={ends}/wire"
        backend = f"dgram,id=wire,{paths}"
    else:
        ports = [port.split(":") for port in arguments.forward]
        forwards = "".join(f",hostfwd=tcp:127.0.0.1:{here}-:{there}" for here, there in ports)
        backend = f"user,id=wire{',restrict=on' if arguments.restrict else ''}{forwards}"
    options = ["-netdev", backend, "-net", "nic,netdev=wire"]
    if arguments.capture:
        options += ["-object", f"filter-dump,id=dump,netdev=wire,file={arguments.capture}"]
    return options


def quoted(word: str) -> str:
    """For QEMU, a comma ends an argument and two are one; for the board, a space does (ports/qemu/main.c)."""
    return word.replace(",", ",,").replace("\\", "\\\\").replace(" ", "\\ ")


def command(arguments: argparse.Namespace, folder: Path) -> list[str]:
    words = ["board"]
    if arguments.script:
        words += [str(write_boot(folder, arguments)), *arguments.script]
    # At a terminal Ctrl-A is QEMU's.
    line = "stdio,id=line,signal=off" + (",mux=on" if sys.stdin.isatty() and not arguments.script else "")
    semihosting = "enable=on,target=native" + "".join(f",arg={quoted(word)}" for word in words)
    return [
        "qemu-system-arm", "-machine", "mps2-an385", "-display", "none", "-monitor", "none",
        "-chardev", line, "-serial", "chardev:line",
        *(["-icount", "shift=5,sleep=off"] if arguments.steady else []),
        "-semihosting-config", semihosting, *network(arguments, folder), "-kernel", str(arguments.firmware),
    ]  # fmt: skip


def main() -> None:
    arguments = parse()
    folder = Path(tempfile.mkdtemp(prefix="usocket-board-"))
    words = command(arguments, folder)
    faults = Faults(arguments.seed, arguments.loss, arguments.doubling, arguments.delaying, arguments.longest_delay)
    wire = Wire(folder / "wire", folder / "board", faults) if arguments.mirror else None
    # This process becomes QEMU, so that who ends it ends QEMU. Another one stays until the pipe says that it has ended.
    over, alive = os.pipe()
    if os.fork() == 0:
        os.close(alive)
        attend(wire, over, folder)
    os.set_inheritable(alive, True)
    os.execvp(words[0], words)


def attend(wire: Wire | None, over: int, folder: Path) -> None:
    os.setsid()  # Ctrl-C is the board's
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1):
        os.dup2(nothing, descriptor)
    try:
        if wire is not None:
            wire.run(over)
        os.read(over, 1)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os._exit(0)


if __name__ == "__main__":
    main()
