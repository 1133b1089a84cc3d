"""Five examples against their twins over Asio, and what a program costs that uses one library or another.

Both do the same work in turn, in one run. CPU is that of the program alone, whatever its clients take: it says more
than the time of a request, which their clients share. Lines are those with code, the helpers included that are the
example's or the twin's own."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from measure import BenchError, Peers, Worker, can_trace, turns
from plan import REPO, Contestant, Work

sys.path.insert(0, str(REPO / "tests" / "support"))
from certificates import Certificate, make_certificates  # noqa: E402

SIDES = ("usocket", "asio")
ROUNDS, QUICK_ROUNDS = 7, 3
CONNECTIONS = 1000
REQUEST = "GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n"
LINE = "x" * 79 + "\n"
HELPERS = {"usocket": REPO / "examples/cpp/port.hpp", "asio": REPO / "bench/twins/twins.hpp"}
QUESTION = b"who is there?"


class Sample(NamedTuple):
    seconds: float
    cpu: float


@dataclass
class Side:
    """What one of the two did: per operation."""

    seconds: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    calls: float | None = None

    def add(self, sample: Sample, count: int) -> None:
        self.seconds.append(sample.seconds / count)
        self.cpu.append(sample.cpu / count)


Drive = Callable[[int], Sample]


@dataclass(frozen=True)
class Program:
    name: str
    work: str
    count: int  # operations of a sample
    traced: int
    # Runs a side's program, under a wrapper if there is one, and gives the way to have it work.
    running: Callable[[Path, list[str]], AbstractContextManager[Drive]]


# --- Running them


def cpu_of(pid: int) -> float:
    """What a process has used until now, by its clock (clock_getcpuclockid(3))."""
    return time.clock_gettime((~pid << 3) | 2)


@contextmanager
def started(command: list[str], wrapper: list[str]) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A program, and the number of its process, which is not the wrapper's."""
    shell = ["sh", "-c", 'echo $$; exec "$@"', "sh", *command]
    process = subprocess.Popen([*wrapper, *shell], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdin is not None
    pid = int(process.stdout.readline())
    try:
        yield process, pid
    finally:
        if process.poll() is None:
            os.kill(pid, signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.kill(pid, signal.SIGKILL)
            process.wait()
        process.stdin.close()
        process.stdout.close()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def port_of(process: subprocess.Popen[str]) -> int:
    found = re.search(r"port (\d+)$", line := line_of(process))
    if found is None:
        raise BenchError(f"{process.args!r} said {line!r}")
    return int(found[1])


@contextmanager
def load(folder: Path, *words: object) -> Iterator[subprocess.Popen[str]]:
    """The clients; they end when their input does."""
    command = [str(folder / "load"), *map(str, words)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.communicate(timeout=60)


def driving(process: subprocess.Popen[str], pid: int) -> Drive:
    if line_of(process) != "ready":
        raise BenchError("the clients cannot connect")

    def drive(count: int) -> Sample:
        assert process.stdin is not None
        before = cpu_of(pid)
        process.stdin.write(f"{count}\n")
        process.stdin.flush()
        seconds = int(line_of(process)) / 1e9
        return Sample(seconds, cpu_of(pid) - before)

    return drive


TWINS = REPO / "build/release/bench/twins"


def asked(
    connections: int, request: str, size: int, *arguments: str
) -> Callable[[Path, list[str]], AbstractContextManager[Drive]]:
    @contextmanager
    def running(program: Path, wrapper: list[str]) -> Iterator[Drive]:
        with started([str(program), *arguments], wrapper) as (process, pid):
            with load(TWINS, "ask", port_of(process), connections, request, size) as clients:
                yield driving(clients, pid)

    return running


@contextmanager
def passing(program: Path, wrapper: list[str]) -> Iterator[Drive]:
    with load(TWINS, "stream") as clients:
        with started([str(program), f"127.0.0.1:{line_of(clients)}"], wrapper) as (process, pid):
            assert clients.stdin is not None
            clients.stdin.write(f"proxy {port_of(process)}\n")
            clients.stdin.flush()
            yield driving(clients, pid)


def times_of(command: list[str]) -> Sample:
    """One run of a program from its start to its end."""
    begin = time.monotonic()
    pid = os.posix_spawn(
        command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    )
    _, status, usage = os.wait4(pid, 0)
    if status != 0:
        raise BenchError(f"{command} ended with status {status}")
    return Sample(time.monotonic() - begin, usage.ru_utime + usage.ru_stime)


@contextmanager
def commanding(program: Path, wrapper: list[str]) -> Iterator[Drive]:
    """Each drive is a run with so many commands."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    options = ["--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with (
        tempfile.TemporaryDirectory() as folder,
        started(["redis-server", *options, "--dir", folder], []) as (server, _),
    ):
        while "Ready to accept" not in line_of(server):
            pass
        yield lambda count: times_of(
            [*wrapper, str(program), "127.0.0.1", str(port), "60", *["SET name value"] * count]
        )


@contextmanager
def announcing(program: Path, wrapper: list[str]) -> Iterator[Drive]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.bind(("127.0.0.1", 0))
        group = ("239.255.77.2", asker.getsockname()[1] ^ 1)
        asker.settimeout(30)
        asker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, struct.pack("=4s4si", b"", b"", 1))
        with started([str(program), "announce", f"{group[0]}:{group[1]}", "lo", "a lamp"], wrapper) as (process, pid):
            line_of(process)

            def drive(count: int) -> Sample:
                begin, before = time.monotonic(), cpu_of(pid)
                for _ in range(count):
                    asker.sendto(QUESTION, group)
                    asker.recv(100)
                return Sample(time.monotonic() - begin, cpu_of(pid) - before)

            yield drive


PROGRAMS = [
    Program("http_hello", f"one of {CONNECTIONS:,} asks", 100_000, 2000, asked(CONNECTIONS, REQUEST, 44)),
    Program("redis_commands", "a command", 2000, 200, commanding),
    Program("discover", "an answer", 3000, 200, announcing),
    Program("splice_proxy", "1 MiB passed on", 2048, 64, passing),
    Program("worker_pool", "a line, 4 workers, 4 clients", 50_000, 1000, asked(4, LINE, len(LINE), "4")),
]


# --- Measuring


def lines_of(side: str, name: str) -> int:
    """With code, of the program and of the helper that it includes."""
    folder = REPO / ("examples/cpp" if side == "usocket" else "bench/twins")
    source = folder / f"{name}.cpp"
    helper = HELPERS[side]
    files = [source, helper] if helper.name in source.read_text() else [source]
    return sum(not re.fullmatch(r"\s*(//.*)?", line) for file in files for line in file.read_text().splitlines())


def calls_of(program: Program, path: Path) -> float:
    """System calls of one operation: what a longer run has more than a shorter one."""

    def total(count: int) -> int:
        with tempfile.NamedTemporaryFile("r", suffix=".strace") as log:
            with program.running(path, ["/usr/bin/strace", "-f", "-qq", "-o", log.name]) as drive:
                drive(count)
            return sum(not re.match(r"\d+ +(<\.\.\. |--- |\+\+\+ )", line) for line in log)

    scale = 1 << 20 if program.name == "splice_proxy" else 1
    return (total(2 * program.traced * scale) - total(program.traced * scale)) / program.traced


def resident_bytes(pid: int) -> int:
    found = re.search(r"VmRSS:\s*(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found is not None
    return int(found[1]) * 1024


def measure_program(program: Program, paths: dict[str, Path], quick: bool, traces: bool) -> dict[str, Side]:
    sides = {side: Side() for side in paths}
    count = max(1, program.count // (10 if quick else 1))
    scale = 1 << 20 if program.name == "splice_proxy" else 1
    contexts = {side: program.running(path, []) for side, path in paths.items()}
    drives: dict[str, Drive] = {}
    try:
        for side, context in contexts.items():
            drives[side] = context.__enter__()
            drives[side](max(1, count // 10) * scale)  # what only the first does
        for names in turns(list(paths), QUICK_ROUNDS if quick else ROUNDS):
            for side in names:
                sides[side].add(drives[side](count * scale), count)
    finally:
        for side in reversed(list(drives)):
            contexts[side].__exit__(None, None, None)
    if traces:
        for side, path in paths.items():
            sides[side].calls = calls_of(program, path)
    return sides


# --- What a library costs


def stripped_size(path: Path) -> int:
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / path.name
        shutil.copy(path, copy)
        subprocess.run(["strip", copy], check=True)
        return copy.stat().st_size


def compile_seconds(source: Path, build: Path, rounds: int) -> float:
    """Of one source file as the build compiles it, without a cache: processor time."""
    entries = json.loads((build / "compile_commands.json").read_text())
    entry = next(one for one in entries if Path(one["file"]).resolve() == source.resolve())
    command = [word for word in shlex.split(entry["command"]) if Path(word).name != "ccache"]
    command[command.index("-o") + 1] = os.devnull
    seconds = []
    for _ in range(rounds):
        before = os.times()
        subprocess.run(command, check=True, cwd=entry["directory"])
        after = os.times()
        seconds.append(after.children_user + after.children_system - before.children_user - before.children_system)
    return statistics.median(seconds)


class Cost(NamedTuple):
    library: str
    compile_s: float
    size: int
    resident: int


def costs(build: Path, rounds: int) -> list[Cost]:
    """The same program, the bench's worker, over each library; resident with one connection and nothing to do."""
    found = []
    with tempfile.TemporaryDirectory(prefix="usocket-bench-") as folder:
        make_certificates(Path(folder), [Certificate("right")], ["trusted"])
        peers = Peers(build / "bench" / "bench_peer", Path(folder))
        try:
            for library in ("usocket", "asio", "poco"):
                path = build / "bench" / f"bench_{library}"
                if not path.exists():
                    continue
                seconds = compile_seconds(REPO / "bench" / f"worker_{library}.cpp", build, rounds)
                with Worker(Contestant(library, path, ""), Work("round_trip", ""), peers) as worker:
                    found.append(Cost(library, seconds, stripped_size(path), resident_bytes(worker.process.pid)))
        finally:
            peers.close()
    return found


# --- What comes out


HEADER = [
    "program",
    "operation",
    "lines",
    "Asio's",
    "time",
    "Asio's",
    "ratio",
    "CPU",
    "Asio's",
    "ratio",
    "calls",
    "Asio's",
]


def microseconds(seconds: float) -> str:
    return f"{seconds * 1e6:.1f} µs"


def row(program: Program, sides: dict[str, Side]) -> list[str]:
    ours, theirs = sides["usocket"], sides["asio"]
    cells = [program.name, program.work, str(lines_of("usocket", program.name)), str(lines_of("asio", program.name))]
    for mine, other in ((ours.seconds, theirs.seconds), (ours.cpu, theirs.cpu)):
        ratio = statistics.median(b / a for a, b in zip(mine, other, strict=True))
        cells += [microseconds(statistics.median(mine)), microseconds(statistics.median(other)), f"{ratio:.2f}"]
    return [*cells, *("" if calls is None else f"{calls:.2f}" for calls in (ours.calls, theirs.calls))]


def cost_rows(found: list[Cost]) -> list[list[str]]:
    return [
        [cost.library, f"{cost.compile_s:.1f} s", f"{cost.size / 1024:.0f} KiB", f"{cost.resident / 1024:.0f} KiB"]
        for cost in found
    ]


COST_HEADER = ["library", "compile", "size, stripped", "resident"]
NOTES = [
    "ratio: Asio's by ours, the median of the rounds; above 1 we take less.",
    "lines: with code, of the program and of the helper that it includes.",
    "library: bench/worker_*.cpp, the same program over each; compile is the processor time of that one file. POCO's "
    "size and memory are without its shared libraries' code.",
]


Table = tuple[list[str], list[list[str]]]


def run(programs: Path, quick: bool) -> list[Table]:
    """The tables, each its heading and its rows."""
    paths = {
        program.name: {"usocket": programs.parent.parent / "bin" / program.name, "asio": TWINS / program.name}
        for program in PROGRAMS
    }
    missing = [path for both in paths.values() for path in both.values() if not path.exists()]
    if missing:
        raise BenchError(f"{missing[0]} is missing: make setup build")
    traces = can_trace()
    table = []
    for one in PROGRAMS:
        print(f"bench: {one.name}", file=sys.stderr, flush=True)
        table.append(row(one, measure_program(one, paths[one.name], quick, traces)))
    return [(HEADER, table), (COST_HEADER, cost_rows(costs(programs.parent, 1 if quick else 3)))]


def text(tables: list[Table], layout: Callable[[list[str], list[list[str]]], str]) -> str:
    return "\n\n".join([*(layout(*table) for table in tables), "\n".join(f"- {note}" for note in NOTES)]) + "\n"
