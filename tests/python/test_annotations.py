"""What functions say of their types can be evaluated, by whoever builds on that (COMPAT-1, NAME-2)."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Iterator
from typing import Any

import pytest
import uerrno
import uselect
import usocket
import ussl
from usocket import compat

MODULES = (usocket, compat, uselect, uerrno, ussl)
OURS = {"usocket", "uselect", "uerrno", "ussl"}


def is_ours(one: Any) -> bool:
    return str(getattr(one, "__module__", "")).split(".")[0] in OURS


def functions() -> Iterator[tuple[str, Any]]:
    """Of the modules and their classes, public or not, with what properties call."""
    for module in MODULES:
        owners = [module, *(one for one in vars(module).values() if isinstance(one, type) and is_ours(one))]
        for owner in owners:
            path = module.__name__ if owner is module else f"{module.__name__}.{owner.__name__}"
            for name, found in vars(owner).items():
                function = getattr(found, "__func__", getattr(found, "fget", found))
                if inspect.isfunction(function) and is_ours(function):
                    yield f"{path}.{name}", function


FUNCTIONS = dict(functions())


@pytest.mark.parametrize("name", FUNCTIONS)
def test_compat_1_types_of_a_function_can_be_evaluated(name: str) -> None:
    hints = typing.get_type_hints(FUNCTIONS[name])
    signature = inspect.signature(FUNCTIONS[name], eval_str=True)
    assert {one for one in hints if one != "return"} <= set(signature.parameters)


CLASSES = [one for module in MODULES for one in vars(module).values() if isinstance(one, type) and is_ours(one)]


@pytest.mark.parametrize("one", CLASSES)
def test_compat_1_types_of_a_class_can_be_evaluated(one: type) -> None:
    assert isinstance(typing.get_type_hints(one), dict)


def test_compat_1_functions_of_every_module_are_looked_at() -> None:
    assert {"usocket.compat.socket.sendto", "usocket.compat.create_connection"} <= set(FUNCTIONS)
    assert {"ussl.wrap_socket", "ussl.SSLContext.load_cert_chain", "ussl.SSLContext.verify_mode"} <= set(FUNCTIONS)
