"""Time, streams and kept bytes on a wire that loses, doubles, delays and reorders frames."""

from __future__ import annotations

import fnmatch
import sys

import pytest
from boards import CONFORMANCE, run

sys.path.insert(0, str(CONFORMANCE))
from board import lacks  # noqa: E402
from run import expected_lines, lines_that_need  # noqa: E402

WIRE = "--mirror --loss 0.03 --doubling 0.05 --delaying 0.3 --longest-delay 10".split()
# What a reset overtakes is lost for good. What is full may have room again, once what was lost has been repeated.
OVERTAKEN = ["TIME-6 reset *", "TIME-3 * send*: *", "TIME-3 * write: *"]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", ["kept.py", "lines.py", "stream.py", "timeouts.py"])
def test_rules_hold(name: str, seed: int) -> None:
    script = CONFORMANCE / name
    left_out = lines_that_need(set(lacks()), script) + OVERTAKEN

    def counts(line: str) -> bool:
        return not any(fnmatch.fnmatchcase(line, pattern) for pattern in left_out)

    done = run(script, options=(*WIRE, "--seed", str(seed)))
    expected = [line for line in "".join(expected_lines(script)).splitlines() if counts(line)]
    assert [line for line in done.stdout.splitlines() if counts(line)] == expected, done.stderr
