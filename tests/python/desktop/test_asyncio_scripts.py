"""The asyncio of devices against MicroPython's own: each script prints what its .exp file says, which MicroPython has
printed (and prints in tests/micropython/test_asyncio_scripts.py)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
SCRIPTS = sorted((HERE / "asyncio_scripts").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_dev_3_prints_what_micropython_does(script: Path) -> None:
    done = subprocess.run(
        [sys.executable, HERE / "device_asyncio.py", script], capture_output=True, text=True, timeout=100
    )
    assert done.stdout == Path(f"{script}.exp").read_text()
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
