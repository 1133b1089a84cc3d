"""What happens while a call waits (STACK-3)."""

from __future__ import annotations

import socket

import pytest
from boards import CTRL_C, CTRL_D, SCRIPTS, Machine, run


@pytest.mark.parametrize("call", ["recv", "read", "readline", "accept", "poll", "write", "sleep", "loop"])
def test_stack_3_ctrl_c_ends(call: str) -> None:
    with Machine("--mirror", "waits.py", call) as board:
        board.prints("waiting\n")
        board.type(CTRL_C)
        board.prints("KeyboardInterrupt\n")
        line = board.prints("\n")
        assert line == ("b'abcdefg\\n'" if call == "read" else "b'cdefg\\n'")
        assert board.status() == 0


def test_stack_3_scheduled_callbacks_run() -> None:
    done = run(SCRIPTS / "scheduled.py")
    assert done.stdout.splitlines() == [
        "b'x\\n' ['scheduled']",
        "b'x\\n' ['scheduled']",
        "b'x\\n' ['scheduled']",
        "1 ['scheduled']",
    ], done


LISTEN = """
import network, usocket
network.LAN().ifconfig("dhcp")
s = usocket.socket()
s.bind(("0.0.0.0", 7000))
s.listen()
print("listening")
c = s.accept()[0]
c.write(b"hello")
"""


def enter(board: Machine, lines: str) -> None:
    """In paste mode, which says when it has all of it."""
    board.prints(">>> ")
    board.type(b"\x05")
    board.prints("=== ")
    board.type(lines.strip().encode().replace(b"\n", b"\r") + CTRL_D)


def test_stack_3_a_soft_reset_closes_every_socket() -> None:
    """The peer hears of it, and the port is free: whatever was connected, listened or waited."""
    with Machine("--restrict", "--forward", "0:7000") as board:
        for _ in range(2):
            enter(board, LISTEN + "c.recv(100)\n")
            board.prints("\r\nlistening")
            with socket.create_connection(("127.0.0.1", board.forwarded_port()), 60) as peer:
                assert peer.recv(5, socket.MSG_WAITALL) == b"hello"
                board.type(CTRL_C)  # out of recv()
                board.prints("KeyboardInterrupt")
                board.prints(">>> ")
                board.type(CTRL_D)
                board.prints("soft reboot")
                assert is_over(peer)


def is_over(peer: socket.socket) -> bool:
    try:
        return peer.recv(1) == b""
    except ConnectionResetError:
        return True


def test_stack_3_a_soft_reset_gives_every_socket_back() -> None:
    use_up = """
import usocket
held = []
try:
    while True:
        held.append(usocket.socket())
except OSError as error:
    print("held", len(held))
"""
    with Machine("--restrict") as board:
        counts = []
        for _ in range(2):
            enter(board, use_up)
            board.prints("\r\nheld ")
            counts.append(int(board.prints("\r\n")))
            board.prints(">>> ")
            board.type(CTRL_D)
        assert counts[0] == counts[1] > 100
