"""Draws: ten prizes among many tickets and among few, and a prize for every one of a million tickets."""

import random
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from operator import itemgetter
from uuid import UUID

from benchmarks import children
from benchmarks.baselines import raw_sqlite
from benchmarks.ratio import Figure, Finding, at_most, ratios, seconds_of
from benchmarks.stock import Filled, Stock, fill, settle, with_prizes
from rafflekit import Prize, RaffleEngine

SMALL_DRAWS = 10
"""Draws of small raffles around each draw of a large one, which can be drawn only once per copy."""


def ten_figures(stock: Stock) -> Iterator[Finding]:
    """Yield the draw of 10 prizes: many sold tickets ÷ few sold tickets, in the same database."""
    prepared = _with_small_raffles(stock)
    rounds = [_draw_ten(stock, prepared) for _ in range(2 * stock.sizes.rounds)]
    stock.discard(prepared.large)
    large, small = [seconds for seconds, _ in rounds], [seconds for _, seconds in rounds]
    yield Figure(
        f"draw of 10 prizes: {stock.sizes.sold:,} sold tickets ÷ {stock.sizes.few_sold:,}",
        ratios(large, small),
        at_most(1.5),
        f"{sum(large) / len(large) * 1e3:.1f} ms, few {sum(small) / len(small) * 1e3:.1f} ms",
    )


def all_figures(stock: Stock) -> Iterator[Finding]:
    """Yield the draw of a prize for every ticket ÷ raw sqlite3 storing the same rows, and its peak memory.

    A drawn copy is left for other benchmarks.
    """
    wins = stock.sizes.sold
    draws, raw_seconds = [], []
    for round_ in range(stock.sizes.large_draws):
        raw_seconds.append(_store_raw(stock))
        if round_:
            stock.discard(stock.drawn)
        stock.drawn = stock.copy(stock.sold_out)
        draws.append(children.measured(stock.new_path(".json"), "draw", stock.drawn.url, str(stock.drawn.raffle)))
    seconds = [draw.seconds for draw in draws]
    yield Figure(
        f"draw of {wins:,} prizes ÷ raw sqlite3 storing the same rows",
        ratios(seconds, raw_seconds),
        at_most(3),
        f"{sum(seconds) / len(seconds):.1f} s, raw {sum(raw_seconds) / len(raw_seconds):.1f} s",
    )
    yield Figure(f"draw of {wins:,} prizes: peak memory in MiB", [draw.peak_mib for draw in draws], at_most(300))


@dataclass(frozen=True)
class _Prepared:
    """A database with a large raffle of ten prizes, and small ones next to it."""

    large: Filled
    small: list[UUID]


def _with_small_raffles(stock: Stock) -> _Prepared:
    large, few = stock.copy(stock.sold_out), stock.sizes.few_sold
    with_prizes(large, 10)
    with RaffleEngine(large.url) as engine:
        small = [
            engine.create("Raffle", total_tickets=few, prizes=[Prize("hug", 10)]).id for _ in range(SMALL_DRAWS + 1)
        ]
    for raffle in small:
        fill(Filled(large.database, raffle, few, 0), few)
    settle(large)
    return _Prepared(large, small)


def _draw_ten(stock: Stock, prepared: _Prepared) -> tuple[float, float]:
    """Return the seconds of a large draw and of a small one, measured before and after it, in a copy."""
    copied = stock.copy(prepared.large)
    with RaffleEngine(copied.url) as engine:
        # The first draw of an engine opens its connections.
        engine.draw(prepared.small[0])
        half = 1 + SMALL_DRAWS // 2
        before, large, after = (
            _seconds_of_draws(engine, some) for some in (prepared.small[1:half], [copied.raffle], prepared.small[half:])
        )
    stock.discard(copied)
    return large, (before + after) / SMALL_DRAWS


def _seconds_of_draws(engine: RaffleEngine, raffles: list[UUID]) -> float:
    return seconds_of(lambda: [engine.draw(raffle) for raffle in raffles])


def _store_raw(stock: Stock) -> float:
    """Return the seconds in which raw sqlite3 stores the wins of a raffle that is sold out, in a copy.

    The rows exist already, in the order in which they are stored fastest: that of the serials.
    """
    copied = stock.copy(stock.sold_out)
    serials = random.sample(range(copied.sold), copied.sold)
    rows = [(copied.raffle.bytes, ordinal, serial, 0) for ordinal, serial in enumerate(serials, start=1)]
    rows.sort(key=itemgetter(2))
    with closing(raw_sqlite.connect(copied.database)) as connection:
        seconds = seconds_of(lambda: raw_sqlite.store_wins(connection, rows))
    stock.discard(copied)
    return seconds
