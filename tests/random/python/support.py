# What the random tests of Python share: numbers from a seed, and a trial that says what it does and what it finds. Like
# them it runs on CPython, MicroPython and Pycopy, so it uses nothing that one of these lacks.

import sys

import usocket

try:
    import utime as time
except ImportError:
    import time
try:
    import uselect
except ImportError:
    import select as uselect  # noqa: F401 (for those that import this)
try:
    import _thread
except ImportError:
    _thread = None

try:
    from lacking import LACKS  # a build over another stack than the system's: what that has not (STACK-1)
except ImportError:
    LACKS = ()

# Threads may collect while others run. MicroPython's may where they have a lock of the interpreter (micropython-gil);
# without one they go on meanwhile, and the collector misses what they move.
MAY_COLLECT = sys.implementation.name == "cpython" or getattr(sys, "executable", "").endswith("-gil")

EAGAIN = 11
EBADF = 9
EINVAL = 22
ENOBUFS = 105
ENOMEM = 12
EOPNOTSUPP = 95
ETIMEDOUT = 110

SLACK_MS = 4000  # how much longer than its timeout a call may take on a machine that is busy with others


def now_ms():
    return time.ticks_ms() if hasattr(time, "ticks_ms") else int(time.monotonic() * 1000)


def since_ms(start):
    return time.ticks_diff(time.ticks_ms(), start) if hasattr(time, "ticks_diff") else now_ms() - start


def sleep_ms(span):
    time.sleep(span / 1000)


class Found(Exception):
    """Something is wrong."""


class Random:
    """Numbers from a seed, the same on every host (xorshift32)."""

    def __init__(self, seed):
        self.state = (seed * 2654435761 + 0x9E3779B9) & 0xFFFFFFFF or 1
        for _ in range(4):
            self.below(2)

    def below(self, limit):
        state = self.state
        state ^= (state << 13) & 0xFFFFFFFF
        state ^= state >> 17
        state ^= (state << 5) & 0xFFFFFFFF
        self.state = state
        return (state * 0x9E3779B1 & 0xFFFFFFFF) % limit

    def between(self, first, last):
        return first + self.below(last - first + 1)

    def chance(self, percent):
        return self.below(100) < percent

    def choose(self, choices):
        return choices[self.below(len(choices))]


class Trial:
    """One seed's run."""

    def __init__(self, seed):
        self.random = Random(seed)
        self.step = 0

    def trace(self, *what):
        print(self.step, *what)

    def require(self, is_right, *what):
        if not is_right:
            raise Found(" ".join(str(part) for part in what))


def pattern(seed, begin, size, line):
    """Bytes of an endless text in which each follows from its place; one in `line` ends a line, none if that is 0."""
    out = bytearray(size)
    for i in range(size):
        mixed = ((begin + i + 1) * 2654435761 + seed * 40503) & 0xFFFFFFFF
        mixed = ((mixed ^ (mixed >> 15)) * 2246822519) & 0xFFFFFFFF
        mixed ^= mixed >> 13
        out[i] = 10 if line and (mixed >> 16) % line == 0 else 33 + mixed % 90
    return bytes(out)


def connected(kind, make=usocket.socket):
    """A socket under test and its peer; kind: "tcp", "tcp6" or "unix"."""
    if kind == "unix":
        return usocket.socketpair()
    family = usocket.AF_INET6 if kind == "tcp6" else usocket.AF_INET
    server = usocket.socket(family)
    server.bind(("::1" if kind == "tcp6" else "127.0.0.1", 0))
    server.listen(1)
    near = make(family)
    near.connect(server.getsockname())
    far = server.accept()[0]
    server.close()
    far.setsockopt(usocket.IPPROTO_TCP, usocket.TCP_NODELAY, 1)
    return near, far


def has_ipv6():
    try:
        sock = usocket.socket(usocket.AF_INET6)
        sock.bind(("::1", 0))
        sock.close()
    except (OSError, AttributeError):
        return False
    return True


def code_of(error):
    return error.args[0] if error.args else None
