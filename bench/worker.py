"""A worker in Python, for CPython and MicroPython alike: does one work item again and again for one contestant.

    python worker.py CONTESTANT ITEM PORT CERTIFICATES     PORT: the peer's (peer.cpp)

CONTESTANT: usocket; socket, makefile and makefile_rb (CPython's own); stock (MicroPython's own). It talks as
worker.hpp says.
"""

import sys

CPYTHON = sys.implementation.name == "cpython"
CONTESTANT, ITEM, PORT, CERTIFICATES = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]

if CPYTHON:
    from time import perf_counter_ns as now
else:
    from time import time_ns as now

if ITEM != "import":
    if CPYTHON:
        import socket as control  # what the peer is talked to with
    if CONTESTANT == "usocket":
        import usocket as socket
    else:
        import socket
    if not CPYTHON:
        control = socket

# What the operations of a sample took besides time: minor page faults, context switches.
used = [0, 0]

if CPYTHON:
    from resource import RUSAGE_SELF, getrusage

    def usage():
        now_used = getrusage(RUSAGE_SELF)
        return now_used.ru_minflt, now_used.ru_nvcsw + now_used.ru_nivcsw

else:
    import array

    import ffi

    rusage = array.array("l", [0] * 18)  # Linux's struct rusage
    getrusage = ffi.open(None).func("i", "getrusage", "ip")

    def usage():
        getrusage(0, rusage)
        return rusage[8], rusage[16] + rusage[17]


def count_usage(before):
    """Adds what was used since usage() said `before`. Neither is called while the clock runs."""
    after = usage()
    for i in (0, 1):
        used[i] += after[i] - before[i]


IS_MAKEFILE = CONTESTANT.startswith("makefile")
PIPE_BYTES = 192 * 1024
RECEIVE_BUFFER = 1024 * 1024
WRITE_BLOCK = 1024 * 1024
TIMEOUT_S = 10
SO_RCVBUF = 8  # of Linux; MicroPython's own module does not name it


def loopback(port, module=None):
    return (module or socket).getaddrinfo("127.0.0.1", port)[0][-1]


class Peer:
    """The control connection, which counts its system calls."""

    def __init__(self, port):
        self.calls = 0
        self.socket = control.socket()
        self.socket.connect(loopback(port, control))
        self.data_port = int(self.reply())

    def tell(self, command):
        self.calls += 1
        self.socket.send((command + "\n").encode())

    def reply(self):
        self.calls += 1
        return self.socket.recv(16).decode()

    def ask(self, command):
        self.tell(command)
        self.hear_ok()

    def hear_ok(self):
        assert self.reply() == "ok\n"

    def free_port(self):
        self.tell("port")
        return int(self.reply())


def new_connection():
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER)
    sock.connect(loopback(peer.data_port))
    return sock


def connected():
    sock = new_connection()
    peer.ask("accept")
    return sock


def stream_of(sock):
    return sock.makefile("rwb" if CONTESTANT == "makefile" else "rb") if IS_MAKEFILE else sock


def timed(count, calls_before, operation):
    """The time that operation() takes `count` times."""
    before = usage()
    begin = now()
    for _ in range(count):
        operation()
    end = now()
    count_usage(before)
    return count, end - begin, peer.calls - calls_before


# --- Out of a full pipe: the peer fills the queue, then the clock runs while the worker empties it.


def emptying(unit, operation, argument=None):
    def empty_with_argument(count):
        begin = now()
        for _ in range(count):
            operation(argument)
        return now() - begin

    def empty_without(count):
        begin = now()
        for _ in range(count):
            operation()
        return now() - begin

    empty = empty_without if argument is None else empty_with_argument

    def sample(count):
        calls_before = peer.calls
        operations = value = 0
        while operations < count:
            part = min(PIPE_BYTES // unit, count - operations)
            peer.ask(f"fill {part * unit} {min(unit, 4096)}")
            before = usage()
            value += empty(part)
            count_usage(before)
            operations += part
        return operations, value, peer.calls - calls_before

    return sample


def lines(sock, length):
    return emptying(length, stream_of(sock).readline)


def recv(sock):
    return emptying(64, sock.recv, 64)


def read(size):
    sock = connected()
    if CONTESTANT == "socket":
        return emptying(size, lambda size: sock.recv(size, socket.MSG_WAITALL), size)
    return emptying(size, stream_of(sock).read, size)


def readinto(size):
    sock = connected()
    buffer = bytearray(size)
    if CONTESTANT == "socket":
        return emptying(size, sock.recv_into, buffer)
    return emptying(size, stream_of(sock).readinto, buffer)


# --- There and back


def echo_line():
    stream = stream_of(connected())
    peer.tell("echo")
    line = b"x" * 79 + b"\n"
    write, readline = stream.write, stream.readline

    def operation():
        write(line)
        readline()

    def flushing_operation():
        write(line)
        stream.flush()
        readline()

    return lambda count: timed(count, peer.calls, flushing_operation if IS_MAKEFILE else operation)


def round_trip(sock):
    peer.tell("echo")
    # What TLS of the host makes of a socket may be a stream alone.
    send, recv_ = (sock.send, sock.recv) if hasattr(sock, "send") else (sock.write, sock.read)
    data = bytes(64)

    def operation():
        send(data)
        recv_(64)

    return lambda count: timed(count, peer.calls, operation)


def with_timeout(sock):
    sock.settimeout(TIMEOUT_S)
    return sock


# --- In bulk


def read_eof(connect, size):
    def sample(count):
        value = own_calls = 0
        for _ in range(count):
            calls_before = peer.calls
            sock = connect()
            stream = stream_of(sock)
            before = usage()
            begin = now()
            peer.tell(f"source {size}")
            got = stream.read()
            value += now() - begin
            count_usage(before)
            assert len(got) == size
            del got
            stream.close()
            sock.close()
            own_calls += peer.calls - calls_before
        return count, value, own_calls

    return sample


def write(sock):
    peer.ask("sink")
    block = bytes(WRITE_BLOCK)
    stream = stream_of(sock)
    if CONTESTANT == "socket":
        return lambda count: timed(count, peer.calls, lambda: sock.sendall(block))
    if not IS_MAKEFILE:
        return lambda count: timed(count, peer.calls, lambda: sock.write(block))

    def operation():
        stream.write(block)
        stream.flush()

    return lambda count: timed(count, peer.calls, operation)


# --- Without the peer: both ends are the worker's


def connect():
    new_socket = socket.socket

    def sample(count):
        # A port of its own each time: old connections linger in TIME_WAIT.
        address = loopback(peer.free_port())
        listener = new_socket()
        listener.bind(address)
        listener.listen(128)
        calls_before = peer.calls

        def operation():
            ours = new_socket()
            ours.connect(address)
            theirs, _ = listener.accept()
            ours.close()
            theirs.close()

        result = timed(count, calls_before, operation)
        listener.close()
        return result

    return sample


def datagram_socket():
    return socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def udp():
    sender, receiver = datagram_socket(), datagram_socket()
    address = loopback(peer.free_port())
    receiver.bind(address)
    sendto, recvfrom, data = sender.sendto, receiver.recvfrom, bytes(64)

    def operation():
        sendto(data, address)
        recvfrom(64)

    return lambda count: timed(count, peer.calls, operation)


def kind_of_poller():
    """What makes a poller, and the mask for reading."""
    if CPYTHON and CONTESTANT == "socket":
        import select

        return select.epoll, select.EPOLLIN
    if CPYTHON:
        import uselect as select
    else:
        import select

    return select.poll, select.POLLIN


kept = []  # sockets that a poller watches: they must live as long


def poll(size):
    sockets = [datagram_socket() for _ in range(size)]
    make, mask = kind_of_poller()
    poller = make()
    for sock in sockets:
        poller.register(sock, mask)
    # One has a datagram to read, and keeps it.
    ready = sockets[size // 2]
    address = loopback(peer.free_port())
    ready.bind(address)
    ready.sendto(b"x", address)
    assert len(poller.poll(-1)) == 1

    kept.extend(sockets)
    return lambda count: timed(count, peer.calls, lambda: poller.poll(-1))


def registering(size):
    sockets = [datagram_socket() for _ in range(size)]
    make, mask = kind_of_poller()

    def sample(count):
        operations = value = 0
        while operations < count:
            poller = register = None  # the last one goes while the clock stands
            before = usage()
            begin = now()
            poller = make()
            register = poller.register
            for sock in sockets:
                register(sock, mask)
            value += now() - begin
            count_usage(before)
            operations += size
        return operations, value, 0

    return sample


def memory_in_use():
    if not CPYTHON:
        import gc

        gc.collect()
        return gc.mem_alloc()
    import resource

    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * resource.getpagesize()


def memory(count):
    sockets = [None] * count
    before = memory_in_use()
    used_before = usage()
    for i in range(count):
        sockets[i] = stream_of(socket.socket())
    count_usage(used_before)
    return count, memory_in_use() - before, 0


def timed_import(_):
    before = usage()
    begin = now()
    if CONTESTANT == "usocket":
        import usocket  # noqa: F401
    else:
        import socket  # noqa: F401
    value = now() - begin
    count_usage(before)
    return 1, value, 0


# --- With TLS. All check the peer's certificate and its name.


def tls_context():
    if CONTESTANT == "usocket":
        import ussl as tls
    elif CPYTHON:
        import ssl as tls
    else:
        import tls

    context = tls.SSLContext(tls.PROTOCOL_TLS_CLIENT)
    context.verify_mode = tls.CERT_REQUIRED
    with open(CERTIFICATES + "/trusted.der", "rb") as file:
        issuers = file.read()
    if CONTESTANT == "stock":
        context.load_verify_locations(issuers)
    else:
        context.load_verify_locations(cadata=issuers)
    return context


def shake_hands(sock, session=None):
    if session is None:
        return context.wrap_socket(sock, server_hostname="localhost")
    return context.wrap_socket(sock, server_hostname="localhost", session=session)


def secure():
    sock = connected()
    peer.tell("secure")
    sock = shake_hands(sock)
    peer.hear_ok()
    return sock


def connect_once(session=None):
    """To the first byte, which the peer sends when its side of the handshake is done."""
    sock = shake_hands(new_connection(), session)
    sock.read(1)
    return sock


def shaking(is_resumed):
    session = None
    if is_resumed:
        peer.tell("serve 2")
        sock = connect_once()
        session = sock.tls_session() if CONTESTANT == "usocket" else sock.session
        sock.close()
        sock = connect_once(session)
        assert sock.session_reused() if CONTESTANT == "usocket" else sock.session_reused
        sock.close()

    def operation():
        connect_once(session).close()

    def sample(count):
        calls_before = peer.calls
        peer.tell(f"serve {count}")
        return timed(count, calls_before, operation)

    return sample


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


def tls_memory(count):
    """Of connections at rest, each of which has brought something; what all of them share is there before."""
    streams = []

    def open_one():
        stream = stream_of(secure())
        streams.append(stream)
        peer.ask("fill 160 80")
        stream.read(160)
        peer.ask("keep")

    open_one()
    before = resident()
    used_before = usage()
    for _ in range(count):
        open_one()
    count_usage(used_before)
    return count, resident() - before, 0


def tls_item():
    global context
    context = tls_context()
    return {
        "tls_handshake": lambda: shaking(False),
        "tls_resumed": lambda: shaking(True),
        "tls_round_trip": lambda: round_trip(secure()),
        "tls_lines_80": lambda: lines(secure(), 80),
        "tls_read_eof_16m": lambda: read_eof(secure, 16 << 20),
        "tls_write_1m": lambda: write(secure()),
        "tls_memory": lambda: tls_memory,
    }[ITEM]()


def item():
    if ITEM.startswith("tls_"):
        return tls_item()
    kind, _, number = ITEM.rpartition("_")
    if kind == "lines":
        return lines(connected(), int(number))
    if kind == "poll":
        return poll(int(number))
    if kind == "register":
        return registering(int(number))
    if kind == "read_eof":
        return read_eof(connected, int(number[:-1]) << 20)
    return {
        "echo_line": echo_line,
        "round_trip": lambda: round_trip(connected()),
        "round_trip_timeout": lambda: round_trip(with_timeout(connected())),
        "recv_64": lambda: recv(connected()),
        "recv_64_timeout": lambda: recv(with_timeout(connected())),
        "read_16": lambda: read(16),
        "read_64k": lambda: read(64 * 1024),
        "readinto_4k": lambda: readinto(4096),
        "write_1m": lambda: write(connected()),
        "connect": connect,
        "udp": udp,
        "memory": lambda: memory,
        "import": lambda: timed_import,
    }[ITEM]()


def say(text):
    sys.stdout.write(text + "\n")
    if CPYTHON:
        sys.stdout.flush()


def main():
    sample = item()
    say("ready")
    while True:
        line = sys.stdin.readline()
        if not line:
            return
        used[:] = [0, 0]
        numbers = sample(int(line))
        say(" ".join(map(str, list(numbers) + used)))


if ITEM != "import":
    peer = Peer(PORT)
main()
