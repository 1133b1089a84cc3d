# What network.LAN says of the addresses that it is told, or is given by DHCP.
import network

lan = network.LAN()
BY_HAND = ("10.0.2.77", "255.255.0.0", "10.0.2.9", "10.0.2.8")


def refusal(value):
    try:
        lan.ifconfig(value)
    except Exception as error:
        return type(error).__name__
    return "none"


lan.ifconfig(BY_HAND)
print("set", lan.ifconfig(), lan.isconnected())
print("ipconfig", lan.ipconfig("addr4"), lan.ipconfig("gw4"), lan.ipconfig("has_dhcp4"))
wrong = (BY_HAND[:3], BY_HAND[:3] + ("nowhere",), "static", 5)
print("refused", *[refusal(value) for value in wrong], lan.ifconfig())
lan.ifconfig("dhcp")
print("dhcp", lan.ifconfig()[0], lan.ipconfig("has_dhcp4"), lan.ipconfig("dhcp4"))
lan.ifconfig(("10.0.2.78",) + BY_HAND[1:])
print("by hand again", lan.ifconfig(), lan.ipconfig("has_dhcp4"), lan.ipconfig("dhcp4"))
lan.ipconfig(addr6="fd00::77")
print("by hand, of IPv6", "FD00::77" in lan.ipconfig("addr6"))
lan.active(False)
print("down", lan.ifconfig()[0], lan.isconnected())
lan.active(True)
print("up again", lan.ifconfig()[3], "FD00::77" in lan.ipconfig("addr6"))
