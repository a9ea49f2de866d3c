"""What a ticket costs hardly depends on how many are sold: less than in raw sqlite3, whose indexes grow, too."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack

from benchmarks.baselines.floor import RawRaffle
from benchmarks.participating import many_at_once, one_at_a_time
from benchmarks.ratio import Figure, Finding, Series, at_most, interleaved, microseconds, ratios
from benchmarks.sizes import GROUP, THREADS
from benchmarks.stock import Filled, Stock
from rafflekit import RaffleEngine

SOLD_PANEL = "tickets sold in a raffle of 10⁹"


def figures(stock: Stock) -> Iterator[Finding]:
    """Yield participate: much sold ÷ fresh, divided by the same of raw sqlite3; and the sizes between for the chart."""
    sizes = stock.sizes
    sold = (0, *sizes.sold_some, sizes.sold)
    filled = [stock.fresh(), *map(stock.partly_sold, sizes.sold_some), stock.copy(stock.much_sold)]
    yield from _compared(
        "one at a time", stock, sold, filled, take_part=one_at_a_time, tickets=sizes.lone_tickets, group=1
    )
    yield from _compared(
        f"{THREADS} at once", stock, sold, filled, take_part=many_at_once, tickets=sizes.rush_tickets // 4, group=GROUP
    )
    for one in filled:
        stock.discard(one)


def _compared(
    what: str,
    stock: Stock,
    sold: Sequence[int],
    filled: Sequence[Filled],
    *,
    take_part: Callable[..., float],
    tickets: int,
    group: int,
) -> Iterator[Finding]:
    with ExitStack() as opened:
        engines = [opened.enter_context(RaffleEngine(one.url)) for one in filled]
        # The same databases before rafflekit opened them, at both ends only.
        copies = [stock.fresh(), stock.copy(stock.much_sold)]
        raws = [opened.enter_context(RawRaffle(one, group=group)) for one in copies]
        seconds = interleaved(
            *(
                lambda engine=engine, one=one: take_part(engine, one.raffle, tickets)
                for engine, one in zip(engines, filled, strict=True)
            ),
            *(lambda raw=raw: raw.seconds_of_storing(tickets) for raw in raws),
            rounds=stock.sizes.rounds,
        )
    for one in copies:
        stock.discard(one)
    ours, (raw_fresh, raw_sold) = seconds[:-2], seconds[-2:]
    raw = "raw sqlite3, one at a time" if group == 1 else f"raw sqlite3, groups of {group}"
    yield Figure(
        f"participate, {what}: {sold[-1]:,} sold ÷ fresh, by the same of raw sqlite3",
        ratios(ratios(ours[-1], ours[0]), ratios(raw_sold, raw_fresh)),
        at_most(1.2),
        f"{microseconds(ours[-1], each=tickets)}, fresh {microseconds(ours[0], each=tickets)}; "
        f"raw {microseconds(raw_sold, each=tickets)}, fresh {microseconds(raw_fresh, each=tickets)}",
    )
    for name, sizes, series in (
        (f"rafflekit, {what}", sold, ours),
        (raw, (0, sold[-1]), (raw_fresh, raw_sold)),
    ):
        yield Series(
            SOLD_PANEL,
            name,
            [
                (size, [second / tickets * 1e6 for second in measured])
                for size, measured in zip(sizes, series, strict=True)
            ],
        )
