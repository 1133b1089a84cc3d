"""What comes out: a table and a plot for each group."""

from __future__ import annotations

import dataclasses
import json
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from measure import Figures
from plan import Contestant, Goal, Group, Work

# A difference of less than this in system calls per operation is none: one call of the bench's own moves it that far.
CALLS_TOLERANCE = 0.005


@dataclass(frozen=True)
class Comparison:
    """One work item, ours against one rival."""

    work: Work
    rival: Contestant
    goal: Goal
    ours: Figures
    theirs: Figures

    @property
    def ratios(self) -> list[float]:
        """Of the rates, ours to theirs, round by round."""
        return [theirs / max(ours, 1e-9) for ours, theirs in zip(self.ours.values, self.theirs.values, strict=True)]

    @property
    def ratio(self) -> float:
        return statistics.median(self.ratios)

    @property
    def uncertainty(self) -> float:
        """Half the width of the interval in which the true median is with 95 %, from the quartiles."""
        quartiles = statistics.quantiles(self.ratios, n=4, method="inclusive")
        return 1.57 * (quartiles[2] - quartiles[0]) / len(self.ratios) ** 0.5

    @property
    def state(self) -> str:
        """ok; below; `near`: the goal is inside of what can't be told apart; empty without a goal."""
        states = [state for state in (self._ratio_state(), self._calls_state()) if state]
        return next((state for state in ("below", "near", "ok") if state in states), "")

    def _ratio_state(self) -> str:
        if self.goal.ratio is None:
            return ""
        if self.ratio >= self.goal.ratio:
            return "ok"
        return "near" if self.ratio + self.uncertainty >= self.goal.ratio else "below"

    def _calls_state(self) -> str:
        if self.goal.more_calls is None or self.ours.calls is None or self.theirs.calls is None:
            return ""
        more = self.ours.calls - self.theirs.calls
        return "ok" if more <= self.goal.more_calls + CALLS_TOLERANCE else "below"


@dataclass
class Results:
    """All that was measured in a group."""

    group: Group
    figures: dict[str, dict[str, Figures]]  # by work item, then by contestant

    def comparisons(self) -> list[Comparison]:
        found = []
        for work in self.group.works:
            figures = self.figures.get(work.name, {})
            for rival in self.group.rivals:
                if rival.name in figures:
                    goal = self.group.goal(work, rival)
                    found.append(Comparison(work, rival, goal, figures[self.group.ours.name], figures[rival.name]))
        return found

    def median(self, work: str) -> float | None:
        """Of ours, for one operation."""
        figures = self.figures.get(work, {}).get(self.group.ours.name)
        return statistics.median(figures.values) if figures else None


# --- Text


def amount(value: float, unit: str) -> str:
    """Three digits, with the unit that fits."""
    steps = [(1e9, "s"), (1e6, "ms"), (1e3, "µs"), (0, "ns")] if unit == "ns" else [(1024, "KiB"), (0, "B")]
    least, name = next(step for step in steps if value >= step[0] or not step[0])
    value /= least or 1
    return f"{value:.{2 if value < 10 else 1 if value < 100 else 0}f} {name}"


def number(value: float) -> str:
    return f"{value:.3f}" if value < 9.995 else f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def count(value: float | None) -> str:
    if value is None:
        return ""
    text = f"{value:.4f}" if abs(value) < 0.095 else f"{value:.2f}" if abs(value) < 999.5 else f"{value:.0f}."
    return text.rstrip("0").rstrip(".")


def counts(one: Figures) -> list[str]:
    """What tells machines apart besides time: of one operation."""
    return [count(one.calls), count(statistics.median(one.faults)), count(statistics.median(one.switches))]


def goal_text(goal: Goal) -> str:
    parts = []
    if goal.ratio is not None:
        parts.append(f"{goal.ratio:g}")
    if goal.more_calls is not None:
        parts.append("same calls" if goal.more_calls == 0 else f"calls {goal.more_calls:+g}")
    return ", ".join(parts)


HEADER = ["work", "rival", "usocket", "rival's", "ratio", "±", "goal", ""]
for what in ("calls", "faults", "switches"):
    HEADER += [what, "rival's"]


def rows(results: Results) -> list[list[str]]:
    table = []
    previous = None
    for one in results.comparisons():
        is_first = one.work.name != previous
        previous = one.work.name
        table.append(
            [
                one.work.title if is_first else "",
                one.rival.name,
                amount(statistics.median(one.ours.values), one.work.unit),
                amount(statistics.median(one.theirs.values), one.work.unit),
                number(one.ratio),
                number(one.uncertainty),
                goal_text(one.goal),
                one.state,
                *chain(*zip(counts(one.ours), counts(one.theirs), strict=True)),
            ]
        )
    return table


def plain_table(header: list[str], table: list[list[str]]) -> str:
    widths = [max(len(row[i]) for row in [header, *table]) for i in range(len(header))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in [header, *table]]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(line.rstrip() for line in lines)


def markdown_table(header: list[str], table: list[list[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *table]]
    return "\n".join(lines)


def checks(results: Results) -> list[str]:
    """Goals that compare ours with itself."""
    found = []
    few = results.median("poll_10")
    most = max((int(work[5:]) for work in results.figures if work.startswith("poll_")), default=0)
    many = results.median(f"poll_{most}")
    if few and many and most != 10 and results.group.own_poll:
        state = "ok" if many <= 2 * few else "below"
        found.append(f"poll of {most:,} costs {many / few:.2f} times that of 10 (goal: at most 2): {state}")
    small, large = results.median("read_eof_1m"), results.median("read_eof_256m")
    if small and large:
        times = large / small / 256
        found.append(f"read() to EOF: a byte of 256 MiB costs {times:.2f} times that of 1 MiB (goal: linear)")
    return found


def text(results: Results, machine: dict[str, str], markdown: bool, more: Sequence[str] = ()) -> str:
    table = (markdown_table if markdown else plain_table)(HEADER, rows(results))
    bullets = [*checks(results), *more, *results.group.notes]
    parts = [f"{'# ' if markdown else ''}{results.group.title}", table]
    if bullets:
        parts.append("\n".join(f"- {line}" for line in bullets))
    if markdown:
        parts.append("\n".join(f"- {name}: {value}" for name, value in machine.items()))
    return "\n\n".join(parts) + "\n"


# --- Files


def write(results: Results, machine: dict[str, str], folder: Path, more: Sequence[str]) -> list[Path]:
    folder.mkdir(parents=True, exist_ok=True)
    base = folder / results.group.name
    table, plot, raw = base.with_suffix(".md"), base.with_suffix(".svg"), base.with_suffix(".json")
    table.write_text(text(results, machine, True, more))
    draw(results, machine, plot)
    raw.write_text(json.dumps({"machine": machine, "figures": plain_figures(results)}, indent=1) + "\n")
    return [table, plot, raw]


def plain_figures(results: Results) -> dict[str, dict[str, dict[str, object]]]:
    return {
        work: {name: dataclasses.asdict(one) for name, one in figures.items()}
        for work, figures in results.figures.items()
    }


COLOURS = ["#4477aa", "#ee6677", "#228833"]  # told apart by colour-blind readers too


def draw(results: Results, machine: dict[str, str], path: Path) -> None:
    """Bars to the right of 1: ours is faster; on a logarithmic axis. A tick marks the goal."""
    import matplotlib

    matplotlib.use("svg")
    matplotlib.rcParams["svg.hashsalt"] = "usocket"  # the same figures give the same file
    from matplotlib import pyplot

    shown = results.comparisons()
    works = list(dict.fromkeys(one.work for one in shown))
    figure, axes = pyplot.subplots(figsize=(9, 1.6 + 0.17 * len(shown) + 0.12 * len(works)), layout="constrained")
    position = 0.0
    middles = []
    for work in works:
        bars = [one for one in shown if one.work == work]
        middles.append(position + (len(bars) - 1) / 2)
        for one in bars:
            colour = COLOURS[results.group.rivals.index(one.rival) % len(COLOURS)]
            axes.barh(position, one.ratio - 1, left=1, height=0.9, color=colour)
            if one.goal.ratio is not None:
                axes.plot([one.goal.ratio] * 2, [position - 0.45, position + 0.45], color="black", linewidth=1.5)
            side = "left" if one.ratio >= 1 else "right"
            axes.annotate(
                number(one.ratio), (one.ratio, position), (3 if side == "left" else -3, 0),
                textcoords="offset points", ha=side, va="center", fontsize=7,
            )  # fmt: skip
            position += 1
        position += 0.7
    axes.set_xscale("log")
    axes.margins(x=0.12, y=0.01)
    axes.invert_yaxis()
    axes.axvline(1, color="black", linewidth=0.8)
    axes.set_yticks(middles, [work.title for work in works], fontsize=8)
    axes.set_xlabel("rate of usocket / rate of the rival (black tick: the goal)")
    axes.set_title(f"usocket on {results.group.title}: {machine['CPU']}, Linux {machine['kernel']}", fontsize=10)
    patches = [
        pyplot.Rectangle((0, 0), 1, 1, color=COLOURS[i % len(COLOURS)]) for i in range(len(results.group.rivals))
    ]
    axes.legend(patches, [f"against {rival.name}" for rival in results.group.rivals], fontsize=8)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
