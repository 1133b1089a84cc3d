"""Which port a program listens on that does not tell."""

from __future__ import annotations

import os
from pathlib import Path

LISTENS = "0A"  # a state in /proc/net/tcp


def listening_port(pid: int) -> int:
    """Of IPv4's TCP; on Linux."""
    links = map(os.readlink, Path(f"/proc/{pid}/fd").iterdir())
    inodes = {link.removeprefix("socket:[").removesuffix("]") for link in links if link.startswith("socket:[")}
    for row in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        words = row.split()
        if words[3] == LISTENS and words[9] in inodes:
            return int(words[1].partition(":")[2], 16)
    raise AssertionError(f"process {pid} listens nowhere")
