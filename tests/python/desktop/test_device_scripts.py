"""Programs for devices print under python -m usocket what their .exp files say, which our MicroPython has printed (and
prints in tests/micropython/test_own_asyncio.py)."""

from __future__ import annotations

from pathlib import Path

import pytest
from programs import call

SCRIPTS = sorted((Path(__file__).parent / "device_scripts").glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_dev_1_prints_what_micropython_does(script: Path) -> None:
    done = call(script)
    assert done.stdout == Path(f"{script}.exp").read_text(), done.stderr
    assert done.returncode == 0
