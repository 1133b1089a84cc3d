"""What is measured: contestants, work items, and the goals that they have."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
WORKER_PY = Path(__file__).resolve().parent / "worker.py"
SOCKETS = 10_000  # at most; fewer where the system allows fewer descriptors


@dataclass(frozen=True)
class Work:
    """A work item: what a worker is told to do."""

    name: str
    title: str
    near: bool = False  # the peer shares the worker's CPU: waking an idle one up would cost more than what is measured
    count: int = 0  # operations in a sample; 0: as many as it takes
    most: int = 0  # operations in a sample at most; 0: any number
    fresh: bool = False  # each sample in a process of its own
    unit: str = "ns"
    traced: int = 400  # operations to count system calls in; 0: none are counted
    quick: bool = True  # in the short form too
    secure: bool = False  # with TLS


@dataclass(frozen=True)
class Contestant:
    name: str
    program: Path  # its absence is an error, or leaves the contestant out if it is optional
    made_by: str  # what makes the program
    arguments: tuple[str, ...] = ()
    optional: bool = False
    lacks: frozenset[str] = frozenset()  # works that it has no way to do
    options: Callable[[str], tuple[str, ...]] = lambda work: ()  # the program's own, before the arguments
    trace_share: float = 1  # of Work.traced
    secure: Path | None = None  # the program for works with TLS, if that is another; its absence leaves these out

    def program_for(self, work: Work) -> Path:
        return self.secure if work.secure and self.secure is not None else self.program

    def command(self, work: Work, port: int, certificates: Path) -> list[str]:
        program = str(self.program_for(work))
        return [program, *self.options(work.name), *self.arguments, work.name, str(port), str(certificates)]


@dataclass(frozen=True)
class Goal:
    """The ratio of rates is to be at least `ratio`; system calls at most `more_calls` above the rival's."""

    ratio: float | None = None
    more_calls: float | None = None


@dataclass(frozen=True)
class Group:
    name: str
    title: str
    ours: Contestant
    rivals: tuple[Contestant, ...]
    works: tuple[Work, ...]
    goal: Callable[[Work, Contestant], Goal]
    notes: tuple[str, ...]
    own_poll: bool = True  # polling is ours, not the host's


def works(sockets: int) -> dict[str, Work]:
    """Every item by name; `sockets`: how many may be open at once, for those with many."""
    many = sorted({10, 1000, SOCKETS, sockets} - ({SOCKETS} if sockets < SOCKETS else set()))
    return {
        work.name: work
        for work in [
            Work("lines_80", "lines of 80 B out of a full pipe", traced=8000),
            Work("lines_8", "lines of 8 B out of a full pipe", traced=80000),
            Work("echo_line", "echo of an 80 B line, there and back", near=True),
            Work("round_trip", "64 B there and back: send, recv", near=True),
            Work("round_trip_timeout", "the same with a timeout set", near=True),
            Work("recv_64", "recv(64) out of a full pipe"),
            Work("recv_64_timeout", "the same with a timeout set"),
            Work("read_16", "read(16) out of a full pipe"),
            Work("read_64k", "read(64 KiB) out of a full pipe", traced=30),
            Work("readinto_4k", "readinto(4 KiB) out of a full pipe"),
            Work("read_eof_1m", "read() to EOF of 1 MiB", traced=3),
            Work("read_eof_16m", "read() to EOF of 16 MiB", traced=2),
            Work("read_eof_256m", "read() to EOF of 256 MiB", traced=1, quick=False),
            Work("write_1m", "write of a 1 MiB block", traced=20),
            Work("connect", "connect, accept, close both", most=4000),
            Work("udp", "64 B datagram: sendto, recvfrom"),
            *(Work(f"poll_{n}", f"poll, 1 of {n:,} ready", traced=100, quick=n != 1000) for n in many),
            *(Work(f"register_{n}", f"register {n:,}, each", traced=n, quick=n == max(many)) for n in many),
            Work("tls_handshake", "TLS: connect, handshake, one byte, close", near=True, most=2000, secure=True),
            Work("tls_resumed", "the same with an earlier session", near=True, most=2000, secure=True),
            Work("tls_round_trip", "TLS: 64 B there and back", near=True, secure=True),
            Work("tls_lines_80", "TLS: lines of 80 B out of a full pipe", traced=8000, secure=True),
            Work("tls_read_eof_16m", "TLS: read() to EOF of 16 MiB", traced=2, secure=True),
            Work("tls_write_1m", "TLS: write of a 1 MiB block", traced=20, secure=True),
            Work(
                "tls_memory",
                "TLS: memory of a connection at rest",
                count=50,
                fresh=True,
                unit="B",
                traced=0,
                secure=True,
            ),
            Work("memory", "memory of an idle socket", count=sockets, fresh=True, unit="B", traced=0),
            Work("import", "import", count=1, fresh=True, traced=0),
        ]
    }


# --- Goals


def cpp_goal(work: Work, rival: Contestant) -> Goal:
    if work.secure or rival.name != "raw":
        return Goal(ratio=1.0)
    return Goal() if work.name == "memory" else Goal(ratio=0.97, more_calls=0)


# Where CPython's `socket` is to be reached.
SOCKET_WORKS = frozenset(
    "round_trip round_trip_timeout recv_64 recv_64_timeout readinto_4k write_1m connect udp".split()
)


def cpython_goal(work: Work, rival: Contestant) -> Goal:
    if work.secure:
        return Goal(ratio=1.0)
    if rival.name.startswith("makefile"):
        if work.name.startswith("lines_"):
            return Goal(ratio=1.0 if work.name == "lines_80" else None, more_calls=0.01)
        return Goal(ratio=1.0 if work.name.startswith("read_eof_") else None)
    if work.name == "recv_64_timeout":
        return Goal(ratio=1.0, more_calls=-1)
    return Goal(ratio=1.0 if work.name in SOCKET_WORKS else None)


def micropython_goal(work: Work, _: Contestant) -> Goal:
    if work.name == "memory":
        return Goal()
    return Goal(ratio={"lines_80": 60.0, "read_eof_16m": 200.0, "tls_lines_80": 50.0}.get(work.name, 1.0))


# --- Groups


def cpp_group(programs: Path, all_works: dict[str, Work]) -> Group:
    def worker(name: str, lacks: tuple[str, ...] = (), optional: bool = False) -> Contestant:
        return Contestant(
            name, programs / f"bench_{name}", "make setup build", (), optional, frozenset(lacks),
            secure=programs / f"bench_tls_{name}",
        )  # fmt: skip

    return Group(
        "cpp",
        "C++",
        worker("usocket"),
        (
            worker("raw"),
            worker("asio", ("round_trip_timeout", "recv_64_timeout"), optional=True),
            worker("poco", optional=True),
        ),
        tuple(work for work in all_works.values() if work.name != "import"),
        cpp_goal,
        (
            "raw: the system calls themselves, in C; asio: standalone, synchronous calls, which know no timeout; "
            "poco: POCO.",
        ),
    )


def cpython_group(python: Path, all_works: dict[str, Work]) -> Group:
    streams = frozenset("lines_80 lines_8 echo_line read_16 read_eof_1m read_eof_16m read_eof_256m".split())
    secure_streams = frozenset({"tls_lines_80", "tls_read_eof_16m"})
    for_makefile = streams | secure_streams | {"read_64k", "readinto_4k", "write_1m", "tls_write_1m", "memory"}
    for_makefile_rb = for_makefile - {"echo_line", "write_1m", "tls_write_1m", "memory"}

    def contestant(name: str, lacks: frozenset[str] = frozenset()) -> Contestant:
        return Contestant(name, python, "make setup build", (str(WORKER_PY), name), False, lacks)

    return Group(
        "cpython",
        "CPython",
        contestant("usocket"),
        (
            contestant("socket", streams | secure_streams),
            contestant("makefile", frozenset(all_works) - for_makefile),
            contestant("makefile_rb", frozenset(all_works) - for_makefile_rb),
        ),
        tuple(all_works.values()),
        cpython_goal,
        (
            "socket: CPython's own, by the nearest of its methods (recv_into for readinto, sendall for write) and "
            "select.epoll; makefile and makefile_rb: its makefile('rwb') and ('rb'), which read ahead and hide that "
            "from poll. With TLS: what its ssl makes of them.",
        ),
    )


def micropython_group(programs: Path, all_works: dict[str, Work]) -> Group:
    left_out = {"import", "read_eof_256m"}

    def heap(work: str) -> tuple[str, ...]:
        return ("-X", "heapsize=160m" if "read_eof_" in work else "heapsize=8m")

    def contestant(program: str, name: str, share: float, lacks: frozenset[str] = frozenset()) -> Contestant:
        arguments = (str(WORKER_PY), name)
        return Contestant(
            name, programs / program, "make micropython", arguments, False, lacks, options=heap, trace_share=share
        )

    return Group(
        "micropython",
        "MicroPython",
        contestant("micropython", "usocket", 1),
        # it asks for each byte by itself, and strace stops at each call; its tls takes up no session
        (contestant("micropython-stock", "stock", 0.01, frozenset({"tls_resumed"})),),
        tuple(work for work in all_works.values() if work.name not in left_out),
        micropython_goal,
        (
            "stock: the same source with its own socket module. Each has its own select.poll. "
            "read() of 256 MiB is left out: it would take the stock module half an hour. With TLS: its tls, over "
            "the same mbedTLS.",
        ),
        own_poll=False,
    )
