#!/usr/bin/env python3
"""Runs the conformance scripts on every host and shows which rule of the contract holds where.

    run.py                                          every host that is built
    run.py --host cpython --host micropython=PATH   these
    run.py kept.py poll.py                          some of the scripts

A script prints lines that start with the rule they are about, and must print exactly what its .exp file says, on every
host. A rule holds on a host if all its lines are right. A script whose last line is SKIP lacks something it needs; so
does a line that needs.txt names, where the stack under the host lacks that. One with a line
"# on CPython: python -m usocket" is a device's program, and is run as one. A script's argument is a folder of
certificates (tests/support/certificates.py).
Ends with "N passed, N failed", which counts the cells of the table.
"""

from __future__ import annotations

import argparse
import difflib
import fnmatch
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPO = HERE.parents[1]
sys.path.insert(0, str(HERE.parent / "support"))
from certificates import make_certificates  # noqa: E402

JOBS = 2
TIME_LIMIT_S = 120  # for a script
DEVICE_MARK = "# on CPython: python -m usocket"
MICROPYTHON_OPTIONS = ["-X", "heapsize=64m"]  # of 2 MB by default; some scripts move more

BOARD_OPTIONS = ["--mirror"]  # a wire that sends everything back

PASSED, FAILED, SKIPPED = "ok", "FAIL", "skip"


@dataclass(frozen=True)
class Host:
    name: str
    path: Path

    def command(self, script: Path, *arguments: Path) -> list[str]:
        options = BOARD_OPTIONS if self.name.startswith("firmware") else MICROPYTHON_OPTIONS
        if self.name.startswith("cpython"):
            options = ["-m", "usocket"] if DEVICE_MARK in script.read_text().splitlines() else []
        return [str(self.path), *options, script.name, *map(str, arguments)]


DEFAULT_PATHS = {
    "cpython": REPO / ".venv" / "bin" / "python",
    "cpython-lwip": REPO / "build" / "bin" / "python-lwip",
    "micropython": REPO / "build" / "bin" / "micropython",
    "micropython-gil": REPO / "build" / "bin" / "micropython-gil",
    "firmware": REPO / "build" / "bin" / "board",
}


def lacks_of(host: Host) -> set[str]:
    """What the stack under it cannot do (STACK-1); nothing, on a host without such a list."""
    done = subprocess.run(
        host.command(HERE / "lacks.py"), cwd=HERE, capture_output=True, text=True, timeout=TIME_LIMIT_S
    )
    if done.returncode != 0:
        raise SystemExit(f"{host.name}: {done.stdout}{done.stderr}")
    return set(done.stdout.split())


def lines_that_need(lacks: set[str], script: Path) -> list[str]:
    """The lines of a script's output, as patterns, that such a host need not print as they are expected."""
    rows = [row.split(" ", 2) for row in (HERE / "needs.txt").read_text().splitlines() if row and row[0] != "#"]
    return [pattern for what, name, pattern in rows if what in lacks and name == script.name]


@dataclass
class Outcome:
    """What a script came to on a host."""

    script: Path
    host: Host
    rules: dict[str, str]  # each of the script's, and whether it passed
    report: str  # why not


def rules_of(script: Path) -> list[str]:
    """What the first line of a script says that it proves."""
    first = script.read_text().partition("\n")[0]
    if not first.startswith("# rules: "):
        raise SystemExit(f"{script}: the first line must name the rules: # rules: ADDR-1 ADDR-2")
    return first.removeprefix("# rules: ").split()


def rule_of(line: str) -> str:
    """The rule that a line of output is about; "" if it is about none."""
    match = re.match(r"[A-Z]+-\d+(?= )", line)
    return match.group() if match else ""


def expected_lines(script: Path) -> list[str]:
    """What a script must print; checked for naming the rules that the script says it proves, and no others."""
    lines = (HERE / (script.name + ".exp")).read_text().splitlines(keepends=True)
    if {rule_of(line) for line in lines} != set(rules_of(script)):
        raise SystemExit(f"{script.name}.exp is about other rules than the first line of {script.name}")
    return lines


def run(script: Path, host: Host, certificates: Path, lacks: set[str]) -> Outcome:
    left_out = lines_that_need(lacks, script)

    def counts(line: str) -> bool:
        return not any(fnmatch.fnmatchcase(line.rstrip("\n"), pattern) for pattern in left_out)

    expected = [line for line in expected_lines(script) if counts(line)]
    rules = [rule for rule in rules_of(script) if lines_of(rule, expected)]
    if not rules:
        return Outcome(script, host, {}, "")
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
    try:
        done = subprocess.run(
            host.command(script, certificates),
            cwd=HERE,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIME_LIMIT_S,
        )
    except subprocess.TimeoutExpired as expired:
        printed, ending = expired.stdout or b"", f"was not done after {TIME_LIMIT_S} s"
        errors, status = expired.stderr or b"", 1
    else:
        printed, ending = done.stdout, f"ended with status {done.returncode}"
        errors, status = done.stderr, done.returncode

    got = [line for line in printed.decode(errors="backslashreplace").splitlines(keepends=True) if counts(line)]
    if status == 0 and got == expected:
        return Outcome(script, host, dict.fromkeys(rules, PASSED), "")
    if status == 0 and got and got[-1] == "SKIP\n":
        return Outcome(script, host, dict.fromkeys(rules, SKIPPED), "")
    wrong = {rule for rule in rules if lines_of(rule, got) != lines_of(rule, expected)} or set(rules)
    verdicts = {rule: FAILED if rule in wrong else PASSED for rule in rules}
    report = [f"--- {script.name} on {host.name} {ending}\n"]
    report += difflib.unified_diff(expected, got, "expected", "printed", n=1)
    report.append(errors.decode(errors="backslashreplace"))
    return Outcome(script, host, verdicts, "".join(report))


def lines_of(rule: str, lines: Iterable[str]) -> list[str]:
    return [line for line in lines if rule_of(line) == rule]


def verdict(outcomes: Iterable[Outcome], rule: str, host: Host) -> str:
    """Of all scripts together that are about a rule."""
    verdicts = {one.rules[rule] for one in outcomes if one.host == host and rule in one.rules}
    return next((worst for worst in (FAILED, PASSED, SKIPPED) if worst in verdicts), "")


def print_table(outcomes: list[Outcome], hosts: list[Host]) -> list[str]:
    """Returns the verdicts, one a cell."""
    rules = sorted({rule for one in outcomes for rule in one.rules}, key=lambda rule: (rule[:3], len(rule), rule))
    width = max(len(host.name) for host in hosts)
    print("rule     ", *(host.name.ljust(width) for host in hosts), sep="  ")
    cells = []
    for rule in rules:
        row = [verdict(outcomes, rule, host) for host in hosts]
        scripts = sorted({one.script.name for one in outcomes if rule in one.rules})
        print(rule.ljust(9), *(cell.ljust(width) for cell in row), " ".join(scripts), sep="  ")
        cells += row
    return cells


def parse_hosts(wanted: list[str]) -> list[Host]:
    if not wanted:
        return [Host(name, path) for name, path in DEFAULT_PATHS.items() if path.exists()]
    hosts = []
    for text in wanted:
        name, _, path = text.partition("=")
        if not path and name not in DEFAULT_PATHS:
            raise SystemExit(f"--host {name}: where is it? ({name}=PATH)")
        hosts.append(Host(name, Path(path).absolute() if path else DEFAULT_PATHS[name]))
        if not hosts[-1].path.exists():
            raise SystemExit(f"--host {text}: there is no {hosts[-1].path}")
    return hosts


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs the conformance scripts and shows which rule holds where.")
    parser.add_argument("--host", action="append", default=[], metavar="NAME[=PATH]")
    parser.add_argument("scripts", nargs="*", help="some of the scripts; all without")
    arguments = parser.parse_args()
    hosts = parse_hosts(arguments.host)
    if not hosts:
        raise SystemExit("no host is built; name one: --host cpython=PATH")
    scripts = [HERE / Path(name).name for name in arguments.scripts]
    scripts = scripts or sorted(path.with_suffix("") for path in HERE.glob("*.py.exp"))

    lacks = {host: lacks_of(host) for host in hosts}
    with tempfile.TemporaryDirectory(prefix="usocket-") as folder, ThreadPoolExecutor(JOBS) as pool:
        certificates = Path(folder)
        make_certificates(certificates)
        runs = [pool.submit(run, script, host, certificates, lacks[host]) for script in scripts for host in hosts]
        outcomes = [one.result() for one in runs]
    for one in outcomes:
        if one.report:
            print(one.report)
    cells = print_table(outcomes, hosts)
    failed, skipped = cells.count(FAILED), cells.count(SKIPPED)
    print(f"{len(cells) - failed - skipped} passed, {failed} failed" + (f", {skipped} skipped" if skipped else ""))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
