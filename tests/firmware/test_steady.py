"""What an operation takes of the board, in instructions: the clock counts them, so how busy this machine is does not
matter. bench/firmware_speed.py has the same beside MicroPython's own module."""

from __future__ import annotations

import pytest
from boards import REPO, run

WORKER = REPO / "bench" / "firmware_worker.py"
# With room for another compiler. A line read byte by byte takes 14,700, a call that enters the socket as if others were
# there 700 more.
MOST = {
    "lines_80": 3000,
    "recv_64": 2500,
    "read_16": 1950,
    "round_trip": 14000,
    "read_eof": 150_000,
}


@pytest.fixture(scope="module")
def figures() -> dict[str, float]:
    done = run(WORKER, options=("--steady",))
    assert done.returncode == 0, done.stderr
    return {item: float(value) for item, value in (line.split() for line in done.stdout.splitlines())}


@pytest.mark.parametrize("item", MOST)
def test_strm_5_stack_2_what_is_there_costs_little(item: str, figures: dict[str, float]) -> None:
    assert 0 < figures[item] <= MOST[item]
