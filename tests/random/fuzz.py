#!/usr/bin/env python3
"""Runs the random testers on each host that is built, one after the other, and stops at the first finding.

    tests/random/fuzz.py --seconds 15              so long on each host
    tests/random/fuzz.py --host cpython --seed 7   one trial of Python's, with what it does
    tests/random/fuzz.py --findings 20 ...         goes on after so many
    tests/random/fuzz.py --host pycopy=/path ...   an interpreter of your own that has the module

C++: the trials of one kind are named by --kind and run by build/bin/usocket_random itself; see main.cpp.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BUILD = REPO / "build"
SCRIPT = Path(__file__).resolve().parent / "python" / "run.py"
PATIENCE_S = 60  # with a trial that says nothing, on a machine that does much else
TRIALS_PER_PROCESS = 100
# Every lock that is taken while another is held, and every report, is the library's or the tester's.
SANITIZERS = {
    "ASAN_OPTIONS": "abort_on_error=0:detect_stack_use_after_return=1",
    "TSAN_OPTIONS": "die_after_fork=0:halt_on_error=1",
}


@dataclass
class Wanted:
    """What is to be run."""

    seed: int
    seconds: float
    only_one: bool
    kind: str
    findings: int


@dataclass
class Host:
    """A program that runs trials."""

    name: str
    program: Path
    before: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()
    trials: dict[str, int] = field(default_factory=dict)

    def is_built(self) -> bool:
        return self.program.exists()


def fixed_layout() -> tuple[str, ...]:
    """ThreadSanitizer knows few memory layouts; without randomisation the layout is always one of them."""
    command = ("setarch", "--addr-no-randomize")
    works = subprocess.run([*command, "true"], capture_output=True, check=False).returncode == 0
    return command if works else ()  # a container may forbid it


def hosts() -> list[Host]:
    python = REPO / ".venv" / "bin" / "python"
    return [
        Host("c++", BUILD / "bin" / "usocket_random"),
        Host("c++-lwip", BUILD / "lwip" / "bin" / "usocket_random"),
        Host("asan", BUILD / "asan" / "bin" / "usocket_random"),
        Host("tsan", BUILD / "tsan" / "bin" / "usocket_random", before=fixed_layout()),
        Host("cpython", python, arguments=("-u",)),
        Host("cpython-lwip", BUILD / "bin" / "python-lwip", arguments=("-u",)),
        Host("micropython", BUILD / "bin" / "micropython"),
        # A heap that most reads of much are too big for.
        Host("micropython-small", BUILD / "bin" / "micropython", arguments=("-X", "heapsize=350k")),
        # Threads that share a lock of the interpreter, so any of them may collect.
        Host("micropython-gil", BUILD / "bin" / "micropython-gil"),
    ]


def run_cpp(host: Host, wanted: Wanted) -> bool:
    command = [*host.before, str(host.program), "--seed", str(wanted.seed), "--findings", str(wanted.findings)]
    command += ["--trace"] if wanted.only_one else ["--seconds", str(int(wanted.seconds))]
    command += ["--kind", wanted.kind] if wanted.kind else []
    return subprocess.run(command, env={**os.environ, **SANITIZERS}, check=False).returncode == 0


def run_python(host: Host, wanted: Wanted) -> bool:
    print(f"seeds from {wanted.seed}", flush=True)
    end = time.monotonic() + wanted.seconds
    seed = wanted.seed
    found = 0
    while found < wanted.findings:
        lines: list[str] = []
        count = 1 if wanted.only_one else TRIALS_PER_PROCESS
        status = 0
        is_told = False
        for line in lines_of(host, [str(seed), str(count), *filter(None, [wanted.kind])], end):
            if line.startswith("trial "):
                lines = []
                name = line.split()[1]
                host.trials[name] = host.trials.get(name, 0) + 1
                seed = int(line.split()[2])
            if not is_told:
                lines.append(line)
            is_told = is_told or line.startswith("FOUND")  # what follows is the end of the process
            if line.startswith("status "):
                status = int(line.split()[1])
        if wanted.only_one or status:
            print("\n".join(lines))
        if status:
            found += 1
            print(f"once more: tests/random/fuzz.py --host {host.name} --seed {seed}", flush=True)
        if wanted.only_one or time.monotonic() > end:
            break
        seed += 1
    print(f"{host.trials}, {found} findings", flush=True)
    return found == 0


def lines_of(host: Host, arguments: list[str], end: float) -> Iterator[str]:
    """What the program prints, and at last "status N"; that is 0 too when its time is over. A program that says
    nothing for too long is ended."""
    command = [*host.before, str(host.program), *host.arguments, str(SCRIPT), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True) as process:
        assert process.stdout is not None
        rest = b""
        is_over = False
        while True:
            if not select.select([process.stdout], [], [], PATIENCE_S)[0]:
                yield "it hangs"
                os.killpg(process.pid, signal.SIGKILL)
            piece = os.read(process.stdout.fileno(), 65536)
            if not piece:
                break
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                yield line.decode(errors="replace")
                if line == b"ok" and time.monotonic() > end:
                    is_over = True
            if is_over:
                os.killpg(process.pid, signal.SIGKILL)
                break
        status = process.wait()
    yield f"status {0 if is_over else status}"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", help="one of " + ", ".join(host.name for host in hosts()))
    parser.add_argument("--seed", type=int, help="the first seed; without --seconds the only one")
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--kind", default="", help="of the trials")
    parser.add_argument("--findings", type=int, default=1)
    options = parser.parse_args()
    only_one = options.seed is not None and options.seconds is None
    name, _, program = (options.host or "").partition("=")
    chosen = [Host(name, Path(program))] if program else [host for host in hosts() if name in ("", host.name)]
    if not chosen:
        parser.error(f"no host {options.host}")
    ran = False
    is_right = True
    for host in chosen:
        if not host.is_built():
            print(f"{host.name}: not built", flush=True)
            continue
        print(f"--- {host.name}", flush=True)
        ran = True
        seed = options.seed if options.seed is not None else int(time.time() * 1000) % 1_000_000_000
        wanted = Wanted(seed, options.seconds or 15, only_one, options.kind, options.findings)
        run = run_cpp if host.program.name == "usocket_random" else run_python
        is_right = run(host, wanted) and is_right
        if not is_right and options.findings == 1:
            break
    return 0 if ran and is_right else 1


if __name__ == "__main__":
    sys.exit(main())
