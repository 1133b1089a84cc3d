"""Runs a test on each of our builds."""

from __future__ import annotations

import pytest
from hosts import GIL, OURS, Host


@pytest.fixture(params=[OURS, GIL], ids=lambda host: host.name)
def host(request: pytest.FixtureRequest) -> Host:
    chosen: Host = request.param
    assert chosen.path.exists(), f"no {chosen.path}: tools/micropython builds it"
    return chosen
