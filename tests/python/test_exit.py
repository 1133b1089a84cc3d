"""SOCK-9: a process ends as its program says, whatever its threads are doing in our calls: its own exit status, nothing
on stderr. Each program runs several times, for what goes wrong here goes wrong most of the time, not always."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
import usocket
from busy_threads import ACTIVITIES

RUNS = 6  # of each program; of the version that ended threads in the middle of a call, half of them failed
STATUS = 7
is_free_threaded = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
PACKAGES = [Path(usocket.__file__).parent.parent, Path(__file__).parent]
THREADS = """
import os, sys, threading, time, uselect, usocket
from busy_threads import one, other, server, start
"""


def start_python(program: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-S", "-c", program, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, PACKAGES))},
    )


def ends_well(program: str, *arguments: str, status: int = STATUS, runs: int = RUNS) -> None:
    """Two at a time: what one does in between is the other's disturbance."""
    for _ in range(0, runs, 2):
        processes = [start_python(program, *arguments) for _ in range(2)]
        try:
            ends = [(process.communicate(timeout=30), process.returncode) for process in processes]
        finally:
            for process in processes:
                with process:
                    process.kill()
        assert ends == [(("", ""), status)] * 2


@pytest.mark.parametrize("activity", ACTIVITIES)
def test_sock_9_daemon_threads_that_are_in_a_call(activity: str) -> None:
    ends_well(THREADS + "start(sys.argv[1])\nsys.exit(int(sys.argv[2]))", activity, str(STATUS))


def test_sock_9_threads_that_are_in_one_socket_all_the_time() -> None:
    """Without a GIL they wait for one another at its door, and the process may end there."""
    program = (
        "import threading, time, usocket\none, other = usocket.socketpair()\n"
        "def ask():\n    while True: one.getblocking()\n"
        "for _ in range(16): threading.Thread(target=ask, daemon=True).start()\n"
        "time.sleep(0.01)\nraise SystemExit(7)"
    )
    ends_well(program, runs=8 if is_free_threaded else 2)


# How a program may end. `activity` runs in threads meanwhile.
ENDINGS = {
    "runs out": ("", 0),
    "an exception": ("sys.excepthook = lambda *_: one.close()\nraise ZeroDivisionError", 1),
    "SystemExit": ("raise SystemExit(7)", 7),
    "os._exit": ("os._exit(7)", 7),
    "sys.exit in a thread": ("thread = threading.Thread(target=sys.exit)\nthread.start()\nthread.join()", 0),
    "a thread that is no daemon": (
        "a, b = usocket.socketpair()\n"
        "threading.Thread(target=a.read, args=(5,)).start()\n"
        "threading.Thread(target=lambda: (time.sleep(0.01), b.write(b'bytes'))).start()",
        0,
    ),
    "atexit closes": ("import atexit\nfor socket in one, other, server: atexit.register(socket.close)", 0),
    "atexit reads": (
        "import atexit\na, b = usocket.socketpair()\n"
        "atexit.register(lambda: (b.write(b'line\\n'), a.readline(), a.close(), b.close()))",
        0,
    ),
    "__del__ closes": (
        "class Closer:\n    def __del__(self, sockets=(one, other, server)):\n"
        "        for socket in sockets: socket.close()\nat_the_end = sys.modules['closer'] = Closer()",
        0,
    ),
    "__del__ uses": (
        "class User:\n    def __del__(self, pair=usocket.socketpair()):\n"
        "        pair[0].write(b'line\\n')\n        if pair[1].readline() != b'line\\n': os.abort()\n"
        "at_the_end = sys.modules['user'] = User()",
        0,
    ),
    "__del__ asks": (
        "class Asker:\n    def __del__(self, one=one, server=server):\n"
        "        repr(one), one.fileno(), one.getsockname(), one.gettimeout(), server.getsockname()\n"
        "at_the_end = sys.modules['asker'] = Asker()",
        0,
    ),
    "sockets in module globals": (
        "import builtins\nbuiltins.kept = usocket.socketpair()\nsys.kept = usocket.socket()",
        0,
    ),
    "a cycle": ("class C(usocket.socket): pass\nc = C()\nc.itself = c", 0),
    "frames of an error": ("def f(s): 1 / 0\ntry: f(usocket.socket())\nexcept ZeroDivisionError as e: sys.last = e", 0),
}


@pytest.mark.parametrize("activity", ["recv", "readline", "lines", "poll"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_sock_9_ways_to_end(ending: str, activity: str) -> None:
    program, status = ENDINGS[ending]
    ends_well(f"{THREADS}start(sys.argv[1])\n{program}", activity, status=status, runs=2)


def test_sock_9_signals_while_it_ends() -> None:
    """Before the interpreter begins to end, and after; this signal does nothing where Python no longer handles it."""
    program = (
        THREADS + "import atexit, signal\nsignal.signal(signal.SIGWINCH, lambda *_: None)\nstart('recv')\n"
        "def signals(kill=os.kill, me=os.getpid(), number=signal.SIGWINCH):\n"
        "    for _ in range(100): kill(me, number)\n"
        "class Signalled:\n    def __del__(self, signals=signals): signals()\n"
        "atexit.register(signals)\nsys.modules['signalled'] = Signalled()\nsys.exit(7)"
    )
    ends_well(program)


def test_sock_9_a_signal_may_end_it() -> None:
    ends_well(THREADS + "import signal\nstart('recv')\nos.kill(os.getpid(), signal.SIGTERM)", status=-signal.SIGTERM)


def test_sock_9_a_program_without_threads_leaks_nothing() -> None:
    """The binding reports no leaks at the end (those of threads are none), so that there are none is to be tested."""
    program = """
import gc, weakref, usocket, uselect
from usocket import compat
def work():
    for module in usocket, compat:
        one, other = module.socketpair()
        poll = uselect.poll()
        poll.register(one)
        other.write(b"line\\n")
        one.readline()
        poll.poll(0)
        one.settimeout(0)
        try: one.recv(1)
        except OSError: pass
        try: one.recv("x")
        except TypeError: pass
        one.close(), other.close()
        usocket.getaddrinfo("127.0.0.1", 80)
        references.extend(map(weakref.ref, (one, other, poll)))
references = []
work()
gc.collect()
assert [r for r in references if r()] == []
assert gc.garbage == []
"""
    ends_well(program, status=0, runs=2)
