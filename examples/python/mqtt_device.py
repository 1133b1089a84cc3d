"""A device that measures: it sends its readings to an MQTT broker, hears what others measure, and makes its connection
anew when it breaks, so that nothing is missed. Written for a board; runs unchanged on MicroPython, and on a desktop by
`python -m usocket`.

    mqtt_device.py HOST PORT NAME [READINGS]
"""

import socket
import sys

import ustruct as struct
import utime as time
from micropython import const

try:
    import machine
    import network
except ImportError:  # MicroPython's unix port has neither
    machine = network = None

CONNECT = const(0x10)
CONNACK = const(0x20)
PUBLISH = const(0x30)
PUBACK = const(0x40)
SUBSCRIBE = const(0x82)
SUBACK = const(0x90)
DISCONNECT = const(0xE0)

TIMEOUT_S = const(5)
RETRY_MS = const(50)


class MQTTError(OSError):
    pass


class MQTTClient:
    """MQTT 3.1.1 at quality of service 1: what is published is acknowledged, and may come twice."""

    def __init__(self, name, host, port):
        self.name = name
        self.address = socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM)[0][-1]
        self.sock = None
        self.callback = None
        self.pid = 0

    def connect(self):
        self.sock = socket.socket()
        self.sock.settimeout(TIMEOUT_S)
        self.sock.connect(self.address)
        # protocol, its version, no clean session: the broker keeps what comes while we are away; 60 s
        self._send(CONNECT, b"\x00\x04MQTT\x04\x00" + struct.pack("!H", 60) + self._text(self.name))
        kind, body = self._receive()
        if kind != CONNACK or body[1] != 0:
            raise MQTTError(body[1])

    def disconnect(self):
        self._send(DISCONNECT, b"")
        self.close()

    def close(self):
        if self.sock is not None:
            self.sock.close()
            self.sock = None

    def subscribe(self, topic):
        pid = self._next_pid()
        self._send(SUBSCRIBE, struct.pack("!H", pid) + self._text(topic) + b"\x01")
        self._wait_for(SUBACK, pid)

    def publish(self, topic, message):
        """Returns once the broker has it."""
        pid = self._next_pid()
        self._send(PUBLISH | 2, self._text(topic) + struct.pack("!H", pid) + message)
        self._wait_for(PUBACK, pid)

    def wait_message(self):
        """Handles one packet; returns its kind and what is in it."""
        kind, body = self._receive()
        if kind & 0xF0 == PUBLISH:
            end = 2 + struct.unpack("!H", body)[0]
            topic, pid, message = body[2:end], body[end : end + 2], body[end + 2 :]
            self.callback(topic, message)
            self._send(PUBACK, pid)
        return kind, body

    def _wait_for(self, wanted, pid):
        while True:
            kind, body = self.wait_message()
            if kind == wanted and struct.unpack("!H", body)[0] == pid:
                return

    def _next_pid(self):
        self.pid = self.pid % 0xFFFF + 1
        return self.pid

    def _text(self, text):
        return struct.pack("!H", len(text)) + text

    def _send(self, kind, body):
        header = bytearray((kind,))
        size = len(body)
        while size > 0x7F:
            header.append(size & 0x7F | 0x80)
            size >>= 7
        header.append(size)
        self.sock.write(header + body)

    def _receive(self):
        kind = self._read(1)[0]
        size = shift = 0
        while True:
            byte = self._read(1)[0]
            size |= (byte & 0x7F) << shift
            if byte & 0x80 == 0:
                return kind, self._read(size)
            shift += 7

    def _read(self, size):
        got = self.sock.read(size)
        if len(got) < size:
            raise MQTTError("the broker has closed the connection")
        return got


class Device:
    def __init__(self, client, name, readings):
        self.client = client
        self.topic = f"usocket/{name}/reading"
        self.readings = readings
        self.acknowledged = 0
        self.heard = set()
        self.connections = 0
        self.led = machine.Pin(2, machine.Pin.OUT) if machine else None
        client.callback = self.on_message

    def on_message(self, topic, message):
        if topic == self.topic.encode():
            self.heard.add(int(message))
        if self.led:
            self.led.value(len(self.heard) % 2)

    def join_network(self):
        if network:
            wlan = network.WLAN(network.STA_IF)
            wlan.active(True)
            wlan.connect("ssid", "key")
            while not wlan.isconnected():
                time.sleep_ms(100)

    def work(self):
        """Returns when all readings are with the broker and have come back; OSError: the connection broke."""
        self.client.connect()
        self.connections += 1
        self.client.subscribe(self.topic)
        while self.acknowledged < self.readings:
            self.client.publish(self.topic, b"%d" % self.acknowledged)
            self.acknowledged += 1
        while len(self.heard) < self.readings:
            self.client.wait_message()
        self.client.disconnect()

    def run(self):
        self.join_network()
        while True:
            try:
                return self.work()
            except OSError:
                self.client.close()
                time.sleep_ms(RETRY_MS)


def main():
    host, port, name = sys.argv[1:4]
    readings = int(sys.argv[4]) if len(sys.argv) > 4 else 50
    device = Device(MQTTClient("usocket-" + name, host, int(port)), name, readings)
    device.run()
    print(f"{device.acknowledged} readings acknowledged, {len(device.heard)} heard")
    print(f"connections: {device.connections}")


if __name__ == "__main__":
    main()
