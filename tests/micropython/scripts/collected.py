# SOCK-3: sockets that are dropped leave no descriptor behind.
import gc
import os

import usocket


def descriptors():
    gc.collect()
    return sum(1 for _ in os.ilistdir("/proc/self/fd"))


def drop(make, times):
    """Makes many and keeps none; whether no descriptor is left, but for what an old word on the stack may point to."""
    before = descriptors()
    for index in range(times):
        make()
        if index % 200 == 0:
            gc.collect()
    return descriptors() - before <= 2


def connected():
    client = usocket.socket()
    client.connect(server.getsockname())
    server.accept()


def kept():
    near, far = usocket.socketpair()
    near.settimeout(0.0001)
    far.write(b"kept")
    try:
        near.read(10)
    except OSError:
        pass


def failed():
    sock = usocket.socket()
    try:
        sock.connect(closed)
    except OSError:
        pass


def not_made():
    try:
        usocket.socket(-1)
    except OSError:
        pass


server = usocket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
gone = usocket.socket()
gone.bind(("127.0.0.1", 0))
closed = gone.getsockname()

print("SOCK-3 3,000 sockets:", drop(usocket.socket, 3000))
print("SOCK-3 3,000 in pairs:", drop(usocket.socketpair, 1500))
print("SOCK-3 connected ones:", drop(connected, 300))
print("SOCK-3 with kept bytes:", drop(kept, 300))
print("SOCK-3 failed to connect:", drop(failed, 300))
print("SOCK-3 failed to be made:", drop(not_made, 300))

# Those that are not dropped stay.
held = [usocket.socket() for _ in range(100)]
drop(usocket.socket, 500)
print("SOCK-3 held ones are open:", all(sock.fileno() >= 0 for sock in held))

# Nobody closes a number that is another's by now.
held = [usocket.socketpair() for _ in range(50)]
drop(usocket.socket, 500)
print("SOCK-3 on old numbers:", all(one.write(b"x") == 1 and other.read(1) == b"x" for one, other in held))

# A finaliser called by hand leaves a closed socket.
sock = usocket.socket()
sock.__del__()
print("SOCK-3 by hand:", sock.fileno())
sock.close()
