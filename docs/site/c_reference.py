"""The API reference for C, out of usocket.h: its sections, and in each the names in their order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

HEAD = """C
=

``#include <usocket/usocket.h>``. The :doc:`guide <../docs/c>` shows how it is used. A name in brackets, such as
(TIME-3), is one of :doc:`the rules <../docs/rules>`.

"""
KINDS = {
    "function": r"(?:USOCKET_C_API|static inline) [^;{]*?\b(usocket_\w+)\(",
    "struct": r"^} (?:USOCKET_C_SHARED )?(usocket_\w+);",
    "typedef": r"^typedef (?!struct)[^;]*?\b(usocket_\w+)(?:\)\([^;]*)?;",
    "define": r"^#define (USOCKET_(?!C_|USOCKET_H)\w+)",
}


def c_reference(header: Path) -> str:
    """The page, in reStructuredText."""
    sections = re.split(r"^// --- ", header.read_text(), flags=re.MULTILINE)[1:]
    return HEAD + "\n".join(line for section in sections for line in described(section))


def described(section: str) -> Iterator[str]:
    title = re.split(r"[.(:]", section.splitlines()[0])[0].strip()
    yield from (title, "-" * len(title), "")
    found = [
        (match.start(), kind, match[1])
        for kind, pattern in KINDS.items()
        for match in re.finditer(pattern, section, re.MULTILINE)
    ]
    for _, kind, name in sorted(found):
        yield f".. doxygen{kind}:: {name}"
        if kind == "struct":
            yield "   :members:"
    constants = re.findall(r"\b(USOCKET_\w+)\b", " ".join(re.findall(r"^enum \{(.*?)\}", section, re.M | re.S)))
    yield ""
    if constants:
        yield from (f"Constants: {', '.join(f'``{name}``' for name in dict.fromkeys(constants))}.", "")
