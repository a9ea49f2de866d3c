"""The cost of a ticket hardly grows with the number of sold tickets: less than in raw sqlite3."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from benchmarks.baselines.floor import RawRaffle
from benchmarks.participating import many_at_once, one_at_a_time
from benchmarks.ratio import Figure, Finding, Series, at_most, interleaved, microseconds, ratios
from benchmarks.sizes import GROUP, THREADS
from benchmarks.stock import Filled, Stock
from rafflekit import RaffleEngine

SOLD_PANEL = "tickets sold in a raffle of 10⁹"


@dataclass(frozen=True)
class _Way:
    """One way of taking part: its name, its function, the same in raw sqlite3, and the number of turns."""

    name: str
    take_part: Callable[[RaffleEngine, UUID, int], float]
    raw_name: str
    group: int
    tickets: int
    turns: int

    @property
    def tickets_per_round(self) -> int:
        """Tickets in all turns of a round."""
        return self.tickets * self.turns


def figures(stock: Stock) -> Iterator[Finding]:
    """Yield participate: much sold ÷ fresh, divided by the same of raw sqlite3; and sizes in between for the chart."""
    sizes = stock.sizes
    filled = [stock.fresh(), *map(stock.partly_sold, sizes.sold_some), stock.copy(stock.much_sold)]
    for way in (
        _Way("one at a time", one_at_a_time, "one at a time", 1, sizes.lone_tickets, sizes.lone_turns),
        _Way(f"{THREADS} at once", many_at_once, f"groups of {GROUP}", GROUP, sizes.rush_tickets, sizes.rush_turns),
    ):
        ours, raw = _measured(stock, filled, way)
        yield _figure(way, sizes.sold, ours, raw)
        sold = [one.sold for one in filled]
        yield _series(f"rafflekit, {way.name}", way, sold, ours)
        yield _series(f"raw sqlite3, {way.raw_name}", way, (sold[0], sold[-1]), raw)
    for one in filled:
        stock.discard(one)


def _measured(stock: Stock, filled: Sequence[Filled], way: _Way) -> tuple[list[list[float]], list[list[float]]]:
    """Return the seconds of rafflekit in each database, and of raw sqlite3 in a fresh and in a much sold one."""
    copies = [stock.fresh(), stock.copy(stock.much_sold)]
    with ExitStack() as opened:
        engines = [opened.enter_context(RaffleEngine(one.url)) for one in filled]
        raws = [opened.enter_context(RawRaffle(one, group=way.group)) for one in copies]
        seconds = interleaved(
            *(
                partial(way.take_part, engine, one.raffle, way.tickets)
                for engine, one in zip(engines, filled, strict=True)
            ),
            *(partial(raw.seconds_of_storing, way.tickets) for raw in raws),
            rounds=stock.sizes.rounds,
            repeats=way.turns,
        )
    for one in copies:
        stock.discard(one)
    return seconds[: len(filled)], seconds[len(filled) :]


def _figure(way: _Way, sold: int, ours: Sequence[Sequence[float]], raw: Sequence[Sequence[float]]) -> Figure:
    each = way.tickets_per_round
    return Figure(
        f"participate, {way.name}: {sold:,} sold ÷ fresh, by the same of raw sqlite3",
        ratios(ratios(ours[-1], ours[0]), ratios(raw[-1], raw[0])),
        at_most(1.2),
        f"{microseconds(ours[-1], each=each)}, fresh {microseconds(ours[0], each=each)}; "
        f"raw {microseconds(raw[-1], each=each)}, fresh {microseconds(raw[0], each=each)}",
    )


def _series(name: str, way: _Way, sold: Sequence[int], seconds: Sequence[Sequence[float]]) -> Series:
    points = [
        (size, [second / way.tickets_per_round * 1e6 for second in rounds])
        for size, rounds in zip(sold, seconds, strict=True)
    ]
    return Series(SOLD_PANEL, name, points)
