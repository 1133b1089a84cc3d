"""What the end-to-end tests share: the files that are served, nginx, and the languages of the examples."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest
from programs import LANGUAGES, Files, nginx

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
def nginx_port(files: Files, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with nginx(tmp_path_factory.mktemp("nginx"), files.folder) as port:
        yield port


@pytest.fixture(params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)
