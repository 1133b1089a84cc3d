"""--chaos SEED: the program's sockets as over a bad network (DEV-6).

Transfers are cut short where they may be, calls are delayed, connections break, and signals arrive in the middle of
calls. What happens to a socket follows from the seed, from which socket of the program it is, and from the calls on it:
the same program does the same again. At the end a line on stderr says how much of each there was.
"""

from __future__ import annotations

import atexit
import errno
import itertools
import random
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from usocket import SHUT_RDWR, SO_LINGER, SOCK_STREAM, SOL_SOCKET
from usocket.desktop import layers, schedule

# Of a thousand calls that it can happen to.
_CUT, _AGAIN, _DELAY, _RESET, _INTERRUPT = 300, 100, 100, 3, 50
_LONGEST_DELAY_S = 0.02

_TRANSFERS = ("recv", "recv_into", "read", "readinto", "readline", "send", "sendall", "write", "recvfrom", "sendto")

_counts: Counter[str] = Counter()
_numbers = itertools.count()


def start(seed: int) -> None:
    layers.put_between(lambda base: _chaotic(base, seed))
    atexit.register(_summarize, seed)


def _summarize(seed: int) -> None:
    parts = ", ".join(f"{_counts[name]} {name}" for name in ("cut", "put off", "delayed", "reset", "interrupted"))
    print(f"chaos {seed}: of {_counts['calls']} calls {parts}", file=sys.stderr)


def _chaotic(base: type[Any], seed: int) -> type[Any]:
    methods: dict[str, Any] = {name: _disturbed(name, getattr(base, name), seed) for name in _TRANSFERS}
    return type("socket", (base,), {"__module__": base.__module__, **methods})


def _disturbed(name: str, method: Callable[..., Any], seed: int) -> Callable[..., Any]:
    def call(self: Any, *arguments: Any, **named: Any) -> Any:
        fate = self.__dict__.get("fate")
        if fate is None:
            fate = self.fate = random.Random(f"{seed} {next(_numbers)}")
        _counts["calls"] += 1
        happens = {what: fate.random() * 1000 < often for what, often in _FATES}
        share = fate.random()
        if happens["delayed"]:
            _counts["delayed"] += 1
            time.sleep(share * _LONGEST_DELAY_S)
        if happens["reset"] and self.type == SOCK_STREAM:
            _break(self)
        if happens["interrupted"]:
            _counts["interrupted"] += 1
            threading.Timer(share * _LONGEST_DELAY_S, schedule.schedule, (lambda _: None, None)).start()
        is_waiting = self.gettimeout() != 0
        if happens["put off"] and not is_waiting:
            _counts["put off"] += 1
            if name in ("read", "readinto", "readline", "write"):
                return None
            raise OSError(errno.EAGAIN, "Resource temporarily unavailable")
        if happens["cut"]:
            return _cut(self, name, method, share, is_waiting, arguments, named)
        return method(self, *arguments, **named)

    call.__name__ = name
    return call


_FATES = [("cut", _CUT), ("put off", _AGAIN), ("delayed", _DELAY), ("reset", _RESET), ("interrupted", _INTERRUPT)]


def _cut(
    self: Any, name: str, method: Callable[..., Any], share: float, is_waiting: bool, arguments: Any, named: Any
) -> Any:
    """Less than was asked for, where the call may do less; else what is sent goes out in two parts."""
    first: Any
    first, *rest = arguments or (None,)
    if name in ("recv", "read") and isinstance(first, int) and first > 1 and not rest:
        if name == "recv" or not is_waiting:
            _counts["cut"] += 1
            return method(self, _part(first, share), **named)
    elif name in ("send", "write", "sendall") and not rest and not named:
        data = first.encode() if isinstance(first, str) else bytes(first)
        if len(data) > 1:
            _counts["cut"] += 1
            size = _part(len(data), share)
            if name == "send" or not is_waiting:
                return method(self, data[:size])
            method(self, data[:size])
            time.sleep(share * _LONGEST_DELAY_S)
            method(self, data[size:])
            return len(data) if name == "write" else None
    return method(self, *arguments, **named)


def _part(size: int, share: float) -> int:
    return max(1, int(size * share))


def _break(self: Any) -> None:
    """The connection is gone, for the other side too."""
    try:
        self.getpeername()
        self.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
        self.shutdown(SHUT_RDWR)
    except OSError:
        return  # not connected: nothing to break
    _counts["reset"] += 1
    raise OSError(errno.ECONNRESET, "Connection reset by peer (chaos)")
