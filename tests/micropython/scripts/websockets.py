# STRM-7: the host's websocket over our sockets.
import select

import usocket
import websocket

SET_DATA_OPTS, TEXT, BINARY = 9, 1, 2

left, right = usocket.socketpair()
near, far = websocket.websocket(left, True), websocket.websocket(right, True)

near.write("ping")
print("STRM-7 text:", far.read(4))
near.ioctl(SET_DATA_OPTS, BINARY)
data = bytes(range(256)) * 100
near.write(data)
got = b""
while len(got) < len(data):
    got += far.read(min(1000, len(data) - len(got)))
print("STRM-7 a long frame:", got == data)

# A masked frame, in pieces, as a browser sends one.
frame = b"\x82\x85mask" + bytes(b"hello"[index] ^ b"mask"[index % 4] for index in range(5))
for byte in frame:
    left.write(bytes([byte]))
print("STRM-7 a masked frame:", far.read(5))

# Without waiting.
right.setblocking(False)
print("STRM-7 nothing there:", far.read(10))
near.write("late")
poller = select.poll()
poller.register(right, select.POLLIN)
print("STRM-7 polled:", [event for _, event in poller.poll(10000)], far.read(10), poller.poll(0))

near.close()
print("STRM-7 closed:", far.read(10), left.fileno(), right.read(10))
far.close()
