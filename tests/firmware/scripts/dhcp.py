# What address the board gets by DHCP.
import network

lan = network.LAN()
lan.ifconfig("dhcp")
print("address", lan.ifconfig()[0])
