# TIME-5 TIME-6 SOCK-3 GAI-4 TLS-3: Ctrl-C at any point of a call that waits; test_interrupts.py sends it. Arguments:
# the call, where to connect to, after how many results to end.
#
# Prints "call" when a call is about to begin. Then either SIGINT comes, before the call can possibly end, or what ends
# the call, whose result is printed. So nothing that a call has returned can be lost on its way to a variable.
import gc
import io
import os
import select
import sys

import usocket

name, where, times = sys.argv[1], sys.argv[2], int(sys.argv[3])
method, _, timeout = name.partition(" ")


def descriptors():
    gc.collect()
    return sum(1 for _ in os.ilistdir("/proc/self/fd"))


def connected():
    sock = usocket.socket()
    sock.connect(("127.0.0.1", int(where)))
    if timeout:
        sock.settimeout(int(timeout))
    return sock


def make_recv():
    sock = connected()
    return lambda: sock.recv(10)


def make_read():
    sock = connected()
    return lambda: sock.read(10)


def make_readline():
    sock = connected()
    return lambda: sock.readline()


def make_readinto():
    sock = connected()
    buffer = bytearray(10)
    return lambda: bytes(buffer[: sock.readinto(buffer)])


class Never(io.IOBase):
    """Is asked again and again, and never ready."""

    def ioctl(self, request, mask):
        return 0 if request == 3 else -1


def make_poll(*others):
    sock = connected()
    poller = select.poll()
    for one in (sock,) + others:
        poller.register(one, select.POLLIN)

    def poll():
        poller.poll()
        return sock.recv(1)

    return poll


def make_pollbeside():
    return make_poll(Never())


def make_sendall():
    sock = connected()
    sock.setsockopt(usocket.SOL_SOCKET, usocket.SO_SNDBUF, 65536)
    block = bytes(2000000)

    def sendall():
        sock.sendall(block)
        return b"sent"

    return sendall


def make_accept():
    listener = usocket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    if timeout:
        listener.settimeout(int(timeout))
    print(usocket.sockaddr(listener.getsockname())[2])

    def accept():
        conn, _ = listener.accept()
        return conn.read()

    return accept


def make_connect():
    def connect():
        sock = usocket.socket(usocket.AF_UNIX)
        if timeout:
            sock.settimeout(int(timeout))
        sock.connect("\0" + where)
        return b"connected"

    return connect


def make_handshake():
    """Of connections that are new each time; one that was interrupted is gone on with."""
    import ussl

    port, folder = where.split(" ")
    context = ussl.SSLContext(ussl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(folder + "/trusted.pem")
    socks = []

    def handshake():
        if not socks:
            sock = usocket.socket()
            sock.connect(("127.0.0.1", int(port)))
            if timeout:
                sock.settimeout(int(timeout))
            socks.append(sock)
        try:
            context.wrap_socket(socks[0], server_hostname="localhost", do_handshake=False)
        except OSError:
            pass  # it is wrapped already
        socks[0].do_handshake()
        result = socks[0].read(5)
        socks.clear()
        return result

    return handshake


def memory():
    """Of the process, in kB, beside the heap of the collector's."""
    gc.collect()
    with open("/proc/self/status") as file:
        return [int(line.split()[1]) for line in file if line.startswith("VmRSS")][0]


def make_getaddrinfo():
    # The name server, which never answers.
    server = usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 53))

    def getaddrinfo():
        try:
            usocket.getaddrinfo("silent.test", 80)
        except OSError as error:
            return bytes(str(error.args[0]), "ascii")
        finally:
            server.fileno()

    return getaddrinfo


call = globals()["make_" + method]()
before = descriptors()
done = interrupts = 0
settled = 0  # the memory of a process that has seen some of it
while done < times:
    if method == "handshake" and done == times // 4 and not settled:
        settled = memory()
    try:
        print("call")
        result = call()
        done += 1
        print(result)
    except KeyboardInterrupt:
        interrupts += 1
print("interrupts", interrupts)
# What gave up a lookup left it to end by itself.
idle, _ = usocket.socketpair()
idle.settimeout(0.05)
left = descriptors() - before - 2
for _ in range(200 if method == "getaddrinfo" else 0):
    if left <= 2:
        break
    try:
        idle.recv(1)
    except OSError:
        left = descriptors() - before - 2
# An old word on the stack may still point to one or two.
print("no descriptors left", left <= 2)
if method == "handshake":
    # A session that nobody frees would be 40 kB of it.
    print("no memory left", memory() - settled < 1500)
