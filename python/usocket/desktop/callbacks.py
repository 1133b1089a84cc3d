"""Callbacks of sockets (SOCK-11): f(sock) runs on the main thread when there is something to read or to accept.

One thread waits for all sockets that have one. A callback that has taken something is called again at once if there is
more. One that has left everything is called again a little later: a poll does not tell what is new from what is old.
The end of a stream is told once, as over lwIP: nothing can come after it. A socket that has just hung up, as one that
is not connected yet, has nothing to read.

A callback keeps no socket alive (SOCK-3): here are weak references to the sockets, and the socket has its callback, so
that both go together, also where one refers to the other.
"""

from __future__ import annotations

import math
import threading
import time
import weakref
from collections.abc import Callable
from typing import Any

import uselect

from usocket import _usocket
from usocket.desktop.schedule import schedule

_PAUSE_S = 0.001
_LONG_PAUSE_S = 0.02  # for those with nothing to read, or from which nothing is taken

_TAKING = ("accept", "read", "read1", "readinto", "readline", "recv", "recv_into", "recvfrom", "recvfrom_into")

_lock = threading.RLock()  # a callback may come while the main thread is in here
_poll: Any = None
_spent: dict[weakref.ref[Any], float] = {}  # not looked at, until the callback is through or until that time
_NAME = "_callback"  # of the socket's attribute


class _Watched:
    """A socket's callback, and whether it takes something: the socket's methods note that for as long as it has one."""

    def __init__(self, sock: Any, function: Callable[[Any], object], reference: weakref.ref[Any]) -> None:
        self.function = function
        self.reference = reference  # to the socket: what it is known by in the poll
        self.has_taken = False
        for name in _TAKING:
            setattr(sock, name, self._noting(getattr(sock, name)))

    def _noting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            got = method(*arguments, **named)
            self.has_taken = self.has_taken or bool(got)
            return got

        return call


def set_callback(sock: Any, function: Callable[[Any], object] | None) -> None:
    """None: no callback any more."""
    global _poll
    with _lock:
        watched = _watched(sock)
        if function is None:
            if watched is not None:
                _forget(sock, watched)
            return
        if _poll is None:
            _poll = uselect.poll()
            threading.Thread(target=_watch, name="socket callbacks", daemon=True).start()
        reference = _poll._register_weakly(sock, uselect.POLLIN)
        hash(reference)  # of the socket, which has to be there the first time
        if watched is None:
            setattr(sock, _NAME, _Watched(sock, function, reference))
        else:
            watched.function = function
        _spent.pop(reference, None)


def _watched(sock: Any) -> _Watched | None:
    watched: _Watched | None = vars(sock).get(_NAME)
    return watched


def _forget(sock: Any, watched: _Watched) -> None:
    for name in (*_TAKING, _NAME):
        delattr(sock, name)
    _let_go(watched.reference)


def _let_go(reference: weakref.ref[Any]) -> None:
    _spent.pop(reference, None)
    _poll.unregister(reference, False)


def _watch() -> None:
    while True:
        # once: looked at again when its callback is through
        for reference, events in _poll.ipoll(_LONG_PAUSE_S * 1000 if _spent else -1, 1):
            _note(reference, events)
        time.sleep(_PAUSE_S)
        now = time.monotonic()
        with _lock:
            for reference in [reference for reference, until in _spent.items() if until <= now]:
                _look_again(reference)


def _note(reference: weakref.ref[Any], events: int) -> None:
    """Of one that the poll has found. Until it is called, the socket stays."""
    sock = reference()
    is_due = bool(events & uselect.POLLIN)
    with _lock:
        if sock is None:
            _let_go(reference)
            return
        _spent[reference] = math.inf if is_due else time.monotonic() + _LONG_PAUSE_S
    if is_due:
        schedule(_call, (sock, events))


def _look_again(reference: weakref.ref[Any]) -> None:
    with _lock:
        _spent.pop(reference, None)
        sock = reference()
        if sock is None:
            _let_go(reference)
        elif _watched(sock) is not None:
            _poll.modify(reference, uselect.POLLIN)


def _call(what: tuple[Any, int]) -> None:
    sock, events = what
    watched = _watched(sock)
    if watched is None:
        return
    if not events & uselect.POLLERR and _is_at_end(sock):  # of an error a look would deprive the program
        with _lock:
            _forget(sock, watched)  # before: the callback may set another one
        watched.function(sock)
        return
    watched.has_taken = False
    try:
        watched.function(sock)
    finally:
        if watched.has_taken:
            _look_again(watched.reference)
        elif _watched(sock) is watched:
            _spent[watched.reference] = time.monotonic() + _LONG_PAUSE_S


def _is_at_end(sock: Any) -> bool:
    """Whether the peer has ended its stream, and all of it was read."""
    if sock.type != _usocket.SOCK_STREAM:
        return False
    try:
        # the class's: what is traced are the program's calls
        return _usocket.socket.recv(sock, 1, _usocket.MSG_PEEK | _usocket.MSG_DONTWAIT) == b""
    except OSError:
        return False  # nothing there yet, or it listens
