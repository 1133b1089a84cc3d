"""Callbacks that run on the main thread between two steps of the program, as micropython.schedule() does it.

A signal brings them there, so they run even while the program waits in a call; the call goes on afterwards. One runs
at a time. What it raises is printed, and the program goes on.
"""

from __future__ import annotations

import collections
import contextlib
import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

from usocket.desktop.tracebacks import print_exception

CALLS_ON_ITS_OWN = True  # what is called from here has no caller in the program: dialect.py looks for that

# Nobody's by convention; where there are no real-time signals, one that is ignored unless asked for.
_SIGNAL = signal.SIGRTMAX - 1 if hasattr(signal, "SIGRTMAX") else signal.SIGURG

_queue: collections.deque[tuple[Callable[[Any], object], Any]] = collections.deque()
_is_running = False
_is_installed = False
_held = 0


def schedule(function: Callable[[Any], object], argument: Any) -> None:
    """Calls function(argument) soon. From any thread, and from a callback."""
    _queue.append((function, argument))
    _bring()


@contextlib.contextmanager
def held() -> Iterator[None]:
    """No callback runs in here: machine.disable_irq()."""
    hold()
    try:
        yield
    finally:
        release()


def hold() -> int:
    global _held
    _held += 1
    return _held - 1


def release(state: int = 0) -> None:
    global _held
    _held = state
    if not _held and _queue:
        _bring()


def is_in_callback() -> bool:
    """Whether a callback has led here."""
    return _is_running and threading.current_thread() is threading.main_thread()


def _bring() -> None:
    if threading.current_thread() is threading.main_thread():
        _install()
        if not _is_running and not _held:
            signal.raise_signal(_SIGNAL)
    elif _is_installed:
        os.kill(os.getpid(), _SIGNAL)


def _install() -> None:
    global _is_installed
    if not _is_installed:
        signal.signal(_SIGNAL, lambda number, frame: _run())
        _is_installed = True


def prepare() -> None:
    """On the main thread, before other threads schedule anything."""
    if threading.current_thread() is threading.main_thread():
        _install()


def _run() -> None:
    global _is_running
    if _is_running or _held:
        return
    _is_running = True
    try:
        while _queue and not _held:
            function, argument = _queue.popleft()
            try:
                function(argument)
            except Exception as error:
                print_exception(error)
    finally:
        _is_running = False
