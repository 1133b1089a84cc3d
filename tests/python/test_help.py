"""What help(), inspect.signature() and an editor show: everything has a text and a signature, the stub has the same."""

from __future__ import annotations

import ast
import inspect
import pydoc
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import uselect
import usocket
from usocket import _usocket, compat

CLASSES = {"Address": _usocket.Address, "socket": _usocket.socket, "poll": _usocket.poll}
NOT_OURS = {"__new__", "__init__", "__str__", "__iter__", "__next__"}  # slots: their text is Python's own


def members(owner: type | ModuleType) -> Iterator[Any]:
    """What can be called or looked up in it and was written here."""
    names = vars(owner) if isinstance(owner, type) else [name for name in dir(owner) if not name.startswith("_")]
    for name in names:
        member = vars(owner)[name]
        is_plain = isinstance(member, int | str | ModuleType | None.__class__) or name == "__class_getitem__"
        if not is_plain and (not name.startswith("__") or name in ("__enter__", "__exit__", "__reduce_ex__")):
            yield member


EVERYTHING = [*members(usocket), *members(uselect), *[member for kind in CLASSES.values() for member in members(kind)]]
COMPAT = [member for member in members(compat) if str(getattr(member, "__module__", "")).startswith("usocket")]


def test_everything_is_a_lot() -> None:
    assert len(EVERYTHING) > 60
    assert len(COMPAT) > 10


@pytest.mark.parametrize(
    "member", [*EVERYTHING, *COMPAT], ids=lambda member: getattr(member, "__qualname__", str(member))
)
def test_it_has_a_text_and_a_signature(member: Any) -> None:
    assert inspect.getdoc(member)
    if callable(member):
        signature = inspect.signature(member)
        assert "args" not in signature.parameters  # each argument has its name
        assert member.__name__ + "(" in pydoc.plain(pydoc.render_doc(member))


@pytest.mark.parametrize(
    ("function", "signature"),
    [
        (usocket.socket, "(af=Ellipsis, type=Ellipsis, proto=0, /, *, fileno=None)"),
        (usocket.socket.recv, "(self, bufsize, flags=0, /)"),
        (usocket.socket.recv_into, "(self, /, buffer, nbytes=0, flags=0)"),
        (usocket.socket.write, "(self, buf, off_or_n=None, n=Ellipsis, /)"),
        (usocket.getaddrinfo, "(host, port, af=0, type=0, proto=0, flags=0, /)"),
        (uselect.poll, "()"),
        (uselect.poll.register, "(self, obj, eventmask=Ellipsis, userdata=Ellipsis, /)"),
    ],
)
def test_signatures(function: Any, signature: str) -> None:
    assert str(inspect.signature(function)) == signature


def documented(body: list[ast.stmt], owner: Any) -> Iterator[tuple[str, str | None, str | None]]:
    """Each first definition of the stub: its name, its text there and at runtime."""
    seen: set[str] = set()
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name not in seen | NOT_OURS:
            seen.add(node.name)
            member = vars(owner).get(node.name)
            if member is not None:
                yield node.name, ast.get_docstring(node), inspect.getdoc(member)
            if isinstance(node, ast.ClassDef) and node.name in CLASSES:
                yield from documented(node.body, CLASSES[node.name])


def test_the_stub_has_the_same_texts() -> None:
    stub = ast.parse(Path(usocket.__file__).with_name("_usocket.pyi").read_text())
    texts = list(documented(stub.body, _usocket))
    assert len(texts) > 60
    assert [text for text in texts if text[1] != text[2]] == []


def test_a_poll_says_what_it_is_a_poll_of() -> None:
    """For annotations that run; a checker's view is in tests/types."""
    kinds = uselect.poll[usocket.socket, str]
    assert (kinds.__origin__, kinds.__args__) == (uselect.poll, (usocket.socket, str))  # type: ignore[attr-defined]
    assert isinstance(uselect.poll[usocket.socket](), uselect.poll)
