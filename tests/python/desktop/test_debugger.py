"""DEV-5: an editor's debugger, which speaks to debugpy, stops in the program's own lines and sees its variables."""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from programs import write

PATIENCE_S = 30.0

PROGRAM = """import socket
import utime

def greet(sock):
    text = b"hello, %s" % "you"
    sock.write(text + "!")
    return text

near, far = socket.socketpair()
for number in range(2):
    greet(near)
print(far.recv(100))
"""


class Editor:
    """The client's end of the Debug Adapter Protocol."""

    def __init__(self, port: int) -> None:
        self.sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
        self.stream = self.sock.makefile("rb")
        self.sequence = 0
        self.events: list[dict[str, Any]] = []

    def __enter__(self) -> Editor:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stream.close()
        self.sock.close()

    def send(self, command: str, **arguments: Any) -> int:
        self.sequence += 1
        message = {"seq": self.sequence, "type": "request", "command": command, "arguments": arguments}
        body = json.dumps(message).encode()
        self.sock.sendall(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        return self.sequence

    def message(self) -> dict[str, Any]:
        size = 0
        while line := self.stream.readline().strip():
            size = int(line.partition(b":")[2])
        assert size, "the debugger has closed the connection"
        message: dict[str, Any] = json.loads(self.stream.read(size))
        return message

    def response_to(self, sequence: int) -> dict[str, Any]:
        while True:
            message = self.message()
            if message["type"] == "response" and message["request_seq"] == sequence:
                assert message["success"], message
                body: dict[str, Any] = message.get("body", {})
                return body
            self.events.append(message)

    def ask(self, command: str, **arguments: Any) -> dict[str, Any]:
        return self.response_to(self.send(command, **arguments))

    def event(self, name: str) -> dict[str, Any]:
        while True:
            message = self.events.pop(0) if self.events else self.message()
            if message["type"] == "event" and message["event"] == name:
                body: dict[str, Any] = message.get("body", {})
                return body

    def stop(self) -> tuple[int, list[tuple[str, str, int]]]:
        """Where the program has stopped: its thread, and the frames, innermost first."""
        thread = self.event("stopped")["threadId"]
        frames = self.ask("stackTrace", threadId=thread)["stackFrames"]
        self.frame = frames[0]["id"]
        return thread, [(frame["name"], Path(frame["source"]["path"]).name, frame["line"]) for frame in frames]

    def value_of(self, expression: str) -> str:
        result: str = self.ask("evaluate", expression=expression, frameId=self.frame, context="watch")["result"]
        return result


@contextlib.contextmanager
def debugged(path: Path) -> Iterator[tuple[Editor, subprocess.Popen[bytes], Path]]:
    """The program waits for the editor before it begins. What it prints goes to a file: debugpy's adapter, which
    outlives the program, would keep pipes open."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    output = path.with_name("output")
    command = [sys.executable, "-m", "debugpy", "--listen", f"127.0.0.1:{port}", "--wait-for-client"]
    with output.open("wb") as file:
        process = subprocess.Popen([*command, "-m", "usocket", str(path)], stdout=file, stderr=subprocess.STDOUT)
    try:
        with connected(port, process) as editor:  # the adapter ends with it
            yield editor, process, output
    finally:
        process.kill()
        process.wait()


def connected(port: int, process: subprocess.Popen[bytes]) -> Editor:
    while process.poll() is None:
        with contextlib.suppress(ConnectionRefusedError):
            return Editor(port)
    raise AssertionError(f"debugpy ended with status {process.returncode}")


def test_dev_5_an_editor_stops_at_a_breakpoint_and_steps(tmp_path: Path) -> None:
    pytest.importorskip("debugpy")
    path = write(tmp_path, {"main.py": PROGRAM})
    with debugged(path) as (editor, process, output):
        editor.ask("initialize", adapterID="python", linesStartAt1=True, pathFormat="path")
        attached = editor.send("attach", justMyCode=True)
        editor.event("initialized")
        lines = [{"line": 6}]
        (point,) = editor.ask("setBreakpoints", source={"path": str(path)}, breakpoints=lines)["breakpoints"]
        assert point["verified"] and point["line"] == 6
        editor.ask("configurationDone")
        editor.response_to(attached)

        thread, frames = editor.stop()
        assert frames == [("greet", "main.py", 6), ("<module>", "main.py", 11)]
        assert editor.value_of("text") == "b'hello, you'"
        editor.ask("next", threadId=thread)
        assert editor.stop()[1][0] == ("greet", "main.py", 7)
        editor.ask("continue", threadId=thread)
        assert editor.stop()[1][0] == ("greet", "main.py", 6)
        editor.ask("setBreakpoints", source={"path": str(path)}, breakpoints=[])
        editor.ask("continue", threadId=thread)
        editor.event("terminated")  # comes before the program's buffer is written out
        assert process.wait(PATIENCE_S) == 0
        assert output.read_text().endswith("b'hello, you!hello, you!'\n")  # after a warning of debugpy's own
