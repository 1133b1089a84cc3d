"""What README.md, CONTRIBUTING.md and docs/ say is true: their examples run, their links lead somewhere, their tables
name what there is.

How a code block is proven depends on the words after its fence:

    python              runs on CPython
    python every-host   runs on CPython and on MicroPython
    python device       runs under python -m usocket; every-host device: there, and on MicroPython
    pycon               a dialogue, compared by doctest
    cpp                 a program, or statements for a main(): compiled, linked to the library, run
    c program           compiled by a C compiler, linked to the library, run
    text output         what the block before it prints

Other blocks (sh, cmake, text ...) are not run. USOCKET_BUILD names a release build other than build/.
"""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
import textwrap
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import usocket

REPO = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("USOCKET_BUILD", REPO / "build"))
MICROPYTHON = BUILD / "bin" / "micropython"
ROOT_PAGES = [REPO / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "python/README.md")]
PAGES = [*ROOT_PAGES, *sorted((REPO / "docs").glob("*.md"))]
RULE = re.compile(r"\b(?:NAME|ADDR|GAI|SOCK|TIME|STRM|POLL|TLS|CPP|DEV|COMPAT)-[0-9]+\b")
TIME_LIMIT_S = 60

STATEMENTS = """\
#include <usocket/usocket.hpp>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

using namespace std::chrono_literals;

int main() {
%s}
"""


@dataclass
class Block:
    """A fenced block, and what it has to print if the page says so."""

    page: Path
    line: int
    words: list[str]
    text: str
    output: str | None = field(default=None)

    def __str__(self) -> str:
        return f"{self.page.relative_to(REPO)}:{self.line}"


def blocks(page: Path) -> Iterator[Block]:
    """The blocks of a page, each with the `text output` block that follows it."""
    previous = current = None
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if current is None and line.startswith("```"):
            current = Block(page, number, line[3:].split(), "")
        elif current is not None and line == "```":
            if current.words == ["text", "output"]:
                assert previous is not None, f"{current} is the output of nothing"
                previous.output = current.text
            else:
                if previous is not None:
                    yield previous
                previous = current
            current = None
        elif current is not None:
            current.text += line + "\n"
    assert current is None, f"{current} does not end"
    if previous is not None:
        yield previous


BLOCKS = [block for page in PAGES for block in blocks(page)]


def those(*words: str) -> pytest.MarkDecorator:
    """A test for each block that begins with these words."""
    chosen = [block for block in BLOCKS if block.words[: len(words)] == list(words)]
    assert chosen, f"no page has a block of {words}"
    return pytest.mark.parametrize("block", chosen, ids=str)


def output_of(*command: str | Path, cwd: Path) -> str:
    """What a command prints that must succeed."""
    words = [str(word) for word in command]
    done = subprocess.run(
        words, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIME_LIMIT_S
    )
    assert done.returncode == 0, f"{words[0]} ended with {done.returncode}\n{done.stdout}{done.stderr}"
    return done.stdout


def run(block: Block, *command: str | Path, cwd: Path) -> None:
    """Runs a block, which must succeed and print what the page shows."""
    output = output_of(*command, cwd=cwd)
    assert block.output is None or output == block.output


@those("python")
def test_python(block: Block, tmp_path: Path) -> None:
    program = tmp_path / "block.py"
    program.write_text(block.text)
    if "cert.pem" in block.text:
        make_certificate(tmp_path)
    starter = ["-m", "usocket"] if "device" in block.words else []
    run(block, sys.executable, "-W", "error", *starter, program, cwd=tmp_path)


@those("python", "every-host")
def test_python_on_micropython(block: Block, tmp_path: Path) -> None:
    if not MICROPYTHON.exists():
        pytest.skip(f"{MICROPYTHON} has not been built (make micropython)")
    program = tmp_path / "block.py"
    program.write_text(block.text)
    if "cert.pem" in block.text:
        make_certificate(tmp_path)
    run(block, MICROPYTHON, program, cwd=tmp_path)


@those("pycon")
def test_dialogue(block: Block) -> None:
    dialogue = doctest.DocTestParser().get_doctest(block.text, {}, str(block), str(block.page), block.line)
    assert dialogue.examples
    report: list[str] = []
    doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(dialogue, out=report.append)
    assert not report, "".join(report)


def make_certificate(folder: Path) -> None:
    """As docs/tls.md says."""
    page = (REPO / "docs" / "tls.md").read_text()
    commands = re.search(r"^```sh\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    assert commands is not None, "docs/tls.md says how to make a certificate"
    subprocess.run(["sh", "-ec", commands[1]], cwd=folder, check=True, capture_output=True, timeout=TIME_LIMIT_S)


@those("cpp")
def test_cpp(block: Block, tmp_path: Path) -> None:
    source = tmp_path / "block.cpp"
    is_program = "int main(" in block.text
    source.write_text(block.text if is_program else STATEMENTS % textwrap.indent(block.text, "    "))
    program = tmp_path / "block"
    compile_it = (os.environ.get("CXX", "g++"), "-std=c++20", "-Wall", "-Wextra", "-Werror", f"-I{REPO / 'include'}")
    libraries: list[str | Path] = [BUILD / "lib" / "libusocket.a"]
    if "usocket/tls.hpp" in source.read_text():
        libraries = [BUILD / "lib" / "libusocket-tls.a", *libraries, "-lssl", "-lcrypto"]
        make_certificate(tmp_path)
    output_of(*compile_it, source, *libraries, "-pthread", "-o", program, cwd=tmp_path)
    run(block, program, cwd=tmp_path)


@those("c", "program")
def test_c(block: Block, tmp_path: Path) -> None:
    source, program = tmp_path / "block.c", tmp_path / "block"
    source.write_text(block.text)
    compile_it = (os.environ.get("CC", "cc"), "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror")
    options = (f"-I{REPO / 'include'}", "-D_POSIX_C_SOURCE=200809L", "-pthread", "-o", program)
    output_of(*compile_it, source, BUILD / "lib" / "libusocket.a", *options, cwd=tmp_path)
    run(block, program, cwd=tmp_path)


# --- links


def anchor(heading: str) -> str:
    """What the common renderers make of a heading."""
    words = re.sub(r"[`*]", "", heading).lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


def prose(page: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.M | re.S)


def anchors(page: Path) -> set[str]:
    return {anchor(heading) for heading in re.findall(r"^#+ (.*)$", prose(page), flags=re.M)}


LINKS = [
    pytest.param(page, link, id=f"{page.name}: {link}")
    for page in PAGES
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(page))
    if "://" not in link
]


@pytest.mark.parametrize(("page", "link"), LINKS)
def test_link(page: Path, link: str) -> None:
    """A link leads to a file of the repository, and its fragment to a heading there."""
    path, _, fragment = link.partition("#")
    target = (page.parent / path).resolve() if path else page
    assert target.exists() and target.is_relative_to(REPO)
    if fragment:
        assert fragment in anchors(target)


def test_pages_are_reached() -> None:
    """README.md leads to every page of docs/."""
    linked = {(REPO / link.partition("#")[0]).resolve() for link in re.findall(r"\]\(([^)\s]+)\)", prose(PAGES[0]))}
    assert [page for page in PAGES if page.parent.name == "docs" and page not in linked] == []


@pytest.mark.parametrize("picture", sorted((REPO / "docs").glob("*.svg")), ids=lambda path: path.name)
def test_picture(picture: Path) -> None:
    """A picture is well-formed, and says in words what it shows."""
    root = ElementTree.parse(picture).getroot()
    svg = "{http://www.w3.org/2000/svg}"
    assert root.tag == svg + "svg"
    assert root.findtext(svg + "title") and root.findtext(svg + "desc")


# --- tables


def rows(page: Path, heading: str) -> Iterator[list[str]]:
    """The cells of the tables below a heading, without the tables' own headings."""
    section = page.read_text().split(f"\n## {heading}\n", 1)[1].split("\n## ")[0]
    for table in re.findall(r"(?:^\|.*\n)+", section, flags=re.M):
        for row in table.splitlines()[2:]:
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", row)[1:-1]]


def names_of(cell: str) -> list[str]:
    """`socket.bind(address)` is bind of the class, `SOL_*` is all that begin so."""
    return [quoted.partition("(")[0] for quoted in re.findall(r"`([^`]+)`", cell)]


def exists(name: str, members: dict[str, set[str]]) -> bool:
    """Whether a host has a name, by what its module and its class have."""
    owner, dot, attribute = name.partition(".")
    if not dot:
        owner, attribute = "usocket", name
    if attribute.endswith("*"):
        return any(member.startswith(attribute[:-1]) for member in members[owner])
    return attribute in members[owner]


REFERENCE = list(rows(REPO / "README.md", "The reference, name by name"))


def check_host(column: int, members: dict[str, set[str]]) -> None:
    """Every name of the reference is there or not, as the table says."""
    checked = [(name, exists(name, members), row[column]) for row in REFERENCE for name in names_of(row[0])]
    assert len(checked) >= 30
    assert [entry for entry in checked if entry[1] != entry[2].startswith("yes")] == []


def test_reference_table_of_cpython() -> None:
    """NAME-1: README's table of the reference's names is right about CPython."""
    check_host(2, {"usocket": set(dir(usocket)), "socket": set(dir(usocket.socket))})


def test_reference_table_of_micropython(tmp_path: Path) -> None:
    """NAME-1: README's table of the reference's names is right about MicroPython."""
    if not MICROPYTHON.exists():
        pytest.skip(f"{MICROPYTHON} has not been built (make micropython)")
    program = tmp_path / "names.py"
    program.write_text("import usocket\nprint(*dir(usocket))\nprint(*dir(usocket.socket))\n")
    module, methods = output_of(MICROPYTHON, program, cwd=tmp_path).splitlines()
    check_host(3, {"usocket": set(module.split()), "socket": set(methods.split())})


def test_reference_table_of_cpp() -> None:
    """CPP-1: what README's table of the reference's names calls the C++ name is in the headers."""
    headers = "".join(path.read_text() for path in (REPO / "include" / "usocket").glob("*.hpp"))
    names = [name.rpartition("::")[2] for row in REFERENCE for name in names_of(row[1])]
    assert len(names) >= 20
    assert [name for name in names if not re.search(rf"\b{name}\b", headers)] == []


@pytest.mark.parametrize(
    ("heading", "there"), [("Things that are the same", True), ("Things that are not there", False)]
)
def test_differences(heading: str, there: bool) -> None:
    """docs/differences.md is right about the names that CPython's socket has and usocket has, or has not."""
    page = (REPO / "docs" / "differences.md").read_text()
    section = page.split(f"\n## {heading}\n", 1)[1].split("\n## ")[0]
    names = [name for name in names_of(section) if not name.startswith("usocket") and name != "with"]
    assert len(names) >= 8
    known = {*dir(usocket), *dir(usocket.socket)}
    assert [name for name in names if (name in known) != there] == []


def rules() -> dict[str, list[str]]:
    """The rules of docs/rules.md, each with its state by host."""
    groups = re.findall(r"^## (.*)$", (REPO / "docs" / "rules.md").read_text(), flags=re.M)
    return {row[0]: row[2:] for group in groups for row in rows(REPO / "docs" / "rules.md", group)}


def rules_named_by(*places: str) -> set[str]:
    """The ids that the files of some folders name, but for this folder's own."""
    files = [path for place in places for path in (REPO / place).rglob("*") if path.is_file()]
    texts = [path.read_text(errors="ignore") for path in files if path.parent != Path(__file__).parent]
    return set(RULE.findall("".join(texts)))


def test_rules_are_defined() -> None:
    """Every rule that the code names is in docs/rules.md."""
    named = rules_named_by("include", "src", "bindings", "python", "tests", "examples", "bench")
    assert named - set(rules()) == set()


def test_rules_have_proof() -> None:
    """Every rule that is said to hold somewhere is named by a test."""
    held = {rule for rule, states in rules().items() if any(state.startswith("yes") for state in states)}
    assert len(held) > 40
    assert held - rules_named_by("tests") == set()
