# The chip's own loopback: each frame that it sends has come by the time that the next one is sent. Datagrams of the
# largest size come to whoever has sent them: 45 frames each, first while a neighbour is asked for its address.
import machine
import network
import usocket

MAC_CSR_CMD, MAC_CSR_DATA, MAC_CSR_BUSY = 0x402000A4, 0x402000A8, 1 << 31
MII_ACCESS, MII_DATA, MII_WRITES = 6, 7, 2
PHY, BASIC_CONTROL, BASIC_CONTROL_LOOPBACK = 1, 0, 0x4000


def mac_write(register, value):
    machine.mem32[MAC_CSR_DATA] = value
    machine.mem32[MAC_CSR_CMD] = MAC_CSR_BUSY | register


lan = network.LAN()
lan.ifconfig(("10.0.2.15", "255.255.255.0", "0.0.0.0", "0.0.0.0"))
lan.config(loopback=False)
mac_write(MII_DATA, BASIC_CONTROL_LOOPBACK)
mac_write(MII_ACCESS, PHY << 11 | BASIC_CONTROL << 6 | MII_WRITES)

sock = usocket.socket(usocket.AF_INET, usocket.SOCK_DGRAM)
sock.bind(("10.0.2.15", 9999))
sock.settimeout(5)
for fill in (1, 2):
    data = bytes([fill]) * 65507
    sock.sendto(data, ("10.0.2.15", 9999))
    print(sock.recv(65508) == data)
