"""Callbacks of sockets (SOCK-11): f(sock) runs on the main thread when there is something to read or to accept.

One thread waits for all sockets that have one. A callback that leaves something unread is called again, a little later.
A socket that has just hung up, as one that is not connected yet, has nothing to read.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import uselect

from usocket.desktop.schedule import schedule

_PAUSE_S = 0.001
_LONG_PAUSE_S = 0.02  # if there are some with nothing to read

_lock = threading.RLock()  # a callback may come while the main thread is in here
_poll: Any = None
_callbacks: dict[Any, Callable[[Any], object]] = {}


def set_callback(sock: Any, function: Callable[[Any], object] | None) -> None:
    """None: no callback any more."""
    global _poll
    with _lock:
        if function is None:
            if _callbacks.pop(sock, None) is not None:
                _poll.unregister(sock, False)
            return
        if _poll is None:
            _poll = uselect.poll()
            threading.Thread(target=_watch, name="socket callbacks", daemon=True).start()
        _callbacks[sock] = function
        _poll.register(sock, uselect.POLLIN)


def _watch() -> None:
    while True:
        idle = []
        for sock, events in _poll.ipoll(-1, 1):  # once: looked at again when its callback is through
            if events & uselect.POLLIN:
                schedule(_call, sock)
            else:
                idle.append(sock)
        time.sleep(_LONG_PAUSE_S if idle else _PAUSE_S)
        for sock in idle:
            _look_again(sock)


def _look_again(sock: Any) -> None:
    with _lock:
        if sock in _callbacks:
            _poll.modify(sock, uselect.POLLIN)


def _call(sock: Any) -> None:
    function = _callbacks.get(sock)
    if function is None:
        return
    try:
        function(sock)
    finally:
        _look_again(sock)
