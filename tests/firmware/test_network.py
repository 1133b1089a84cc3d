"""network.LAN, and desktop programs that talk to the board."""

from __future__ import annotations

import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from boards import CTRL_C, SCRIPTS, TIME_LIMIT_S, Machine, run
from dhcp_server import ACK, COOKIE, DISCOVER, NAK, OFFER, REQUEST, DhcpServer

LARGEST_IN_A_BURST = 9_900  # what the chip has room for, if all fragments come at once (docs/firmware.md)


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


def test_an_address_is_set_by_hand(tmp_path: Path) -> None:
    """The board then asks nobody for one, and a desktop program reaches it there."""
    wire = tmp_path / "frames"
    address = ("10.0.2.15", "255.255.255.0", "10.0.2.2", "10.0.2.3")
    with Machine(
        *("--restrict", "--forward", "0:8080", "--capture", wire), "asyncio_page.py", "8080", *address
    ) as board:
        board.prints(f"serving at {address[0]}\n")
        assert fetch(board.forwarded_port(), "/static") == "<h1>A board</h1>/static"
        board.type(CTRL_C)
        board.prints("KeyboardInterrupt")
    frames = wire.read_bytes()
    assert b"/static" in frames
    assert COOKIE not in frames


def test_what_an_interface_is_told_is_what_it_says() -> None:
    """ifconfig() and ipconfig() show it; what is no address changes nothing."""
    told = run(SCRIPTS / "addresses.py", options=("--restrict",))
    assert (told.stdout, told.returncode) == (
        "set ('10.0.2.77', '255.255.0.0', '10.0.2.9', '10.0.2.8') True\n"
        "ipconfig ('10.0.2.77', '255.255.0.0') 10.0.2.9 False\n"
        "refused ValueError ValueError ValueError TypeError ('10.0.2.77', '255.255.0.0', '10.0.2.9', '10.0.2.8')\n"
        "dhcp 10.0.2.15 True True\n"
        "by hand again ('10.0.2.78', '255.255.0.0', '10.0.2.9', '10.0.2.8') False False\n"
        "by hand, of IPv6 True\n"
        "down 0.0.0.0 False\n"
        "up again 0.0.0.0 False\n",
        0,
    ), told.stderr


def test_stack_2_nothing_is_left_out_while_a_neighbour_is_asked_for() -> None:
    """Nor of what the board sends to itself over the wire; and a script's arguments are what was typed."""
    told = run(SCRIPTS / "neighbours.py", "a,b", "--c", "d e", "", "f\\ g")
    assert (told.stdout, told.returncode) == (
        "['a,b', '--c', 'd e', '', 'f\\\\ g']\nfragments 4000\nin a row [0, 1, 2]\n127.0.0.1 4000\n::1 4000\n",
        0,
    ), told.stderr


def test_stack_2_frames_are_taken_off_the_chip_while_others_are_sent() -> None:
    """Datagrams of the largest size, in more fragments than the chip has room for."""
    told = run(SCRIPTS / "looped.py", options=("--steady",))
    assert (told.stdout, told.returncode) == ("True\nTrue\n", 0), told.stderr


def test_stack_2_a_datagram_comes_whole_in_a_burst() -> None:
    """However late the board is: the chip has room for all fragments."""
    told = run(SCRIPTS / "datagrams.py", str(LARGEST_IN_A_BURST))
    assert (told.stdout, told.returncode) == ("127.0.0.1 True\n::1 True\n", 0), told.stderr


def test_stack_2_datagrams_to_and_from_a_desktop_program() -> None:
    """All fragments of one come to the chip at once. The board may send larger ones."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as desktop:
        desktop.bind(("127.0.0.1", 0))
        desktop.settimeout(TIME_LIMIT_S)
        port = desktop.getsockname()[1]
        with Machine("echoed.py", str(port), str(LARGEST_IN_A_BURST), "65507") as board:
            data, address = desktop.recvfrom(0x10000)
            desktop.sendto(data, address)
            board.prints("back True\n")
            desktop.sendto(str(len(desktop.recv(0x10000))).encode(), address)
            board.prints("there 65507\n")
            assert board.status() == 0


def test_a_dhcp_server_that_refuses_is_not_asked_without_pause(tmp_path: Path) -> None:
    """For five seconds it refuses; then it agrees, and the board has its address."""
    asked = 0
    with DhcpServer(tmp_path) as server, Machine("--wire", tmp_path, "dhcp.py") as board:
        end = time.monotonic() + 5
        kind = NAK
        while kind != ACK:
            message, frame = server.receive()
            asked += 1
            assert message in (DISCOVER, REQUEST)
            kind = OFFER if message == DISCOVER else NAK if time.monotonic() < end else ACK
            server.answer(frame, kind)
        board.prints("address 10.9.8.7\n")
    assert asked <= 20
