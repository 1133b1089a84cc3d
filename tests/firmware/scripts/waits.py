# Waits in the call that its argument names until Ctrl-C ends it; the socket is as it was (STACK-3, TIME-5, TIME-6).
import sys
import time

import uselect
import usocket

server = usocket.socket()
server.bind(("127.0.0.1", 0))
server.listen()
left = usocket.socket()
left.connect(server.getsockname())
right = server.accept()[0]
poller = uselect.poll()
poller.register(right, uselect.POLLIN)


def fill():
    while True:
        right.write(bytes(100000))


def loop():
    while True:
        pass


CALLS = {
    "recv": lambda: right.recv(1),
    "read": lambda: right.read(5),
    "readline": right.readline,
    "accept": server.accept,
    "poll": poller.poll,
    "write": fill,
    "sleep": lambda: time.sleep(1000),
    "loop": loop,
}
if sys.argv[1] == "read":
    left.write(b"ab")
    poller.poll()
try:
    print("waiting")
    CALLS[sys.argv[1]]()
except KeyboardInterrupt:
    print("KeyboardInterrupt")
left.write(b"cdefg\n")
print(right.readline())
