# rules: NAME-2 SOCK-1 SOCK-3 STRM-7
# Classes that inherit from the modules' classes, with an __init__ of their own and without one.

import gc
import sys

import usocket

if sys.implementation.name == "cpython":
    import usocket.compat as socket
else:
    import socket

from support import has, listener, outcome, readable, show, uselect


class Plain(usocket.socket):
    pass


class Named(usocket.socket):
    def __init__(self, name, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.name = name

    def where(self):
        return usocket.sockaddr(self.getsockname())[1]

    def close(self):
        self.name = "closed"
        super().close()


class Late(usocket.socket):
    def __init__(self):
        self.name = "late"
        super().__init__(usocket.AF_INET, usocket.SOCK_DGRAM)


class Failing(usocket.socket):
    def __init__(self):
        super().__init__()
        raise KeyError("later")


class Compat(socket.socket):
    def __init__(self, port):
        super().__init__(socket.AF_INET, type=socket.SOCK_DGRAM)
        self.bind(("localhost", port))


def lowest_free():
    """The number that the next descriptor gets."""
    sock = usocket.socket()
    number = sock.fileno()
    sock.close()
    return number


def kind_of(sock):
    kind = (sock.family, sock.type)
    sock.close()
    return kind


INET_DGRAM = (usocket.AF_INET, usocket.SOCK_DGRAM)

show("SOCK-1", "without __init__", kind_of(Plain()) == (usocket.AF_INET, usocket.SOCK_STREAM))
show("SOCK-1", "without __init__", kind_of(Plain(usocket.AF_INET6, usocket.SOCK_DGRAM))[0] == usocket.AF_INET6)
show("SOCK-1", "without __init__", kind_of(Plain(usocket.AF_INET, usocket.SOCK_DGRAM)) == INET_DGRAM)
show("SOCK-1", "without __init__", outcome(Plain, 9999), outcome(Plain, "x"))
sock = Named("one", usocket.AF_INET, usocket.SOCK_DGRAM)
sock.bind(("127.0.0.1", 0))
show("SOCK-1", "with arguments of its own", sock.name, sock.where() == b"\x7f\0\0\1", sock.type == usocket.SOCK_DGRAM)
show("SOCK-1", "a method of both", sock.close(), sock.name, outcome(sock.getsockname))
show("SOCK-1", "other arguments than the base's", kind_of(Late()) == INET_DGRAM)
show("SOCK-1", "the base refuses", outcome(Named, "three", 9999), outcome(Named, "four", "x"))

sock = Compat(0)
show("NAME-2", "a name to bind", sock.getsockname()[0], sock.type == socket.SOCK_DGRAM)
show("NAME-2", "a name to sendto", sock.sendto(b"x", ("localhost", sock.getsockname()[1])), sock.recv(9))
sock.close()

# --- Nothing leaks, whichever way it ends.

gc.collect()
before = lowest_free()
for _ in range(20):
    sock = Named("many", usocket.AF_INET, usocket.SOCK_DGRAM)
    sock.close()
    sock = Late()
    sock.close()
show("SOCK-3", "closed", lowest_free() == before)


def fail_often():
    for _ in range(20):
        try:
            Failing()
        except KeyError:
            pass


def drop_many():
    for _ in range(20):
        Named("dropped")


fail_often()
drop_many()
for _ in range(3):
    gc.collect()
show("SOCK-3", "collected", lowest_free() <= before + 2)  # what a register still holds

# --- The host's own protocols

if has("sharing"):
    left, right = usocket.socketpair()
    own = Named("own", fileno=right.detach())
else:
    server = listener()
    own = Named("own")
    own.connect(server.getsockname())
    left = server.accept()[0]
show("STRM-7", "adopted", left.write(b"a line\nmore"), readable(own), own.readline(), own.recv(10))
poller = uselect.poll()
poller.register(own, uselect.POLLIN)
show("STRM-7", "polled", len(poller.poll(0)), left.write(b"x"), [event[0] is own for event in poller.poll(10000)])
poller.unregister(own)
left.write(b"yz\n")
left.close()
show("STRM-7", "lines", [line for line in own])
own.close()
