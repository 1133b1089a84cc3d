"""What the tests of the CPython package share: connections, and no warning of an unclosed socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
from python_support import Pair, make_pair

HERE = Path(__file__).parent

# No example fails for being slow: the machine may be busy.
hypothesis.settings.register_profile("usocket", deadline=None)
hypothesis.settings.load_profile("usocket")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.filterwarnings("error"), append=False)  # a test may soften it


@pytest.fixture(params=["tcp", "unix"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    """Two connected stream sockets, over TCP and AF_UNIX."""
    with make_pair(request.param) as both:
        yield both


@pytest.fixture
def tcp() -> Iterator[Pair]:
    with make_pair("tcp") as both:
        yield both
