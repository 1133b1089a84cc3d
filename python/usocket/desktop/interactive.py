"""What is typed, line by line: in the devices' dialect (DEV-4)."""

from __future__ import annotations

import codeop
import types

from usocket.desktop import dialect


def compile_command(source: str, filename: str = "<input>", symbol: str = "single") -> types.CodeType | None:
    """The code of a statement; None: more lines belong to it."""
    try:
        is_whole = codeop.compile_command(source, filename, symbol) is not None
    except SyntaxError:  # of the dialect, perhaps: then an empty line ends a statement of several
        dialect.compile_source(source + "\n", filename, symbol)
        is_whole = "\n" not in source or source.endswith("\n")
    return dialect.compile_source(source, filename, symbol) if is_whole else None
