"""The MicroPython binaries that the tests run, and how they run them. USOCKET_BUILD says where they are, if not in
build/."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("USOCKET_BUILD", REPO / "build"))
SOURCE = Path(os.environ.get("MICROPYTHON_DIR", BUILD / "micropython-src" / "tree"))
SCRIPTS = Path(__file__).resolve().parent / "scripts"
SUPPORT = REPO / "tests" / "support" / "micropython"  # modules that the host lacks

sys.path.insert(0, str(REPO / "tests" / "support"))  # certificates

TIME_LIMIT_S = 100  # for one run of a host


@dataclass(frozen=True)
class Host:
    name: str

    @property
    def path(self) -> Path:
        return BUILD / "bin" / self.name

    def command(self, script: str | Path, *arguments: str) -> list[str]:
        return [str(self.path), "-X", "heapsize=8m", str(script), *arguments]

    def run(self, script: str | Path, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs a script to its end; what it prints and its status."""
        return subprocess.run(
            self.command(script, *arguments),
            env=environment(),
            cwd=SCRIPTS,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=TIME_LIMIT_S,
        )


STOCK = Host("micropython-stock")
OURS = Host("micropython")  # SIGINT longjmps out of whatever runs
GIL = Host("micropython-gil")  # SIGINT ends system calls with EINTR
SLIM = Host("micropython-slim")  # for its size alone


def environment() -> dict[str, str]:
    return {**os.environ, "MICROPYPATH": f".frozen:{SCRIPTS}:{SUPPORT}"}


# As root (where root may), else as root of a user namespace of one's own.
WAYS_IN = [["unshare", "--net"], ["unshare", "--user", "--map-root-user", "--net"]]


@cache
def way_in() -> list[str] | None:
    """How to start a program where there is only a loopback interface; None: this machine does not allow it."""
    for way in WAYS_IN:
        if subprocess.run([*way, "ip", "link", "set", "lo", "up"], capture_output=True).returncode == 0:
            return [*way, "sh", "-c", 'ip link set lo up && exec "$@"', "sh"]
    return None


def run_isolated(
    command: Sequence[str], cwd: Path, env: Mapping[str, str], timeout_s: float
) -> subprocess.CompletedProcess[str]:
    """Runs a command where nothing but the loopback interface is."""
    way = way_in()
    assert way is not None
    return subprocess.run(
        [*way, *command],
        cwd=cwd,
        env=dict(env),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=timeout_s,
    )
