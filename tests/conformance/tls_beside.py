# rules: POLL-6 TLS-3 TIME-8
# Two threads on one wrapped socket: one waits for what comes, the other one looks, or sends.

import usocket
from support import outcome, show, start, tcp_pair, uselect
from tls_support import client_context, said, secure_pair, server_context

try:
    import utime as time
except ImportError:
    import time

ROUNDS = 50
STEP_S = 0.005


def read_all(sock, got):
    """Each message, answered by one byte."""
    while True:
        data = sock.read(4)
        if not data:
            return len(got)
        got.append(data)
        sock.write(b"+")


def polls(sock, stop):
    poll = uselect.poll()
    poll.register(sock, uselect.POLLIN)
    while not stop:
        poll.poll(10)


def looks(sock, stop):
    while not stop:
        outcome(sock.recv, 1, usocket.MSG_PEEK | usocket.MSG_DONTWAIT)


for rule, look in (("POLL-6", polls), ("TIME-8", looks)):
    if look is looks and not hasattr(usocket, "MSG_DONTWAIT"):
        continue
    left, right = secure_pair()
    left.settimeout(20)
    right.settimeout(10)
    got = []
    stop = []
    reader = start(read_all, left, got)
    beside = start(look, left, stop)
    answers = []
    while len(answers) < ROUNDS and (not answers or answers[-1] == b"+"):
        time.sleep(STEP_S)  # both sleep by then
        right.write(b"0123")
        answers.append(outcome(right.read, 1))
    show(rule, "a reader beside", look.__name__, answers.count(b"+"), got.count(b"0123"))
    stop.append(True)
    beside()
    right.close()
    show(rule, "and the end", reader())
    left.close()

# --- The handshake is put off; one thread reads the answer, another one sends the request


def begin(context, sock, options):
    return said(lambda: context.wrap_socket(sock, **options))


for is_server in (False, True):
    left, right = tcp_pair()
    contexts = [(client_context(), {"server_hostname": "localhost"}), (server_context(), {"server_side": True})]
    own, others = contexts[::-1] if is_server else contexts
    left.settimeout(10)
    right.settimeout(10)
    own[0].wrap_socket(left, do_handshake=False, **own[1])
    reader = start(left.read, 6)
    writer = start(left.write, b"request")
    said_by_peer = begin(others[0], right, others[1])
    request = outcome(right.read, 7)
    answer = outcome(right.write, b"answer")
    show("TLS-3", "a server" if is_server else "a client", said_by_peer, request, answer, reader(), writer())
    left.close()
    right.close()
