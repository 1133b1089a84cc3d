#!/usr/bin/env python3
"""Instructions of an operation outside the kernel, by callgrind: two runs of different lengths, the difference divided
by that of the operations. They tell what a change costs where time is too noisy to.

    bench/instructions.py [--contestant usocket] ITEM...        ITEM: of worker.hpp, for example lines_80; of
                                                            worker_tls.hpp, with --contestant tls_usocket
    bench/instructions.py --python [--contestant socket] ITEM...        the same of worker.py, on CPython

Needs valgrind and the bench's programs (`cmake --build --preset release --target bench_usocket bench_peer`).
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent
BENCH = REPO / "build" / "release" / "bench"
sys.path.insert(0, str(REPO / "tests" / "support"))
from certificates import Certificate, make_certificates  # noqa: E402

SHORT, LONG = 500, 2500  # operations, of which --divide does fewer
TIME_LIMIT_S = 300


def instructions(worker: list[str], item: str, peer: tuple[str, str], operations: int) -> tuple[int, int]:
    """Of a whole run: how many it was, and how many operations that did."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", *worker, item, *peer]
        done = subprocess.run(
            command,
            input=f"{operations}\n",
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_S,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": "0"},  # two runs differ in nothing else
        )
    collected = re.search(r"Collected\s*:\s*(\d+)", done.stderr)
    assert collected is not None, done.stderr
    return int(collected[1]), int(done.stdout.splitlines()[-1].split()[0])


def per_operation(worker: list[str], item: str, peer: tuple[str, str], divisor: int) -> float:
    fewer, short = instructions(worker, item, peer, SHORT // divisor)
    more, long = instructions(worker, item, peer, LONG // divisor)
    return (more - fewer) / (long - short)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--contestant", default="usocket")
    parser.add_argument("--python", action="store_true")
    parser.add_argument("--divide", type=int, default=1, metavar="N", help="for items that take long, as tls_handshake")
    parser.add_argument("items", nargs="+", metavar="ITEM")
    arguments = parser.parse_args()
    worker = [str(BENCH / f"bench_{arguments.contestant}")]
    if arguments.python:
        worker = [sys.executable, str(Path(__file__).with_name("worker.py")), arguments.contestant]
    with tempfile.TemporaryDirectory() as certificates:
        make_certificates(Path(certificates), [Certificate("right")], ["trusted"])
        with subprocess.Popen(
            [BENCH / "bench_peer", certificates], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as peer:
            assert peer.stdout is not None and peer.stdin is not None
            port = peer.stdout.readline().strip()
            for item in arguments.items:
                counted = per_operation(worker, item, (port, certificates), arguments.divide)
                print(f"{item:20} {counted:8.1f}", flush=True)
            peer.stdin.close()


if __name__ == "__main__":
    main()
