"""Our HTTP clients against nginx: a stream is written, and read by lines and by blocks (STRM-1, STRM-3, STRM-4)."""

from __future__ import annotations

import hashlib
import subprocess

import pytest
from programs import PATIENCE_S, Files, example


def fetch(language: str, url: str) -> str:
    """The hash of what the client got."""
    option = [] if language == "cpp" else ["--sha256"]
    done = subprocess.run(example(language, "http_get", url, *option), capture_output=True, timeout=4 * PATIENCE_S)
    assert done.returncode == 0, done.stderr.decode()
    return hashlib.sha256(done.stdout).hexdigest() if language == "cpp" else done.stdout.decode().strip()


@pytest.mark.parametrize("name", ["page.html", "empty", "big"])
def test_length_is_known(language: str, name: str, files: Files, nginx_port: int) -> None:
    """STRM-1, STRM-3: a header in lines, then as many bytes as it said, 50 MB among them."""
    assert fetch(language, f"http://127.0.0.1:{nginx_port}/{name}") == files.sha256[name]


@pytest.mark.parametrize("name", ["page.html", "empty", "big"])
def test_chunked(language: str, name: str, files: Files, nginx_port: int) -> None:
    """STRM-3, STRM-5: lines and blocks in turn, of which nothing is lost between them."""
    assert fetch(language, f"http://127.0.0.1:{nginx_port}/chunked/{name}") == files.sha256[name]


def test_slow_and_chunked(language: str, files: Files, nginx_port: int) -> None:
    """STRM-1: no read comes back short because the server takes its time."""
    assert fetch(language, f"http://127.0.0.1:{nginx_port}/slow/megabytes") == files.sha256["megabytes"]


def test_until_the_connection_closes(language: str, files: Files, nginx_port: int) -> None:
    """STRM-1: the end of the stream is the end of the body."""
    assert fetch(language, f"http://127.0.0.1:{nginx_port}/close/big") == files.sha256["big"]


def test_body_is_printed(language: str, files: Files, nginx_port: int) -> None:
    """STRM-1: without an option the body itself comes out, byte for byte."""
    url = f"http://127.0.0.1:{nginx_port}/megabytes"
    done = subprocess.run(example(language, "http_get", url), capture_output=True, timeout=PATIENCE_S)
    assert done.stdout == (files.folder / "megabytes").read_bytes()


def test_not_found(language: str, nginx_port: int) -> None:
    """What the server says is reported, and is no success."""
    url = f"http://127.0.0.1:{nginx_port}/no-such-file"
    done = subprocess.run(example(language, "http_get", url), capture_output=True, timeout=PATIENCE_S)
    assert done.returncode != 0
    assert b"404" in done.stdout + done.stderr
