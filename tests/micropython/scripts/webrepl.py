# A prompt over a websocket, as boards have it: a listener with a callback (SOCK-11), the host's websocket and _webrepl
# over the connection, os.dupterm(). What is typed is evaluated here, as the host's own prompt is not running.
import binascii
import hashlib
import os
import socket
import sys
import time

import _webrepl
import websocket

answer = 42
over = []


def shake_hands(conn):
    key = None
    while True:
        line = conn.readline()
        if line == b"\r\n":
            break
        if line.startswith(b"Sec-WebSocket-Key:"):
            key = line.split(b":", 1)[1].strip()
    accept = binascii.b2a_base64(hashlib.sha1(key + b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11").digest())[:-1]
    conn.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
    conn.write(b"Sec-WebSocket-Accept: " + accept + b"\r\n\r\n")


def on_connection(listener):
    conn, peer = listener.accept()
    shake_hands(conn)
    terminal = _webrepl._webrepl(websocket.websocket(conn, True))
    conn.setblocking(False)
    line = bytearray()

    def on_data(sock):
        while True:
            byte = terminal.read(1)
            if not byte:
                if byte is not None:
                    sock.close()
                    over.append(True)
                return
            if byte != b"\r":
                line.extend(byte)
                continue
            print(eval(bytes(line)))
            line[:] = b""

    conn.setsockopt(socket.SOL_SOCKET, 20, on_data)
    os.dupterm(terminal)


_webrepl.password("secret")
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(1)
listener.setsockopt(socket.SOL_SOCKET, 20, on_connection)
print(listener.getsockname()[1])
while not over:
    time.sleep(0.01)
os.dupterm(None)
print("over")
sys.exit(0)
