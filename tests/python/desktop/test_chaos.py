"""DEV-6: --chaos SEED, over the extension's own build with the stack that injects faults."""

from __future__ import annotations

import re
from pathlib import Path

from programs import call, call_python, write

SUMMARY = re.compile(
    r"chaos (?P<seed>\d+): (?P<sockets>\d+) sockets; (?P<cut>\d+) cut, (?P<again>\d+) put off,"
    r" (?P<delayed>\d+) delayed,"
    r" (?P<interrupted>\d+) interrupted, (?P<lost>\d+) lost, (?P<refused>\d+) refused, (?P<reset>\d+) reset"
)

CHATTER = """
import socket
a, b = socket.socketpair()
b.settimeout(5)
sizes = []
for i in range(200):
    a.send('0123456789')
    sizes.append(len(b.recv(100)))
print(sizes)
"""

# Two threads, whose sockets and system calls come in any order.
CONNECTIONS = """
import _thread
import socket

server = socket.socket()
server.bind(("127.0.0.1", 0))
server.listen(5)


def serve():
    while True:
        conn = server.accept()[0]
        try:
            while conn.write(conn.readline()):
                pass
        except OSError:
            pass
        conn.close()


_thread.start_new_thread(serve, ())
for number in range(12):
    client = socket.socket()
    echoed = 0
    try:
        client.connect(server.getsockname())
        while echoed < 200:
            client.write("line %d\\n" % echoed)
            line = client.readline()
            if not line.endswith(b"\\n"):
                break
            assert line == b"line %d\\n" % echoed
            echoed += 1
    except OSError:
        pass
    client.close()
    print(number, echoed)
"""


def summary_of(stderr: str) -> dict[str, int]:
    found = SUMMARY.fullmatch(stderr.splitlines()[-1])
    assert found, stderr
    return {kind: int(count) for kind, count in found.groupdict().items()}


def test_dev_6_the_same_seed_does_the_same_and_another_something_else(tmp_path: Path) -> None:
    path = write(tmp_path, {"main.py": CHATTER})
    first, second, other = (call("--chaos", seed, path) for seed in ("7", "7", "8"))
    assert (first.stdout, first.stderr) == (second.stdout, second.stderr)
    assert first.stdout != other.stdout
    counts = summary_of(first.stderr)
    assert counts["seed"] == 7 and counts["sockets"] == 2
    assert counts["cut"] and counts["delayed"] and counts["interrupted"] and not counts["reset"]


def test_dev_6_threads_and_time_change_nothing(tmp_path: Path) -> None:
    path = write(tmp_path, {"main.py": CONNECTIONS})
    first, second = (call("--chaos", "5", path) for _ in range(2))
    # what the server still does with a broken connection is another matter, and counts
    assert first.stdout == second.stdout
    counts = summary_of(first.stderr)
    assert counts["reset"] and counts["interrupted"]
    echoed = [int(line.split()[1]) for line in first.stdout.splitlines() if line[0].isdigit()]
    assert len(echoed) == 12 and 200 in echoed and min(echoed) < 200


LOOP = """
import asyncio, socket

async def serve(reader, writer):
    try:
        while line := await reader.readline():
            writer.write(b"> " + line)
            await writer.drain()
    except OSError as e:
        print("server", e)
    writer.close()

async def ask(number, port):
    asked = 0
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for asked in range(60):
            writer.write("line %d of %d\\n" % (asked, number))
            await writer.drain()
            assert await reader.readline() == b"> line %d of %d\\n" % (asked, number)
        writer.close()
    except OSError as e:
        print(number, "failed", e)
    print(number, asked)

async def main():
    probe = socket.create_server(("127.0.0.1", 0))
    port = probe.getsockname()[1]
    probe.close()
    await asyncio.start_server(serve, "127.0.0.1", port)
    for number in range(6):
        await ask(number, port)
    await asyncio.gather(*(ask(number, port) for number in range(6, 12)))

asyncio.run(main())
"""


def test_dev_6_a_loop_with_a_server_and_its_clients_meets_the_same_again(tmp_path: Path) -> None:
    path = write(tmp_path, {"main.py": LOOP})
    first, second, other = (call("--chaos", seed, path) for seed in ("1", "1", "3"))
    assert (first.stdout, first.stderr) == (second.stdout, second.stderr)
    assert first.stdout != other.stdout
    counts = summary_of(first.stderr)
    assert counts["cut"] and counts["again"] and counts["interrupted"] and counts["reset"]


def test_dev_6_whole_reads_and_writes_stay_whole(tmp_path: Path) -> None:
    text = (
        "import socket\na, b = socket.socketpair()\n"
        "for i in range(100):\n    a.write('0123456789\\n')\n    assert b.readline() == b'0123456789\\n'\n"
        "    a.sendall('abcd')\n    assert b.read(4) == b'abcd'\nprint('whole')\n"
    )
    done = call("--chaos", "1", write(tmp_path, {"main.py": text}))
    assert done.stdout == "whole\n"
    assert summary_of(done.stderr)["cut"]


def test_dev_6_datagrams_are_whole_or_lost(tmp_path: Path) -> None:
    text = (
        "import socket\na, b = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))\n"
        "a.bind(('127.0.0.1', 0))\na.settimeout(1)\nlost = 0\n"
        "for i in range(200):\n    b.sendto(b'%d' % i * 10, a.getsockname())\n"
        "    try:\n        assert a.recv(100) == b'%d' % i * 10\n    except OSError:\n        lost += 1\n"
        "print(lost)\n"
    )
    done = call("--chaos", "3", write(tmp_path, {"main.py": text}))
    assert int(done.stdout) == summary_of(done.stderr)["lost"] > 0


def test_dev_6_a_non_blocking_program_is_put_off(tmp_path: Path) -> None:
    text = (
        "import socket, select, errno\nserver = socket.socket()\nserver.bind(('127.0.0.1', 0))\nserver.listen(1)\n"
        "a = socket.socket()\na.connect(server.getsockname())\nb = server.accept()[0]\nb.setblocking(False)\n"
        "got = b''\nput_off = 0\npoller = select.poll()\npoller.register(b, select.POLLIN)\n"
        "for i in range(100):\n    a.write(b'0123456789')\n"
        "while len(got) < 1000:\n    poller.poll(1000)\n"
        "    try:\n        got += b.recv(100)\n"
        "    except OSError as e:\n        assert e.errno == errno.EAGAIN\n        put_off += 1\n"
        "assert got == b'0123456789' * 100\nprint(put_off > 0)\n"
    )
    # seeds whose connection does not break
    done = [call("--chaos", seed, write(tmp_path, {"main.py": text})) for seed in ("1", "2", "3", "4")]
    assert "True\n" in [one.stdout for one in done], [one.stderr for one in done]


def test_dev_6_both_ends_of_a_reset_see_it(tmp_path: Path) -> None:
    """Neither takes it for an end, whichever of them meets it."""
    text = """
import _thread, socket
server = socket.create_server(("127.0.0.1", 0))
def serve():
    while True:
        conn = server.accept()[0]
        conn.settimeout(5)
        try:
            while conn.write(conn.read(10)):
                pass
            seen.append("end")
        except OSError as e:
            seen.append(e)
        conn.close()
        done.release()
seen = []
done = _thread.allocate_lock()
done.acquire()
_thread.start_new_thread(serve, ())
for i in range(16):
    client = None
    while client is None:
        try:
            client = socket.create_connection(server.getsockname(), 5)
        except OSError:
            pass  # chaos refuses some
    try:
        for i in range(100):
            client.write(b"0123456789")
            data = client.read(10)
            if not data:
                seen.append("end")
                break
    except OSError as e:
        seen.append(e)
    whole = i == 99 and len(data) == 10
    client.close()
    done.acquire()
    if not whole:
        print(*seen)
    seen.clear()
"""
    done = call("--chaos", "3", write(tmp_path, {"main.py": text}))
    outcomes = set(done.stdout.splitlines())
    assert outcomes and not any("end" in outcome for outcome in outcomes), done.stdout + done.stderr


def test_dev_6_the_trace_shows_what_chaos_does(tmp_path: Path) -> None:
    done = call("--trace", "--chaos", "7", write(tmp_path, {"main.py": CHATTER}))
    assert "send('0123456789') -> " in done.stderr and summary_of(done.stderr)["cut"]


def test_dev_6_usocket_and_its_other_faces_are_over_it_too(tmp_path: Path) -> None:
    text = (
        "import usocket, usocket.compat, uselect\n"
        "from usocket import _usocket\nassert 'chaos' in _usocket.__file__, _usocket.__file__\n"
        "a, b = usocket.compat.socketpair()\na.sendall(b'x' * 3000)\na.close()\n"
        "print(sum(len(part) for part in iter(lambda: b.recv(3000), b'')))\n"
    )
    done = call("--chaos", "2", write(tmp_path, {"main.py": text}))
    assert done.stdout == "3000\n", done.stderr
    assert summary_of(done.stderr)["cut"]


def test_dev_6_without_it_nothing_of_it_is_loaded(tmp_path: Path) -> None:
    text = (
        "import socket\nfrom usocket import _usocket\nprint(_usocket.__file__)\nprint(open('/proc/self/maps').read())\n"
    )
    done = call(write(tmp_path, {"main.py": text}))
    assert "chaos" not in done.stdout.replace(str(tmp_path), ""), done.stdout


def test_dev_6_a_build_without_it_says_so(tmp_path: Path) -> None:
    text = (
        "import sys\nfrom pathlib import Path\nfrom usocket.desktop import command\n"
        "Path.exists = lambda self: 'chaos' not in self.name\n"
        "sys.exit(command.main(['--chaos', '1', '-c', 'print(1)']))\n"
    )
    done = call_python(write(tmp_path, {"main.py": text}))
    assert done.returncode == 2 and done.stdout == ""
    assert done.stderr == "python -m usocket: this build of usocket has no --chaos: its linker knew no --wrap\n"
