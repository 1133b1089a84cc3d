# A datagram to the desktop and back: of how many bytes, to which of its ports. Then a larger one, one way.
import sys

import network
import usocket

port, there_and_back, there = [int(word) for word in sys.argv[1:]]
network.LAN().ifconfig("dhcp")
sock = usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM)
sock.settimeout(10)
data = bytes([number % 251 for number in range(there_and_back)])
sock.sendto(data, ("10.0.2.2", port))
print("back", sock.recv(there_and_back + 1) == data)
sock.sendto(bytes(there), ("10.0.2.2", port))
print("there", int(sock.recv(20)))
