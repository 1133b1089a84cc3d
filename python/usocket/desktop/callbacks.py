"""Callbacks of sockets (SOCK-11): f(sock) runs on the main thread when there is something to read or to accept.

One thread waits for all sockets that have one. A callback that has taken something is called again at once if there is
more. One that has left everything is called again a little later: a poll does not tell what is new from what is old.
The end of a stream is told once, as over lwIP: nothing can come after it. A socket that has just hung up, as one that
is not connected yet, has nothing to read.
"""

from __future__ import annotations

import math
import threading
import time
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
_watched: dict[Any, _Watched] = {}
_spent: dict[Any, float] = {}  # not looked at, until the callback is through or until that time


class _Watched:
    """A socket's callback, and whether it takes something: the socket's methods note that for as long as it has one."""

    def __init__(self, sock: Any, function: Callable[[Any], object]) -> None:
        self.function = function
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
        watched = _watched.get(sock)
        if function is None:
            if watched is not None:
                _forget(sock)
            return
        if _poll is None:
            _poll = uselect.poll()
            threading.Thread(target=_watch, name="socket callbacks", daemon=True).start()
        if watched is None:
            _watched[sock] = _Watched(sock, function)
        else:
            watched.function = function
        _spent.pop(sock, None)
        _poll.register(sock, uselect.POLLIN)


def _forget(sock: Any) -> None:
    del _watched[sock]
    _spent.pop(sock, None)
    for name in _TAKING:
        delattr(sock, name)
    _poll.unregister(sock, False)


def _watch() -> None:
    while True:
        # once: looked at again when its callback is through
        for sock, events in _poll.ipoll(_LONG_PAUSE_S * 1000 if _spent else -1, 1):
            is_due = bool(events & uselect.POLLIN)
            with _lock:
                _spent[sock] = math.inf if is_due else time.monotonic() + _LONG_PAUSE_S
            if is_due:
                schedule(_call, (sock, events))
        time.sleep(_PAUSE_S)
        now = time.monotonic()
        with _lock:
            for sock in [sock for sock, until in _spent.items() if until <= now]:
                _look_again(sock)


def _look_again(sock: Any) -> None:
    with _lock:
        _spent.pop(sock, None)
        if sock in _watched:
            _poll.modify(sock, uselect.POLLIN)


def _call(what: tuple[Any, int]) -> None:
    sock, events = what
    watched = _watched.get(sock)
    if watched is None:
        return
    if not events & uselect.POLLERR and _is_at_end(sock):  # of an error a look would deprive the program
        with _lock:
            _forget(sock)  # before: the callback may set another one
        watched.function(sock)
        return
    watched.has_taken = False
    try:
        watched.function(sock)
    finally:
        if watched.has_taken:
            _look_again(sock)
        elif sock in _watched:
            _spent[sock] = time.monotonic() + _LONG_PAUSE_S


def _is_at_end(sock: Any) -> bool:
    """Whether the peer has ended its stream, and all of it was read."""
    if sock.type != _usocket.SOCK_STREAM:
        return False
    try:
        # the class's: what is traced are the program's calls
        return _usocket.socket.recv(sock, 1, _usocket.MSG_PEEK | _usocket.MSG_DONTWAIT) == b""
    except OSError:
        return False  # nothing there yet, or it listens
