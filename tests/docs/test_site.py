"""The documentation as a site: everything leads somewhere, and the reference has what there is."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import usocket

REPO = Path(__file__).resolve().parents[2]
pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.skipif(
        shutil.which("doxygen") is None or importlib.util.find_spec("sphinx") is None,
        reason="what builds the site is not there (tools/setup docs)",
    ),
]


@pytest.fixture(scope="module")
def site() -> Path:
    done = subprocess.run([sys.executable, REPO / "tools" / "docs"], capture_output=True, text=True, timeout=280)
    assert done.returncode == 0, done.stdout + done.stderr
    return REPO / "build" / "docs" / "html"


def test_every_link_leads_to_a_file_of_the_site(site: Path) -> None:
    """And to a place in it, if it names one."""
    pages = {page: page.read_text() for page in site.rglob("*.html")}
    assert len(pages) > 20
    places = {page: set(re.findall(r'\bid="([^"]+)"', text)) for page, text in pages.items()}
    dead = []
    for page, text in pages.items():
        for link in re.findall(r'<a [^>]*href="([^"]+)"', text):
            if re.match(r"[a-z]+:", link):
                continue
            path, _, place = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            if not target.exists() or (place and place not in places.get(target, {place})):
                dead.append(f"{page.relative_to(site)}: {link}")
    assert dead == []


def test_name_5_the_site_says_its_version(site: Path) -> None:
    assert f"usocket {usocket.__version__}" in (site / "index.html").read_text()


@pytest.mark.parametrize(
    ("page", "names"),
    [
        ("python", ["usocket.socket.readline", "usocket.getaddrinfo", "usocket.Address", "uselect.poll.register"]),
        ("compat", ["usocket.compat.socket.makefile", "usocket.compat.create_connection"]),
        ("cpp", ["_CPPv4N7usocket6Socket5closeEv", "_CPPv4N7usocket6Socket4bindERK7Address", "_CPPv4N7usocket4PollE"]),
        ("c", ["c.usocket_readline", "c.usocket_socket_t"]),
    ],
)
def test_the_reference_has_each_name(site: Path, page: str, names: list[str]) -> None:
    text = (site / "reference" / f"{page}.html").read_text()
    assert [name for name in names if f'id="{name}"' not in text] == []


def test_it_can_be_searched(site: Path) -> None:
    assert "readline" in (site / "searchindex.js").read_text()
