"""The host's own modules over our sockets, and our sockets under its collector and its threads. Each script prints what
its .exp file says, and its first line names the rules."""

from __future__ import annotations

from pathlib import Path

import pytest
from hosts import SCRIPTS, Host

ALONE = sorted(path.with_suffix("") for path in SCRIPTS.glob("*.py.exp"))


@pytest.mark.parametrize("script", ALONE, ids=lambda script: script.stem)
def test_strm_7_name_4_prints_what_it_should(host: Host, script: Path) -> None:
    done = host.run(script)
    assert done.stdout == Path(f"{script}.exp").read_text()
    assert done.returncode == 0
