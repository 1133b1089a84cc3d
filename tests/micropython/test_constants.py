"""NAME-3: every constant that the compiler's headers have, with its value, and no other."""

from __future__ import annotations

import re
import socket
import subprocess
from pathlib import Path

import pytest
from hosts import OURS, REPO

HEADERS = "#include <cstdio>\n" + "".join(
    f"#include <{name}>\n" for name in ("netdb.h", "netinet/in.h", "netinet/tcp.h", "netinet/udp.h", "sys/socket.h")
)


@pytest.fixture(scope="module")
def constants(tmp_path_factory: pytest.TempPathFactory) -> dict[str, int]:
    folder = tmp_path_factory.mktemp("constants")
    lister = REPO / "src" / "sys" / "posix" / "list_constants.sh"
    rows = subprocess.run(["sh", lister, "g++", "-DUSOCKET_SMALL"], check=True, capture_output=True, text=True).stdout
    source, program = folder / "values.cpp", folder / "values"
    body = re.sub(r'.*\{("\w+"), (.*)\},', r'std::printf("%s %ld\\n", \1, \2);', rows)
    source.write_text(f"{HEADERS}constexpr int IPPROTO_SEC = 100;\nint main() {{\n{body}}}\n")
    subprocess.run(["g++", "-w", source, "-o", program], check=True)
    lines = subprocess.run([program], check=True, capture_output=True, text=True).stdout.splitlines()
    return {name: int(value) for name, value in (line.split() for line in lines)}


def shown(names: list[str], folder: Path) -> dict[str, str]:
    """What both modules have by these names."""
    script = folder / "script.py"
    script.write_text(
        "import socket, usocket\n"
        f"for name in {names!r}:\n"
        "    values = [getattr(module, name, None) for module in (socket, usocket)]\n"
        "    print(name, values[0] if values[0] == values[1] else values)\n"
    )
    done = OURS.run(script)
    assert done.returncode == 0, done.stdout
    return dict(line.split(" ", 1) for line in done.stdout.splitlines())


def test_name_3_every_constant_of_the_headers_is_there(constants: dict[str, int], tmp_path: Path) -> None:
    assert len(constants) > 200
    assert shown(sorted(constants), tmp_path) == {name: str(value) for name, value in constants.items()}


def test_name_3_what_the_headers_have_not_is_not_there(constants: dict[str, int], tmp_path: Path) -> None:
    """The names are known by their hashes: none of those that CPython has on some system is taken for another."""
    own = {"SOCK_SEQPACKET", "INADDR_ANY"}
    others = {name for name in dir(socket) if name.isupper() and name[0] != "_"} - set(constants) - own
    others |= {f"{name}{suffix}" for name in constants for suffix in ("X", "_", "0", "_MAX")} - set(constants)
    assert shown(sorted(others), tmp_path) == dict.fromkeys(others, "None")
