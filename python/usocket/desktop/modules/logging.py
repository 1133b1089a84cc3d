"""logging: CPython's, whose loggers also have exc(error, message), as micropython-lib's and pycopy-lib's do. Whose line
it is that logs, it looks for among the program's and the libraries'.
"""

from __future__ import annotations

import logging as _logging
from typing import Any

from usocket.desktop import frames as _frames

EXTENDS = "logging"

_currentframe: Any = _logging.currentframe


def _seen() -> Any:
    return _frames.Frame(_currentframe().f_back)  # the one more is this function's


def bind(world: Any) -> None:
    _logging.currentframe = _seen


def getLogger(name: str | None = None) -> _logging.Logger:
    logger = _logging.getLogger(name)
    if not hasattr(logger, "exc"):

        def exc(error: BaseException, message: str = "", *values: Any) -> None:
            logger.error(message, *values, exc_info=error)

        logger.exc = exc  # type: ignore[attr-defined]
    return logger


__all__ = ["getLogger"]
