"""MicroPython prints for the scripts of tests/python/desktop what their .exp files say: what python -m usocket is held
to is not our own invention (DEV-1, DEV-3)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hosts import OURS, REPO

SCRIPTS = sorted((REPO / "tests" / "python" / "desktop").glob("*_scripts/*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.stem)
def test_dev_3_expected_output_is_micropythons(script: Path) -> None:
    done = OURS.run(script)
    assert done.stdout == Path(f"{script}.exp").read_text()
    assert done.returncode == 0
