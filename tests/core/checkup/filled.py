"""A database for check-ups: raffles in each state, and SQL that selects them."""

from rafflekit import Prize
from tests.databases import open_engine, prepare
from tests.raffles import sold_out

PRIZES = (Prize("car"), Prize("hug", 3))

OPEN = "(SELECT id FROM raffles WHERE name = 'Half')"
LARGE = "(SELECT id FROM raffles WHERE name = 'Large')"
DRAWN = "(SELECT id FROM raffles WHERE name = 'Sold out')"
CLAIMED = "(SELECT id FROM raffles WHERE name = 'Claimed')"
CANCELLED = "(SELECT id FROM raffles WHERE name = 'Called off')"


def fill(url: str) -> None:
    """Make a drawn raffle of 20 tickets, an open one with 5 of 20, an empty one, and one that was called off."""
    prepare(url, _fill)


def fill_with_a_tile(url: str) -> None:
    """Make the same raffles, and one with a whole tile, whose 300 tickets make up most of a check-up."""
    prepare(url, _fill_with_a_tile)


def fill_with_claims(url: str) -> None:
    """Make the same raffles, and one whose prizes were redeemed or passed on.

    It was closed early, with 8 of 20 tickets; people could have two. Win 1, the car, passed on to win 5, and from it to
    win 6; win 2 is redeemed, the redemption of win 3 was undone, and win 6 is redeemed.
    """
    prepare(url, _fill_with_claims)


def _fill(url: str) -> None:
    with open_engine(url) as engine:
        drawn = sold_out(engine, tickets=20, prizes=PRIZES)
        engine.draw(drawn.id)
        half = engine.create("Half", total_tickets=20, prizes=PRIZES)
        for person in range(5):
            engine.participate(half.id, f"participant {person}")
        engine.create("Empty", total_tickets=10**12, prizes=PRIZES)
        cancelled = engine.create("Called off", total_tickets=20, prizes=PRIZES)
        engine.participate(cancelled.id, "ann")
        engine.cancel(cancelled.id, "rain")


def _fill_with_a_tile(url: str) -> None:
    _fill(url)
    with open_engine(url) as engine:
        large = engine.create("Large", total_tickets=10**6, prizes=PRIZES)
        assert len(list(engine.participate_many(large.id, [f"participant {person}" for person in range(300)]))) == 300


def _fill_with_claims(url: str) -> None:
    _fill(url)
    with open_engine(url) as engine:
        raffle = engine.create("Claimed", total_tickets=20, prizes=PRIZES, tickets_each=2).id
        tickets = {}
        for place in range(8):
            ticket = engine.participate(raffle, f"participant {place // 2}")
            tickets[ticket.number] = ticket.verification_code
        engine.close_raffle(raffle)
        wins = engine.draw(raffle)
        number = wins[0].ticket_number
        for _ in range(2):
            heir = engine.forfeit(raffle, number, why="disqualified", reason="a relative of the organiser")
            assert heir is not None
            number = heir.ticket_number
        for redeemed in (wins[1].ticket_number, wins[2].ticket_number, number):
            engine.redeem(raffle, redeemed, tickets[redeemed])
        engine.redeem(raffle, wins[2].ticket_number, tickets[wins[2].ticket_number], undo=True)
