"""The wire of the firmware's tests: frames in datagrams of an AF_UNIX socket, as QEMU's `-netdev dgram` sends them.

At its other end is a mirror. It answers for every address, and sends each packet back with source and destination
exchanged: what the board sends to 10.0.2.99 comes to it from there, and what it sends to itself comes from itself. So
it talks to itself through its own interface, and nothing else is on the wire.

Faults, by a seed: frames are lost, doubled, delayed, and so come in another order.
"""

from __future__ import annotations

import heapq
import random
import select
import socket
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

MAC = bytes.fromhex("020000000063")
ARP, IPV4, IPV6 = b"\x08\x06", b"\x08\x00", b"\x86\xdd"
ICMPV6 = 58
NEIGHBOUR_SOLICITATION, NEIGHBOUR_ADVERTISEMENT = 135, 136
ROUTER_TO_NEIGHBOUR = range(130, 144)  # what hosts tell one another about the link


@dataclass(frozen=True)
class Faults:
    """What becomes of frames; probabilities, and milliseconds."""

    seed: int = 0
    loss: float = 0.0
    doubling: float = 0.0
    delaying: float = 0.0
    longest_delay_ms: float = 0.0


class Mirror:
    """Turns a frame into the one that comes back, if one does."""

    def answer(self, frame: bytes) -> bytes | None:
        kind, packet = frame[12:14], frame[14:]
        if kind == ARP:
            return self._arp(frame, packet)
        if frame[0] & 1:
            return self._neighbour(frame, packet) if kind == IPV6 else None
        if kind == IPV4 and len(packet) >= 20:
            return self._back(frame, packet[:12] + packet[16:20] + packet[12:16] + packet[20:])
        if kind == IPV6 and len(packet) >= 40:
            if packet[6] == ICMPV6 and packet[40] in ROUTER_TO_NEIGHBOUR:
                return self._neighbour(frame, packet)
            return self._back(frame, packet[:8] + packet[24:40] + packet[8:24] + packet[40:])
        return None

    def _back(self, frame: bytes, packet: bytes) -> bytes:
        return frame[6:12] + MAC + frame[12:14] + packet

    def _arp(self, frame: bytes, packet: bytes) -> bytes | None:
        if packet[6:8] != b"\0\1":
            return None
        asker, asked = packet[8:18], packet[24:28]
        return self._back(frame, packet[:6] + b"\0\2" + MAC + asked + asker)

    def _neighbour(self, frame: bytes, packet: bytes) -> bytes | None:
        """Who has an address? Not if it is asked by one that tries whether it is free."""
        message, source = packet[40:], packet[8:24]
        if packet[6] != ICMPV6 or message[0] != NEIGHBOUR_SOLICITATION or not any(source):
            return None
        asked = message[8:24]
        reply = bytes([NEIGHBOUR_ADVERTISEMENT, 0, 0, 0, 0x60, 0, 0, 0]) + asked + b"\2\1" + MAC
        pseudo = asked + source + len(reply).to_bytes(4, "big") + bytes([0, 0, 0, ICMPV6])
        reply = reply[:2] + checksum(pseudo + reply) + reply[4:]
        header = packet[:4] + len(reply).to_bytes(2, "big") + bytes([ICMPV6, 255]) + asked + source
        return self._back(frame, header + reply)


def checksum(data: bytes) -> bytes:
    total = sum(int.from_bytes(data[i : i + 2], "big") for i in range(0, len(data), 2))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2, "big")


class Wire:
    """From a socket of ours to the board's, until a descriptor says that it is over."""

    def __init__(self, here: Path, board: Path, faults: Faults) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(str(here))
        self._board = str(board)
        self._faults = faults
        self._random = random.Random(faults.seed)
        self._mirror = Mirror()
        self._late: list[tuple[float, int, bytes]] = []  # when, and in which order
        self._count = 0

    def run(self, until_readable: int) -> None:
        while True:
            wait = max(0.0, self._late[0][0] - time.monotonic()) if self._late else None
            ready, _, _ = select.select([self._socket.fileno(), until_readable], [], [], wait)
            if until_readable in ready:
                return
            if self._socket.fileno() in ready:
                self._take(self._socket.recv(2048))
            while self._late and self._late[0][0] <= time.monotonic():
                self._send(heapq.heappop(self._late)[2])

    def _take(self, frame: bytes) -> None:
        back = self._mirror.answer(frame)
        if back is None:
            return
        for delay_ms in self._fates():
            if delay_ms == 0:
                self._send(back)
            else:
                self._count += 1
                heapq.heappush(self._late, (time.monotonic() + delay_ms / 1000, self._count, back))

    def _fates(self) -> Iterable[float]:
        """By how much each copy of a frame is late."""
        faults, chance = self._faults, self._random.random
        copies = 0 if chance() < faults.loss else 2 if chance() < faults.doubling else 1
        return [chance() * faults.longest_delay_ms if chance() < faults.delaying else 0 for _ in range(copies)]

    def _send(self, frame: bytes) -> None:
        try:
            self._socket.sendto(frame, self._board)
        except OSError:
            pass  # the machine is not there yet, or no more
