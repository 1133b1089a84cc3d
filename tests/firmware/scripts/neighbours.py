# What is sent to a neighbour whose hardware address is not known yet: a datagram in fragments, and several in a row.
# Then a large one to the board's own address. The arguments are printed first.
import sys

import usocket

print(sys.argv[1:])
sock = usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM)
sock.bind(("0.0.0.0", 9999))
sock.settimeout(10)
sock.sendto(bytes(4000), ("127.0.7.1", 9999))
print("fragments", len(sock.recv(10000)))
for i in range(3):
    sock.sendto(bytes([i]), ("127.0.7.2", 9999))
print("in a row", sorted(sock.recv(10)[0] for _ in range(3)))
six = usocket.socket(usocket.AF_INET6, usocket.SOCK_DGRAM)
six.bind(("::", 9998))
six.settimeout(10)
for one, host in ((sock, "127.0.0.1"), (six, "::1")):
    one.sendto(bytes(4000), (host, 9999 if one is sock else 9998))
    print(host, len(one.recv(10000)))
