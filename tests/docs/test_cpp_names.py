"""CPP-1: every public name of the C++ headers is explained: by a comment that stands before it or behind it, out of
which the reference of the site is made, or by a page of docs/. And the reference names every type."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

REPO = Path(__file__).resolve().parents[2]
HEADERS = sorted((REPO / "include" / "usocket").glob("*.hpp"))
PAGES = [
    REPO / "docs" / name for name in ("cpp.md", "addresses.md", "polling.md", "resolving.md", "timeouts.md", "tls.md")
]
REFERENCE = REPO / "docs" / "site" / "cpp.rst"
# Types that a program never names: of the headers' own, or for host languages.
NOT_IN_REFERENCE = {
    *(
        "ArgumentCategory",
        "ResolverCategory",
        "BadResultAccess",
        "BadResultAccessOf",
        "Block",
        "Connecting",
        "Constant",
    ),
    *("ConstantList", "Host", "PackedAddress", "Sink", "Fault", "TlsFailure", "CertReqs"),
}
OPERATORS = {
    "struct",
    "operator",
    "static_assert",
    "requires",
    "noexcept",
    "sizeof",
    "decltype",
    "alignas",
    "defined",
    "if",
}


NO_NAMES = ("operator", " = default", "friend", "USOCKET_FAULT", "USOCKET_TLS_FAIL", "USOCKET_DOTTED_", "USOCKET_TEXT")
INTERNAL = re.compile(r"^(?:\}  // )?namespace (?:usocket::)?(?:detail|tls|sys|std)\b")


class Name(NamedTuple):
    name: str
    line: int
    is_explained: bool  # where it stands
    is_type: bool


TYPE = re.compile(r"^(?:template <.*?> )?(?:class|struct|enum class|enum) (?:USOCKET_\w+ )?(\w+)[^;]*\{")
FUNCTION = re.compile(r"(?<![\w.>:])(\w+)\(")
MACRO = re.compile(r"^#define (USOCKET_\w*[A-Z])\b")
CONSTANT = re.compile(r"^(?:static |inline )+constexpr [\w:<>, ]+ (\w+)(?: =|\{)")


def names_of(header: Path) -> Iterator[Name]:
    """What a header declares for everybody. A comment explains all of the lines that follow it without a gap."""
    is_explained = False
    is_internal = False  # in a namespace of the headers' own
    hidden: list[int] = []  # indentation of what is private, and of functions' bodies
    is_continued = False
    for number, line in enumerate(header.read_text().splitlines(), 1):
        text = line.strip()
        indent = len(line) - len(line.lstrip())
        if not text:
            is_explained = False
            continue
        if INTERNAL.search(text):
            is_internal = text.endswith("{")
        if text[0] != "#":
            while hidden and indent <= hidden[-1] and text not in ("private:", "protected:"):
                hidden.pop()
        if text.startswith("//"):
            is_explained = True
            continue
        if text in ("public:", "private:", "protected:"):
            if text != "public:":
                hidden.append(indent)
            is_explained = False
            continue
        was_continued, is_continued = is_continued, not text.endswith((";", "{", "}", ":", "\\")) and text[0] != "#"
        if hidden or is_internal or was_continued:
            continue
        if name := declared(text):
            yield Name(name, number, is_explained or " // " in line, TYPE.match(text) is not None)
        if TYPE.match(text):
            is_explained = False
        elif text.endswith("{") and not text.startswith("namespace"):
            hidden.append(indent)


def declared(text: str) -> str:
    """What a line declares; empty if nothing that has a name of its own."""
    for kind in (MACRO, TYPE, CONSTANT):
        if (found := kind.match(text)) and not found[1].endswith("_NAME"):  # those are gone after their use
            return found[1]
    call = FUNCTION.search(re.sub(r"requires\(.*?\)\)?", "", text))
    if text[0] in "#}" or call is None or call[1] in OPERATORS or any(word in text for word in NO_NAMES):
        return ""
    return call[1]


DOCUMENTED = set(
    re.findall(r"\w+", "".join(re.findall(r"```.*?```|`[^`]+`", "".join(p.read_text() for p in PAGES), re.S)))
)


@pytest.mark.parametrize("header", HEADERS, ids=lambda path: path.name)
def test_every_name_is_explained(header: Path) -> None:
    names = list(names_of(header))
    types = {name.name for name in names if name.is_type}  # whose name a constructor has
    wanted = [name for name in names if name.is_type or name.name not in types]
    bare = [f"{one.name} (line {one.line})" for one in wanted if not one.is_explained and one.name not in DOCUMENTED]
    assert bare == []


def test_names_are_found() -> None:
    """Those of which nobody doubts that they are public; and no private ones."""
    found = {name.name for header in HEADERS for name in names_of(header)}
    known = "Socket Poll PollOf Server WakeOnStop Result Address connect listen splice recvmsg_into wake settimeout"
    assert set(known.split()) <= found
    assert {"USOCKET_TRY", "USOCKET_VERSION", "whole_file", "getaddrinfo"} <= found
    assert not found & {"inside", "at_once", "check_or_throw", "take_candidate", "let_rest", "clamp", "no_value"}


def test_reference_has_every_type() -> None:
    types = {name.name for header in HEADERS for name in names_of(header) if name.is_type}
    shown = set(re.findall(r"usocket::(\w+)", REFERENCE.read_text()))
    nested = {"Event", "Iterator", "Text", "Written"}
    assert types - shown - nested - NOT_IN_REFERENCE - {"std"} == set()  # `struct std::hash<...>`
