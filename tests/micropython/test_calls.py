"""TIME-5: what Ctrl-C must not leave halfway is done without a system call that holds it back, on a host whose signal
handler longjmps."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from hosts import OURS, environment

# Each round makes two sockets, registers one of them, keeps what a timeout has cut short, and closes both.
SCRIPT = """
import uselect, usocket
for _ in range({rounds}):
    one, other = usocket.socketpair()
    poll = uselect.poll()
    poll.register(one, uselect.POLLIN)
    other.send(b"kept")
    one.settimeout(0)
    assert one.readinto(bytearray(8)) == 4
    assert poll.poll(0) == []
    one.close()
    other.close()
"""


def test_time_5_signals_are_held_back_without_a_system_call(tmp_path: Path) -> None:
    strace = shutil.which("strace")
    if strace is None or subprocess.run([strace, "-o", os.devnull, "true"], capture_output=True).returncode != 0:
        pytest.skip("strace is not there or not allowed")
    rounds = 50
    log = tmp_path / "log"
    script = tmp_path / "script.py"
    script.write_text(SCRIPT.format(rounds=rounds))
    command = [strace, "-f", "-qq", "-e", "trace=rt_sigprocmask", "-o", str(log), *OURS.command(script)]
    subprocess.run(command, check=True, timeout=100, env=environment())
    calls = [line for line in log.read_text().splitlines() if "rt_sigprocmask(" in line]
    assert len(calls) < rounds, calls[-20:]
