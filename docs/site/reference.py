"""The API reference for Python, out of the stub: each name with its types and the text that help() shows."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

POLLING = ("poll", "select")  # of uselect; all others are usocket's
SHOWN_SPECIAL = {"__enter__", "__exit__", "__iter__", "__next__"}

Definition = ast.FunctionDef | ast.ClassDef


def escaped(text: str) -> str:
    return re.sub(r"([\\*`|_])", r"\\\1", text)


def signature(function: ast.FunctionDef, is_method: bool) -> str:
    arguments = function.args
    if is_method:
        positional = arguments.posonlyargs or arguments.args
        positional.pop(0)  # self
    returned = f" -> {ast.unparse(function.returns)}" if function.returns is not None else ""
    return f"{function.name}({ast.unparse(arguments)}){returned}"


def is_decorated(node: Definition, name: str) -> bool:
    return any(ast.unparse(decorator) == name for decorator in node.decorator_list)


def text_of(nodes: list[Definition], indent: str) -> Iterator[str]:
    for line in next(filter(None, map(ast.get_docstring, nodes)), "").splitlines():
        yield f"{indent}{escaped(line)}".rstrip()
    yield ""


def grouped(body: list[ast.stmt]) -> Iterator[list[Definition]]:
    """The public definitions, those of one name together."""
    groups: dict[str, list[Definition]] = {}
    for node in body:
        if isinstance(node, Definition) and (not node.name.startswith("_") or node.name in SHOWN_SPECIAL):
            groups.setdefault(node.name, []).append(node)
    yield from groups.values()


def described(nodes: list[Definition], indent: str = "", is_method: bool = False) -> Iterator[str]:
    """The directive of one name, and of what is in it."""
    first = nodes[0]
    if isinstance(first, ast.ClassDef):
        yield f"{indent}.. py:class:: {first.name}{initializer(first)}"
        yield ""
        yield from text_of(nodes, f"{indent}   ")
        for members in grouped(first.body):
            yield from described(members, f"{indent}   ", is_method=True)
    elif is_decorated(first, "property"):
        assert first.returns is not None
        yield f"{indent}.. py:property:: {first.name}"
        yield f"{indent}   :type: {ast.unparse(first.returns)}"
        yield ""
        yield from text_of(nodes, f"{indent}   ")
    else:
        kind = "method" if is_method else "function"
        signatures = [signature(node, is_method) for node in nodes if isinstance(node, ast.FunctionDef)]
        yield f"{indent}.. py:{kind}:: " + f"\n{indent}{' ' * (len(kind) + 9)}".join(signatures)
        yield ""
        yield from text_of(nodes, f"{indent}   ")


def initializer(cls: ast.ClassDef) -> str:
    """The brackets behind a class's name."""
    for node in cls.body:
        if isinstance(node, ast.FunctionDef) and node.name in ("__init__", "__new__"):
            return signature(node, is_method=True).removeprefix(node.name).split(" -> ")[0]
    return "()"


def title(text: str, line: str) -> list[str]:
    return [text, line * len(text), ""]


def reference(stub: Path) -> str:
    """The page, in reStructuredText."""
    body = ast.parse(stub.read_text()).body
    groups = list(grouped(body))
    constants = [
        node.target.id for node in body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    ]
    lines = title("Python", "=")
    lines += ["The modules ``usocket`` and ``uselect``, on CPython. ``Address`` is in ``usocket._usocket``.", ""]
    for module, is_wanted in (
        ("usocket", lambda name: name not in POLLING),
        ("uselect", lambda name: name in POLLING),
    ):
        lines += title(module, "-") + [f".. py:module:: {module}", ""]
        for nodes in groups:
            if is_wanted(nodes[0].name):
                lines += described(nodes)
    lines += title("Constants", "-")
    lines += ["Those that the system has, of these:", ""]
    families: dict[str, list[str]] = {}
    for name in filter(str.isupper, constants):
        families.setdefault(name.split("_")[0], []).append(name)
    lines += [f"- {', '.join(f'``{name}``' for name in names)}" for names in families.values()]
    return "\n".join(lines) + "\n"
