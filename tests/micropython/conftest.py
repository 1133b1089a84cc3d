"""Runs a test on each of our builds."""

from __future__ import annotations

from pathlib import Path

import hosts  # noqa: F401  which finds the next one
import pytest
from certificates import make_certificates
from hosts import GIL, OURS, Host


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


@pytest.fixture(params=[OURS, GIL], ids=lambda host: host.name)
def host(request: pytest.FixtureRequest) -> Host:
    chosen: Host = request.param
    assert chosen.path.exists(), f"no {chosen.path}: tools/micropython builds it"
    return chosen
