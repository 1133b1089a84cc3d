"""What the end-to-end tests and the demo run: the examples in each language, and nginx; all on the loopback interface.

USOCKET_BIN names the folder of the C++ examples and of MicroPython where that is not build/bin.
"""

from __future__ import annotations

import hashlib
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
BIN = Path(os.environ.get("USOCKET_BIN", REPO / "build" / "bin"))
PYTHON_EXAMPLES = REPO / "examples" / "python"
PATIENCE_S = 30.0  # for what must happen

LANGUAGES = ["cpp", "cpython"] + (["micropython"] if (BIN / "micropython").exists() else [])


def example(language: str, name: str, *arguments: object) -> list[str]:
    """The command that runs an example in one of the languages."""
    interpreters = {
        "cpython": [sys.executable],
        "micropython": [str(BIN / "micropython"), "-X", "heapsize=8m"],
        "micropython-stock": [str(BIN / "micropython-stock"), "-X", "heapsize=8m"],
    }
    if language == "cpp":
        return [str(BIN / name), *map(str, arguments)]
    return [*interpreters[language], str(PYTHON_EXAMPLES / (name + ".py")), *map(str, arguments)]


def sha256_of(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def device_program(host: str, name: str, *arguments: object, options: Sequence[str] = ()) -> list[str]:
    """The command that runs a program for devices, on MicroPython or by `python -m usocket`, which has the options."""
    program = [str(PYTHON_EXAMPLES / (name + ".py")), *map(str, arguments)]
    if host == "cpython":
        return [sys.executable, "-m", "usocket", *options, *program]
    return [str(BIN / host), "-X", "heapsize=8m", *program]


class Files:
    """A folder with files to fetch, and their hashes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sha256 = {path.name: sha256_of(path) for path in folder.iterdir()}


class Program:
    """A program that runs beside the test: its input and its lines of output. It ends with the `with` block."""

    def __init__(self, command: Sequence[str], **popen_arguments: object) -> None:
        self.command = list(command)
        self.process: subprocess.Popen[str] = subprocess.Popen(  # type: ignore[call-overload]
            self.command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            **popen_arguments,
        )
        self.lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.seen: list[str] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put("")  # the end

    def line(self) -> str:
        """The next line of output without its end; fails at the end of output and when none comes."""
        try:
            line = self.lines.get(timeout=PATIENCE_S)
        except queue.Empty:
            line = ""
        assert line, f"{self.command} said no more than {self.seen}, status {self.process.poll()}"
        self.seen.append(line)
        return line.rstrip("\n")

    def send(self, line: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def end_input(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def wait(self) -> int:
        """Its exit status, once it has ended by itself."""
        return self.process.wait(timeout=PATIENCE_S)

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.reader.join(timeout=PATIENCE_S)
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.stop()


@contextmanager
def example_server(language: str, name: str, *arguments: object, prefix: Sequence[str] = ()) -> Iterator[int]:
    """Runs an example that serves; yields the port that it says it listens on. The prefix says where to run it."""
    with Program([*prefix, *example(language, name, *arguments)]) as program:
        match = re.fullmatch(r"listening on 127\.0\.0\.1 port (\d+)", line := program.line())
        assert match, f"{name} in {language} said {line!r}"
        yield int(match.group(1))
        assert program.process.poll() is None, f"{name} in {language} ended: {program.seen}"


NGINX_CONFIG = """
    daemon off;
    worker_processes 1;
    pid {folder}/pid;
    error_log stderr warn;
    {user}
    events {{ worker_connections 512; }}
    http {{
        access_log off;
        types {{ }}
        default_type application/octet-stream;
        client_body_temp_path {folder}/body;
        proxy_temp_path {folder}/proxy;
        fastcgi_temp_path {folder}/fastcgi;
        uwsgi_temp_path {folder}/uwsgi;
        scgi_temp_path {folder}/scgi;
        server {{
            listen 127.0.0.1:{port}{tls};
            location / {{ root {files}; }}
            # Server-side includes make the length unknown, so the body comes in chunks;
            location /chunked/ {{ alias {files}/; ssi on; ssi_types *; }}
            # slowly;
            location /slow/ {{ alias {files}/; ssi on; ssi_types *; limit_rate 1m; }}
            # or up to the end of the connection.
            location /close/ {{ alias {files}/; ssi on; ssi_types *; chunked_transfer_encoding off; }}
        }}
    }}
"""


@dataclass
class Identity:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path


@contextmanager
def nginx(folder: Path, files: Path, identity: Identity | None = None) -> Iterator[int]:
    """Runs nginx over the files, with all that it writes in an (empty) folder of its own; yields its port. With an
    identity it speaks TLS."""
    # A socket that already listens goes to nginx by the way that a new nginx takes over from an old one. So the port
    # is free for sure, and connections wait rather than fail while it starts.
    with socket.create_server(("127.0.0.1", 0), backlog=511) as listener:
        port = listener.getsockname()[1]
        config = folder / "nginx.conf"
        user = "user root;" if os.geteuid() == 0 else ""  # workers are who we are, so that they may read our files
        tls = ""
        if identity is not None:
            tls = f" ssl; ssl_certificate {identity.certificate}; ssl_certificate_key {identity.key}"
        config.write_text(NGINX_CONFIG.format(folder=folder, files=files, port=port, tls=tls, user=user))
        process = subprocess.Popen(
            ["nginx", "-p", str(folder), "-c", str(config), "-e", "stderr"],
            stdin=subprocess.DEVNULL,
            stderr=(log := (folder / "log").open("wb")),
            env={**os.environ, "NGINX": f"{listener.fileno()};"},
            pass_fds=[listener.fileno()],
        )
    try:
        yield port
        assert process.poll() is None, f"nginx ended: {(folder / 'log').read_text()}"
    finally:
        log.close()
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


@contextmanager
def mosquitto(folder: Path) -> Iterator[int]:
    """Runs an MQTT broker, with its configuration in a folder; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    configuration = folder / "mosquitto.conf"
    configuration.write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n")
    with Program(["mosquitto", "-v", "-c", str(configuration)]) as broker:
        while not broker.line().endswith("running"):
            pass
        yield port
        assert broker.process.poll() is None, f"mosquitto ended: {broker.seen}"
