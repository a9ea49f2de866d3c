"""Tickets for a whole list: `rafflekit participate --from`, against the floor with rows in groups of 1,000."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks import children
from benchmarks.baselines.floor import RawRaffle
from benchmarks.excel_files import write_excel_file
from benchmarks.ratio import Figure, Finding, at_least, at_most, microseconds
from benchmarks.sizes import BULK_GROUP
from benchmarks.stock import Filled, Stock, settle

FLOOR_TICKETS = 5 * BULK_GROUP


def figures(stock: Stock) -> Iterator[Finding]:
    """Yield floor ÷ time per line, and the memory of many lines ÷ of few; leave the sold-out raffle for others.

    Then the memory of an Excel file of ten times the few lines.
    """
    few, lines = stock.sizes.few_lines, stock.sizes.sold
    small = _issue(stock, stock.for_bulk(few), few)
    empty = stock.for_bulk(lines)
    with _Floor(stock) as floor:
        floors = [floor.seconds_per_ticket() for _ in range(stock.sizes.rounds // 2)]
        large = _issue(stock, empty, lines)
        floors += [floor.seconds_per_ticket() for _ in range(stock.sizes.rounds - len(floors))]
    stock.sold_out = replace(empty, sold=lines)
    settle(stock.sold_out)
    each = large.seconds / lines
    yield Figure(
        f"participate --from, {lines:,} lines: floor (rows in groups of {BULK_GROUP:,}) ÷ time per line",
        [floor / each for floor in floors],
        at_least(0.65),
        f"{each * 1e6:,.0f} µs per line in one run of {large.seconds:,.0f} s, "
        f"floor {microseconds(floors)} (its rounds)",
    )
    yield Figure(
        f"participate --from: peak memory with {lines:,} lines ÷ with {few:,}",
        [large.peak_mib / small.peak_mib],
        at_most(1.2),
        f"{large.peak_mib:.0f} MiB, few {small.peak_mib:.0f} MiB",
    )
    yield _excel(stock, few)


class _Floor:
    """The floor of a list that fills a raffle from nothing: half of it in an empty raffle, half in a full one."""

    def __init__(self, stock: Stock) -> None:
        self._stock = stock
        self._ends = [stock.fresh(), stock.copy(stock.much_sold)]
        self._raws = [RawRaffle(end, group=BULK_GROUP) for end in self._ends]

    def seconds_per_ticket(self) -> float:
        """Measure the floor once."""
        return sum(raw.seconds_of_floor(FLOOR_TICKETS) for raw in self._raws) / len(self._raws) / FLOOR_TICKETS

    def __enter__(self) -> "_Floor":
        return self

    def __exit__(self, *_: object) -> None:
        for raw, end in zip(self._raws, self._ends, strict=True):
            raw.close()
            self._stock.discard(end)


def _excel(stock: Stock, few: int) -> Figure:
    lines = 10 * few
    small, large = (
        _issue(stock, stock.for_bulk(count), count, people=_excel_file(stock.new_path(".xlsx"), count))
        for count in (few, lines)
    )
    return Figure(
        f"participate --from, an Excel file: peak memory with {lines:,} lines ÷ with {few:,}",
        [large.peak_mib / small.peak_mib],
        at_most(1.2),
        f"{large.peak_mib:.0f} MiB, few {small.peak_mib:.0f} MiB; {large.seconds / lines * 1e6:,.0f} µs per line",
    )


def _excel_file(path: Path, lines: int) -> Path:
    with path.open("wb") as file:
        write_excel_file(file, [[f"participant{line}@example.org"] for line in range(lines)])
    return path


def _csv_file(path: Path, lines: int) -> Path:
    path.write_text("".join(f"participant{line}@example.org\n" for line in range(lines)))
    return path


def _issue(stock: Stock, filled: Filled, lines: int, *, people: Path | None = None) -> children.Measured:
    tickets = stock.new_path(".csv")
    people = people or _csv_file(stock.new_path(".csv"), lines)
    result, raffle = stock.new_path(".json"), str(filled.raffle)
    arguments = ("participate", raffle, "--from", str(people), "--out", str(tickets), "--database-url", filled.url)
    measured = children.measured(result, "command", *arguments)
    _check(tickets, lines)
    return measured


def _check(tickets: Path, lines: int) -> None:
    with tickets.open() as file:
        written = sum(1 for _ in file)
    # With or without a line of headings.
    assert written in (lines, lines + 1), f"{written} lines came out of {lines}"
