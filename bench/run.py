#!/usr/bin/env python3
"""The bench: every figure of ours beside that of its rivals, measured in turn in one run.

bench/run.py            all groups, some minutes, into bench/results
bench/run.py --quick    the short form, under a minute, into bench/results/quick
bench/run.py cpp --only lines_80,round_trip
"""

from __future__ import annotations

import argparse
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import firmware_speed
import measure
import plan
import programs
import report
import size
from measure import BenchError, Figures, Peers
from plan import REPO, Group, Work

sys.path.insert(0, str(REPO / "tests" / "support"))
from certificates import Certificate, make_certificates  # noqa: E402

GROUPS = ["cpp", "cpython", "micropython", "programs", "firmware"]
SPARE_DESCRIPTORS = 100


class Progress:
    """A bar on the terminal; elsewhere a line for each tenth."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.done = 0
        self.since = time.monotonic()

    def step(self, what: str) -> None:
        if sys.stderr.isatty():
            filled = 30 * self.done // self.total
            bar = "#" * filled + "." * (30 - filled)
            print(f"\r\033[K[{bar}] {self.done}/{self.total} {what}", end="", file=sys.stderr, flush=True)
        elif self.done * 10 // self.total != (self.done - 1) * 10 // self.total:
            print(f"bench: {self.done}/{self.total} {what}", file=sys.stderr, flush=True)
        self.done += 1

    def end(self) -> None:
        if sys.stderr.isatty():
            print("\r\033[K", end="", file=sys.stderr)
        print(f"bench: {self.done} work items in {time.monotonic() - self.since:.0f} s", file=sys.stderr, flush=True)


def main() -> int:
    options = parse_options()
    sockets = most_sockets()
    if sockets < plan.SOCKETS:
        print(f"bench: at most {sockets:,} descriptors here, so {sockets:,} sockets instead of {plan.SOCKETS:,}")
    works = plan.works(sockets)
    groups = [
        plan.cpp_group(options.programs, works),
        plan.cpython_group(options.python, works),
        plan.micropython_group(options.micropython, works),
    ]
    try:
        chosen = [group for group in groups if group.name in options.groups]
        failures = run_groups(chosen, options) if chosen else []
        if "programs" in options.groups and not options.only:
            run_programs(options)
        if "firmware" in options.groups and not options.only and not options.quick:
            firmware_speed.run(writes=True)
    except BenchError as error:
        failures = [str(error)]
    for failure in failures:
        print(f"bench: {failure}", file=sys.stderr)
    return 1 if failures else 0


def parse_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__.split("\n\n")[0], epilog="work items: " + " ".join(plan.works(plan.SOCKETS))
    )
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}; default: all")
    parser.add_argument("--quick", action="store_true", help="short samples, under a minute")
    parser.add_argument("--only", default="", metavar="ITEM,...", help="these work items; prints, writes no files")
    parser.add_argument("--programs", type=Path, default=REPO / "build/release/bench", help="the C++ workers' folder")
    parser.add_argument("--python", type=Path, default=REPO / ".venv/bin/python", help="CPython that has usocket")
    parser.add_argument("--micropython", type=Path, default=REPO / "build/bin", help="folder of the MicroPythons")
    options = parser.parse_args()
    options.groups = options.groups or GROUPS
    options.only = [name for name in options.only.split(",") if name]
    unknown = set(options.groups) - set(GROUPS) | set(options.only) - set(plan.works(plan.SOCKETS))
    if unknown:
        parser.error(f"no such group or work item: {', '.join(sorted(unknown))}")
    return options


def most_sockets() -> int:
    """Raises the limit of descriptors as far as that is allowed."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return plan.SOCKETS if hard == resource.RLIM_INFINITY else min(plan.SOCKETS, hard - SPARE_DESCRIPTORS)


def run_groups(groups: list[Group], options: argparse.Namespace) -> list[str]:
    """Returns what went wrong; the rest is shown and written."""
    for group in groups:
        check_programs(group)
    chosen = {group.name: chosen_works(group, options) for group in groups}
    traces = measure.can_trace()
    if not traces:
        print("bench: strace is missing or not allowed here, so system calls are not counted", file=sys.stderr)
    versions = machine()
    progress = Progress(sum(len(works) for works in chosen.values()))
    certificates = Path(tempfile.mkdtemp(prefix="usocket-bench-"))
    make_certificates(certificates, [Certificate("right")], ["trusted"])
    peers = Peers(options.programs / "bench_peer", certificates)
    all_results = []
    failures = []
    try:
        for group in groups:
            results = report.Results(group, {})
            for work in chosen[group.name]:
                progress.step(f"{group.title}: {work.title}")
                try:
                    results.figures[work.name] = run_work(work, group, peers, options.quick, traces)
                except BenchError as error:
                    failures.append(f"{group.title}, {work.title}: {error}")
            all_results.append(results)
    finally:
        peers.close()
        shutil.rmtree(certificates)
    progress.end()
    for results in all_results:
        show(results, versions, options)
    return failures


def run_programs(options: argparse.Namespace) -> None:
    """Five examples and their twins, and what a library costs."""
    tables = programs.run(options.programs, options.quick)
    print("\n" + programs.text(tables, report.plain_table))
    folder = REPO / "bench/results" / ("quick" if options.quick else "")
    folder.mkdir(parents=True, exist_ok=True)
    about = "\n".join(f"- {name}: {value}" for name, value in machine().items())
    (folder / "programs.md").write_text(f"# Programs\n\n{programs.text(tables, report.markdown_table)}\n{about}\n")


def check_programs(group: Group) -> None:
    for contestant in (group.ours, *group.rivals):
        if contestant.program.exists():
            continue
        if not contestant.optional:
            raise BenchError(f"{contestant.program} is missing: {contestant.made_by}")
        print(f"bench: no {contestant.program.name} (its library was missing), so no figures against {contestant.name}")


def chosen_works(group: Group, options: argparse.Namespace) -> list[Work]:
    if options.only:
        return [work for work in group.works if work.name in options.only]
    is_slow = {"read_eof_16m", "tls_read_eof_16m"} if group.name == "micropython" else set()  # for the stock module
    return [work for work in group.works if not options.quick or (work.quick and work.name not in is_slow)]


def run_work(work: Work, group: Group, peers: Peers, quick: bool, traces: bool) -> dict[str, Figures]:
    everybody = (group.ours, *group.rivals)
    contestants = [one for one in everybody if work.name not in one.lacks and one.program_for(work).exists()]
    figures = measure.measure(work, contestants, peers, measure.QUICK if quick else measure.FULL)
    if traces and work.traced:
        for one in contestants:
            if one.trace_share == 1 or "read_eof_" not in work.name:
                figures[one.name].calls = measure.count_calls(work, one, peers)
    return figures


def show(results: report.Results, versions: dict[str, str], options: argparse.Namespace) -> None:
    more = size.report(options.micropython) if results.group.name == "micropython" else []
    print("\n" + report.text(results, versions, markdown=False, more=more))
    if options.only:
        return
    written = report.write(results, versions, REPO / "bench/results" / ("quick" if options.quick else ""), more)
    print("written: " + " ".join(str(path.relative_to(REPO)) for path in written))


# --- The machine


def machine() -> dict[str, str]:
    """What the figures were measured on."""
    return {
        "CPU": f"{cpu_model()}, {len(os.sched_getaffinity(0))} cores",
        "kernel": platform.release(),
        "system": os_name(),
        "compiler": first_line("c++", "--version"),
        "CPython": platform.python_version(),
        "Asio, POCO": f"{package_version('libasio-dev')}, {package_version('libpoco-dev')}",
        "source": first_line("git", "-C", str(REPO), "describe", "--always", "--dirty"),
        "date": time.strftime("%Y-%m-%d"),
        "load before": f"{os.getloadavg()[0]:.1f}",
    }


def cpu_model() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found.group(1) if found else platform.machine()


def os_name() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except OSError:
        return platform.system()


def package_version(package: str) -> str:
    return first_line("dpkg-query", "-W", "-f", "${Version}", package)


def first_line(*command: str) -> str:
    try:
        output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return output.splitlines()[0].strip() if output else "unknown"


if __name__ == "__main__":
    sys.exit(main())
