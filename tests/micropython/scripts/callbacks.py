# SOCK-11: callbacks beside the collector and other threads, and the end of a program that has some.
import _thread
import gc
import sys
import time

import uselect
import usocket


def set_callback(sock, f):
    sock.setsockopt(usocket.SOL_SOCKET, 20, f)


def waits_for(condition):
    left = 5000
    while not condition() and left:
        time.sleep(0.001)
        left -= 1
    return condition()


def poll_of(socks):
    poller = uselect.poll()
    for sock in socks:
        poller.register(sock, uselect.POLLIN)
    return poller


def ended(socks):
    """How many of them are at their end: in time, all but one."""
    poller = poll_of(socks)
    waits_for(lambda: len(poller.poll(0)) >= len(socks) - 1)
    return len(poller.poll(0))


# What nobody else knows goes with its callback, which may know it.
seen = []


def make():
    near, other = usocket.socketpair()
    set_callback(near, lambda sock: seen.append((near, sock.recv(1))))
    return other


far = [make() for _ in range(20)]
for _ in range(3):
    gc.collect()
    junk = [bytearray(100) for _ in range(1000)]
poller = poll_of(far)
# An old word on the stack may still point to one or two.
print("collected:", waits_for(lambda: len(poller.poll(0)) >= 15), seen)

# While another thread collects, those go that have just become ready.
stop = []
stopped = _thread.allocate_lock()
stopped.acquire()


def collect():
    while not stop:
        gc.collect()
        time.sleep(0.001)  # with a lock others would wait long for it
    stopped.release()


_thread.start_new_thread(collect, ())
closed = 0
for _ in range(20):
    far = []
    for _ in range(30):
        near, other = usocket.socketpair()
        set_callback(near, lambda sock: sock.recv(1))
        far.append(other)
        other.write(b"x")
        near = None
    closed += ended(far)
    for other in far:
        other.close()
stop.append(True)
stopped.acquire()
print("collected when ready:", closed >= 20 * 29)

# A callback that makes garbage, while the program does, and is collected under.
counts = [0, 0]
near, other = usocket.socketpair()


def litter(sock):
    sock.recv(1)
    counts[0] += 1
    list(map(bytearray, range(100)))
    if counts[0] % 50 == 0:
        gc.collect()
    if counts[0] < 500:
        other.write(b"x")


set_callback(near, litter)
other.write(b"x")
for _ in range(200000):
    if counts[0] == 500:
        break
    junk = [bytearray(64) for _ in range(20)]
print("under garbage:", waits_for(lambda: counts[0] == 500))

# Another thread sets one, and writes.
main = _thread.get_ident()
threads = []
near, other = usocket.socketpair()
near.settimeout(5)


def from_thread():
    set_callback(near, lambda sock: threads.append((_thread.get_ident() == main, sock.recv(1))))
    for _ in range(3):
        other.write(b"y")
    running.release()


running = _thread.allocate_lock()
running.acquire()
_thread.start_new_thread(from_thread, ())
running.acquire()
print("from a thread:", waits_for(lambda: len(threads) == 3), len(threads))

# The end, with callbacks due all the time.
set_callback(near, lambda sock: other.write(b"z"))
other.write(b"z")
time.sleep(0.02)
print("the end")
sys.exit(0)
