"""How the tests run the board: a script to its end, or a machine that they talk to over its serial line."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
SCRIPTS = HERE / "scripts"
CONFORMANCE = REPO / "tests" / "conformance"
BOARD = REPO / "build" / "bin" / "board"
TIME_LIMIT_S = 100  # less than a test has

sys.path.insert(0, str(REPO / "tests" / "support"))  # certificates
from listening import listening_port  # noqa: E402

CTRL_C, CTRL_D = b"\x03", b"\x04"


def run(script: Path, *arguments: str, options: tuple[str, ...] = ("--mirror",)) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            [str(BOARD), *options, script.name, *arguments],
            cwd=script.parent,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=TIME_LIMIT_S,
        )
    except subprocess.TimeoutExpired as late:
        raise AssertionError(f"{script.name} has not ended; it printed {late.stdout!r}, {late.stderr!r}") from None


class Machine:
    """A board that runs; ends with the block."""

    def __init__(self, *words: str | Path) -> None:
        self._process = subprocess.Popen(
            [str(word) for word in (BOARD, *words)],
            cwd=SCRIPTS,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._printed = b""

    def __enter__(self) -> Machine:
        return self

    def __exit__(self, *unused: object) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()

    def type(self, keys: bytes) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(keys)
        self._process.stdin.flush()

    def prints(self, text: str) -> str:
        """Waits until it has printed that; what it has printed before, since the last time."""
        assert self._process.stdout is not None
        end = time.monotonic() + TIME_LIMIT_S
        while text.encode() not in self._printed:
            ready, _, _ = select.select([self._process.stdout], [], [], end - time.monotonic())
            more = os.read(self._process.stdout.fileno(), 4096) if ready else b""
            assert more, f"no {text!r} in {self._printed!r}"
            self._printed += more
        before, _, self._printed = self._printed.partition(text.encode())
        return before.decode()

    def status(self) -> int:
        return self._process.wait(TIME_LIMIT_S)

    def forwarded_port(self) -> int:
        """The port of this machine's that QEMU has taken for --forward 0:..."""
        return listening_port(self._process.pid)
