"""The name Buffer of signatures: what is bytes-like (PEP 688), and can be evaluated on every version (NAME-2)."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

__all__ = ["Buffer"]

if TYPE_CHECKING:
    from typing_extensions import Buffer
elif sys.version_info >= (3, 12):
    from collections.abc import Buffer
else:
    Buffer = bytes | bytearray | memoryview
