"""create_connection() and create_server() (GAI-5): one deadline for everything, both families raced (RFC 8305)."""

from __future__ import annotations

import errno
import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import Any

import uselect

from usocket import compat as _face  # late: a program may put names of its own into it
from usocket._usocket import SO_ERROR, SOL_SOCKET
from usocket.compat.addresses import AddressLike
from usocket.compat.sockets import checked_timeout, socket

ATTEMPT_DELAY_S = 0.25  # RFC 8305, section 5: before the next address is tried beside those that have not answered

Candidate = tuple[int, int, int, str, Any]


def interleaved(found: Iterable[Candidate]) -> list[Candidate]:
    """The families by turns, each in the resolver's order (RFC 8305, section 4)."""
    by_family: dict[int, list[Candidate]] = {}
    for candidate in found:
        by_family.setdefault(candidate[0], []).append(candidate)
    queues = list(by_family.values())
    return [queue[turn] for turn in range(max(map(len, queues), default=0)) for queue in queues if turn < len(queue)]


class Race:
    """Attempts to connect to the candidates, each begun when the one before has failed, or not answered for a while."""

    def __init__(
        self,
        candidates: list[Candidate],
        deadline: float | None,
        source: Any,
        *,
        waits: bool = True,
        is_default: bool = False,
    ) -> None:
        self.errors: list[OSError] = []
        self.has_set_timeouts = False  # of the sockets, else they have the timeout that they were made with
        self._targets: list[Any] = []  # of the errors
        self._candidates: Iterator[Candidate] = iter(candidates)
        self._left = len(candidates)
        self._deadline = deadline
        self._source = source
        self._waits = waits  # else an attempt that goes on is given up: BlockingIOError
        self._is_default = is_default  # without a deadline: new sockets have that timeout already
        self._pending: dict[int, tuple[Any, Any]] = {}  # by descriptor: the socket, and where to

    def run(self) -> Any | None:
        """The first socket that is connected; None: self.errors says why there is none."""
        try:
            while self._left or self._pending:
                winner = self._begin() if self._left else None
                if winner is None:
                    winner = self._await(ATTEMPT_DELAY_S if self._left else None)
                if winner is not None:
                    return winner
                if self._remaining() == 0:
                    self._give_up()
                    return None
            return None
        finally:
            for loser, _ in self._pending.values():
                loser.close()

    def _remaining(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _begin(self) -> Any | None:
        """The next attempt. Alone and the last, it waits in its own connect()."""
        family, kind, proto, _, destination = next(self._candidates)
        self._left -= 1
        is_alone = not self._left and not self._pending
        sock = None
        try:
            sock = _face.socket(family, kind, proto)
            remaining = self._remaining()
            if remaining == 0:
                raise TimeoutError(errno.ETIMEDOUT, "timed out before this address was tried")
            span = remaining if is_alone and self._waits else 0
            if span is not None or not self._is_default:
                self.has_set_timeouts = True
                sock.settimeout(span)
            if self._source is not None:
                sock.bind(self._source)
            sock.connect(destination)
            return sock
        except BlockingIOError as failure:
            if sock is None or not self._waits:
                self._lost(sock, destination, failure)
            else:
                self._pending[sock.fileno()] = sock, destination
        except _face.error as failure:
            self._lost(sock, destination, failure)
        except BaseException:
            if sock is not None:
                sock.close()
            raise
        return None

    def _lost(self, sock: Any, destination: Any, failure: OSError) -> None:
        if sock is not None:
            sock.close()
        self._targets.append(destination)
        self.errors.append(failure)

    def _await(self, at_most: float | None) -> Any | None:
        """What the attempts that go on come to, until one has come to something."""
        if not self._pending:
            return None
        remaining = self._remaining()
        span = remaining if at_most is None else at_most if remaining is None else min(at_most, remaining)
        poll = uselect.poll()  # the system's knows nothing of another stack's descriptors
        for sock, _ in self._pending.values():
            poll.register(sock, uselect.POLLOUT)
        for sock, _ in poll.poll(-1 if span is None else span * 1000):
            _, destination = self._pending.pop(sock.fileno())
            code = sock.getsockopt(SOL_SOCKET, SO_ERROR)
            if code == 0:
                return sock
            self._lost(sock, destination, OSError(code, os.strerror(code)))
        return None

    def _give_up(self) -> None:
        for sock, destination in list(self._pending.values()):
            self._lost(sock, destination, TimeoutError(errno.ETIMEDOUT, "timed out"))
        self._pending.clear()

    def error(self) -> OSError:
        """That of the last address, with the others' named in its text."""
        last = self.errors[-1]
        if len(self.errors) == 1 or last.errno is None:
            return last
        told = [
            f"{target}: {failure.args[1] if len(failure.args) > 1 else failure}"
            for target, failure in zip(self._targets, self.errors, strict=True)
        ]
        return OSError(last.errno, "; ".join(told))


def create_connection(
    address: tuple[str | None, int | str | bytes | None],
    timeout: Any = None,
    source_address: AddressLike | None = None,
    *,
    all_errors: bool = False,
) -> Any:
    """A socket that is connected to (host, port): of the host's addresses the first that answers.

    The timeout is for resolving and all attempts together. The error is that of the last address and names the others,
    or with all_errors it is an ExceptionGroup of all (3.11).
    """
    is_default = timeout is _face._GLOBAL_DEFAULT_TIMEOUT
    if is_default:
        timeout = _face.getdefaulttimeout()
    timeout = checked_timeout(timeout)
    deadline = time.monotonic() + timeout if timeout else None
    try:
        host, port = address
    except (TypeError, ValueError) as wrong:
        raise type(wrong)(f"create_connection(): the address is a tuple (host, port), not {address!r}") from None
    found = _face.getaddrinfo(host, port, 0, _face.SOCK_STREAM)
    race = Race(interleaved(found), deadline, source_address, waits=timeout != 0, is_default=is_default)
    try:
        connection = race.run()
        if connection is not None:
            if race.has_set_timeouts:
                connection.settimeout(timeout)
            return connection
        if not race.errors:
            raise OSError("getaddrinfo returns an empty list")
        if all_errors and sys.version_info >= (3, 11):
            raise ExceptionGroup("create_connection failed", race.errors)  # noqa: F821
        raise race.error()
    finally:
        race.errors = []  # a cycle with the traceback's frame otherwise


def has_dualstack_ipv6() -> bool:
    """Whether one AF_INET6 socket can serve IPv4 as well."""
    if not _face.has_ipv6:
        return False
    try:
        with _face.socket(_face.AF_INET6, _face.SOCK_STREAM) as sock:
            sock.setsockopt(_face.IPPROTO_IPV6, _face.IPV6_V6ONLY, 0)
            return True
    except _face.error:
        return False


def create_server(
    address: AddressLike,
    *,
    family: int = _face.AF_INET,
    backlog: int | None = None,
    reuse_port: bool = False,
    dualstack_ipv6: bool = False,
) -> socket:
    """A socket that listens on the address."""
    if dualstack_ipv6 and not _face.has_dualstack_ipv6():
        raise ValueError("dualstack_ipv6 not supported on this platform")
    if dualstack_ipv6 and family != _face.AF_INET6:
        raise ValueError("dualstack_ipv6 requires AF_INET6 family")
    server = _face.socket(family, _face.SOCK_STREAM)
    try:
        if family in (_face.AF_INET, _face.AF_INET6):
            server.setsockopt(_face.SOL_SOCKET, _face.SO_REUSEADDR, 1)
        if reuse_port:
            server.setsockopt(_face.SOL_SOCKET, _face.SO_REUSEPORT, 1)
        if _face.has_ipv6 and family == _face.AF_INET6:
            server.setsockopt(_face.IPPROTO_IPV6, _face.IPV6_V6ONLY, 0 if dualstack_ipv6 else 1)
        try:
            server.bind(address)
        except _face.error as failure:
            raise OSError(
                failure.errno, f"{failure.args[-1]} (while attempting to bind on address {address!r})"
            ) from None
        server.listen(*() if backlog is None else (backlog,))
    except BaseException:
        server.close()
        raise
    return server
