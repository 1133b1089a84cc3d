"""GAI-1..4: getaddrinfo. Names are looked up in a shim, never on a network."""

from __future__ import annotations

import errno
import os
import signal
import socket as standard
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import usocket
from python_support import preloaded, run_python
from usocket import AF_INET, AF_INET6, IPPROTO_TCP, IPPROTO_UDP, SOCK_DGRAM, SOCK_STREAM, getaddrinfo, sockaddr


def as_standard(found: list[tuple[int, int, int, str, bytes]]) -> list[Any]:
    """With addresses as the standard library shows them."""
    return [
        (*rest, (usocket.inet_ntop(sockaddr(native)[0], sockaddr(native)[1]), *sockaddr(native)[2:]))
        for *rest, native in found
    ]


@pytest.mark.parametrize(
    "arguments",
    [
        ("127.0.0.1", 80),
        ("127.0.0.1", 80, AF_INET),
        ("127.0.0.1", 80, 0, SOCK_STREAM),
        ("127.0.0.1", 80, 0, 0, IPPROTO_UDP),
        ("127.0.0.1", 80, AF_INET, SOCK_DGRAM, IPPROTO_UDP, usocket.AI_NUMERICHOST),
        ("127.0.0.1", 80, 0, SOCK_STREAM, 0, usocket.AI_CANONNAME),
        ("::1", 65535, AF_INET6, SOCK_STREAM, IPPROTO_TCP, usocket.AI_PASSIVE),
        (None, 80),
        (None, 80, 0, 0, 0, usocket.AI_PASSIVE),
        ("127.0.0.1", None),
        ("127.0.0.1", "80", 0, SOCK_STREAM),
        ("127.0.0.1", 0),
        (b"127.0.0.1", 80),
    ],
)
def test_gai_1_all_six_arguments_in_the_systems_order(arguments: tuple[Any, ...]) -> None:
    """The standard library's is the same system call."""
    found = getaddrinfo(*arguments)
    assert as_standard(found) == [tuple(entry) for entry in standard.getaddrinfo(*arguments)]
    assert all(type(entry) is tuple and type(entry[3]) is str for entry in found)


def test_gai_1_canonname() -> None:
    found = getaddrinfo("127.0.0.1", 80, 0, SOCK_STREAM, 0, usocket.AI_CANONNAME)
    assert found[0][3] == "127.0.0.1"
    assert getaddrinfo("127.0.0.1", 80, 0, SOCK_STREAM)[0][3] == ""


def test_gai_1_takes_no_keywords() -> None:
    with pytest.raises(TypeError):
        getaddrinfo(host="127.0.0.1", port=80)


def test_gai_2_nothing_is_the_loopback_or_with_ai_passive_the_wildcard() -> None:
    assert sockaddr(getaddrinfo(None, 80, AF_INET)[0][4])[1] == b"\x7f\0\0\1"
    assert sockaddr(getaddrinfo(None, 80, AF_INET, 0, 0, usocket.AI_PASSIVE)[0][4])[1] == bytes(4)


def test_gai_2_service_names() -> None:
    try:
        port = standard.getservbyname("http", "tcp")
    except OSError:
        pytest.skip("the system knows no service names")
    assert sockaddr(getaddrinfo("127.0.0.1", "http", 0, SOCK_STREAM)[0][4])[2] == port


@pytest.mark.parametrize("port", [-1, 65536, 10**30, -(10**30)])
def test_gai_2_port_out_of_range(port: int) -> None:
    with pytest.raises(ValueError, match=f"0..65535: {port}"):
        getaddrinfo("127.0.0.1", port)


@pytest.mark.parametrize("host", ["a\0b", b"a\0b", "x" * 1025])
def test_gai_2_no_host_name(host: str | bytes) -> None:
    with pytest.raises(ValueError, match="at most 1024 bytes and no NUL"):
        getaddrinfo(host, 80)


@pytest.mark.parametrize(("host", "port"), [(1, 80), (1.5, 80), ([], 80), ("127.0.0.1", 1.5), ("127.0.0.1", b"80")])
def test_gai_2_wrong_types(host: Any, port: Any) -> None:
    with pytest.raises(TypeError):
        getaddrinfo(host, port)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("host.example", 80, 0, 0, 0, usocket.AI_NUMERICHOST), usocket.EAI_NONAME),
        (("127.0.0.1", 80, 0, 0, 0, 1 << 30), usocket.EAI_BADFLAGS),
        (("127.0.0.1", 80, 9999), usocket.EAI_FAMILY),
        (("127.0.0.1", 80, 0, 9999), usocket.EAI_SOCKTYPE),
        (("127.0.0.1", "no-such-service"), usocket.EAI_SERVICE),
        ((None, None), usocket.EAI_NONAME),
    ],
)
def test_gai_3_failures_are_negative_and_say_what_the_system_says(arguments: tuple[Any, ...], code: int) -> None:
    with pytest.raises(OSError) as caught:
        getaddrinfo(*arguments)
    with pytest.raises(standard.gaierror) as standards:
        standard.getaddrinfo(*arguments)
    assert caught.value.args == (code, standards.value.args[1])
    assert code < 0
    assert not isinstance(caught.value, standard.gaierror)


def test_gai_3_no_memory_for_the_thread_that_looks_up_is_the_resolvers_error(tmp_path: Path) -> None:
    shim = """
#include <errno.h>
#include <pthread.h>
int pthread_create(pthread_t *id, const pthread_attr_t *attributes, void *(*run)(void *), void *with) { return EAGAIN; }
"""
    done = run_python(
        "import usocket, usocket.compat\n"
        "def code_of(function):\n"
        "    try: function('host.test', 80)\n"
        "    except OSError as error: return type(error).__name__, error.args\n"
        "print([code_of(module.getaddrinfo) for module in (usocket, usocket.compat)])\n",
        LD_PRELOAD=preloaded(shim, tmp_path),
    )
    args = (usocket.EAI_MEMORY, "Memory allocation failure")
    assert eval(done.stdout) == [("OSError", args), ("gaierror", args)]


# --- GAI-4, with a resolver of the test's own: it answers "quick.test" and keeps "stuck.test" waiting for ever.

SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

int getaddrinfo(const char *host, const char *service, const struct addrinfo *hints, struct addrinfo **found) {
    int (*real)(const char *, const char *, const struct addrinfo *, struct addrinfo **) =
        dlsym(RTLD_NEXT, "getaddrinfo");
    int is_numeric = hints && (hints->ai_flags & AI_NUMERICHOST);
    if (!host || is_numeric) return real(host, service, hints, found);
    if (!strcmp(host, "stuck.test")) for (;;) pause();
    if (!strcmp(host, "system.test")) { errno = EMFILE; return EAI_SYSTEM; }
    if (!strcmp(host, "quick.test")) return real("127.0.0.1", service, hints, found);
    return EAI_NONAME;
}
"""


@pytest.fixture(scope="module")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a process whose names the shim looks up."""
    return {"LD_PRELOAD": preloaded(SHIM, tmp_path_factory.mktemp("resolver"))}


def test_gai_2_names_are_resolved(resolver: dict[str, str]) -> None:
    run_python(
        "import usocket\n"
        "found = usocket.getaddrinfo('quick.test', 80, 0, usocket.SOCK_STREAM)\n"
        "assert found == usocket.getaddrinfo('127.0.0.1', 80, 0, usocket.SOCK_STREAM)\n"
        "assert found == usocket.getaddrinfo(b'quick.test', 80, 0, usocket.SOCK_STREAM)\n",
        **resolver,
    )


def test_gai_3_eai_system_becomes_the_errno_behind_it(resolver: dict[str, str]) -> None:
    done = run_python(
        "import usocket\ntry: usocket.getaddrinfo('system.test', 80)\nexcept OSError as error: print(error.args[0])\n",
        **resolver,
    )
    assert int(done.stdout) == errno.EMFILE


def test_gai_4_other_threads_run_while_it_waits(resolver: dict[str, str]) -> None:
    """The main thread goes on and ends the program, although a thread waits for an answer."""
    done = run_python(
        "import threading, usocket\n"
        "threading.Thread(target=usocket.getaddrinfo, args=('stuck.test', 80), daemon=True).start()\n"
        "print(usocket.getaddrinfo('quick.test', 80)[0][0])\n",
        **resolver,
    )
    assert int(done.stdout) == AF_INET


def test_gai_4_a_signal_handler_that_returns_lets_it_go_on(resolver: dict[str, str]) -> None:
    done = run_python(
        "import signal, usocket\n"
        "count = 0\n"
        "class Enough(Exception): pass\n"
        "def on_alarm(*_):\n"
        "    global count\n"
        "    count += 1\n"
        "    if count == 5: raise Enough\n"
        "signal.signal(signal.SIGALRM, on_alarm)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)\n"
        "try: usocket.getaddrinfo('stuck.test', 80)\n"
        "except Enough: signal.setitimer(signal.ITIMER_REAL, 0); print(count)\n",
        **resolver,
    )
    assert int(done.stdout) == 5


def test_gai_4_ctrl_c_ends_it(resolver: dict[str, str]) -> None:
    """And leaves no descriptor behind but those of the lookup that goes on."""
    program = (
        "import os, sys, threading, usocket\n"
        "print('ready', flush=True)\n"
        "try: usocket.getaddrinfo('stuck.test', 80)\n"
        "except KeyboardInterrupt: print('interrupted', flush=True)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, env={**os.environ, **resolver}
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        wait_for_threads(process.pid, 2)
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == "interrupted\n"
    assert process.returncode == 0


def wait_for_threads(pid: int, count: int) -> None:
    """Until a process has so many threads: here, until the lookup has begun."""
    while len(list(Path(f"/proc/{pid}/task").iterdir())) < count:
        os.sched_yield()
