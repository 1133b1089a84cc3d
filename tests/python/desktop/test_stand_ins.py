"""DEV-2: what programs for devices import besides the network."""

from __future__ import annotations

import errno
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from programs import call, call_python, names_of, output, write


@pytest.mark.parametrize(
    "name",
    "network machine micropython esp pyb rp2 uos ujson utime uio ure ubinascii ustruct urandom ucollections uhashlib"
    " uerrno uzlib deflate uheapq usys ulogging logging uwebsocket websocket _thread gc".split(),
)
def test_dev_2_names(name: str) -> None:
    names_of(f"import {name}\nfrom {name} import *\n")


@pytest.mark.parametrize("device, usual", [("utime", "time"), ("uos", "os"), ("ujson", "json"), ("ure", "re")])
def test_dev_2_a_u_name_is_the_same_module(device: str, usual: str) -> None:
    assert names_of(f"import {device}, {usual}\nsame = {device} is {usual}\n")["same"]


def test_dev_2_a_stand_in_has_all_of_the_standard_module() -> None:
    names = names_of("import os, time, sys\nfrom os import *\nfrom os.path import join as j\n")
    assert names["j"]("a", "b") == names["os"].path.join("a", "b") == "a/b"
    assert callable(names["getcwd"]) and names["time"].monotonic() > 0 and names["sys"].maxsize > 0


def test_dev_2_setting_a_name_of_the_standard_module_sets_it(tmp_path: Path) -> None:
    files = {
        "main.py": "import sys, io\nout = sys.stdout = io.StringIO()\nprint('x')\n"
        "sys.stdout = sys.__stdout__\nprint(repr(out.getvalue()))\n"
    }
    assert output(tmp_path, files) == ["'x\\n'"]


def test_dev_2_ticks_wrap_as_on_devices() -> None:
    t: Any = names_of("import time\n")["time"]
    assert t.ticks_diff(t.ticks_add(5, 10), 5) == 10
    assert t.ticks_diff(3, (1 << 30) - 4) == 7 and t.ticks_diff((1 << 30) - 4, 3) == -7
    start = t.ticks_ms()
    t.sleep_ms(2)
    t.sleep_us(1)
    assert t.ticks_diff(t.ticks_ms(), start) >= 2


def test_dev_2_dates_have_eight_numbers() -> None:
    t: Any = names_of("import time\n")["time"]
    assert t.gmtime(0) == (1970, 1, 1, 0, 0, 0, 3, 1) and len(t.localtime()) == 8
    assert t.mktime(t.localtime(86400 * 365)) == 86400 * 365
    assert isinstance(t.time(), int)


def test_dev_2_print_exception(tmp_path: Path) -> None:
    text = "import sys\ntry:\n    b'a' + 5 .real\nexcept Exception as e:\n    sys.print_exception(e)\n"
    lines = output(tmp_path, {"main.py": text})
    assert lines[0].startswith("Traceback") and lines[-1] == "TypeError: can't concat int to bytes"
    assert not any("usocket" in line for line in lines)


def test_dev_2_the_implementation_is_a_devices(tmp_path: Path) -> None:
    files = {"main.py": "import sys\nprint(sys.implementation.name, sys.platform)\nimport dataclasses, sysconfig\n"}
    assert output(tmp_path, files)[0].startswith("micropython ")


def test_dev_2_gc_tells_of_memory() -> None:
    names = names_of("import gc\nx = gc.collect(), gc.mem_free(), gc.mem_alloc(), gc.threshold(1000), gc.threshold()\n")
    collected, free, allocated, none, threshold = names["x"]
    assert free > 0 and allocated > 0 and (none, threshold) == (None, 1000)


@pytest.mark.parametrize(
    "expression, value",
    [
        ("struct.pack('BH', 300, -1)", b"\x2c\0\xff\xff"),
        ("struct.pack('4s', 'ab')", b"ab\0\0"),
        ("struct.pack('BB', 1)", b"\1\0"),
        ("struct.unpack('B', b'ab')", (97,)),
        ("struct.pack('>i', 0xffffffff)", b"\xff" * 4),
        ("json.dumps({'a': b'b'})", '{"a": "b"}'),
        ("json.dumps(['é€'])", '["é€"]'),
        ("json.load(io.BytesIO(b'[1]'))", [1]),
        ("ure.search('a(.)', b'xab').group(1)", b"b"),
        ("ure.compile(b'a(.)').match('ab').group(1)", "b"),
        ("ure.sub('a', b'x', 'aa')", "xx"),
        ("binascii.hexlify('ab', ':')", b"61:62"),
        ("binascii.b2a_base64('ab')", b"YWI=\n"),
        ("hashlib.sha1('ab').digest()[:2]", b"\xda\x23"),
        ("io.BytesIO(b'abc').readinto(bytearray(3), 2)", 2),
        ("len(collections.deque((), 5))", 0),
        ("os.uname().sysname != ''", True),
    ],
)
def test_dev_2_leniency(expression: str, value: Any) -> None:
    modules = "struct, json, io, ure, binascii, hashlib, collections, os"
    assert names_of(f"import {modules}\nvalue = {expression}\n")["value"] == value


def test_dev_2_pack_into_leaves_out_what_is_too_much() -> None:
    assert names_of("import struct\nb = bytearray(2)\nstruct.pack_into('BB', b, 0, 1, 2, 3)\n")["b"] == b"\1\2"


def test_dev_2_files_take_both_types(tmp_path: Path) -> None:
    path = tmp_path / "file"
    names_of(
        f"with open({str(path)!r}, 'w') as f:\n    f.write(b'a\\r\\n')\n    f.write('b')\n"
        f"with open({str(path)!r}, 'ab') as f:\n    f.write('c')\n"
    )
    assert path.read_bytes() == b"a\r\nbc"
    names = names_of(
        f"b = bytearray(4)\nwith open({str(path)!r}, 'rb') as f:\n    n = f.readinto(b, 2)\n"
        f"with open({str(path)!r}) as f:\n    lines = f.readlines()\n"
    )
    assert (names["n"], names["b"], names["lines"]) == (2, b"a\r\0\0", ["a\r\n", "bc"])


def test_dev_2_dupterm_sees_what_is_printed(tmp_path: Path) -> None:
    text = (
        "import os, socket\na, b = socket.socketpair()\nos.dupterm(a)\nprint('x')\nwas = os.dupterm(None)\n"
        "print(b.readline(), was is a)\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["x", "b'x\\r\\n' True"]


def test_dev_2_a_terminal_of_dupterm_that_fails_is_taken_away(tmp_path: Path) -> None:
    """While the program prints, which goes on."""
    text = """
import os, socket

class Terminal:
    def __init__(self, work):
        self.work = work
    def write(self, data):
        self.work()

def fail():
    raise ValueError("no more")

near, far = socket.socketpair()
far.close()
for terminal in (near, Terminal(fail), Terminal(lambda: os.dupterm(None)), Terminal(lambda: print("within"))):
    os.dupterm(terminal)
    for i in range(3):
        print("line", i)
    print(os.dupterm(None) is terminal)
"""
    lines = output(tmp_path, {"main.py": text})
    plain = ["line 0", "line 1", "line 2", "False"]
    assert lines[:12] == plain * 3
    assert "within" in "".join(lines[12:]) and lines[-1] == "True"


CONSOLE = """
import io, os, socket, time
near, far = socket.socketpair()
far.settimeout(5)
near.setblocking(False)
answer = 42
os.dupterm({terminal})
near.setsockopt(socket.SOL_SOCKET, 20, os.dupterm_notify)
def typed(text, ends):
    far.write(text)
    seen = b""
    while not seen.endswith(ends):
        seen += far.recv(1)
    return seen.decode()
seen = [
    typed("answer + 1\\r", "43\\r\\n>>> "),
    typed("b'%s' % 'x'\\r\\n", "b'x'\\r\\n>>> "),
    typed("def f():\\r", "... "), typed(" return 1\\r", "... "), typed("\\r", ">>> "),
    typed("ab\\x7f\\x7ff()\\r", "1\\r\\n>>> "),
    typed("1 / 0\\r", "ZeroDivisionError: division by zero\\r\\n>>> "),
]
try:
    far.write("wait\\x03")
    time.sleep(5)
except KeyboardInterrupt:
    seen.append("interrupted")
far.close()
while os.dupterm(None):
    time.sleep_ms(1)
for line in seen: print("seen", line.splitlines())
"""

TERMINAL = """
class Terminal(io.IOBase):
    def readinto(self, buffer): return near.readinto(buffer)
    def write(self, data): return near.write(data)
    def close(self): near.close()
"""


@pytest.mark.parametrize("terminal", ["near", "Terminal()"])
def test_dev_2_what_is_typed_at_a_terminal_of_dupterm_runs(terminal: str, tmp_path: Path) -> None:
    text = CONSOLE.format(terminal=terminal).replace("answer = 42\n", f"answer = 42{TERMINAL}", 1)
    lines = output(tmp_path, {"main.py": text})
    shown = [line.removeprefix("seen ") for line in lines if line.startswith("seen ")]
    assert shown[0] == "['answer + 1', '43', '>>> ']"
    assert "\"b'x'\", '>>> '" in shown[1] and shown[2:5] == [
        "['def f():', '... ']",
        "[' return 1', '... ']",
        "['', '>>> ']",
    ]
    assert shown[5].endswith("f()', '1', '>>> ']") and "ZeroDivisionError: division by zero" in shown[6]
    assert shown[7:] == ["['interrupted']"]


def test_dev_2_webrepl_lets_in_and_moves_files(tmp_path: Path) -> None:
    """_webrepl over a websocket, as webrepl.py puts them together."""
    text = """
import _webrepl, os, socket, struct, websocket
near, far = socket.socketpair()
_webrepl.password("secret")
def frame(kind, data):
    size = bytes([128 | len(data)]) if len(data) < 126 else bytes([254]) + struct.pack(">H", len(data))
    return bytes([128 | kind]) + size + bytes(4) + data
def got():
    kind, size = far.read(2)
    return kind & 15, far.read(size if size < 126 else struct.unpack(">H", far.read(2))[0])
def refused():
    far.write(frame(1, b"wrong\\r"))
    return wrong.read(1)
wrong = _webrepl._webrepl(websocket.websocket(near, True))
print(got(), wrong.write("unseen"), refused(), got())
repl = _webrepl._webrepl(websocket.websocket(near, True))
near.setblocking(False)
far.write(frame(1, b"secret\\rx"))
print(got(), repl.read(1), repl.read(1), got(), repl.write("seen"), got())
def request(kind, size, name):
    return frame(2, struct.pack("<2sBBQLH64s", b"WA", kind, 0, 0, size, len(name), name.encode()))
def asked(data):
    far.write(data)
    return repl.read(1)
print(asked(request(3, 0, "")), got()[1][0])
print(asked(request(1, 300, "put")), got(), asked(frame(2, bytes(100)) + frame(2, b"x" * 200)), got())
print(open("put", "rb").read() == bytes(100) + b"x" * 200)
print(asked(request(2, 0, "put")), got(), asked(frame(2, b"\\0")), len(got()[1]), end=" ")
print(asked(frame(2, b"\\0")), len(got()[1]))
print(asked(frame(2, b"\\0")), got(), got())
far.close()
print(repl.read(1))
""".replace("\\\\", "\\")
    path = write(tmp_path, {"main.py": text})
    done = call(path, cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "(1, b'Password: ') 6 b'' (1, b'\\r\\nAccess denied\\r\\n')",
        "(1, b'Password: ') b'x' None (1, b'\\r\\nWebREPL connected\\r\\n>>> ') 4 (1, b'seen')",
        "None 1",
        "None (2, b'WB\\x00\\x00') None (2, b'WB\\x00\\x00')",
        "True",
        "None (2, b'WB\\x00\\x00') None 258 None 46",
        "None (2, b'\\x00\\x00') (2, b'WB\\x00\\x00')",
        "b''",
    ], done.stderr


def test_dev_2_logging_has_exc() -> None:
    names_of("import ulogging\nlog = ulogging.getLogger('x')\nlog.exc(ValueError('y'), 'said %s', 1)\n")


# --- The board


def test_dev_2_the_network_is_up_and_remembers() -> None:
    names = names_of(
        "import network\nw = network.WLAN(network.STA_IF)\nw.active(True)\nw.connect('ssid', 'key')\n"
        "w.config(pm=0)\nsame = w is network.WLAN(network.STA_IF)\nap = network.WLAN(network.AP_IF)\n"
        "was = ap.active()\nap.active(True)\n"
    )
    w: Any = names["w"]
    assert w.isconnected() and w.ifconfig()[0] == "127.0.0.1" and w.config("ssid") == "ssid" and w.config("pm") == 0
    assert w.status() == names["network"].STAT_GOT_IP and names["same"] and not names["was"]
    w.ifconfig(("10.0.0.2", "255.0.0.0", "10.0.0.1", "10.0.0.1"))
    assert w.ifconfig()[0] == "10.0.0.2"
    w.ifconfig(("127.0.0.1", "255.0.0.0", "127.0.0.1", "127.0.0.1"))


def test_dev_2_pins_remember_and_call() -> None:
    names = names_of(
        "from machine import Pin, Signal\np = Pin(2, Pin.OUT)\np.on()\nq = Pin(2)\nseen = []\n"
        "q.irq(lambda pin: seen.append(pin.value()), Pin.IRQ_FALLING)\np.off()\np.on()\ns = Signal(p, invert=True)\n"
    )
    assert names["q"].value() == 1 and names["s"].value() == 0 and names["seen"] == [0]


def test_dev_2_leds_remember_their_colours() -> None:
    names = names_of(
        "import machine, neopixel\nleds = neopixel.NeoPixel(machine.Pin(4, machine.Pin.OUT), 3)\nleds.fill((1, 2, 3))\n"
        "leds[1] = 4, 5, 6\nleds.write()\nseen = list(leds), len(leds), leds[-1], bytes(leds.buf[:6])\n"
    )
    assert names["seen"] == ([(1, 2, 3), (4, 5, 6), (1, 2, 3)], 3, (1, 2, 3), b"\2\1\3\5\4\6")


def test_dev_2_timers_tick_on_the_main_thread(tmp_path: Path) -> None:
    text = (
        "import machine, time, _thread\nmain = _thread.get_ident()\nseen = []\n"
        "def tick(timer):\n    seen.append(_thread.get_ident() == main)\n    if len(seen) == 3: timer.deinit()\n"
        "machine.Timer(-1).init(period=2, mode=machine.Timer.PERIODIC, callback=tick)\n"
        "once = []\nmachine.Timer(0, mode=machine.Timer.ONE_SHOT, period=1, callback=once.append)\n"
        "while len(seen) < 3 or not once: time.sleep(0.01)\nprint(seen, len(once))\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["[True, True, True] 1"]


def test_dev_2_schedule_runs_in_the_middle_of_a_call_and_prints_errors(tmp_path: Path) -> None:
    text = (
        "import micropython, socket, _thread\na, b = socket.socketpair()\n"
        "def answer(x):\n    b.write('%d\\n' % x)\n    1 / 0\n"
        "_thread.start_new_thread(lambda: micropython.schedule(answer, 5), ())\nprint(a.readline())\n"
    )
    done = call(write(tmp_path, {"main.py": text}))
    assert done.stdout == "b'5\\n'\n" and "ZeroDivisionError" in done.stderr and "usocket" not in done.stderr


def test_dev_2_callbacks_wait_while_interrupts_are_off() -> None:
    names = names_of(
        "import machine, micropython\nseen = []\nstate = machine.disable_irq()\n"
        "micropython.schedule(seen.append, 1)\nbefore = list(seen)\nmachine.enable_irq(state)\n"
    )
    assert (names["before"], names["seen"]) == ([], [1])


def test_dev_2_a_callback_is_not_interrupted_by_the_next() -> None:
    names = names_of(
        "import micropython, threading\nseen = []\ndef first(x):\n"
        "    t = threading.Thread(target=micropython.schedule, args=(seen.append, 2))\n    t.start()\n    t.join()\n"
        "    for _ in range(1000): pass\n    seen.append(1)\nmicropython.schedule(first, None)\n"
    )
    assert names["seen"] == [1, 2]


def test_dev_2_what_is_not_there_says_so() -> None:
    with pytest.raises(OSError, match="machine.UART: nothing is connected"):
        names_of("import machine\nmachine.UART(1, 9600)\n")


def test_dev_2_pyb_has_its_own_ways_with_timers_and_pins(tmp_path: Path) -> None:
    text = (
        "import pyb, network\nled = pyb.Pin('X1', pyb.Pin.OUT_PP)\ncalls = []\n"
        "ext = pyb.ExtInt(led, pyb.ExtInt.IRQ_RISING, pyb.Pin.PULL_NONE, calls.append)\n"
        "led.high()\next.swint()\next.disable()\nled.low()\nled.high()\n"
        "timer = pyb.Timer(4, freq=200)\nticks = []\ntimer.callback(lambda t: ticks.append(t is timer))\n"
        "while len(ticks) < 2:\n    pyb.delay(1)\ntimer.callback(None)\n"
        "print(calls, ticks[:2], network.AUTH_MAX > network.AUTH_OPEN, network.WLAN.SEC_WPA3)\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["[0, 0] [True, True] True 5"]


ENDS = ["machine.reset", "machine.soft_reset", "machine.deepsleep", "machine.bootloader"]
ENDS += ["pyb.hard_reset", "pyb.standby", "pyb.bootloader", "esp.deepsleep"]
ENDING = """import machine, pyb, esp, atexit
atexit.register(print, "atexit")
print("before")
try:
    try:
        {call}()
    except:
        print("except")
finally:
    print("finally")
"""


@pytest.mark.parametrize("name", ENDS)
def test_dev_2_reset_says_where_and_ends_at_once(name: str, tmp_path: Path) -> None:
    path = write(tmp_path, {"main.py": ENDING.format(call=name)})
    done = call(path)
    assert (done.returncode, done.stdout) == (0, "before\natexit\n")
    assert done.stderr == f"{path}:6: {name}(): a board would begin anew; the program ends\n"


@pytest.mark.parametrize("name", ENDS)
def test_dev_2_in_a_test_reset_is_an_exception(name: str) -> None:
    with pytest.raises(SystemExit) as caught:
        names_of(f"import machine, pyb, esp\n{name}()\n")
    assert caught.value.code == 0


def test_dev_2_for_unittest_reset_is_an_exception(tmp_path: Path) -> None:
    text = (
        "import unittest, machine\nclass Test(unittest.TestCase):\n    def test_it(self):\n        machine.reset()\n"
        "unittest.main()\n"
    )
    done = call(write(tmp_path, {"main.py": text}))
    assert done.returncode == 1 and "errors=1" in done.stderr, done.stderr


@pytest.mark.parametrize("watch", ["sys.settrace(lambda *event: None)", "sys.setprofile(lambda *event: None)"])
def test_dev_5_for_who_watches_the_program_reset_is_an_exception(watch: str, tmp_path: Path) -> None:
    text = f"import machine, sys\n{watch}\ntry:\n    machine.reset()\nfinally:\n    print('finally')\n"
    assert output(tmp_path, {"main.py": text}) == ["finally"]


# --- Names


@pytest.mark.parametrize(
    "name",
    "machine.mem8 machine.mem16 machine.mem32 machine.bitstream os.mount os.umount os.VfsFat os.VfsLfs2".split(),
)
def test_dev_2_a_name_that_has_no_meaning_says_so_and_where_to_read_on(name: str) -> None:
    module, _, attribute = name.partition(".")
    for text in (f"import {module}\n{name}\n", f"from {module} import {attribute}\n"):
        with pytest.raises((AttributeError, ImportError), match=f"{module}.*no meaning.*docs/desktop.md"):
            names_of(text)
    assert not names_of(f"import {module}\nthere = hasattr({module}, {attribute!r})\n")["there"]


@pytest.mark.parametrize("module", ["machine", "network", "esp", "pyb", "rp2", "micropython", "uctypes"])
def test_dev_2_a_name_that_a_devices_module_lacks_says_where_to_read_on(module: str) -> None:
    for text in (f"import {module}\n{module}.nothing\n", f"from {module} import nothing\n"):
        with pytest.raises((AttributeError, ImportError), match=f"'{module}'.*docs/desktop.md"):
            names_of(text)


def test_dev_2_vfs_has_no_meaning() -> None:
    with pytest.raises(ModuleNotFoundError, match="'vfs' has no meaning on a desktop: .*docs/desktop.md"):
        names_of("import vfs\n")


def test_dev_2_names_with_a_meaning() -> None:
    names = names_of(
        "import esp, machine, network\nfrom machine import Pin, Timer\n"
        "lan = network.LAN(mdc=Pin(23), mdio=Pin(18), power=None, phy_type=network.PHY_LAN8720, phy_addr=1)\n"
        "kinds = {network.PHY_LAN8710, network.PHY_LAN8720, network.PHY_IP101, network.PHY_KSZ8081}\n"
        "wlan = network.WLAN(network.STA_IF)\nwlan.deinit()\nup = wlan.isconnected()\nwlan.connect('a')\n"
        "Pin.board.LED.on()\nlit = Pin('LED').value()\nimport time\nbegun = time.ticks_ms()\nt = Timer(0).value()\n"
        "passed = time.ticks_diff(time.ticks_ms(), begun)\nTimer(0).init(period=1000)\n"
        "free, fw = esp.freemem(), esp.check_fw()\n"
    )
    assert names["lan"].isconnected() and len(names["kinds"]) == 4 and not names["up"] and names["lit"] == 1
    assert 0 <= names["t"] <= names["passed"] and names["free"] > 0 and names["fw"]


def test_dev_2_viper_has_pointers() -> None:
    names = names_of(
        "import micropython\n"
        "@micropython.viper\ndef low(b, n: uint) -> uint:\n    p = ptr8(b)\n    p[1] = 0x1ff\n    return n + p[0]\n"
        "@micropython.viper\ndef wide(b: ptr16, c: ptr32):\n    b[1] = -2\n    return b[0], c[0], uint(-1)\n"
        "buf = bytearray(b'\\x01\\x02\\x03\\x04')\nl = low(buf, -1)\nw = wide(buf, buf)\n"
        "ptr8 = 'the program\\'s own'\n"
        "@micropython.viper\ndef far():\n    return ptr32(0x3ff44004)\n"
        "@micropython.viper\ndef over(b: ptr16):\n    return b[2]\n"
    )
    assert names["l"] == 0xFFFFFFFF + 1 and names["w"] == (0xFF01, 0xFFFEFF01, 0xFFFFFFFF)
    assert names["buf"] == b"\x01\xff\xfe\xff"
    with pytest.raises(NotImplementedError, match="micropython.viper: .*docs/desktop.md"):
        names["far"]()
    with pytest.raises(IndexError):
        names["over"](names["buf"])


def test_dev_3_a_ring_is_a_stream(tmp_path: Path) -> None:
    text = (
        "import asyncio, micropython\nring = micropython.RingIO(20)\nasync def main():\n"
        "    async def later():\n        await asyncio.sleep_ms(1)\n        ring.write('ab\\nc')\n"
        "    task = asyncio.create_task(later())\n    stream = asyncio.StreamReader(ring)\n"
        "    print(await stream.readline(), await stream.read(9))\n"
        "    await stream.awrite('x' * 20)\n    print(ring.any(), ring.readline(3))\nasyncio.run(main())\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["b'ab\\n' b'c'", "20 b'xxx'"]


def test_dev_2_websocket_speaks_both_ways() -> None:
    names = names_of(
        "import socket\nfrom websocket import websocket\na, b = socket.socketpair()\nw = websocket(a, True)\n"
        "def frame(op, data, mask=b'\\1\\2\\3\\4'):\n"
        "    return bytes([128 | op, 128 | len(data)]) + mask + bytes(c ^ mask[i % 4] for i, c in enumerate(data))\n"
        "b.write(frame(9, b'p') + frame(1, b'hello\\n') + frame(2, b'x' * 100) + frame(8, b'\\x03\\xe8'))\n"
        "got = [w.readline(), w.read(100), w.read(1)]\nw.write('hi')\nw.ioctl(9, 2)\nw.write(bytes(200))\nw.close()\n"
        "sent = b.read()\nb.close()\n"
    )
    assert names["got"] == [b"hello\n", b"x" * 100, b""]
    assert names["sent"] == b"\x8a\1p" + b"\x88\2\x03\xe8" + b"\x81\2hi" + b"\x82\x7e\0\xc8" + bytes(200)


def test_dev_2_websocket_sends_frames_whole() -> None:
    """Also on a socket that is non-blocking and has no room, and of any size."""
    names = names_of(
        "import _thread, socket\nfrom websocket import websocket\na, b = socket.socketpair()\na.setblocking(False)\n"
        "b.settimeout(10)\nheads, whole, over = [], [], _thread.allocate_lock()\nover.acquire()\n"
        "def take(sizes):\n    for size in sizes:\n"
        "        heads.append(b.read(2 if size < 126 else 4 if size < 65536 else 10))\n"
        "        whole.append(b.read(size) == bytes(size))\n"
        "def take_all():\n    take(SIZES)\n    over.release()\n"
        "SIZES = [60000] * 10 + [65535, 65536, 1000000, 5]\n_thread.start_new_thread(take_all, ())\n"
        "w = websocket(a, True)\nsent = [w.write(bytes(size)) for size in SIZES]\nnothing = w.read(1)\nover.acquire()\n"
        "w = websocket(a)\ncount = 0\nwhile w.write(bytes(60000)):\n    count += 1\n"
        "take([60000] * (count - 1))\nrest = w.read(1), take([60000])\n"
        "w.write('hi')\nlast = b.read(4)\na.close()\nb.close()\n"
    )
    sizes = names["SIZES"]
    assert names["sent"] == sizes and names["nothing"] is None
    assert all(names["whole"]) and len(names["whole"]) == len(sizes) + names["count"]
    lengths = [head[1] if len(head) == 2 else int.from_bytes(head[2:], "big") for head in names["heads"]]
    assert lengths == sizes + [60000] * names["count"]
    assert names["rest"][0] is None and names["last"] == b"\x81\2hi"


def test_dev_2_websocket_reads_what_has_come_from_who_has_gone() -> None:
    """TIME-6: that a frame, or an answer, goes out no more is for who writes."""
    names = names_of(
        "import socket\nfrom websocket import websocket\na, b = socket.socketpair()\na.setblocking(False)\n"
        "w = websocket(a)\nwhile w.write(bytes(60000)):\n    pass\n"
        "b.write(b'\\x82\\3one\\x89\\1?\\x82\\3two\\x88\\0')\nb.close()\nread = w.read(3), w.read(3), w.read(3)\n"
        "try:\n    w.write(b'more')\nexcept OSError as error:\n    code = error.errno\na.close()\n"
    )
    assert names["read"] == (b"one", b"two", b"") and names["code"] == errno.EPIPE


def test_dev_2_websocket_is_over_a_stream_of_the_programs_own() -> None:
    names = names_of(
        "from websocket import websocket\nfrom io import BytesIO\nclass Own(BytesIO):\n    blocks = []\n"
        "    def setblocking(self, flag):\n        self.blocks.append(flag)\n"
        "own = Own()\nsent = websocket(own, True).write('one'), own.getvalue(), own.blocks\n"
    )
    assert names["sent"] == (3, b"\x81\3one", [True, False])


def test_dev_2_websocket_reads_as_a_stream() -> None:
    """Over the borders of frames; None where nothing is there; what a timeout cuts short comes with the next read."""
    names = names_of(
        "import socket\nfrom websocket import websocket\na, b = socket.socketpair()\na.setblocking(False)\n"
        "w = websocket(a)\nnothing = w.read(), w.read(5), w.readline(), w.readinto(bytearray(5))\n"
        "def frame(op, data):\n    return bytes([op, len(data)]) + data\n"
        "b.write(frame(0x81, b'ab') + frame(0x81, b'cde'))\njoined = w.read(4), w.read(4)\n"
        "b.write(frame(0x81, b'ab') + frame(0x81, b'c\\nd'))\nlines = w.readline(), w.readline(2), w.readline()\n"
        "b.write(frame(1, b'be') + frame(0x89, b'p') + frame(0x80, b'tween'))\nparts = w.read()\n"
        "b.write(frame(0x81, b'') * 3000 + frame(0x82, b'x'))\nempty = w.read(1), w.ioctl(8), b.recv(9)\n"
        "a.settimeout(0.02)\nb.write(frame(0x81, b'kept'))\n"
        "try:\n    w.read(9)\nexcept OSError as e:\n    late = e.errno\n"
        "b.write(frame(0x81, b' back') + frame(0x88, b''))\nkept = w.read(9), w.read(), w.readline()\n"
        "b.close()\nw.close()\n"
    )
    assert names["nothing"] == (None,) * 4
    assert names["joined"] == (b"abcd", b"e") and names["lines"] == (b"abc\n", b"d", None)
    assert names["parts"] == b"between" and names["empty"] == (b"x", 2, b"\x8a\1p")
    assert names["late"] == errno.ETIMEDOUT and names["kept"] == (b"kept back", b"", b"")


@pytest.mark.parametrize("kind", ["RAW", "ZLIB", "GZIP"])
def test_dev_2_deflate_goes_both_ways(kind: str) -> None:
    names = names_of(
        f"import deflate, io\nraw = io.BytesIO()\nwith deflate.DeflateIO(raw, deflate.{kind}) as d:\n"
        "    written = d.write('one\\n') + d.write(b'two' * 100)\nraw.seek(0)\n"
        f"d = deflate.DeflateIO(raw, deflate.{kind})\nb = bytearray(4)\n"
        "got = d.readline(), d.readinto(b), bytes(b), d.read(), d.read(1)\n"
    )
    assert names["written"] == 304 and len(names["raw"].getvalue()) < 60
    assert names["got"] == (b"one\n", 4, b"twot", b"wo" + b"two" * 98, b"")


@pytest.mark.parametrize("data, error", [("b'junkjunkjunk'", OSError), ("b'x\\x9c\\xcb'", EOFError)])
def test_dev_2_deflate_of_what_is_none_or_cut_off(data: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        names_of(f"import deflate, io\ndeflate.DeflateIO(io.BytesIO({data})).read()\n")


def test_dev_2_deflate_takes_no_more_than_it_needs() -> None:
    """From a connection that stays open, and what comes next there is somebody else's."""
    names = names_of(
        "import deflate, socket, zlib\na, b = socket.socketpair()\nb.settimeout(5)\n"
        "packed = zlib.compress(b'one\\ntwo')\n"
        "a.write(packed + b'next')\nd = deflate.DeflateIO(b, deflate.ZLIB)\n"
        "got = d.readline(), d.read(), d.read(1), b.recv(9)\n"
        "a.write(packed[:-5])\nd = deflate.DeflateIO(b, deflate.ZLIB)\nearly = d.read(4)\nb.setblocking(False)\n"
        "try:\n    d.read()\nexcept OSError as e:\n    nothing = e.errno\n"
        "a.write(packed[-5:])\nrest = d.read()\na.close()\nb.close()\n"
    )
    assert names["got"] == (b"one\n", b"two", b"", b"next")
    assert names["early"] + names["rest"] == b"one\ntwo" and names["nothing"] == errno.EAGAIN


def test_dev_2_uctypes_sees_and_changes_memory() -> None:
    names = names_of(
        "import uctypes as u\nbuf = bytearray(16)\nLAYOUT = {'a': u.UINT8 | 0, 'b': u.UINT16 | 2, 'c': u.INT32 | 4,\n"
        "    'low': u.BFUINT8 | 1 | 0 << u.BF_POS | 4 << u.BF_LEN,\n"
        "    'high': u.BFUINT8 | 1 | 4 << u.BF_POS | 4 << u.BF_LEN,\n"
        "    'arr': (8 | u.ARRAY, 2 | u.UINT8), 'sub': (10, {'x': u.UINT16 | 0})}\n"
        "s = u.struct(u.addressof(buf), LAYOUT, u.BIG_ENDIAN)\ns.a = 300\ns.b = 0x102\ns.c = -2\n"
        "s.low = 3\ns.high = 5\ns.arr[1] = 7\ns.sub.x = 0x809\n"
        "values = s.a, s.b, s.c, s.low, s.high, s.arr[1], s.sub.x, u.sizeof(s)\n"
        "kept = bytes(buf)\nsame = u.bytes_at(u.addressof(kept), 4)\n"
    )
    assert names["values"] == (44, 0x102, -2, 3, 5, 7, 0x809, 12)
    assert bytes(names["buf"]) == b"\x2c\x53\1\2\xff\xff\xff\xfe\0\7\x08\x09" + bytes(4)
    assert names["same"] == b"\x2c\x53\1\2"


def test_dev_2_uctypes_structures_are_buffers() -> None:
    """A packet goes out of one and comes into one; so do arrays of bytes in it."""
    names = names_of(
        "import socket, uctypes as u\nbuf = bytearray(b'\\1\\0\\2ab')\na, b = socket.socketpair()\n"
        "LAYOUT = {'kind': u.UINT8 | 0, 'id': u.UINT16 | 1, 'name': (3 | u.ARRAY, 2 | u.UINT8)}\n"
        "s = u.struct(u.addressof(buf), LAYOUT, u.BIG_ENDIAN)\nsent = a.send(s), a.write(s.name), b.recv(9)\n"
        "got = a.write(b'\\4\\1\\0xyzw'), b.readinto(s), b.readinto(s.name)\n"
        "values = s.kind, s.id, bytes(s.name), bytearray(s), len(memoryview(s)), isinstance(s, u.struct)\n"
        "same = u.addressof(s.name) - u.addressof(s), u.sizeof(s)\na.close()\nb.close()\n"
    )
    assert names["sent"] == (5, 2, b"\1\0\2abab") and names["got"] == (7, 5, 2)
    assert names["values"] == (4, 256, b"zw", b"\4\1\0zw", 5, True) and names["same"] == (3, 5)
    assert names["buf"] == b"\4\1\0zw"


def test_dev_2_uctypes_structures_may_be_bases_and_arrays() -> None:
    names = names_of(
        "import uctypes as u\nbuf = bytearray(b'\\4\\1\\2\\3')\nLAYOUT = {'kind': u.UINT8 | 0, 'id': u.UINT16 | 2}\n"
        "class Packet(u.struct):\n    def __init__(self, buf):\n"
        "        super().__init__(u.addressof(buf), LAYOUT, u.BIG_ENDIAN)\n"
        "packet = Packet(buf)\npacket.kind += 1\n"
        "array = u.struct(u.addressof(buf), (0 | u.ARRAY, 3 | u.UINT8))\n"
        "values = packet.kind, packet.id, u.sizeof(packet), u.sizeof(array), bytes(memoryview(array))\n"
    )
    assert names["values"] == (5, 0x203, 4, 3, b"\5\1\2")


def test_dev_2_reset_in_a_thread_ends_the_program_too(tmp_path: Path) -> None:
    text = "import _thread, machine, time\n_thread.start_new_thread(machine.reset, [])\ntime.sleep(30)\nprint('on')\n"
    done = call(write(tmp_path, {"main.py": text}))
    assert (done.returncode, done.stdout) == (0, "") and done.stderr.startswith("machine.reset(): a board"), done.stderr


@pytest.mark.parametrize(
    "expression",
    ["struct.unpack('I', b'abc')", "struct.unpack_from('>H', b'a')", "struct.pack_into('I', bytearray(2), 0, 1)"],
)
def test_dev_2_struct_of_too_little_is_a_value_error(expression: str) -> None:
    for kind in ("ValueError", "struct.error"):
        assert names_of(f"import struct\ntry:\n    {expression}\nexcept {kind}:\n    ok = 1\n")["ok"] == 1


def test_dev_2_struct_of_another_type_is_a_type_error() -> None:
    assert names_of("import struct\ntry:\n    struct.pack('f', 'a')\nexcept TypeError:\n    ok = 1\n")["ok"] == 1


@pytest.mark.parametrize(
    "call, kind",
    [
        ("struct.unpack('I', b'abc')", "ValueError"),
        ("struct.pack('B', None)", "TypeError"),
        ("re.compile('(')", "ValueError"),
    ],
)
def test_dev_2_an_error_is_shown_as_a_devices(call: str, kind: str) -> None:
    text = (
        f"import io, re, struct, sys\ntry:\n    {call}\nexcept Exception as e:\n"
        "    name, text = type(e).__name__, repr(e)\n"
        "    file = io.StringIO()\n    sys.print_exception(e, file)\n    last = file.getvalue().splitlines()[-1]\n"
    )
    names = names_of(text)
    assert names["name"] == kind and names["text"].startswith(f"{kind}(") and names["last"].startswith(f"{kind}: ")


ANSWERING = """
import io, select

class Answering(io.IOBase):
    def ioctl(self, request, argument):
        return -110

stream = Answering()
poller = select.poll()
poller.register(stream, select.POLLIN)
failed = []
for ask in (lambda: poller.poll(0), lambda: list(poller.ipoll(0)), lambda: select.select([stream], [], [], 0)):
    try:
        ask()
    except OSError as e:
        failed.append((e.errno, str(e)))
"""


def test_dev_2_a_stream_of_the_programs_that_answers_with_an_error_is_an_error_of_poll() -> None:
    assert names_of(ANSWERING)["failed"] == [(110, "[Errno 110] ETIMEDOUT")] * 3


def test_dev_2_a_wrong_pattern_is_a_value_error() -> None:
    assert names_of("import re\ntry:\n    re.compile('(')\nexcept ValueError:\n    ok = 1\n")["ok"] == 1


def test_dev_2_a_module_is_made_by_the_type_of_one() -> None:
    names = names_of(
        "import sys\nm = type(sys)('name', 'doc')\nm.x = 1\nv = m.__name__, m.x\nn = sys.implementation[0]\n"
    )
    assert (names["v"], names["n"]) == (("name", 1), "micropython")


def test_dev_2_stdout_holds_nothing_back(tmp_path: Path) -> None:
    """A pipe gets a part of a line at once, as the console does on a device."""
    path = write(tmp_path, {"main.py": "import os\nprint('.', end='')\nos.read(0, 1)\n"})
    command = [sys.executable, "-m", "usocket", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as done:
        ready = select.select([done.stdout], [], [], 30)[0]
        done.communicate(b"\n", timeout=60)
    assert ready


def test_dev_4_stdout_takes_both_types(tmp_path: Path) -> None:
    text = (
        "import sys\nprint('1')\nsys.stdout.write(b'2\\n')\nsys.stdout.write('3\\n')\n"
        "sys.stdout.buffer.write('4\\n')\nsys.stdout.buffer.flush()\nprint('5')\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["1", "2", "3", "4", "5"]


def test_dev_2_text_is_as_good_as_bytes_for_memory_and_rings(tmp_path: Path) -> None:
    text = (
        "import machine, micropython\nmachine.RTC().memory('{}')\nring = micropython.RingIO(10)\nring.write('ab')\n"
        "print(machine.RTC().memory(), ring.read())\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["b'{}' b'ab'"]


@pytest.mark.parametrize("name", ["LAN", "PPP", "WIZNET5K", "Cellular"])
def test_dev_2_every_interface_is_up(name: str, tmp_path: Path) -> None:
    text = f"import network\none = network.{name}()\none.active(True)\nprint(one.isconnected(), one.ifconfig()[0])\n"
    assert output(tmp_path, {"main.py": text}) == ["True 127.0.0.1"]


# A thread of the program's resets, and is through with that when the lock is released.
RESETTING = """import _thread, machine, sys
ended = _thread.allocate_lock()
ended.acquire()
def reset():
    try:
        machine.reset()
    finally:
        ended.release()
"""


@pytest.mark.parametrize("module", ["unittest", "-"])
def test_dev_5_a_reset_in_a_thread_does_not_make_a_red_test_green(module: str, tmp_path: Path) -> None:
    text = (
        "import unittest\n" + RESETTING + "class Test(unittest.TestCase):\n    def test_it(self):\n"
        "        _thread.start_new_thread(reset, ())\n        ended.acquire()\n        self.assertEqual(1, 2)\n"
    )
    path = write(tmp_path, {"test_it.py": text if module == "unittest" else text + "unittest.main()\n"})
    done = call("-m", module, "test_it", cwd=tmp_path) if module == "unittest" else call(path)
    assert done.returncode == 1 and "FAILED (failures=1)" in done.stderr, done.stderr
    assert f"{path}:7: machine.reset(): a board" in done.stderr


OWN_UNITTEST = """
import sys
def main(tests):
    failed = 0
    for test in tests:
        try:
            test()
        except Exception:
            failed += 1
    sys.exit(failed)
"""


@pytest.mark.parametrize("file", ["unittest.py", "lib/unittest/__init__.py"])
def test_dev_5_nor_does_one_where_unittest_is_the_programs_own(file: str, tmp_path: Path) -> None:
    text = "import machine, unittest\ndef fails():\n    1 / 0\nunittest.main([machine.reset, fails])\n"
    done = call(write(tmp_path, {"test_it.py": text, file: OWN_UNITTEST}))
    assert done.returncode == 1 and "machine.reset(): a board" in done.stderr, done.stderr


def test_dev_5_nor_does_one_after_the_tests(tmp_path: Path) -> None:
    text = (
        "import unittest, machine\nclass Test(unittest.TestCase):\n    def test_it(self):\n        self.fail()\n"
        "try:\n    unittest.main()\nfinally:\n    machine.reset()\n"
    )
    assert call(write(tmp_path, {"main.py": text})).returncode == 1


@pytest.mark.parametrize("watch", ["sys.settrace(watch)", "import threading; threading.setprofile(watch)"])
def test_dev_5_a_reset_in_a_thread_is_an_exception_for_who_watches_the_main_one(watch: str, tmp_path: Path) -> None:
    text = (
        f"def watch(*event):\n    return watch\n{RESETTING}{watch}\n"
        "def main():\n    try:\n        _thread.start_new_thread(reset, ())\n        while True:\n"
        "            ended.acquire()\n    finally:\n        print('finally')\nmain()\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["finally"]


@pytest.mark.parametrize("tool", ["cProfile", "trace --count --coverdir=."])
def test_dev_5_or_has_watched_it_from_its_start(tool: str, tmp_path: Path) -> None:
    text = RESETTING + "_thread.start_new_thread(reset, ())\nwhile True:\n    ended.acquire()\n"
    path = write(tmp_path, {"main.py": text})
    done = call_python(
        "-m", *tool.split(), *(["--module"] if "trace" in tool else ["-m"]), "usocket", path, cwd=tmp_path
    )
    assert done.returncode == 0 and (list(tmp_path.glob("*.cover")) or "function calls" in done.stdout), done.stderr


def test_dev_2_reset_when_the_program_has_failed_leaves_its_status(tmp_path: Path) -> None:
    text = (
        "import machine, threading\nmain = threading.main_thread()\n"
        "def reset():\n    main.join()\n    machine.reset()\n"
        "threading.Thread(target=reset).start()\n1 / 0\n"
    )
    path = write(tmp_path, {"main.py": text})
    done = call(path)
    assert done.returncode == 1 and f"{path}:5: machine.reset(): a board" in done.stderr, done.stderr


@pytest.mark.parametrize("ending, status", [("", 0), ("1 / 0\n", 1), ("machine.reset()\n", 0)])
def test_dev_2_reset_as_a_function_of_atexit(ending: str, status: int, tmp_path: Path) -> None:
    text = (
        "import atexit, machine\natexit.register(print, 'first')\natexit.register(machine.reset)\n"
        "atexit.register(print, 'last')\n" + ending
    )
    done = call(write(tmp_path, {"main.py": text}))
    assert (done.returncode, done.stdout) == (status, "last\nfirst\n"), done.stderr
    assert "SystemExit" not in done.stderr and done.stderr.count("machine.reset(): a board") == 1 + ("reset" in ending)


def test_dev_2_many_threads_that_reset_run_the_functions_of_atexit_once(tmp_path: Path) -> None:
    text = (
        "import _thread, atexit, machine, time\nended = []\n"
        "def end():\n    while len(ended) < 3:\n        time.sleep_ms(1)\n    print('end')\natexit.register(end)\n"
        "def reset():\n    try:\n        machine.reset()\n    finally:\n        ended.append(1)\n"
        "for i in range(4):\n    _thread.start_new_thread(reset, ())\nmachine.reset()\nprint('on')\n"
    )
    done = call(write(tmp_path, {"main.py": text}))
    assert (done.returncode, done.stdout) == (0, "end\n"), done.stderr
