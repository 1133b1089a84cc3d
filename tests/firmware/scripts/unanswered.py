# How long connect() waits for somebody who does not answer.
import network
import usocket

network.LAN().ifconfig(("10.9.8.7", "255.255.255.0", "10.9.8.1", "0.0.0.0"))
sock = usocket.socket()
print("ready")
try:
    sock.connect(("10.9.8.1", 80))
except OSError as error:
    print("ended", error.errno)
