"""What a run prints: a line for each figure during the run, and at its end `report.md` with the chart."""

from collections.abc import Sequence
from pathlib import Path

from benchmarks import chart
from benchmarks.ratio import MOST_CPU_MS, Cost, Costs, Figure, Finding, Series, Skipped

PLACE = Path(__file__).parent

_WIDTH = 80
HEADER = f"{'figure':<{_WIDTH}} {'median':>8} {'min':>8} … {'max':<8} {'goal':<8}"

_CHART = "cost-against-size.svg"

_EXPLANATION = """\
Each figure is a ratio. rafflekit and its baseline take turns in the same run, and every round gives one ratio. The
table has their median, lowest and highest; the goal is for the median. The baselines are in
[`baselines/`](baselines/): an empty Falcon endpoint on the same server with the same settings; raw `sqlite3` with the
same rows, tables, indexes and durability; and the *floor*, the work that cannot be avoided, added up on one thread (an
Argon2 hash, the ticket's number and a row in a group of 16; over HTTP also an empty request). `make bench` makes this
file."""


def line(finding: Figure | Skipped | Costs) -> str:
    """Return a finding as it is printed on the terminal."""
    if isinstance(finding, Costs):
        return _costs_in_columns(finding)
    if isinstance(finding, Skipped):
        return f"{finding.what:<{_WIDTH}} skipped: {finding.reason}"
    numbers = f"{_number(finding.value):>8} {_number(min(finding.rounds)):>8} … {_number(max(finding.rounds)):<8}"
    goal = "" if finding.goal is None else f"{finding.goal!s:<8} {_verdict(finding)}"
    note = f"\n    {finding.note}" if finding.note else ""
    return f"{finding.what:<{_WIDTH}} {numbers} {goal}{note}"


def write(
    folder: Path,
    findings: Sequence[Finding],
    surroundings: Sequence[tuple[str, str]],
    failures: Sequence[str],
    *,
    minutes: float,
) -> list[Path]:
    """Write the report and its chart into a folder, and return their paths."""
    series = [finding for finding in findings if isinstance(finding, Series)]
    text, picture = folder / "report.md", folder / _CHART
    parts = ["# Benchmarks", _EXPLANATION, _table(findings)]
    if failures:
        parts.append(f"Benchmarks that failed in this run: {', '.join(failures)}.")
    if series:
        picture.write_text(chart.svg(series), encoding="utf-8")
        parts += ["## Cost against size", f"![Cost of a ticket against the raffle's size]({_CHART})"]
    parts += [part for finding in findings if isinstance(finding, Costs) for part in _costs_in_a_table(finding)]
    facts = [*surroundings, ("The run took", f"{minutes:.1f} minutes")]
    rows = "\n".join(f"| {name} | {fact} |" for name, fact in facts)
    parts += ["## Machine and versions", f"| | |\n|---|---|\n{rows}"]
    text.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return [text, picture] if series else [text]


def _table(findings: Sequence[Finding]) -> str:
    rows = [
        "| figure | median | min … max | rounds | goal | reached | in numbers |",
        "|---|---:|---:|---:|---|---|---|",
    ]
    for finding in findings:
        if isinstance(finding, Skipped):
            rows.append(f"| {finding.what} | | | | | skipped: {finding.reason} | |")
        elif isinstance(finding, Figure):
            spread = f"{_number(min(finding.rounds))} … {_number(max(finding.rounds))}"
            goal = "" if finding.goal is None else str(finding.goal)
            rows.append(
                f"| {finding.what} | **{_number(finding.value)}** | {spread} | {len(finding.rounds)} | {goal} "
                f"| {_verdict(finding)} | {finding.note} |"
            )
    return "\n".join(rows)


_ABOUT_COSTS = f"""\
CPU time (user and system) of the server's process per request, the worst case first. Everyone may send these requests.
The goal is at most {MOST_CPU_MS:g} ms, unless the result is kept, so that only the first such request costs that."""


def _costs_in_columns(costs: Costs) -> str:
    rows = [
        f"{cost.address:<{_WIDTH}} {cost.sent:>9,} {cost.cpu_ms:>10.2f} {cost.answered:>12,}  {_cost_verdict(cost)}"
        for cost in costs.rows
    ]
    header = f"{costs.what:<{_WIDTH}} {'bytes sent':>9} {'CPU in ms':>9} {'answered':>12}  ≤ {MOST_CPU_MS:g} ms"
    return "\n".join([header, *rows])


def _costs_in_a_table(costs: Costs) -> list[str]:
    rows = [
        f"| {cost.address} | {cost.sent:,} | {cost.cpu_ms:.2f} | {cost.answered:,} | {_cost_verdict(cost)} |"
        for cost in costs.rows
    ]
    header = "| request | bytes sent | CPU in ms | bytes answered | goal |\n|---|---:|---:|---:|---|"
    return ["## What a request costs", f"{costs.what}. {_ABOUT_COSTS}", "\n".join([header, *rows])]


def _cost_verdict(cost: Cost) -> str:
    kept = "kept" if cost.is_kept else ""
    return kept or ("yes" if cost.reached else "no")


def _verdict(figure: Figure) -> str:
    return {True: "yes", False: "no", None: ""}[figure.reached]


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"
