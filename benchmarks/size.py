"""What a raffle costs does not depend on how many tickets it has."""

from collections.abc import Iterator
from itertools import count

from benchmarks.ratio import Figure, Timed, compare, seconds_of
from rafflekit import Prize, RaffleEngine

SMALL, LARGE = 10, 1_000_000_000


def figures(engine: RaffleEngine) -> Iterator[Figure]:
    """Yield create and participate: a raffle of 10⁹ tickets ÷ a raffle of 10."""
    for what, measured in (("create", creating), ("participate", participating)):
        yield compare(
            f"{what}: 10⁹ tickets ÷ 10 tickets",
            "≤ 1.2",
            measured(engine, LARGE),
            measured(engine, SMALL),
            rounds=10,
            repeats=50,
        )


def creating(engine: RaffleEngine, tickets: int) -> Timed:
    """Measure the creation of one raffle."""
    return lambda: seconds_of(lambda: engine.create("Raffle", total_tickets=tickets, prizes=[Prize("hug", 3)]))


def participating(engine: RaffleEngine, tickets: int) -> Timed:
    """Measure as many participants as the small raffle has tickets, in a new raffle: all that it can take."""
    people = count()

    def measure() -> float:
        raffle = engine.create("Raffle", total_tickets=tickets, prizes=[Prize("hug", 3)])
        some = [f"participant {next(people)}" for _ in range(SMALL)]
        return seconds_of(lambda: [engine.participate(raffle.id, person) for person in some])

    return measure
