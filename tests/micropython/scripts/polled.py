# NAME-4 POLL-3 POLL-5: select.poll over our sockets, with bytes of their own and without.
import _thread
import errno
import select
import time

import usocket

LIMIT_MS = 10000


def pair(kind):
    """Two ends; the one that reads gives up soon."""
    if kind == "unix":
        ends = usocket.socketpair()
    else:
        server = usocket.socket()
        server.bind(("127.0.0.1", 0))
        server.listen()
        client = usocket.socket()
        client.connect(server.getsockname())
        ends = client, server.accept()[0]
        server.close()
    ends[0].settimeout(0.02)
    return ends


def error_of(function, *arguments):
    try:
        function(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno, error.errno)


def events_of(poller, sock, timeout_ms=0):
    return [event for polled, event in poller.poll(timeout_ms) if polled is sock]


def poll_of(sock, events=select.POLLIN):
    poller = select.poll()
    poller.register(sock, events)
    return poller


READS = (("read", 10), ("read",), ("readline",), ("readinto", bytearray(10)))

for kind in ("tcp", "unix"):
    near, far = pair(kind)
    poller = poll_of(near, select.POLLIN | select.POLLOUT)
    print("NAME-4", kind, "writable", events_of(poller, near) == [select.POLLOUT])
    far.write(b"x")
    poller.modify(near, select.POLLIN)
    print("NAME-4", kind, "readable", events_of(poller, near, LIMIT_MS) == [select.POLLIN], near.read(1))
    print("NAME-4", kind, "ipoll", [event for _, event in poller.ipoll(0)])
    far.close()
    ended = events_of(poller, near, LIMIT_MS)[0]
    print("POLL-3", kind, "the end is readable", bool(ended & select.POLLIN))
    near.close()

    for name, *arguments in READS:
        what = kind + " " + name + str(len(arguments))
        near, far = pair(kind)
        before = poll_of(near)
        far.write(b"half")
        before.poll(LIMIT_MS)
        error = error_of(getattr(near, name), *arguments)
        print("POLL-5", what, "known before:", error, events_of(before, near))
        print("POLL-5", what, "and after:", events_of(poll_of(near), near), near.read(4), events_of(before, near))
        near.close()
        far.close()

        # Nobody polls the socket until it has bytes of its own.
        near, far = pair(kind)
        far.write(b"half")
        error = error_of(getattr(near, name), *arguments)
        after = poll_of(near)
        print("POLL-5", what, "known after:", error, events_of(after, near), near.read(3), events_of(after, near))
        # That poll stays right when they are gone: for the system's bytes, for kept ones, for the end.
        print("POLL-5", what, "no more:", near.read(1), events_of(after, near))
        far.write(b"next")
        print("POLL-5", what, "and more:", events_of(after, near, LIMIT_MS), error_of(near.read, 10))
        print("POLL-5", what, "kept again:", events_of(after, near), near.read(4), events_of(after, near))
        far.close()
        ended = events_of(after, near, LIMIT_MS)[0]
        print("POLL-5", what, "the end:", bool(ended & select.POLLIN), near.read(1))
        after.unregister(near)
        near.close()

# A socket that is polled among others, with and without bytes of its own.
pairs = [pair("tcp") for _ in range(20)]
poller = select.poll()
for index, (near, far) in enumerate(pairs):
    if index % 2:
        far.write(b"part")
        error_of(near.read, 10)
    poller.register(near, select.POLLIN)
pairs[4][1].write(b"x")
poll_of(pairs[4][0]).poll(LIMIT_MS)
polled = [near for near, _ in poller.poll(LIMIT_MS)]
print("POLL-5 ready of 20:", [index for index, (near, _) in enumerate(pairs) if near in polled])
for near, far in pairs:
    poller.unregister(near)
    near.close()
    far.close()


# A thread reads, gives up and keeps; meanwhile, at some point, the socket is registered.
def read_halfway(sock, errors, ended):
    errors.append(error_of(sock.read, 10))
    ended.release()


for kind in ("tcp", "unix"):
    right = 0
    for round in range(30):
        near, far = pair(kind)
        ended = _thread.allocate_lock()
        ended.acquire()
        errors = []
        _thread.start_new_thread(read_halfway, (near, errors, ended))
        far.write(b"half")
        time.sleep_us(round * 50)
        poller = poll_of(near)
        ended.acquire()
        right += (errors, events_of(poller, near), near.read(4)) == (["ETIMEDOUT"], [select.POLLIN], b"half")
        poller.unregister(near)
        near.close()
        far.close()
    print("POLL-5", kind, "registered during a read:", right)
