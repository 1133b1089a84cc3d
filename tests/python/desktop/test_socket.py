"""NAME-2, SOCK-11: the `socket` that a program for devices imports."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import usocket
from programs import call, output, write
from python_support import nobodys
from usocket.desktop.modules import socket
from usocket.desktop.modules import usocket as device_usocket


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


def test_name_2_has_everything_of_usocket() -> None:
    assert set(usocket.__all__) <= set(socket.__all__)
    assert socket.error is socket.timeout is socket.gaierror is OSError


def test_name_2_addresses_come_back_as_tuples(server: socket.socket) -> None:
    with socket.socket() as client:
        client.connect(server.getsockname())
        conn, address = server.accept()
        with conn:
            assert address == client.getsockname() == conn.getpeername()
            assert address[0] == "127.0.0.1" and type(conn) is socket.socket
            client.send(b"x")
            assert conn.recvfrom(1) == (b"x", address)


def test_name_2_makefile_takes_keywords() -> None:
    with socket.socket() as sock:
        assert sock.makefile(mode="rwb", buffering=0) is sock.makefile("rb", 5) is sock.makefile() is sock
        with pytest.raises(ValueError):
            sock.makefile(mode="r")


def test_name_2_names_are_resolved(server: socket.socket) -> None:
    port = server.getsockname()[1]
    with socket.create_connection(("localhost", port)) as client, socket.socket() as other:
        other.connect((b"localhost", port))
        assert client.getpeername() == other.getpeername() == ("127.0.0.1", port)


def test_name_2_an_unknown_name_is_the_resolvers_error() -> None:
    with socket.socket() as client, pytest.raises(OSError) as error:
        client.connect(("nowhere.invalid", 80))
    assert error.value.args[0] < 0


def test_name_2_datagrams_of_text_and_tuples() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as a, socket.socket(type=socket.SOCK_DGRAM) as b:
        a.bind(("", 0))
        b.sendto("\u00e9", ("localhost", a.getsockname()[1]))
        assert a.recvfrom(10) == ("\u00e9".encode(), ("127.0.0.1", b.getsockname()[1]))


def test_name_2_connect_ex_returns_the_number() -> None:
    with nobodys(socket) as address, socket.socket() as client:
        assert client.connect_ex(address) == errno.ECONNREFUSED


def test_name_2_getaddrinfo_gives_ipv4_first_and_what_connect_takes(server: socket.socket) -> None:
    *_, address = socket.getaddrinfo("localhost", server.getsockname()[1], 0, socket.SOCK_STREAM)[0]
    with socket.socket() as client:
        client.connect(address)
    assert address == server.getsockname()


def test_name_2_getaddrinfo_gives_ipv4_first_whatever_the_system_does(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [usocket.getaddrinfo(host, 80, 0, usocket.SOCK_STREAM)[0] for host in ("::1", "127.0.0.1")]
    monkeypatch.setattr("usocket._usocket.getaddrinfo", lambda *arguments: list(found))
    assert [one[0] for one in socket.getaddrinfo("x", 80)] == [socket.AF_INET, socket.AF_INET6]
    assert device_usocket.getaddrinfo("x", 80) == [found[1], found[0]]
    assert device_usocket.getaddrinfo("x", 80, socket.AF_INET6) == found


def test_name_2_packed_addresses() -> None:
    assert socket.inet_ntoa(socket.inet_aton("1.2.3.4")) == "1.2.3.4"


def test_name_2_the_default_timeout_is_that_of_new_sockets(server: socket.socket) -> None:
    socket.setdefaulttimeout(5)
    try:
        with socket.socket() as client:
            client.connect(server.getsockname())
            with server.accept()[0] as conn:
                assert client.gettimeout() == conn.gettimeout() == socket.getdefaulttimeout() == 5
    finally:
        socket.setdefaulttimeout(None)


def test_name_2_create_server_frees_the_port(server: socket.socket) -> None:
    address = server.getsockname()
    with pytest.raises(OSError):
        socket.create_server(address)
    server.close()
    socket.create_server(address).close()


def test_strm_6_makefile_is_the_socket(server: socket.socket) -> None:
    assert server.makefile("rwb", 0) is server


CALLBACKS = """
import socket, time
seen = []
def on_data(sock):
    data = sock.recv(100)
    seen.append(data)
    if not data: sock.close()
def on_connection(listener):
    conn, address = listener.accept()
    conn.setsockopt(socket.SOL_SOCKET, 20, on_data)
listener = socket.create_server(("127.0.0.1", 0))
listener.setsockopt(socket.SOL_SOCKET, 20, on_connection)
client = socket.create_connection(listener.getsockname())
def wait(n):
    while len(seen) < n: time.sleep(0.01)
client.write("one")
wait(1)
client.write("two")
wait(2)
client.close()
wait(3)
print(seen)
"""


def test_sock_11_a_callback_accepts_and_reads(tmp_path: Path) -> None:
    assert output(tmp_path, {"main.py": CALLBACKS}) == ["[b'one', b'two', b'']"]


def test_sock_11_a_callback_runs_while_the_program_waits_in_a_call(tmp_path: Path) -> None:
    text = (
        "import socket\na, b = socket.socketpair()\nc, d = socket.socketpair()\n"
        "a.setsockopt(socket.SOL_SOCKET, 20, lambda s: d.write(s.recv(9)))\nb.write('x\\n')\nprint(c.readline())\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["b'x\\n'"]


def test_sock_11_none_takes_it_away_and_a_number_is_the_systems_option(tmp_path: Path) -> None:
    text = (
        "import socket, time\na, b = socket.socketpair()\nseen = []\na.setsockopt(1, 20, seen.append)\n"
        "a.setsockopt(1, 20, None)\nb.write('x')\nprint(a.read(1), seen)\n"
        "import struct\na.setsockopt(1, 20, struct.pack('ll', 0, 1000))\n"
        "try:\n    a.recv(1)\nexcept OSError as e:\n    print(e.errno == 11)\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["b'x' []", "True"]


def test_sock_11_a_callback_that_takes_a_part_is_called_for_the_rest_at_once(tmp_path: Path) -> None:
    """At once: not as rarely as one that takes nothing."""
    text = (
        "import socket, time\na, b = socket.socketpair()\nc, d = socket.socketpair()\nseen, left = [], []\n"
        "c.setsockopt(1, 20, left.append)\nd.write('x')\n"
        "a.setsockopt(1, 20, lambda s: seen.append(s.recv(1)))\nb.write('x' * 200)\n"
        "while len(seen) < 200: time.sleep(0.01)\nprint(len(left) < 150)\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["True"]


def test_sock_11_a_callback_that_takes_nothing_is_called_rarely(tmp_path: Path) -> None:
    text = (
        "import socket, time\na, b = socket.socketpair()\ncalls = []\na.setsockopt(1, 20, calls.append)\n"
        "b.write('x')\nbegun = time.ticks_ms()\nwhile len(calls) < 10: time.sleep(0.001)\n"
        "print(time.ticks_diff(time.ticks_ms(), begun) >= 8 * 20)\n"
        "a.setsockopt(1, 20, None)\nprint(a.recv(1), 'recv' in vars(a))\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["True", "b'x' False"]


def test_sock_11_the_end_is_told_once_and_again_to_a_new_callback(tmp_path: Path) -> None:
    text = (
        "import socket, time\na, b = socket.socketpair()\nc, d = socket.socketpair()\nseen = []\nleft = []\n"
        "a.setsockopt(1, 20, lambda s: seen.append(s.recv(2)))\nc.setsockopt(1, 20, left.append)\n"
        "b.write('xyz')\nb.close()\nd.close()\n"
        "while len(seen) < 3 or not left: time.sleep(0.001)\n"
        "e, f = socket.socketpair()\nlater = []\ne.setsockopt(1, 20, later.append)\nf.write('x')\n"
        "while len(later) < 5: time.sleep(0.001)\nprint(seen, len(left))\n"
        "a.setsockopt(1, 20, lambda s: seen.append(s.recv(3)))\nwhile len(seen) < 4: time.sleep(0.001)\nprint(seen)\n"
    )
    end = "[b'xy', b'z', b''"
    assert output(tmp_path, {"main.py": text}) == [f"{end}] 1", f"{end}, b'']"]


def test_sock_11_a_reset_is_the_callbacks_to_see(tmp_path: Path) -> None:
    text = (
        "import socket, struct, time\nserver = socket.create_server(('127.0.0.1', 0))\n"
        "client = socket.create_connection(server.getsockname())\nconn = server.accept()[0]\nseen = []\n"
        "def f(s):\n    try:\n        seen.append(s.recv(9))\n    except OSError as e:\n        seen.append(e.errno)\n"
        "conn.setsockopt(1, 20, f)\n"
        "client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0))\nclient.close()\n"
        "while not seen: time.sleep(0.001)\nprint(seen[0])\n"
    )
    assert output(tmp_path, {"main.py": text}) == ["104"]


def test_sock_7_the_number_that_lwip_has_for_broadcast() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, 0x20, 1)
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST)


def test_sock_11_an_error_in_a_callback_is_printed(tmp_path: Path) -> None:
    text = (
        "import socket, time\na, b = socket.socketpair()\ndone = []\n"
        "def f(s):\n    s.recv(9)\n    done.append(1)\n    1 / 0\na.setsockopt(1, 20, f)\nb.write('x')\n"
        "while not done: time.sleep(0.01)\nprint('on')\n"
    )
    done: Any = call(write(tmp_path, {"main.py": text}))
    assert done.stdout == "on\n" and "ZeroDivisionError" in done.stderr


def test_name_2_the_repr_begins_with_the_state_as_on_lwip(server: socket.socket) -> None:
    client = socket.socket()
    assert repr(client).startswith("<socket state=0 ") and repr(server).startswith("<socket state=1 ")
    client.connect(server.getsockname())
    conn, _ = server.accept()
    assert repr(conn).startswith("<socket state=3 ")
    client.write("x")
    client.close()
    assert (repr(client).split()[1], conn.read(), repr(conn).split()[1]) == ("state=-1", b"x", "state=4")
    conn.close()
