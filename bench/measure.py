"""Runs workers against the peer: samples that alternate between contestants, and counts of their system calls."""

from __future__ import annotations

import ctypes
import os
import re
import select
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from plan import Contestant, Work

TIME_LIMIT_S = 180  # for one answer of a worker


class BenchError(Exception):
    """The bench cannot go on."""


@dataclass(frozen=True)
class Length:
    """How long to measure."""

    sample_ns: int
    rounds: int
    slow_rounds: int = 5  # where one sample takes over a second


FULL = Length(sample_ns=40_000_000, rounds=21)
QUICK = Length(sample_ns=6_000_000, rounds=5)


class Sample(NamedTuple):
    """What a worker says about one sample."""

    operations: int
    value: int  # nanoseconds; for `memory` bytes
    own_calls: int  # system calls of the worker's own
    faults: int  # page faults that needed no disk
    switches: int  # to another thread or process, of its own will or not


@dataclass
class Figures:
    """What a contestant did with a work item: per operation."""

    values: list[float] = field(default_factory=list)  # of each round
    faults: list[float] = field(default_factory=list)
    switches: list[float] = field(default_factory=list)
    calls: float | None = None

    def add(self, sample: Sample) -> None:
        self.values.append(sample.value / sample.operations)
        self.faults.append(sample.faults / sample.operations)
        self.switches.append(sample.switches / sample.operations)


ADDR_NO_RANDOMIZE = 0x0040000  # sys/personality.h


def placed(cpu: int) -> Callable[[], None]:
    """On that CPU, and with libraries at the same addresses as in every other process, where the system allows that.
    Processors predict branches by address: a handshake is 12 to 17 % faster where the worker's OpenSSL happens to lie
    where the peer's does.
    """
    libc = ctypes.CDLL(None)

    def place() -> None:
        os.sched_setaffinity(0, {cpu})
        libc.personality(ADDR_NO_RANDOMIZE)

    return place


class Process:
    """A program that is talked to by lines."""

    def __init__(self, command: Sequence[str], cpu: int) -> None:
        self.name = " ".join(Path(word).name for word in command)
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, preexec_fn=placed(cpu)
        )

    def read_line(self) -> str:
        assert self.process.stdout is not None
        if not select.select([self.process.stdout], [], [], TIME_LIMIT_S)[0]:
            self.process.kill()
            raise BenchError(f"{self.name}: no answer for {TIME_LIMIT_S} s")
        line = self.process.stdout.readline()
        if not line:
            raise BenchError(f"{self.name}: ended with status {self.process.wait()}; its message is above")
        return line.strip()

    def write_line(self, text: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def close(self) -> None:
        """Its input ends, so it does."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()

    def __enter__(self) -> Process:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Peers:
    """Two of the same peer: one on the workers' CPU, one on another if there is one."""

    def __init__(self, program: Path, certificates: Path) -> None:
        if not program.exists():
            raise BenchError(f"{program} is missing: make setup build")
        self.certificates = certificates
        cpus = sorted(os.sched_getaffinity(0))
        self.worker_cpu = cpus[-1]
        self.near = Process([str(program), str(certificates)], cpus[-1])
        self.far = Process([str(program), str(certificates)], cpus[0])
        self.near_port = int(self.near.read_line())
        self.far_port = int(self.far.read_line())

    def port(self, work: Work) -> int:
        return self.near_port if work.near else self.far_port

    def close(self) -> None:
        self.near.close()
        self.far.close()


class Worker(Process):
    def __init__(self, contestant: Contestant, work: Work, peers: Peers, wrapper: Sequence[str] = ()) -> None:
        super().__init__([*wrapper, *contestant.command(work, peers.port(work), peers.certificates)], peers.worker_cpu)
        try:
            answer = self.read_line()
        except BenchError:
            self.close()
            raise
        if answer != "ready":
            raise BenchError(f"{self.name}: said {answer!r} instead of 'ready'")

    def sample(self, count: int) -> Sample:
        """Does at least `count` operations."""
        self.write_line(str(count))
        return Sample(*map(int, self.read_line().split()))


def measure(work: Work, contestants: list[Contestant], peers: Peers, length: Length) -> dict[str, Figures]:
    """Samples of all contestants in turn, so that whatever else the machine does hits all of them."""
    if work.fresh:
        return measure_fresh(work, contestants, peers, length.rounds if work.unit == "ns" else 5)
    workers = {}
    try:
        for contestant in contestants:
            workers[contestant.name] = Worker(contestant, work, peers)
        counts = {}
        slow = False
        for name, worker in workers.items():
            counts[name], sample_s = calibrate(worker, work, length.sample_ns)
            slow = slow or sample_s > 1
        rounds = length.slow_rounds if slow else length.rounds
        figures = {name: Figures() for name in workers}
        for names in turns(list(workers), rounds):
            for name in names:
                figures[name].add(workers[name].sample(counts[name]))
    finally:
        for worker in workers.values():
            worker.close()
    return figures


def measure_fresh(work: Work, contestants: list[Contestant], peers: Peers, rounds: int) -> dict[str, Figures]:
    figures = {contestant.name: Figures() for contestant in contestants}
    by_name = {contestant.name: contestant for contestant in contestants}
    for names in turns(list(by_name), rounds):
        for name in names:
            with Worker(by_name[name], work, peers) as worker:
                figures[name].add(worker.sample(work.count))
    return figures


def turns(names: list[str], rounds: int) -> list[list[str]]:
    """Each round in another order: A B C, B C A, ..."""
    return [names[i % len(names) :] + names[: i % len(names)] for i in range(rounds)]


def calibrate(worker: Worker, work: Work, sample_ns: int) -> tuple[int, float]:
    """How many operations make a sample, and how long that takes altogether."""
    count = 1
    while True:
        begin = time.monotonic()
        sample = worker.sample(count)
        seconds = time.monotonic() - begin
        if sample.value >= 0.7 * sample_ns or seconds * 1e9 > 5 * sample_ns or sample.operations == work.most:
            return sample.operations, seconds
        count = sample.operations * min(10, max(2, round(sample_ns / max(sample.value, 1))))
        if work.most:
            count = min(count, work.most)


def can_trace() -> bool:
    """Whether strace is there and may be used."""
    return (
        shutil.which("strace") is not None
        and subprocess.run(["strace", "-f", "-o", os.devnull, "true"], capture_output=True).returncode == 0
    )


def count_calls(work: Work, contestant: Contestant, peers: Peers) -> float:
    """System calls of one operation, by strace. Those of the bench's own don't count."""
    with tempfile.NamedTemporaryFile("r", suffix=".strace") as log:
        with Worker(contestant, work, peers, ["strace", "-f", "-qq", "-o", log.name]) as worker:
            worker.sample(1)  # what only the first does
            sample = worker.sample(max(1, round(work.traced * contestant.trace_share)))
        calls = [re.sub(r"^\d+ +", "", line) for line in log]
    answers = [i for i, call in enumerate(calls) if call.startswith("write(1,")]
    own = re.compile(r"<\.\.\. |--- |\+\+\+ |read\(0,|write\(1,|getrusage\(")
    counted = [call for call in calls[answers[-2] : answers[-1]] if not own.match(call)]
    return (len(counted) - sample.own_calls) / sample.operations
