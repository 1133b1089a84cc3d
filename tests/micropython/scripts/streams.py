# NAME-4 POLL-1 POLL-2: select over streams of the host, which are asked, beside our sockets, which are waited for.
import _thread
import gc
import io
import os
import select
import sys
import time

import micropython
import uselect
import usocket

LIMIT_MS = 10000
MP_STREAM_POLL = 3
MP_STREAM_GET_FILENO = 10


class Stream(io.IOBase):
    """Is readable after it has been asked so many times."""

    def __init__(self, times):
        self.times = times

    def ioctl(self, request, mask):
        if request != MP_STREAM_POLL:
            return -1
        if self.times is None:
            raise ValueError("asked")
        self.times -= 1
        return mask & select.POLLIN if self.times < 0 else 0


class Told(io.IOBase):
    """Says what it has been told to say, whether it is asked for that or not."""

    says = select.POLLIN

    def ioctl(self, request, mask):
        return self.says if request == MP_STREAM_POLL else -1


def names(found, **objects):
    return [(name, event) for sock, event, *_ in found for name in objects if objects[name] is sock]


print(
    "NAME-4 the same", all(getattr(select, name) is getattr(uselect, name) for name in dir(uselect) if name[0] != "_")
)

near, far = usocket.socketpair()
stream = Stream(3)
poller = select.poll()
poller.register(stream, select.POLLIN)
print("POLL-1 alone", names(poller.poll(0), stream=stream), names(poller.poll(LIMIT_MS), stream=stream))
poller.register(near, select.POLLIN)
stream.times = 5
print("POLL-1 beside a socket", names(poller.poll(LIMIT_MS), stream=stream, near=near))
far.write(b"x")
print("POLL-1 both", names(poller.poll(LIMIT_MS), stream=stream, near=near))
print("POLL-1 ipoll", names(poller.ipoll(LIMIT_MS), stream=stream, near=near))
stream.times = 1000000
print("POLL-1 the socket", names(poller.ipoll(LIMIT_MS, 1), stream=stream, near=near), poller.poll(5))
stream.times = 0
print("POLL-1 one-shot", names(poller.ipoll(LIMIT_MS, 1), stream=stream, near=near), poller.poll(5))
poller.modify(stream, select.POLLIN)
print("POLL-1 again", names(poller.poll(LIMIT_MS), stream=stream, near=near))
poller.modify(stream, 0)
print("POLL-1 no mask", poller.poll(5))

told = Told()
ending = select.poll()
ending.register(told, select.POLLIN)
print("POLL-1 one-shot", names(ending.ipoll(LIMIT_MS, 1), told=told), ending.poll(5))
told.says = select.POLLIN | select.POLLHUP
print("POLL-1 then its end, once", names(ending.poll(500), told=told), ending.poll(5))
told.says |= select.POLLERR
print("POLL-1 and an error, once", names(ending.ipoll(500, 1), told=told), ending.poll(5))
ending.modify(told, select.POLLIN)
print("POLL-1 all of it again", names(ending.poll(500), told=told), len(ending.poll(5)))
poller.modify(stream, select.POLLIN)
stream.times = None
try:
    poller.poll(LIMIT_MS)
except ValueError as error:
    print("POLL-1 its exception", error)
poller.unregister(stream)
near.read(1)
print("POLL-1 unregistered", poller.poll(5))

# Its bytes come while the streams are asked.
stream.times = 1000000
poller.register(stream, select.POLLIN)
poller.modify(near, select.POLLIN)


def write_soon():
    time.sleep_ms(20)
    far.write(b"y")


_thread.start_new_thread(write_soon, ())
print("POLL-1 meanwhile", names(poller.poll(LIMIT_MS), stream=stream, near=near), near.read(1))


# A descriptor beside tells when to ask, and no more.
class Wrapper(io.IOBase):
    def __init__(self, sock):
        self.sock = sock
        self.ready = False

    def ioctl(self, request, mask):
        if request == MP_STREAM_POLL:
            return mask & select.POLLIN if self.ready else 0
        return self.sock.fileno() if request == MP_STREAM_GET_FILENO else -1


wrapper = Wrapper(near)
poller = select.poll()
poller.register(wrapper, select.POLLIN)
print("POLL-5 wrapped, nothing", poller.poll(0), poller.poll(5))
far.write(b"x")
print("POLL-5 the descriptor alone", poller.poll(0), poller.poll(20), [one for one in poller.ipoll(5, 1)])
wrapper.ready = True
print("POLL-5 and the stream", names(poller.poll(), wrapper=wrapper), near.read(1))
print("POLL-5 the stream alone", names(poller.ipoll(-1, 1), wrapper=wrapper), poller.poll(5))


class Leaving(Stream):
    """Is no longer registered when it is asked."""

    def ioctl(self, request, mask):
        if request == MP_STREAM_POLL:
            poller.unregister(self)
        return mask if request == MP_STREAM_POLL else -1


poller = select.poll()
poller.register(Leaving(0), select.POLLIN)
print("POLL-1 left when asked", poller.poll(0))

# --- Files and descriptors

with open("/dev/zero", "rb") as file:
    poller = select.poll()
    poller.register(file, select.POLLIN)
    poller.register(sys.stdin, select.POLLIN)
    poller.register(near, select.POLLIN)
    print("POLL-2 files", names(poller.poll(LIMIT_MS), file=file, near=near, stdin=sys.stdin))
wrong = select.poll()
wrong.register(123456, select.POLLIN)
try:
    wrong.poll(0)
except OSError as error:
    print("POLL-2 no descriptor", error.errno)
wrong.unregister(123456)
print("POLL-2 gone", wrong.poll(0))

# --- select()

stream.times = 0
print("NAME-4 select, writable", [len(one) for one in select.select([near], [near, far], [near], 0)])
print("NAME-4 select, a stream", [len(one) for one in select.select([near, stream], [stream], [stream])])
far.write(b"z")
print("NAME-4 select, readable", [len(one) for one in select.select([far, near], [], [], None)])
near.read(1)
print("NAME-4 select, nothing", select.select([near], [], (), 0.01))
try:
    select.select([near], [None], [])
except TypeError:
    print("NAME-4 select, no stream")

# --- What a wait must not do, and what must go on meanwhile

poller = select.poll()
pairs = [usocket.socketpair() for _ in range(10)]
for one, other in pairs:
    poller.register(one, select.POLLIN)
    other.write(b"x")
for _ in poller.ipoll(0):
    pass
micropython.heap_lock()
total = 0
for _ in range(3):
    for _, event in poller.ipoll(0):
        total += event
micropython.heap_unlock()
print("POLL-1 ipoll without memory", total)


def call(_):
    far.write(b"called")


def schedule_soon():
    time.sleep_ms(20)
    micropython.schedule(call, None)


poller = select.poll()
poller.register(near, select.POLLIN)
_thread.start_new_thread(schedule_soon, ())
print("POLL-1 a scheduled callback", len(poller.poll(LIMIT_MS)), near.recv(10))


def descriptors():
    for _ in range(3):
        gc.collect()
    return sum(1 for _ in os.ilistdir("/proc/self/fd"))


def make_many():
    for _ in range(50):
        poller = select.poll()
        poller.register(near, select.POLLIN)
        poller.poll(0)


before = descriptors()
make_many()
print("SOCK-3 polls are collected", descriptors() <= before + 3)
