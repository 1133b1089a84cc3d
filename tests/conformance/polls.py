# rules: POLL-6 POLL-7
# One poll for several threads, and descriptors that are closed behind its back.

import usocket
from support import STREAMS, outcome, readable, show, start, uselect

try:
    import utime as time
except ImportError:
    import time

POLLIN = uselect.POLLIN
LIMIT_MS = 10000
THREADS = 4
ROUNDS = 20
AGAIN = 20000


def count_ready(poller, inside, index):
    inside[index] = 1
    return len(poller.poll(LIMIT_MS))


def start_waiting(poller):
    """Threads that are, as far as one can tell, inside poll(); returns their joins."""
    inside = bytearray(THREADS)  # threads without a global lock must not append to one list
    joins = [start(count_ready, poller, inside, index) for index in range(THREADS)]
    while sum(inside) < THREADS:
        time.sleep(0.001)
    time.sleep(0.005)
    return joins


def all_learn(pair, change):
    """How many rounds of threads that waited in one poll all learned of what `change` does."""
    right = 0
    for _ in range(ROUNDS):
        near, far = pair()
        poller = uselect.poll()
        poller.register(near, POLLIN)
        joins = start_waiting(poller)
        keep = change(poller, near, far)
        right += [join() for join in joins] == [1] * THREADS
        del keep
        poller.unregister(near, False)
        near.close()
        far.close()
    return right


def close(poller, near, far):
    near.close()


def write(poller, near, far):
    far.write(b"x")


def register(poller, near, far):
    ready = usocket.socketpair()
    ready[1].write(b"x")
    poller.register(ready[0], POLLIN)
    return ready


def modify(poller, near, far):
    poller.modify(near, uselect.POLLOUT)


def register_again(poller, sock, over):
    for tag in range(AGAIN):
        poller.unregister(sock, False)
        poller.register(sock, uselect.POLLOUT, tag)
    over[0] = 1


def are_whole(pair):
    """Whether a poll that another thread changes reports the socket with the userdata of one of its registrations."""
    near, far = pair()
    poller = uselect.poll()
    poller.register(near, uselect.POLLOUT, 0)
    over = bytearray(1)
    join = start(register_again, poller, near, over)
    wrong = []
    while not over[0] and not wrong:
        found = list(poller.poll(0)) + [tuple(entry) for entry in poller.ipoll(0)]
        wrong = [entry for entry in found if len(entry) != 3 or entry[0] is not near or not 0 <= entry[2] < AGAIN]
    join()
    near.close()
    far.close()
    return wrong


def close_number(number):
    """Closes a descriptor without the knowledge of whoever else has the number."""
    usocket.socket(fileno=number).close()


for kind, pair in STREAMS:
    for change in (write, close, register, modify):
        show("POLL-6", kind + " " + change.__name__, all_learn(pair, change))
    show("POLL-6", kind + " registered again and again, each report is of one registration", are_whole(pair))

    # --- POLL-7
    near, far = pair()
    number = near.dup().detach()
    duplicate = near.dup()
    poller = uselect.poll()
    poller.register(number, POLLIN)
    show("POLL-7", kind + " open", poller.poll(0))
    close_number(number)
    found = poller.poll(LIMIT_MS)
    show("POLL-7", kind + " closed behind its back", [one[0] == number for one in found], found[0][1] & POLLIN)
    show("POLL-7", kind + " modify", outcome(poller.modify, number, POLLIN))
    far.write(b"x")
    readable(duplicate)
    show("POLL-7", kind + " a duplicate does not speak for it", poller.poll(0)[0][1] & POLLIN)
    poller.unregister(number)
    show("POLL-7", kind + " no more", poller.poll(50))

    # The number is another's.
    taken = near.fileno()
    poller.register(taken, POLLIN)
    near.close()
    other, peer = pair()
    others = [other, peer]
    while taken not in [one.fileno() for one in others] and len(others) < 20:
        others.append(other.dup())
    poller.register(taken, POLLIN)
    show("POLL-7", kind + " means the new file", poller.poll(0))
    (other if peer.fileno() == taken else peer).write(b"y")
    show("POLL-7", kind + " and tells of it", [one == (taken, POLLIN) for one in poller.poll(LIMIT_MS)])
    for one in [far, duplicate] + others:
        one.close()
