# GAI-4: Ctrl-C as soon as a lookup has found something; test_interrupts.py sends it.
import socket

import usocket

sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)


def by_name():
    sock.connect(("localhost", 9))


interrupts = 0
for look_up in (lambda: usocket.getaddrinfo("127.0.0.1", 80), by_name):
    for _ in range(50):
        try:
            look_up()
        except KeyboardInterrupt:
            interrupts += 1
print(interrupts > 50)
