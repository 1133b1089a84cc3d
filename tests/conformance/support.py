# What the scripts share: the host's names for modules, ways to show a result, connected sockets. Like them it runs on
# CPython, MicroPython and Pycopy, so it uses nothing that one of these lacks.

import usocket

try:
    import uselect
except ImportError:
    import select as uselect
try:
    import uerrno
except ImportError:
    import errno as uerrno

try:
    from lacking import LACKS  # what the stack under it cannot do (STACK-1), beside the package
except ImportError:
    LACKS = ()

LIMIT_MS = 10000  # how long to wait for what must happen

# MicroPython's uerrno leaves these out, or CPython's has another name; the numbers are Linux's.
OTHER_ERRORS = {
    32: "EPIPE",
    71: "EPROTO",
    89: "EDESTADDRREQ",
    90: "EMSGSIZE",
    92: "ENOPROTOOPT",
    93: "EPROTONOSUPPORT",
    94: "ESOCKTNOSUPPORT",
    95: "EOPNOTSUPP",
    97: "EAFNOSUPPORT",
    106: "EISCONN",
    111: "ECONNREFUSED",
}


def has(what):
    """Whether the stack can do it: src/sys/<stack>/stack.cmake has the names. Lines that need what it lacks stand in
    needs.txt."""
    return what not in LACKS


def show(rule, what, *values):
    """One line of output, which starts with the rule that it is about."""
    print(rule + " " + what + ":", *values)


def error_name(error):
    """OSError with the name of its errno by the host's numbers (STACK-4), or the resolver's; else just the type."""
    if not isinstance(error, OSError):
        return type(error).__name__
    code = error.args[0]
    return "OSError " + (OTHER_ERRORS.get(code) or uerrno.errorcode.get(code) or str(code))


def outcome(function, *args):
    """What a call comes to: its value, or the name of its error."""
    try:
        return function(*args)
    except Exception as error:
        return error_name(error)


def message(function, *args):
    """The text of the error that a call ends with."""
    try:
        function(*args)
    except Exception as error:
        return str(error)
    return "no error"


def ready(sock, events, timeout_ms=LIMIT_MS):
    """Waits until one of the events happens; whether it did."""
    poller = uselect.poll()
    poller.register(sock, events)
    return len(poller.poll(timeout_ms)) == 1


def readable(sock, timeout_ms=LIMIT_MS):
    return ready(sock, uselect.POLLIN, timeout_ms)


def arrived(sock, count):
    """Waits until so many bytes are there to be received, which may come in several pieces; whether they are."""
    for _ in range(LIMIT_MS):
        if len(sock.recv(count, usocket.MSG_PEEK)) == count:
            return True
        ready(sock, 0, 1)
    return False


def listener(family=usocket.AF_INET, backlog=5):
    """A socket that listens on a free port of the loopback interface."""
    sock = usocket.socket(family)
    sock.bind(("127.0.0.1" if family == usocket.AF_INET else "::1", 0))
    sock.listen(backlog)
    return sock


def port_of(sock):
    return usocket.sockaddr(sock.getsockname())[2]


def abstract_name(sock):
    """A name for AF_UNIX (Linux) that no file goes with, and that nobody else uses as long as `sock` has its port."""
    return "\0usocket conformance " + str(port_of(sock))


def tcp_pair():
    """Two ends of a connection over the loopback interface: the one that connected, the one that accepted."""
    server = listener()
    client = usocket.socket()
    client.connect(server.getsockname())
    conn = server.accept()[0]
    server.close()
    for sock in (client, conn):
        sock.setsockopt(usocket.IPPROTO_TCP, usocket.TCP_NODELAY, 1)  # what is written is there at once
    return client, conn


# Two connected streams of whatever kind.
stream_pair = usocket.socketpair if has("sharing") else tcp_pair

# Every kind of stream has to keep the rules in its own way: (what to call it, how to get a pair).
STREAMS = (("tcp", tcp_pair), ("unix", stream_pair))


def fill(sock):
    """Sends until no more fits, neither here nor at the other end; how much did. The socket is left non-blocking."""
    sock.setblocking(False)
    block = bytes(65536)
    total = 0
    before = -1
    while total != before:
        before = total
        try:
            while True:
                total += sock.send(block)
        except OSError as error:
            if error.args[0] != uerrno.EAGAIN:
                raise
        # Some may still be on its way, and TCP's probe of a closed window, after 200 ms, may find room. Where a chip
        # had no room for a frame, it is sent again after a second or more.
        ready(sock, uselect.POLLOUT, 300 if has("threads") else 4000)
    return total


def start(function, *args):
    """Runs a function in a thread of its own; returns a function that waits for its end and returns what it returned.
    Where there are no threads, the script ends here."""
    try:
        import _thread
    except ImportError:
        print("SKIP")
        raise SystemExit from None
    results = []
    running = _thread.allocate_lock()
    running.acquire()

    def run():
        results.append(outcome(function, *args))
        running.release()

    def join():
        running.acquire()
        return results[0]

    _thread.start_new_thread(run, ())
    return join
