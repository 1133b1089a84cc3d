# TIME-6: a call that ends for want of the host's memory has received nothing, and taken no connection, however little
# there is.
import gc

import usocket


def full():
    """All of the heap, as a chain."""
    chain = None
    size = 1 << 22
    while size >= 16:
        try:
            while True:
                chain = (chain, bytearray(size))
        except MemoryError:
            size >>= 1
    try:
        while True:
            chain = (chain,)
    except MemoryError:
        return chain


def attempt(call, free):
    """What it returns where `free` objects of the smallest size find place; None: there was no memory for it."""
    chain = full()
    for _ in range(free):
        chain = chain and chain[0]
    gc.collect()
    try:
        return call()
    except MemoryError:
        return None


left, right = usocket.socketpair()
left.settimeout(10)
room = bytearray(5)
calls = {
    "recv": lambda: left.recv(5),
    "recvfrom": lambda: left.recvfrom(5),
    "recvfrom_into": lambda: left.recvfrom_into(room),
}
for name in sorted(calls):
    refused = lost = 0
    for free in range(40):
        right.write(b"hello")
        if attempt(calls[name], free) is None:
            gc.collect()
            refused += 1
            lost += left.recv(5) != b"hello"
    print(name, refused != 0, lost)
