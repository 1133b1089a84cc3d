"""logging: CPython's, whose loggers also have exc(error, message), as micropython-lib's and pycopy-lib's do."""

from __future__ import annotations

import logging as _logging
from typing import Any

EXTENDS = "logging"


def getLogger(name: str | None = None) -> _logging.Logger:
    logger = _logging.getLogger(name)
    if not hasattr(logger, "exc"):

        def exc(error: BaseException, message: str = "", *values: Any) -> None:
            logger.error(message, *values, exc_info=error)

        logger.exc = exc  # type: ignore[attr-defined]
    return logger


__all__ = ["getLogger"]
