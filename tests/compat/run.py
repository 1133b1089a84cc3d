#!/usr/bin/env python3
"""COMPAT-1: CPython's own test_socket.py, of the interpreter that runs this, against usocket.compat.

    run.py [--list FILE] [NAME...]

The module under test imports usocket.compat under the name `socket`; everything else in the process has the standard
library's. What differs on purpose is in differences.txt with its reason: it must fail, or be taken off the list. What
is left out there does not run at all. The last line is "N passed, N failed, N skipped".
"""

from __future__ import annotations

import argparse
import errno
import faulthandler
import importlib
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path

LIMIT_S = 600  # for all tests together, which take 90 s
LIST = Path(__file__).with_name("differences.txt")


def listed(path: Path) -> dict[str, dict[str, str]]:
    """{"differs": {test: reason}, "left out": {test: reason}}; a test is `Class.method` or `Class`."""
    sections: dict[str, dict[str, str]] = {}
    section: dict[str, str] = {}
    for line in path.read_text().splitlines():
        if line.startswith("["):
            section = sections.setdefault(line.strip("[]"), {})
        elif line.strip() and not line.startswith("#"):
            name, reason = line.split(":", 1)
            section[name.strip()] = reason.strip()
    return sections


def test_module() -> object:
    """test.test_socket over usocket.compat."""
    import socket as standard

    import usocket.compat
    from test import support
    from test.support import os_helper, socket_helper, threading_helper  # noqa: F401  # they keep the standard module

    support.use_resources = []  # nothing that needs the network
    sys.modules["socket"] = usocket.compat
    try:
        module = importlib.import_module("test.test_socket")
    except ModuleNotFoundError:
        sys.exit("this interpreter has no test.test_socket; Debian: libpython3.N-testsuite, which python3-full brings")
    finally:
        sys.modules["socket"] = standard
    return module


def short(test: unittest.TestCase) -> str:
    return ".".join(test.id().split(".")[-2:])


def each(suite: unittest.TestSuite) -> Iterator[unittest.TestCase]:
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from each(item)
        else:
            yield item


def is_in(names: dict[str, str] | list[str], test: unittest.TestCase) -> bool:
    name = short(test)
    return name in names or name.split(".")[0] in names


class Result(unittest.TextTestResult):
    """Counts, and remembers by name how each test ended."""

    def __init__(self, *given: object, **named: object) -> None:
        super().__init__(*given, **named)  # type: ignore[arg-type]
        self.passed: set[str] = set()
        self.failed: set[str] = set()
        self.unlucky: list[unittest.TestCase] = []  # the port that it had found unused was taken by then

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        self.passed.add(short(test))

    def addError(self, test: unittest.TestCase, err: object) -> None:
        if isinstance(err[1], OSError) and err[1].errno == errno.EADDRINUSE:  # type: ignore[index]
            self.unlucky.append(test)
            return
        super().addError(test, err)  # type: ignore[arg-type]
        self.failed.add(short(test))

    def addFailure(self, test: unittest.TestCase, err: object) -> None:
        super().addFailure(test, err)  # type: ignore[arg-type]
        self.failed.add(short(test))

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: object) -> None:
        super().addSubTest(test, subtest, err)  # type: ignore[arg-type]
        if err is not None:
            self.failed.add(short(test))


def main() -> int:
    faulthandler.dump_traceback_later(LIMIT_S, exit=True)
    parser = argparse.ArgumentParser()
    parser.add_argument("--list", type=Path, default=LIST)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    lists = listed(arguments.list)
    differs, left_out = lists.get("differs", {}), lists.get("left out", {})
    tests = each(unittest.defaultTestLoader.loadTestsFromModule(test_module()))  # type: ignore[arg-type]
    chosen = [test for test in tests if not is_in(left_out, test)]
    if arguments.names:
        chosen = [test for test in chosen if is_in(arguments.names, test)]
    runner = unittest.TextTestRunner(sys.stdout, verbosity=2, resultclass=Result)
    result = runner.run(unittest.TestSuite(chosen))
    assert isinstance(result, Result)
    again = unittest.TestSuite(type(test)(test._testMethodName) for test in result.unlucky)
    retried = runner.run(again)
    assert isinstance(retried, Result)
    result.passed |= retried.passed
    result.failed |= retried.failed | {short(test) for test in retried.unlucky}
    unexpected = {name for name in result.failed if name not in differs}
    stale = {name for name in result.passed - result.failed if name in differs}
    for name in sorted(unexpected):
        print(f"FAILED and not listed: {name}")
    for name in sorted(stale):
        print(f"listed as different, and passes: {name}")
    failed = len(unexpected) + len(stale)
    passed = len(result.passed - result.failed) - len(stale) + len(result.failed & set(differs))
    print(f"{passed} passed, {failed} failed, {len(result.skipped)} skipped")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
