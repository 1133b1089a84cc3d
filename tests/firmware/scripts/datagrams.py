# Datagrams to the board itself, over its interface: of so many bytes.
import sys

import usocket

size = int(sys.argv[1])
data = bytes([number % 251 for number in range(size)])
for family, host in ((usocket.AF_INET, "127.0.0.1"), (usocket.AF_INET6, "::1")):
    sock = usocket.socket(family, usocket.SOCK_DGRAM)
    sock.bind((host, 9999))
    sock.settimeout(10)
    sock.sendto(data, (host, 9999))
    print(host, sock.recv(size + 1) == data)
    sock.close()
