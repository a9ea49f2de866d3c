"""A database for check-ups: raffles in each state, and SQL that selects them."""

from rafflekit import Prize, RaffleEngine
from tests.databases import prepare
from tests.raffles import sold_out

PRIZES = (Prize("car"), Prize("hug", 3))

OPEN = "(SELECT id FROM raffles WHERE name = 'Half')"
LARGE = "(SELECT id FROM raffles WHERE name = 'Large')"
DRAWN = "(SELECT id FROM raffles WHERE name = 'Sold out')"


def fill(url: str) -> None:
    """Make a drawn raffle of 20 tickets, an open one with 5 of 20, and an empty one."""
    prepare(url, _fill)


def fill_with_a_tile(url: str) -> None:
    """Make the same raffles, and one with a whole tile, whose 300 tickets make up most of a check-up."""
    prepare(url, _fill_with_a_tile)


def _fill(url: str) -> None:
    with RaffleEngine(url) as engine:
        drawn = sold_out(engine, tickets=20, prizes=PRIZES)
        engine.draw(drawn.id)
        half = engine.create("Half", total_tickets=20, prizes=PRIZES)
        for person in range(5):
            engine.participate(half.id, f"participant {person}")
        engine.create("Empty", total_tickets=10**12, prizes=PRIZES)


def _fill_with_a_tile(url: str) -> None:
    _fill(url)
    with RaffleEngine(url) as engine:
        large = engine.create("Large", total_tickets=10**6, prizes=PRIZES)
        assert len(list(engine.participate_many(large.id, [f"participant {person}" for person in range(300)]))) == 300
