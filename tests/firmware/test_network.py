"""network.LAN, and desktop programs that talk to the board."""

from __future__ import annotations

import subprocess
from concurrent.futures import ThreadPoolExecutor

from boards import Machine


def fetch(port: int, path: str) -> str:
    command = ["curl", "--silent", "--show-error", "--max-time", "60", f"http://127.0.0.1:{port}{path}"]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=90).stdout


def test_a_desktop_program_fetches_a_page() -> None:
    """DHCP gives the board its address; asyncio serves several clients at once."""
    with Machine("--restrict", "--forward", "0:8080", "asyncio_page.py", "8080") as board:
        board.prints("serving at 10.0.2.15\n")
        port = board.forwarded_port()
        assert fetch(port, "/first") == "<h1>A board</h1>/first"
        with ThreadPoolExecutor(4) as pool:
            paths = [f"/{number}" for number in range(12)]
            assert list(pool.map(lambda path: fetch(port, path), paths)) == [
                f"<h1>A board</h1>{path}" for path in paths
            ]
