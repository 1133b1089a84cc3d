# rules: GAI-5
# on CPython: python -m usocket
# create_connection: one deadline for resolving and all attempts, and an error that says which address failed, and why.

import socket

try:
    import utime as time
except ImportError:
    import time

from support import error_name, outcome, show

TIMEOUT_MS = 400


def failure(*args):
    """The name of the error that a connection ends with, whether it took as long as it may, and its text."""
    begun = time.ticks_ms()
    try:
        socket.create_connection(*args)
    except OSError as error:
        took_ms = time.ticks_diff(time.ticks_ms(), begun)
        return error_name(error), took_ms, str(error)


def outlasts(*args):
    """The name of the error of one that nobody answers, and whether it took as long as it may. A deadline for each
    address would make it longer every time, a busy machine now and then."""
    for _ in range(10):
        name, took_ms, _ = failure(*args)
        if took_ms < TIMEOUT_MS + TIMEOUT_MS // 2:
            return name, took_ms >= TIMEOUT_MS - 20
    return name, took_ms


server = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True)
port = server.getsockname()[1]
for host in ("127.0.0.1", "::1", "localhost", None):
    client = socket.create_connection((host, port), 5)
    show("GAI-5", "connects to " + str(host), client.getpeername()[1] == port, client.gettimeout())
    client.close()
server.close()

name, took_ms, text = failure(("127.0.0.1", port), 5)
show("GAI-5", "refused", name, took_ms < 4000, "127.0.0.1" in text)
name, took_ms, text = failure(("localhost", port), 5)
show(
    "GAI-5",
    "refused by all of a name's addresses",
    name,
    took_ms < 4000,
    any(one in text for one in ("127.0.0.1", "::1", "localhost")),
)
name, took_ms, text = failure(("nowhere.invalid", port), 5)
# Without a server of names nobody knows: EAI_AGAIN.
show("GAI-5", "no such name", name in ("OSError -2", "OSError -3"), "nowhere.invalid" in text)

# A listener that takes no more connections: whoever comes waits, whichever family it comes by.
full = socket.create_server(("", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=0)
port = full.getsockname()[1]
waiting = []
for host in ("127.0.0.1", "::1") * 3:
    client = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    client.setblocking(False)
    outcome(client.connect, (host, port))
    waiting.append(client)
for host in ("127.0.0.1", "localhost", None):
    show("GAI-5", "one deadline for all of " + str(host), *outlasts((host, port), TIMEOUT_MS / 1000))
socket.setdefaulttimeout(TIMEOUT_MS / 1000)
show("GAI-5", "the default timeout", *outlasts(("localhost", port)))
for client in waiting:
    client.close()
full.close()
