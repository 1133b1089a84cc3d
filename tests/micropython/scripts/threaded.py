# SOCK-4 TIME-6 STRM-3: one socket, several threads, and the collector, which interrupts what the others wait for.
import gc

import usocket
from tasks import Task


def tcp_pair():
    server = usocket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen()
    client = usocket.socket()
    client.connect(server.getsockname())
    conn = server.accept()[0]
    server.close()
    return client, conn


def pause(idle, seconds):
    """A wait that lets other threads run; the host's own sleep keeps its global lock."""
    idle.settimeout(seconds)
    try:
        idle.recv(1)
    except OSError:
        pass


def collect(stop):
    """Stops all other threads now and then, by signals."""
    idle, _ = pair = usocket.socketpair()
    count = 0
    while not count or not stop:
        gc.collect()
        count += 1
        pause(idle, 0.001)
    for sock in pair:
        sock.close()
    return count > 0


def read_lines(sock):
    lines = []
    while line := sock.readline():
        lines.append(line)
    return lines


def write_lines(sock, count):
    for number in range(count):
        sock.write(b"line %d\n" % number)
    sock.shutdown(usocket.SHUT_WR)


COUNT = 1000
for kind, pair in (("tcp", tcp_pair), ("unix", usocket.socketpair)):
    # Two read lines of one connection while a third writes and a fourth collects.
    near, far = pair()
    stop = []
    collector = Task(collect, stop)
    readers = [Task(read_lines, near) for _ in range(2)]
    writer = Task(write_lines, far, COUNT)
    first, second = [reader.join() for reader in readers]
    writer.join()
    stop.append(True)
    everything = sorted(int(line[5:]) for line in first + second)
    print("STRM-3", kind, "two readers:", everything == list(range(COUNT)), collector.join())
    near.close()
    far.close()

    # A long read that the collector interrupts time and again.
    near, far = pair()
    stop = []
    collector = Task(collect, stop)
    reader = Task(near.read)
    data = bytes(range(256)) * 40
    for start in range(0, len(data), 512):
        far.write(data[start : start + 512])
        pause(far, 0.0002)
    far.close()
    print("TIME-5", kind, "one long read:", reader.join() == data)
    stop.append(True)
    collector.join()
    near.close()

    # Two that wait, and one that closes: at once, or after a while.
    right = 0
    for turn in range(40):
        near, far = pair()
        readers = [Task(near.recv, 1), Task(near.readline)]
        if turn % 2:
            pause(far, turn * 0.00005)
        near.close()
        right += [reader.join() for reader in readers] == ["OSError (9,)"] * 2
        right += far.recv(1) == b""
        far.close()
    print("SOCK-4", kind, "two readers, one closer:", right)

    # The same while bytes arrive, and new sockets take the numbers of the old ones: they get nothing of it.
    strays = 0
    for _ in range(40):
        near, far = pair()
        reader = Task(near.readline)
        far.write(b"no newline")
        near.close()
        others = [usocket.socketpair() for _ in range(3)]
        for sock, _ in others:
            sock.setblocking(False)
            strays += sock.read(1) is not None
        reader.join()
        far.close()
        for sock in sum(others, ()):
            sock.close()
    print("SOCK-4", kind, "bytes on other sockets:", strays)
