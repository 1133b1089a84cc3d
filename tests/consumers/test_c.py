"""usocket.h: the header by itself, what the libraries export of it, the examples in C, and a binding by ctypes.

USOCKET_BUILD names a release build other than build/.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("USOCKET_BUILD", REPO / "build"))
LIB, BIN = BUILD / "lib", BUILD / "bin"
HEADER = REPO / "include" / "usocket" / "usocket.h"
EXAMPLES = REPO / "examples"
TIME_LIMIT_S = 60
STRICT = ["-pedantic", "-Wall", "-Wextra", "-Werror", "-Wconversion", "-Wshadow", "-Wundef", "-Wcast-qual"]


def functions() -> set[str]:
    """What the header declares for users of the library."""
    return set(re.findall(r"USOCKET_C_API [^;]*?\b(usocket_\w+)\(", HEADER.read_text()))


@pytest.mark.parametrize(
    "compiler",
    [
        ["gcc", "-std=c99", "-Wstrict-prototypes"],
        ["gcc", "-std=c17"],
        ["gcc", "-std=c99", "-DUSOCKET_SMALL", "-DUSOCKET_HOST_HOOKS"],
        ["clang", "-std=c99", "-Wstrict-prototypes"],
        ["g++", "-std=c++11", "-x", "c++", "-Wold-style-cast"],
        ["g++", "-std=c++20", "-x", "c++"],
        ["clang++", "-std=c++20", "-x", "c++", "-Wold-style-cast"],
    ],
    ids=" ".join,
)
def test_the_header_stands_alone(compiler: list[str], tmp_path: Path) -> None:
    """CPP-3: without a warning in C99, later C and C++, by whatever is included first and however often."""
    source = tmp_path / "alone.c"
    source.write_text(
        "#include <usocket/usocket.h>\n#include <usocket/usocket.h>\n"
        "usocket_timeout_t f(void);\nusocket_timeout_t f(void) { return usocket_ms(5); }\n"
    )
    command = [*compiler, *STRICT, f"-I{REPO / 'include'}", "-fsyntax-only", str(source)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT_S)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""


def test_cpp_3_all_of_it_is_exported() -> None:
    """A program in C that links the shared libraries finds each function there."""
    exported: set[str] = set()
    for library in ("libusocket.so", "libusocket-tls.so"):
        names = subprocess.run(
            ["nm", "-D", "--defined-only", LIB / library], check=True, capture_output=True, text=True
        )
        exported |= set(re.findall(r" T (usocket_\w+)$", names.stdout, re.MULTILINE))
    assert len(functions()) > 100
    assert exported == functions()


def test_each_function_is_tried() -> None:
    """By the tests in C, which a rule's id begins."""
    tests = "".join(path.read_text() for path in (REPO / "tests" / "unit" / "c").glob("*.c"))
    tried = set(re.findall(r"\b(usocket_\w+)\(", tests))
    assert functions() - tried == LEFT_TO_OTHERS


# Multicast needs an interface that has it; Connecting is inside usocket_create_connection(), and the two of the host's
# signals inside everything.
LEFT_TO_OTHERS = {
    "usocket_join_group",
    "usocket_leave_group",
    "usocket_connecting_unwound",
    "usocket_connecting_init",
    "usocket_connecting_run",
    "usocket_host_hold_signals",
    "usocket_host_release_signals",
}


# --- The examples


@pytest.fixture
def echo_port() -> Iterator[int]:
    """An echo server, ours in C, which ends on a signal."""
    server = subprocess.Popen([BIN / "c_echo_server"], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        yield int(server.stdout.readline())
        server.send_signal(signal.SIGTERM)
        assert server.wait(TIME_LIMIT_S) == 0
    finally:
        server.kill()
        server.wait()


def client(port: int, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [BIN / "c_echo_client", "127.0.0.1", str(port), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT_S)


def test_examples_in_c(echo_port: int) -> None:
    """POLL-6, TIME-10: a server over a poll that a signal ends, and a client with one deadline for all of it."""
    assert client(echo_port, "30", "one", "two").stdout == "one\ntwo\n"
    late = client(echo_port, "0", "one")
    assert late.returncode == 1
    assert "timed out" in late.stderr


# --- Another language


@pytest.fixture(scope="module")
def binding_env() -> dict[str, str]:
    return {
        **os.environ,
        "LIBUSOCKET": str(LIB / "libusocket.so"),
        "PYTHONPATH": str(EXAMPLES / "ctypes"),
        "PYTHONUNBUFFERED": "1",
    }


def run_binding(program: str, env: dict[str, str]) -> str:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", program], env=env, capture_output=True, text=True, timeout=TIME_LIMIT_S
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_time_6_the_binding_does_what_it_shows(binding_env: dict[str, str]) -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLES / "ctypes" / "binding.py"],
        env=binding_env,
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT_S,
    )
    assert (done.stdout, done.stderr) == ("over\nTimeoutError\nand out!!!\n", "")


def test_gai_5_errors_of_the_binding(binding_env: dict[str, str]) -> None:
    program = """
from binding import Socket
with Socket.listen("127.0.0.1") as listener:
    port = int(listener.getsockname().rsplit(":", 1)[1])
for arguments in ((port,), (-1,), (port, -1)):
    try:
        Socket.connect("127.0.0.1", *arguments)
    except (OSError, ValueError) as error:
        print(type(error).__name__, str(error).replace(str(port), "PORT"))
"""
    assert run_binding(program, binding_env).splitlines() == [
        "ConnectionRefusedError [Errno 111] 127.0.0.1:PORT: Connection refused",
        "ValueError 127.0.0.1: port must be in 0..65535",
        "ValueError a timeout is None or a number of seconds in 0..9223372036",
    ]


def test_gai_4_other_threads_run_while_the_binding_waits(binding_env: dict[str, str]) -> None:
    program = """
import threading
from binding import Socket
listener = Socket.listen("127.0.0.1")
host, port = listener.getsockname().rsplit(":", 1)
client = Socket.connect(host, int(port))
conn = listener.accept()
def answer():
    client.write(b"from another thread\\n")
thread = threading.Thread(target=answer)
threading.Timer(0.05, thread.start).start()
print(conn.readline())
thread.join()
"""
    assert run_binding(program, binding_env) == "b'from another thread\\n'\n"


def test_time_5_ctrl_c_ends_what_the_binding_waits_for(binding_env: dict[str, str]) -> None:
    """At once, with the exception, and what had come is not lost (TIME-6)."""
    program = """
import signal
from binding import Socket
signal.signal(signal.SIGINT, signal.default_int_handler)
listener = Socket.listen("127.0.0.1")
host, port = listener.getsockname().rsplit(":", 1)
client = Socket.connect(host, int(port))
conn = listener.accept()
client.write(b"par")
print("waiting")
try:
    conn.read(7)
except KeyboardInterrupt as error:
    print(type(error).__name__)
client.write(b"tial")
print(conn.read(7))
"""
    process = subprocess.Popen([sys.executable, "-c", program], env=binding_env, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "waiting\n"
        while process.poll() is None and sleeping(process.pid) is False:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=TIME_LIMIT_S)
        assert output == "KeyboardInterrupt\nb'partial'\n"
        assert process.returncode == 0
    finally:
        process.kill()
        process.wait()


def sleeping(pid: int) -> bool:
    """The system says that the program's main thread sleeps (proc(5))."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "S"
