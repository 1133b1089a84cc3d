"""A peer of the tests at the other end of the board's wire (board.py --wire): each frame is its own."""

from __future__ import annotations

import socket
from pathlib import Path

from wire import ARP, ICMPV6, IPV4, IPV6, MAC, Mirror, checksum

TCP = 6
SYN, RST, ACK = 2, 4, 16
BOARD_MAC = bytes.fromhex("525400123456")
HERE, BOARD = bytes([10, 9, 8, 1]), bytes([10, 9, 8, 7])
TIME_LIMIT_S = 60


class Peer:
    def __init__(self, folder: Path) -> None:
        self._board = str(folder / "board")
        self._mirror = Mirror()
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(folder / "wire"))
        self._socket.settimeout(TIME_LIMIT_S)

    def __enter__(self) -> Peer:
        return self

    def __exit__(self, *unused: object) -> None:
        self._socket.close()

    def receive(self, kind: bytes, protocol: int) -> bytes:
        """The payload of the next such packet; who asks for its neighbour is told."""
        at, header = (9, 20) if kind == IPV4 else (6, 40)
        while True:
            frame = self._socket.recv(2048)
            if frame[12:14] == ARP and (answer := self._mirror.answer(frame)):
                self._socket.sendto(answer, self._board)
            if frame[12:14] == kind and frame[14 + at] == protocol:
                return frame[14 + header :]

    def _send(self, to: bytes, kind: bytes, packet: bytes) -> None:
        self._socket.sendto(to + MAC + kind + packet, self._board)

    def send_tcp(self, ports: tuple[int, int], flags: int, sequence: int, acknowledged: int = 0) -> None:
        """A segment without data, from and to these ports."""
        segment = b"".join(port.to_bytes(2, "big") for port in ports)
        segment += sequence.to_bytes(4, "big") + acknowledged.to_bytes(4, "big")
        segment += bytes([5 << 4, flags, 0xFF, 0xFF, 0, 0, 0, 0])
        sum_ = checksum(HERE + BOARD + bytes([0, TCP, 0, len(segment)]) + segment)
        header = bytes([0x45, 0, 0, 20 + len(segment), 0, 0, 0, 0, 64, TCP, 0, 0]) + HERE + BOARD
        packet = header[:10] + checksum(header) + header[12:] + segment[:16] + sum_ + segment[18:]
        self._send(BOARD_MAC, IPV4, packet)

    def ask_for_neighbour(self, address: bytes, source: bytes) -> None:
        """RFC 4861: at the group of all that have such an address."""
        group = bytes.fromhex("ff0200000000000000000001ff") + address[-3:]
        message = bytes([135, 0, 0, 0, 0, 0, 0, 0]) + address + b"\1\1" + MAC
        sum_ = checksum(source + group + bytes([0, 0, 0, len(message), 0, 0, 0, ICMPV6]) + message)
        message = message[:2] + sum_ + message[4:]
        header = bytes([0x60, 0, 0, 0, 0, len(message), ICMPV6, 255]) + source + group
        self._send(b"\x33\x33" + group[-4:], IPV6, header + message)
