"""Time, streams and kept bytes on a wire that loses, doubles, delays and reorders frames."""

from __future__ import annotations

import fnmatch
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from boards import CONFORMANCE, run

sys.path.insert(0, str(CONFORMANCE))
from board import lacks  # noqa: E402
from run import expected_lines, lines_that_need  # noqa: E402

WIRE = "--mirror --loss 0.03 --doubling 0.05 --delaying 0.3 --longest-delay 10".split()
# What a reset overtakes is lost for good. What is full may have room again, once what was lost has been repeated.
OVERTAKEN = ["TIME-6 reset *", "TIME-3 * send*: *", "TIME-3 * write: *"]


Run = Future[subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def runs(request: pytest.FixtureRequest) -> Iterator[dict[tuple[str, int], Run]]:
    """Those that are asked for, two boards at a time: mostly they wait for what a wire has lost."""
    tests = [
        item for item in request.session.items if isinstance(item, pytest.Function) and "runs" in item.fixturenames
    ]
    asked = [(str(test.callspec.params["name"]), int(str(test.callspec.params["seed"]))) for test in tests]
    with ThreadPoolExecutor(2) as pool:
        started = {
            (name, seed): pool.submit(run, CONFORMANCE / name, options=(*WIRE, "--seed", str(seed)))
            for name, seed in asked
        }
        yield started
        for board in started.values():
            board.cancel()


@pytest.mark.timeout(240)  # the one before it in the queue, too
@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", ["kept.py", "lines.py", "stream.py", "timeouts.py"])
def test_rules_hold(name: str, seed: int, runs: dict[tuple[str, int], Run]) -> None:
    left_out = lines_that_need(set(lacks()), CONFORMANCE / name) + OVERTAKEN

    def counts(line: str) -> bool:
        return not any(fnmatch.fnmatchcase(line, pattern) for pattern in left_out)

    done = runs[name, seed].result()
    expected = [line for line in "".join(expected_lines(CONFORMANCE / name)).splitlines() if counts(line)]
    assert [line for line in done.stdout.splitlines() if counts(line)] == expected, done.stderr
