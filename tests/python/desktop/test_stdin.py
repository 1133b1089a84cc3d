"""DEV-1, NAME-4: standard input holds nothing back, as on a device: a poll and whoever shares it see what is unread."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from programs import call, write


def output_of(folder: Path, text: str, typed: str) -> list[str]:
    """What the program prints while its standard input has not ended."""
    path = write(folder, {"main.py": text})
    reading, writing = os.pipe()
    try:
        os.write(writing, typed.encode())
        command = [sys.executable, "-m", "usocket", str(path)]
        done = subprocess.run(command, stdin=reading, capture_output=True, text=True, timeout=60)
    finally:
        os.close(reading)
        os.close(writing)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


POLLING = """
import select, sys
poller = select.poll()
poller.register(sys.stdin, select.POLLIN)
seen = []
while poller.poll(LIMIT if len(seen) < COUNT else 0):
    seen.append(READ)
print(seen)
"""


@pytest.mark.parametrize(
    "read, count, seen",
    [
        ("sys.stdin.readline()", 2, "['one\\n', 'twö\\n']"),
        ("sys.stdin.read(1)", 8, "['o', 'n', 'e', '\\n', 't', 'w', 'ö', '\\n']"),
        ("sys.stdin.buffer.read(3)", 3, "[b'one', b'\\ntw', b'\\xc3\\xb6\\n']"),
        ("sys.stdin.buffer.readline()", 2, "[b'one\\n', b'tw\\xc3\\xb6\\n']"),
        ("input()", 2, "['one', 'twö']"),
    ],
)
def test_name_4_a_poll_tells_of_what_is_left(read: str, count: int, seen: str, tmp_path: Path) -> None:
    text = POLLING.replace("LIMIT", "3000").replace("COUNT", str(count)).replace("READ", read)
    assert output_of(tmp_path, text, "one\ntwö\n") == [seen]


def test_dev_1_all_ways_to_read_it_follow_one_another(tmp_path: Path) -> None:
    text = (
        "import sys\nprint([sys.stdin.read(2), sys.stdin.readline(3), sys.stdin.buffer.read(1), input(),"
        " next(sys.stdin), next(iter(sys.stdin.buffer))])\n"
        "data = bytearray(9)\nprint(sys.stdin.readinto(data, 4), data[:4])\n"
        "import subprocess\nprint(subprocess.run(['head', '-n1'], capture_output=True).stdout)\n"
    )
    typed = "äböcde\nfgh\r\ni\nj\nklmnop\n"
    assert output_of(tmp_path, text, typed) == [
        "['äb', 'öcd', b'e', '', 'fgh\\r\\n', b'i\\n']",
        "4 bytearray(b'j\\nkl')",
        "b'mnop\\n'",
    ]


def test_dev_1_it_ends_as_a_file_does(tmp_path: Path) -> None:
    text = "import sys\nprint([sys.stdin.read(), sys.stdin.read(1), sys.stdin.readline(), sys.stdin.buffer.read(2)])\n"
    path = write(tmp_path, {"main.py": text})
    done = subprocess.run(
        [sys.executable, "-m", "usocket", str(path)], input="a\nb", capture_output=True, text=True, timeout=60
    )
    assert done.stdout == "['a\\nb', '', '', b'']\n", done.stderr


def test_dev_1_a_program_without_it_runs(tmp_path: Path) -> None:
    path = write(tmp_path, {"main.py": "import sys\nprint(sys.stdin)\n"})
    command = f"exec {sys.executable} -m usocket {path} <&-"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stdout == "None\n", done.stderr
    assert call(path).returncode == 0
