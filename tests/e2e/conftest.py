"""What the end-to-end tests share: the files that are served, nginx, and the languages of the examples."""

from __future__ import annotations

import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from programs import LANGUAGES, PATIENCE_S, Files, Identity, nginx

BIG_SIZE = 50 * 1024 * 1024


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("files")
    noise = random.Random(7).randbytes(1024 * 1024)
    (folder / "page.html").write_text("<h1>usocket</h1>\n" * 20)
    (folder / "empty").write_bytes(b"")
    (folder / "megabytes").write_bytes(noise * 2)
    (folder / "big").write_bytes(noise * (BIG_SIZE // len(noise)))
    return Files(folder)


@pytest.fixture(scope="session")
def identity(tmp_path_factory: pytest.TempPathFactory) -> Identity:
    """As docs/tls.md makes it."""
    folder = tmp_path_factory.mktemp("identity")
    page = (Path(__file__).resolve().parents[2] / "docs" / "tls.md").read_text()
    commands = re.search(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert commands is not None
    subprocess.run(["sh", "-ec", commands[1]], cwd=folder, check=True, capture_output=True, timeout=PATIENCE_S)
    return Identity(folder / "cert.pem", folder / "key.pem")


@pytest.fixture(scope="session")
def nginx_port(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with nginx(tmp_path_factory.mktemp("nginx"), files.folder) as port:
        yield port


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)
