"""On the board: what an operation takes with the firmware's `socket`, whichever that is. Prints a line for each work
item, its name and the instructions of one operation, all that the board does meanwhile included.

Both ends are here. The Ethernet chip sends all frames back (what its standard calls a PHY's loopback), so what is sent
goes through driver, chip and interrupt, and is there when the call that sends comes back.
"""

import gc
import select
import socket
import time

import machine
import network

NS_PER_TICK, NS_PER_INSTRUCTION = 40, 32
CHIP, MAC_DATA, MAC_COMMAND, MAC_WRITE = 0x40200000, 0xA8, 0xA4, 0x80000000
MII_ACCESS, MII_DATA, PHY_LOOPBACK = 6, 7, 0x4000
ADDRESS = "10.0.0.1"
SETTLE_MS = 200  # TCP's timers have done their work by then; takes no time of this machine's

ports = iter(range(1000, 2000))
listeners = []  # stay open: when modlwip closes one, it runs into an assertion of lwIP's


def mac_write(register, value):
    machine.mem32[CHIP + MAC_DATA] = value
    machine.mem32[CHIP + MAC_COMMAND] = MAC_WRITE | register


def set_up():
    lan = network.LAN()
    lan.config(loopback=False)
    lan.ifconfig((ADDRESS, "255.255.255.0", "0.0.0.0", "0.0.0.0"))
    mac_write(MII_DATA, PHY_LOOPBACK)
    mac_write(MII_ACCESS, 2)  # write the PHY's register 0


def here():
    return socket.getaddrinfo(ADDRESS, next(ports))[0][-1]


def listener():
    sock = socket.socket()
    address = here()
    sock.bind(address)
    sock.listen(1)
    listeners.append(sock)
    return sock, address


def pair():
    server, address = listener()
    left = socket.socket()
    left.connect(address)
    right = server.accept()[0]
    for sock in (left, right):
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a delayed ACK is no work of anybody's
    return left, right


def datagram_socket():
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    address = here()
    sock.bind(address)
    return sock, address


def instructions(count, operation):
    """Of operation() `count` times."""
    gc.collect()
    begin = time.ticks_cpu()
    for _ in range(count):
        operation()
    return time.ticks_diff(time.ticks_cpu(), begin) * NS_PER_TICK // NS_PER_INSTRUCTION


def show(item, count, total):
    print(item, total / count)


def out_of_a_full_pipe(item, block, count, operation):
    """`count` operations take in what is written before the clock runs."""
    left, right = pair()
    take = operation(right)
    total = 0
    rounds = 10
    for _ in range(rounds):
        left.write(block)
        time.sleep_ms(SETTLE_MS)
        total += instructions(count, take)
    show(item, rounds * count, total)
    left.close()
    right.close()


def lines(size):
    line = b"x" * (size - 1) + b"\n"
    count = 4000 // size
    out_of_a_full_pipe(f"lines_{size}", line * count, count, lambda sock: sock.readline)


def reads(item, size, method):
    count = 4096 // size
    out_of_a_full_pipe(item, bytes(4096), count, method)


def round_trip():
    left, right = pair()
    message = bytes(64)

    def there_and_back():
        left.send(message)
        right.recv(64)
        right.send(message)
        left.recv(64)

    there_and_back()
    show("round_trip", 200, instructions(200, there_and_back))
    left.close()
    right.close()


def echo_of_a_line():
    left, right = pair()
    line = b"x" * 79 + b"\n"

    def there_and_back():
        left.write(line)
        right.write(right.readline())
        left.readline()

    there_and_back()
    show("echo_line", 100, instructions(100, there_and_back))
    left.close()
    right.close()


def bulk():
    left, right = pair()
    block = bytes(4096)
    room = bytearray(4096)

    def over():
        left.write(block)
        right.readinto(room)

    for _ in range(8):
        over()
    show("bulk", 100, instructions(100, over))
    left.close()
    right.close()


def read_to_the_end():
    total = 0
    for _ in range(4):
        left, right = pair()
        for _ in range(8):
            left.write(bytes(4096))
            time.sleep_ms(SETTLE_MS)
        left.close()
        time.sleep_ms(SETTLE_MS)
        total += instructions(1, right.read)
        right.close()
    show("read_eof", 4, total)


def datagram():
    (left, _), (right, address) = datagram_socket(), datagram_socket()
    message = bytes(64)

    def over():
        left.sendto(message, address)
        right.recvfrom(64)

    over()
    show("datagram", 200, instructions(200, over))
    left.close()
    right.close()


def connect():
    server, address = listener()

    def whole():
        left = socket.socket()
        left.connect(address)
        right = server.accept()[0]
        left.close()
        right.close()

    whole()
    show("connect", 50, instructions(50, whole))


def poll(count):
    sockets = [datagram_socket() for _ in range(count)]
    poller = select.poll()
    for sock, _ in sockets:
        poller.register(sock, select.POLLIN)
    sockets[0][0].sendto(b"x", sockets[5][1])
    time.sleep_ms(SETTLE_MS)
    assert len(poller.poll(0)) == 1
    show(f"poll_{count}", 200, instructions(200, lambda: poller.poll(0)))
    for sock, _ in sockets:
        sock.close()


def memory():
    kept = [None] * 20
    gc.collect()
    before = gc.mem_alloc()
    for i in range(len(kept)):
        kept[i] = socket.socket()
    print("memory", (gc.mem_alloc() - before) / len(kept))
    for sock in kept:
        sock.close()


set_up()
lines(400)
lines(80)
lines(8)
echo_of_a_line()
round_trip()
reads("recv_64", 64, lambda sock: lambda: sock.recv(64))
reads("read_16", 16, lambda sock: lambda: sock.read(16))
room = bytearray(1024)
reads("readinto_1k", 1024, lambda sock: lambda: sock.readinto(room))
bulk()
read_to_the_end()
datagram()
connect()
poll(10)
poll(90)
memory()
