"""Pages: the last one of a long list costs what the first one does."""

from collections.abc import Iterator

from benchmarks.ratio import Figure, Finding, Timed, at_most, interleaved, microseconds, ratios, seconds_of
from benchmarks.stock import Stock, fill_with_raffles
from rafflekit import RaffleEngine

WINS_PER_PAGE = 100
RAFFLES_PER_PAGE = 10
REPEATS = 50


def figures(stock: Stock) -> Iterator[Finding]:
    """Yield the last page of winners ÷ the first, and the last page of raffles ÷ the first."""
    last = stock.sizes.sold // WINS_PER_PAGE
    with RaffleEngine(stock.drawn.url) as engine:
        raffle = stock.drawn.raffle
        yield _compared(
            f"page {last:,} of winners ÷ page 1",
            lambda: seconds_of(lambda: engine.winners(raffle, page=last)),
            lambda: seconds_of(lambda: engine.winners(raffle, page=1)),
            rounds=stock.sizes.rounds,
        )
    many = stock.fresh()
    fill_with_raffles(many, stock.sizes.raffles - 1)
    last = stock.sizes.raffles // RAFFLES_PER_PAGE
    with RaffleEngine(many.url) as engine:
        assert engine.list(page=last).count == stock.sizes.raffles
        yield _compared(
            f"last page of {stock.sizes.raffles:,} raffles ÷ page 1",
            lambda: seconds_of(lambda: engine.list(page=last)),
            lambda: seconds_of(lambda: engine.list(page=1)),
            rounds=stock.sizes.rounds,
        )


def _compared(what: str, far: Timed, near: Timed, *, rounds: int) -> Figure:
    last, first = interleaved(far, near, rounds=rounds, repeats=REPEATS)
    return Figure(
        what,
        ratios(last, first),
        at_most(1.5),
        f"{microseconds(last, each=REPEATS)}, first {microseconds(first, each=REPEATS)}",
    )
