"""Listens at port 80, and accepts nobody."""

import network
import usocket

lan = network.LAN()
lan.ifconfig(("10.9.8.7", "255.255.255.0", "10.9.8.1", "10.9.8.1"))
server = usocket.socket()
server.bind(("0.0.0.0", 80))
server.listen(32)
print("ready")
idle = usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM)
idle.settimeout(60)
try:
    idle.recv(1)
except OSError as error:
    print(error)
