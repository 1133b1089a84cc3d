"""The firmware has to be there: no test skips."""

from __future__ import annotations

import pytest
from boards import BOARD


@pytest.fixture(autouse=True, scope="session")
def firmware() -> None:
    assert BOARD.exists(), f"no {BOARD}: tools/firmware builds it"
