"""json, which writes bytes as text and text as UTF-8, and reads from and writes to any stream, a socket too."""

from __future__ import annotations

import json as _json
from typing import Any

EXTENDS = "json"


def _text(value: Any) -> Any:
    if isinstance(value, bytes | bytearray):
        return bytes(value).decode()
    return str(value)


def dumps(value: Any, separators: Any = None, **options: Any) -> str:
    options = {"default": _text, "ensure_ascii": False, **options}
    return _json.dumps(value, separators=separators, **options)


def dump(value: Any, stream: Any, separators: Any = None, **options: Any) -> None:
    stream.write(dumps(value, separators, **options))


def load(stream: Any) -> Any:
    return _json.loads(stream.read())


__all__ = ["dump", "dumps", "load"]
