# A stream of the program's own, with an ioctl() and no descriptor, in a poll beside a socket.
import io
import select
import socket

MP_STREAM_POLL = 3


class Ring(io.IOBase):
    def __init__(self):
        self.held = b""

    def write(self, data):
        self.held += data
        return len(data)

    def ioctl(self, request, argument):
        return argument & select.POLLIN if request == MP_STREAM_POLL and self.held else 0


def events():
    return sorted((names[id(obj)], event) for obj, event in poll.poll(20))


ring = Ring()
near, far = socket.socketpair()
names = {id(ring): "ring", id(near): "socket"}
poll = select.poll()
poll.register(ring, select.POLLIN)
print(events())
ring.write(b"x")
print(events())
poll.register(near, select.POLLIN)
far.write(b"y")
print(events())
poll.modify(ring, select.POLLOUT)
print(events())
poll.modify(ring, select.POLLIN)
print([names[id(obj)] for obj, event in poll.ipoll(20, 1)].count("ring"), [obj is ring for obj, event in poll.ipoll(5)])
print(near.recv(1))
poll.unregister(ring)
print(events())
try:
    poll.unregister(ring)
except KeyError:
    print("not registered")
print([obj is ring for obj in select.select([ring, near], [], [], 0.02)[0]])
