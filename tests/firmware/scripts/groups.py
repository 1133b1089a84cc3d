"""Joins groups until there are no more, and has another address only then."""

import network
import usocket

lan = network.LAN()
lan.ifconfig(("10.9.8.7", "255.255.255.0", "10.9.8.1", "10.9.8.1"))


def join_all(family, level, option, request):
    sock = usocket.socket(family, usocket.SOCK_DGRAM)
    count = 0
    try:
        while count < 20:
            sock.setsockopt(level, option, request(count))
            count += 1
    except OSError as error:
        print(count, error)
    return sock


one = join_all(
    usocket.AF_INET, usocket.IPPROTO_IP, usocket.IP_ADD_MEMBERSHIP, lambda i: bytes([239, 1, 1, i, 0, 0, 0, 0])
)
one.close()
other = join_all(
    usocket.AF_INET6,
    usocket.IPPROTO_IPV6,
    usocket.IPV6_JOIN_GROUP,
    lambda i: b"\xff\x02" + bytes(13) + bytes([0x40 + i]) + bytes(4),
)
lan.ipconfig(addr6="fd00::77")
print("ready")
other.settimeout(60)
try:
    other.recv(1)
except OSError as error:
    print(error)
