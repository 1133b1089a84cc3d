# POLL-6: threads that change one poll, while another waits in it and the collector is at work.
import gc
import io

import uselect
import usocket
from tasks import Task

ROUNDS = 300
MANY = 50
CLOSED = uselect.POLLHUP | 32


class Stream(io.IOBase):
    """One without a descriptor: it is asked, and has something now and then."""

    def __init__(self):
        self.asked = 0

    def ioctl(self, request, argument):
        self.asked += 1
        return argument if self.asked % 8 == 0 else 0


def come_and_go(poller, things):
    for thing in things:
        poller.register(thing, uselect.POLLIN, thing)
    for thing in things:
        poller.modify(thing, uselect.POLLOUT)
    for thing in things:
        poller.unregister(thing)


def sockets(poller, _shared):
    things = [usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM) for _ in range(MANY)]
    for number in range(ROUNDS):
        come_and_go(poller, things)
        number % 10 or gc.collect()
    for thing in things:
        thing.close()


def streams(poller, _shared):
    things = [Stream() for _ in range(MANY)]
    for number in range(ROUNDS):
        come_and_go(poller, things)
        number % 10 or gc.collect()


def closed(poller, _shared):
    """Whoever waits takes them out."""
    for number in range(ROUNDS):
        near, far = usocket.socketpair()
        poller.register(near, uselect.POLLIN)
        near.close()
        far.recv(1)
        number % 10 or gc.collect()


def the_same(poller, shared):
    """Of several threads; whether another has been quicker, who knows."""
    for _ in range(ROUNDS * MANY):
        poller.register(shared, uselect.POLLIN, shared)
        poller.unregister(shared, False)
    gc.collect()


def wait(poller, stop):
    while not stop:
        for obj, event, *userdata in poller.poll():
            if not hasattr(obj, "ioctl") and event & CLOSED == event:
                poller.unregister(obj, False)
            if userdata and userdata[0] is not obj:
                return "userdata of another"


for change in (sockets, streams, closed, the_same):
    poller = uselect.poll()
    shared, busy = usocket.socketpair()
    poller.register(busy, uselect.POLLOUT)  # always: no wait sleeps
    stop = []
    waiter = Task(wait, poller, stop)
    changers = [Task(change, poller, shared) for _ in range(3)]
    outcomes = [changer.join() for changer in changers]
    stop.append(True)
    outcomes.append(waiter.join())
    left = [found[0] for found in poller.poll(0) if found[1] & CLOSED != found[1]]
    print(change.__name__, outcomes, left == [busy])
