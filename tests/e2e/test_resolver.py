"""getaddrinfo against a name server: dnsmasq in a network namespace of the test's own, where there is only the loopback
interface, with its own resolv.conf, hosts and nsswitch.conf, so that no question can go anywhere else.

Where the machine allows no namespaces, only the hosts file is left.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import LANGUAGES, PATIENCE_S, Program, example, example_server

# both.test has addresses of both families, ipv4.test and ipv6.test of one, nowhere.test is known not to be there;
# what ends in silent.test is asked of a server that never answers.
DNSMASQ = """
    dnsmasq --no-daemon --conf-file=/dev/null --log-facility=- --no-resolv --no-hosts
    --listen-address=127.0.0.1 --bind-interfaces --port=53 --local=/test/ --server=/silent.test/127.0.0.2#5353
    --host-record=both.test,127.0.0.5,::1 --host-record=ipv4.test,127.0.0.6 --host-record=ipv6.test,::1
    --cname=alias.test,both.test --address=/many.test/127.0.0.11 --address=/many.test/127.0.0.12
"""
SETTINGS = {
    "resolv.conf": "nameserver 127.0.0.1\noptions timeout:30 attempts:1\n",
    "nsswitch.conf": "hosts: files dns\n",
    "hosts": "127.0.0.1 localhost\n::1 localhost\n127.0.0.9 filed.test\n",
}
# As root (where root may), else as root of a user namespace of one's own.
WAYS_IN = [["unshare", "--net", "--mount"], ["unshare", "--user", "--map-root-user", "--net", "--mount"]]

SILENT_SERVER = """
import socket
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("127.0.0.2", 5353))
print("silent", flush=True)
while True:
    sock.recv(4096)
    print("asked", flush=True)
"""

# Prints what getaddrinfo says as JSON, and what the standard library says of the same: the system's order (GAI-1).
LOOK_UP = """
import json, socket, sys, usocket
def entry(family, type, proto, name, address):
    return [family, type, proto, name, address]
host, port, *numbers = json.loads(sys.argv[1])
try:
    found = [entry(*e[:4], usocket.inet_ntop(e[0], usocket.sockaddr(e[4])[1])) for e in
             usocket.getaddrinfo(host, port, *numbers)]
    theirs = [entry(*e[:4], e[4][0]) for e in socket.getaddrinfo(host, port, *numbers)]
    print(json.dumps({"found": found, "theirs": theirs}))
except OSError as error:
    print(json.dumps({"code": error.args[0], "text": error.args[1]}))
"""


class Namespace:
    """A network in which there is nobody but this machine and its name server."""

    def __init__(self, folder: Path, way_in: list[str]) -> None:
        steps = ["set -e", "ip link set lo up"]
        for name, text in SETTINGS.items():
            (folder / name).write_text(text)
            steps.append(f"mount --bind '{folder / name}' \"$(readlink -f /etc/{name})\"")
        steps.append("echo ready; exec " + " ".join(DNSMASQ.split()))
        self.holder = Program([*way_in, "sh", "-c", "\n".join(steps)])
        self.enter = ["nsenter", f"--target={self.holder.process.pid}", "--net", "--mount"]
        if "--user" in way_in:
            self.enter += ["--user", "--preserve-credentials"]

    def wait_until_ready(self) -> None:
        assert self.holder.line() == "ready"
        while "started" not in self.holder.line():
            pass

    def run(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*self.enter, *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S
        )

    def look_up(self, *arguments: object) -> Any:
        """What CPython's getaddrinfo makes of it."""
        done = self.run([sys.executable, "-c", LOOK_UP, json.dumps(arguments)])
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def namespace(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Namespace]:
    refusals = []
    for way_in in WAYS_IN:
        namespace = Namespace(tmp_path_factory.mktemp("namespace"), way_in)
        try:
            namespace.wait_until_ready()
        except AssertionError as refusal:
            refusals.append(str(refusal))
            namespace.holder.stop()
            continue
        yield namespace
        namespace.holder.stop()
        return
    pytest.skip("this machine allows no network namespaces: " + "; ".join(refusals))


def addresses(answer: Any) -> list[str]:
    return [entry[4] for entry in answer["found"]]


AF_INET, AF_INET6, SOCK_STREAM, SOCK_DGRAM, AI_CANONNAME = 2, 10, 1, 2, 2


def test_names_of_both_families(namespace: Namespace) -> None:
    """GAI-1, GAI-2: A and AAAA, and either alone if asked for; of the type that was asked for."""
    assert sorted(addresses(namespace.look_up("both.test", 80, 0, SOCK_STREAM))) == ["127.0.0.5", "::1"]
    assert addresses(namespace.look_up("both.test", 80, AF_INET, SOCK_STREAM)) == ["127.0.0.5"]
    assert addresses(namespace.look_up("both.test", "80", AF_INET6, SOCK_DGRAM)) == ["::1"]
    assert addresses(namespace.look_up("ipv4.test", 80, 0, SOCK_STREAM)) == ["127.0.0.6"]
    assert addresses(namespace.look_up("ipv6.test", 80, 0, SOCK_STREAM)) == ["::1"]


def test_order_is_the_systems(namespace: Namespace) -> None:
    """GAI-1: entry by entry what the system's own getaddrinfo returns."""
    for arguments in (("both.test", 80), ("many.test", 80, 0, SOCK_STREAM), ("localhost", None), (None, 80)):
        answer = namespace.look_up(*arguments)
        assert len(answer["found"]) > 1
        assert sorted(map(str, answer["found"])) == sorted(map(str, answer["theirs"]))
        if arguments[0] != "many.test":  # the name server itself turns these around from one question to the next
            assert answer["found"] == answer["theirs"]


def test_canonname(namespace: Namespace) -> None:
    """GAI-1: flags work, and the canonical name comes with the first entry."""
    answer = namespace.look_up("alias.test", 80, AF_INET, SOCK_STREAM, 0, AI_CANONNAME)
    assert answer["found"] == [[AF_INET, SOCK_STREAM, 6, "both.test", "127.0.0.5"]]
    assert namespace.look_up("alias.test", 80, AF_INET, SOCK_STREAM)["found"][0][3] == ""


@pytest.mark.parametrize(
    ("host", "family", "codes"),
    [
        ("nowhere.test", 0, {-2}),  # NXDOMAIN: EAI_NONAME
        ("ipv4.test", AF_INET6, {-5, -2}),  # no AAAA: EAI_NODATA, where there is one
        ("elsewhere.example", 0, {-3}),  # refused: EAI_AGAIN
    ],
)
def test_failures_are_negative(namespace: Namespace, host: str, family: int, codes: set[int]) -> None:
    """GAI-3: the resolver's code, negative, and its text."""
    answer = namespace.look_up(host, 80, family)
    assert answer["code"] in codes
    assert answer["text"]


def test_silence_ends_with_a_failure(namespace: Namespace, monkeypatch: pytest.MonkeyPatch) -> None:
    """GAI-3: a name server that never answers is EAI_AGAIN, once the resolver has given up."""
    monkeypatch.setenv("RES_OPTIONS", "timeout:1 attempts:1")
    with Program([*namespace.enter, sys.executable, "-c", SILENT_SERVER]) as server:
        assert server.line() == "silent"
        assert namespace.look_up("b.silent.test", 80, AF_INET)["code"] == -3
        assert server.line() == "asked"


def test_hosts_file_comes_first(namespace: Namespace) -> None:
    """GAI-2: what the hosts file knows needs no name server."""
    assert addresses(namespace.look_up("filed.test", 80, 0, SOCK_STREAM)) == ["127.0.0.9"]


WAIT_FOR_SILENCE = """
import _thread, sys, usocket
def echo():
    for line in sys.stdin:
        print("other thread: " + line.strip())
        sys.stdout.flush()
_thread.start_new_thread(echo, ())
print("asking")
sys.stdout.flush()
try:
    usocket.getaddrinfo(sys.argv[1], 80)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("host", [name for name in LANGUAGES if name != "cpp"])
def test_ctrl_c_ends_the_wait(namespace: Namespace, host: str, tmp_path: Path) -> None:
    """GAI-4: while the name server is silent other threads run, and Ctrl-C is heard at once."""
    (tmp_path / "wait.py").write_text(WAIT_FOR_SILENCE)
    # A name of its own for each: the name server asks only once for what several want to know.
    command = [*example(host, "unused")[:-1], str(tmp_path / "wait.py"), host + ".silent.test"]
    with Program([*namespace.enter, sys.executable, "-c", SILENT_SERVER]) as server:
        assert server.line() == "silent"
        with Program([*namespace.enter, *command]) as waiting:
            assert waiting.line() == "asking"
            assert server.line() == "asked"  # now it waits, for the 30 s of resolv.conf
            waiting.send("are you there?")
            assert waiting.line() == "other thread: are you there?"
            interrupted = time.monotonic()
            waiting.process.send_signal(signal.SIGINT)
            assert waiting.line() == "interrupted"
            waiting.end_input()
            assert waiting.wait() == 0
            assert time.monotonic() - interrupted < 20  # it did not wait for the resolver to give up


@pytest.mark.parametrize("client", LANGUAGES)
def test_fetch_by_name(namespace: Namespace, client: str, tmp_path: Path) -> None:
    """GAI-1, ADDR-1: every language gets from a name to a connection."""
    with example_server("cpp", "http_server", tmp_path, prefix=namespace.enter) as port:
        fetched = namespace.run(example(client, "http_get", f"http://localhost:{port}/"))
        assert fetched.stdout == "Hello from C++\n", fetched.stderr
        unknown = namespace.run(example(client, "http_get", f"http://nowhere.test:{port}/"))
        assert unknown.returncode != 0
        assert "not known" in unknown.stdout + unknown.stderr or "-2" in unknown.stdout + unknown.stderr


def test_hosts_file() -> None:
    """GAI-1, GAI-2: with nothing but the machine's own hosts file."""
    done = subprocess.run(
        [sys.executable, "-c", LOOK_UP, json.dumps(["localhost", 80, AF_INET, SOCK_STREAM])],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert json.loads(done.stdout)["found"] == [[AF_INET, SOCK_STREAM, 6, "", "127.0.0.1"]], done.stderr


def test_service_names() -> None:
    """GAI-2: a service by its name, where the machine has a list of them."""
    services = Path("/etc/services")
    if not services.exists():
        pytest.skip("this machine has no /etc/services")
    program = "import usocket; print(usocket.sockaddr(usocket.getaddrinfo('127.0.0.1', 'http', 2, 1)[0][-1])[2])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.stdout == "80\n", done.stderr
