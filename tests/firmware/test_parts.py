"""Firmware without the parts that can be left out, over lwIP 2.1; the board of the other tests has 2.2."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from boards import CONFORMANCE, REPO

sys.path.append(str(REPO / "bench"))
import firmware_size  # noqa: E402

SMALL = REPO / "build" / "bin" / "board-small"
LARGEST_TEXT = 30 * 1024
# What only they need, one of each that is code.
FUNCTIONS = (
    "Poll::poll(",
    "usocket_connecting_run",
    "Windows::open",
    "usocket_dup",
    "join_group(",
    "Socket::describe(",
)
# Enough to see each part's absence, and both families; the others are not about what is left out.
SCRIPTS = ("address.py", "ipv6.py", "kept.py", "life.py", "lines.py", "names.py", "subclass.py")

pytestmark = [pytest.mark.parts, pytest.mark.timeout(900)]


def run(*command: str | Path, **environment: str) -> str:
    done = subprocess.run(
        [str(word) for word in command],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=800,
    )
    assert done.returncode == 0, f"{command} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture(scope="module")
def small() -> Path:
    run(REPO / "tools" / "firmware", FIRMWARE="small", LWIP="2.1")
    return SMALL


def test_stack_1_what_is_left_keeps_the_rules(small: Path) -> None:
    """On lwIP 2.1, with the host's own select."""
    table = run(sys.executable, CONFORMANCE / "run.py", "--host", f"firmware-small={small}", *SCRIPTS)
    assert " 0 failed" in table
    assert "skip" not in table


def functions_of(objects: Path) -> set[str]:
    names = "\n".join(name for _, _, name in firmware_size.symbols(objects))
    return {name for name in FUNCTIONS if name in names}


def test_it_is_small(small: Path) -> None:
    """Each part is not linked, neither its code nor what only it uses; what the docs say of the size holds."""
    assert functions_of(firmware_size.OBJECTS) == set(FUNCTIONS)
    objects = REPO / "build" / "firmware-small" / "objects"
    assert not functions_of(objects)
    text, _ = firmware_size.sizes(objects)
    assert 0 < firmware_size.module_text(text) <= LARGEST_TEXT
