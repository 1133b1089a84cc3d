"""A DHCP server of the tests, at the other end of the board's wire (board.py --wire): what it is sent, and what it
answers (RFC 2131)."""

from __future__ import annotations

import socket
from pathlib import Path

from wire import IPV4, MAC, checksum

DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6
COOKIE = b"\x63\x82\x53\x63"  # in each message, before its options
KIND, ADDRESS_TIME, SERVER, MASK, END = 53, 51, 54, 1, 255  # options
SERVER_ADDRESS, CLIENT_ADDRESS = bytes([10, 9, 8, 1]), bytes([10, 9, 8, 7])
TIME_LIMIT_S = 60
LEADING = 14 + 20 + 8  # headers of Ethernet, IP and UDP


class DhcpServer:
    def __init__(self, folder: Path) -> None:
        self._board = str(folder / "board")
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "wire"))
        self._socket.settimeout(TIME_LIMIT_S)

    def __enter__(self) -> DhcpServer:
        return self

    def __exit__(self, *unused: object) -> None:
        self._socket.close()

    def receive(self) -> tuple[int, bytes]:
        """The next message of the client's: its kind, and the frame that it came in."""
        while True:
            frame = self._socket.recv(2048)
            _, is_dhcp, options = frame.partition(COOKIE)
            if frame[12:14] == IPV4 and is_dhcp:
                assert options[0] == KIND
                return options[2], frame

    def answer(self, frame: bytes, kind: int) -> None:
        request = frame[LEADING:]
        has_address = kind != NAK
        options = bytes([KIND, 1, kind, SERVER, 4]) + SERVER_ADDRESS
        if has_address:
            options += bytes([ADDRESS_TIME, 4, 0, 0, 14, 16, MASK, 4, 255, 255, 255, 0])
        message = (
            bytes([2, 1, 6, 0])
            + request[4:12]  # which request it answers
            + bytes(4)
            + (CLIENT_ADDRESS if has_address else bytes(4))
            + bytes(8)
            + request[28:44]  # whom
            + bytes(64 + 128)
            + COOKIE
            + options
            + bytes([END])
        )
        datagram = bytes([0, 67, 0, 68]) + (8 + len(message)).to_bytes(2, "big") + bytes(2) + message
        header = bytes([0x45, 0]) + (20 + len(datagram)).to_bytes(2, "big") + bytes([0, 0, 0, 0, 64, 17, 0, 0])
        header += SERVER_ADDRESS + b"\xff" * 4
        packet = header[:10] + checksum(header) + header[12:] + datagram
        self._socket.sendto(b"\xff" * 6 + MAC + IPV4 + packet, self._board)
