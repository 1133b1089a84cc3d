# rules: POLL-1 POLL-2 POLL-3
# uselect.poll: what it reports, and of what.

import sys

import usocket
from support import STREAMS, listener, outcome, readable, show, tcp_pair, uselect

POLLIN = uselect.POLLIN
POLLOUT = uselect.POLLOUT
POLLNVAL = 32  # no name in uselect
# Of what is closed: MicroPython and Pycopy have what their own poll shows.
CLOSED = POLLNVAL if sys.implementation.name in ("micropython", "pycopy") else uselect.POLLHUP | POLLNVAL


class Holder:
    """Has a fileno(), and is no stream."""

    def __init__(self, sock):
        self.sock = sock

    def fileno(self):
        return self.sock.fileno()


for kind, pair in STREAMS:
    left, right = pair()
    poller = uselect.poll()
    poller.register(right)
    show("POLL-1", kind + " both events", poller.poll(0)[0][1] == POLLOUT)
    left.write(b"x")
    readable(right)
    show("POLL-1", kind + " both events", poller.poll(0)[0][1] == POLLIN | POLLOUT)
    poller.modify(right, POLLIN)
    found = poller.poll(10000)
    show("POLL-1", kind + " a list of tuples", len(found), found[0][0] is right, found[0][1] == POLLIN)
    poller.register(right, POLLOUT)
    show("POLL-1", kind + " registered again", [event[1] == POLLOUT for event in poller.poll(0)])
    poller.modify(right, POLLIN)
    right.read(1)
    show("POLL-1", kind + " nothing", len(poller.poll(0)), len(poller.poll(10)))

    poller.register(left, POLLIN)
    left.write(b"x")
    right.write(b"y")
    readable(left)
    readable(right)
    show("POLL-1", kind + " two", len(poller.poll(-1)), len(poller.poll()), len(poller.poll(0)))
    show("POLL-1", kind + " ipoll", sorted([event[0] is left for event in poller.ipoll()]))
    show("POLL-1", kind + " ipoll", sorted([event[1] == POLLIN for event in poller.ipoll(0)]))
    show("POLL-1", kind + " one-shot", len([event for event in poller.ipoll(0, 1)]), len(poller.poll(0)))
    poller.modify(left, POLLIN)
    poller.modify(right, POLLIN)
    for _ in poller.ipoll(0, 1):
        break
    show("POLL-1", kind + " one-shot that is left early", len(poller.poll(0)))
    poller.modify(left, POLLIN)
    show("POLL-1", kind + " is over with modify", len(poller.poll(0)), len([event for event in poller.ipoll(0, 1)]))
    poller.modify(right, POLLIN)
    poller.unregister(right)
    show("POLL-1", kind + " unregister", poller.poll(0), [event for event in poller.ipoll(0)])
    show(
        "POLL-1", kind + " None and floats", poller.poll(0.0), poller.poll(1.5), [event for event in poller.ipoll(0.5)]
    )
    show("POLL-1", kind + " no timeout", outcome(poller.poll, "x"), outcome(poller.poll, float("nan")))
    # It would be for ever, and a slip: as settimeout() has it.
    show("POLL-1", kind + " endless", outcome(poller.poll, float("inf")), outcome(poller.ipoll, float("inf")))
    show("POLL-1", kind + " no mask", outcome(poller.register, right, "x"), outcome(poller.register, right, -1))
    show("POLL-1", kind + " no userdata", poller.register(right, POLLIN), [len(event) for event in poller.poll(0)])
    poller.register(right, POLLIN, "mine")
    show("POLL-1", kind + " userdata", [event[1:] == (POLLIN, "mine") for event in poller.poll(0)])
    poller.register(right, POLLIN, "other")
    show("POLL-1", kind + " another", [event[1:] == (POLLIN, "other") for event in poller.ipoll(None)])
    poller.register(right, POLLIN | POLLOUT)
    show("POLL-1", kind + " stays", [event[1:] == (POLLIN | POLLOUT, "other") for event in poller.ipoll()])
    poller.unregister(right)

    # --- POLL-2: what can be polled
    show("POLL-2", kind + " modify what is unknown", outcome(poller.modify, right, POLLIN))
    show("POLL-2", kind + " unregister it", outcome(poller.unregister, right), outcome(poller.unregister, right, True))
    show("POLL-2", kind + " in any case", poller.unregister(right, False), poller.unregister(right, throw=False))
    poller = uselect.poll()
    poller.register(right.fileno(), POLLIN)
    show("POLL-2", kind + " a descriptor", [event[0] == right.fileno() for event in poller.poll(1000)])
    poller.unregister(right.fileno())
    show("POLL-2", kind + " and no longer", len(poller.poll(0)))
    for thing in (None, "x", 1.5, object()):
        show("POLL-2", kind + " no descriptor", outcome(poller.register, thing, POLLIN))
    holder = Holder(right)
    poller.register(holder, POLLIN)
    show("POLL-2", kind + " fileno()", [event[0] is holder for event in poller.poll(1000)])
    holder.sock = usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM)  # which has nothing to read
    poller.register(holder, POLLIN)
    show("POLL-2", kind + " another fileno()", len(poller.poll(0)))
    poller.unregister(holder)
    holder.sock.close()

    # --- POLL-3: ends
    right.read(1)
    left.read(1)
    poller = uselect.poll()
    poller.register(right, POLLIN)
    left.shutdown(usocket.SHUT_WR)
    show("POLL-3", kind + " the end is POLLIN", [event[1] & POLLIN != 0 for event in poller.poll(10000)])
    poller.modify(right, 0)
    left.close()
    right.shutdown(usocket.SHUT_WR)
    show("POLL-3", kind + " POLLHUP unasked", [event[1] & uselect.POLLHUP != 0 for event in poller.poll(10000)])
    poller.unregister(right)
    right.close()

    left, right = pair()
    poller.register(left, POLLIN)
    show("POLL-3", kind + " open", len(poller.poll(0)))
    left.close()
    found = poller.poll()
    show("POLL-3", kind + " closed", len(found), found[0][0] is left, found[0][1] == CLOSED)
    right.close()

    left, right = pair()
    poller = uselect.poll()
    poller.register(right, 0)
    left.close()
    right.shutdown(usocket.SHUT_WR)
    show("POLL-1", kind + " one-shot hang-up", [event[1] & uselect.POLLHUP != 0 for event in poller.ipoll(10000, 1)])
    show("POLL-1", kind + " told once", len(poller.poll(0)))
    right.close()
    show("POLL-3", kind + " and then closed", [event[1] == CLOSED for event in poller.ipoll(10000, 1)])
    show("POLL-3", kind + " told once", len(poller.poll(0)))

deaf = usocket.socket()
deaf.bind(("127.0.0.1", 0))
client = usocket.socket()
client.setblocking(False)
outcome(client.connect, deaf.getsockname())
poller = uselect.poll()
poller.register(client, 0)
show("POLL-3", "POLLERR unasked", [event[1] & uselect.POLLERR != 0 for event in poller.poll(10000)])
poller.unregister(client)
client.close()
deaf.close()

server = listener()
poller.register(server, POLLIN)
show("POLL-3", "nobody to accept", len(poller.poll(0)))
client = usocket.socket()
client.connect(server.getsockname())
show("POLL-3", "somebody", [event[0] is server for event in poller.poll(10000)])
client.close()
server.close()

# Many, of which some are ready.
pairs = [tcp_pair() for _ in range(40)]
poller = uselect.poll()
for _, right in pairs:
    poller.register(right, POLLIN)
for i in range(0, 40, 7):
    pairs[i][0].write(b"x")
    readable(pairs[i][1])
ready = [event[0] for event in poller.poll(0)]
show("POLL-1", "those that are ready", [i for i in range(40) if pairs[i][1] in ready])
for left, right in pairs:
    poller.unregister(right)
    left.close()
    right.close()
