"""The cost of a raffle does not depend on its number of tickets."""

from collections.abc import Iterator, Sequence
from itertools import count

from benchmarks.ratio import Figure, Finding, Series, Timed, at_most, interleaved, microseconds, ratios, seconds_of
from benchmarks.stock import Stock
from rafflekit import Prize, RaffleEngine

SIZES = (10, 1_000, 100_000, 10_000_000, 1_000_000_000)
SMALL, LARGE = SIZES[0], SIZES[-1]

TICKETS_PANEL = "tickets in the raffle, none sold"


def figures(stock: Stock) -> Iterator[Finding]:
    """Yield create and participate: a raffle of 10⁹ tickets ÷ a raffle of 10, and the sizes between for the chart."""
    with RaffleEngine(stock.fresh().url) as engine:
        small, large = interleaved(_creating(engine, SMALL), _creating(engine, LARGE), rounds=10, repeats=20)
        yield _figure("create", small, large, each=20)
        # Few at a time and often, so that a slow moment of the disk affects all sizes equally.
        measured = interleaved(*(_participating(engine, size) for size in SIZES), rounds=10, repeats=10)
    yield _figure("participate", measured[0], measured[-1], each=10 * SMALL)
    yield Series(
        TICKETS_PANEL,
        "one participant at a time",
        [
            (size, [second / (10 * SMALL) * 1e6 for second in seconds])
            for size, seconds in zip(SIZES, measured, strict=True)
        ],
    )


def _figure(what: str, small: Sequence[float], large: Sequence[float], *, each: int) -> Figure:
    return Figure(
        f"{what}: raffle of 10⁹ tickets ÷ raffle of 10",
        ratios(large, small),
        at_most(1.2),
        f"{microseconds(large, each=each)}, small {microseconds(small, each=each)}",
    )


def _creating(engine: RaffleEngine, tickets: int) -> Timed:
    """Measure the creation of one raffle."""
    return lambda: seconds_of(lambda: engine.create("Raffle", total_tickets=tickets, prizes=[Prize("hug", 3)]))


def _participating(engine: RaffleEngine, tickets: int) -> Timed:
    """Measure participants in a new raffle, up to the number of tickets of the small raffle."""
    people = count()

    def measure() -> float:
        raffle = engine.create("Raffle", total_tickets=tickets, prizes=[Prize("hug", 3)])
        some = [f"participant {next(people)}" for _ in range(SMALL)]
        return seconds_of(lambda: [engine.participate(raffle.id, person) for person in some])

    return measure
