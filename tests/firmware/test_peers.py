"""The board and a peer that makes each frame by hand: what lwIP's options in ports/qemu are for."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

from boards import Machine
from peer import ACK, RST, SYN, TCP, Peer
from wire import ICMPV6, IPV4, IPV6, NEIGHBOUR_ADVERTISEMENT

ADDRESS, SOURCE = bytes.fromhex("fd00") + bytes(13) + b"\x77", bytes.fromhex("fd00") + bytes(13) + b"\1"


def test_stack_2_an_address_is_found_however_many_groups_were_joined_before(tmp_path: Path) -> None:
    """And each family has as many as USOCKET_LWIP_MEMBERSHIPS says."""
    with Peer(tmp_path) as peer, Machine("--wire", tmp_path, "groups.py") as board:
        assert board.prints("ready\n") == "8 [Errno 105] ENOBUFS\n" * 2
        peer.ask_for_neighbour(ADDRESS, SOURCE)
        answer = b""
        while not answer or answer[0] != NEIGHBOUR_ADVERTISEMENT or answer[8:24] != ADDRESS:
            answer = peer.receive(IPV6, ICMPV6)


def test_stack_2_time_3_who_does_not_answer_is_asked_for_twelve_seconds(tmp_path: Path) -> None:
    """The first SYN and as many repetitions as lwIP can count, a second apart."""
    with Peer(tmp_path) as peer, Machine("--wire", tmp_path, "unanswered.py") as board:
        board.prints("ready\n")
        for _ in range(13):
            assert peer.receive(IPV4, TCP)[13] == SYN
        board.prints("ended 110\n")


def begin(peer: Peer, port: int) -> int:
    """The first sequence number of a connection from that port of ours, which is reset then."""
    peer.send_tcp((port, 80), SYN, 1)
    while True:
        segment = peer.receive(IPV4, TCP)
        if int.from_bytes(segment[2:4], "big") == port and segment[13] == SYN | ACK:
            peer.send_tcp((port, 80), RST, 2)
            return int.from_bytes(segment[4:8], "big")


def test_stack_2_sequence_numbers_cannot_be_guessed(tmp_path: Path) -> None:
    """RFC 6528: those of other ports say nothing of them; those of the same ports go on with the time."""
    with Peer(tmp_path) as peer, Machine("--wire", tmp_path, "listens.py") as board:
        board.prints("ready\n")
        numbers = [begin(peer, 2000 + i) for i in range(12)]
        again = begin(peer, 2000)
    steps = [(after - before) % 2**32 for before, after in pairwise(numbers)]
    far = [step for step in steps if min(step, 2**32 - step) > 2**20]
    assert len(far) >= 10, numbers
    assert 0 < (again - numbers[0]) % 2**32 < 60 * 250_000, (numbers[0], again)
