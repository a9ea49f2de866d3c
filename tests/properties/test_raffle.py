"""For any number of tickets, any prizes that fit and any order of events, the rules of a raffle hold."""

from collections.abc import Iterator
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rafflekit import AlreadyParticipated, InvalidVerificationCode, Prize, RaffleEngine, SoldOut, Ticket, Verification
from rafflekit.core.characters import is_visible
from tests.databases import KINDS, open_engine

names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=20).filter(is_visible)


@st.composite
def raffles(draw: st.DrawFn, *, most_tickets: int = 24) -> tuple[int, list[Prize]]:
    """A number of tickets, and prizes that fit."""
    total_tickets = draw(st.integers(1, most_tickets))
    left = total_tickets
    prizes: list[Prize] = []
    while left and (not prizes or draw(st.booleans())):
        prizes.append(Prize(draw(names), draw(st.integers(1, left))))
        left -= prizes[-1].amount
    return total_tickets, prizes


@pytest.fixture(scope="module", params=KINDS)
def one_engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RaffleEngine]:
    """One engine for all examples, on each kind of database: they share one database."""
    if request.param == "SQLite":
        url = f"sqlite:///{tmp_path_factory.mktemp('properties')}/raffles.db"
    else:
        url = request.getfixturevalue("postgresql").new_url()
    with open_engine(url) as engine:
        yield engine


def sell_in_any_order(engine: RaffleEngine, raffle: object, total: int, data: st.DataObject) -> list[Ticket]:
    """Let people take part in any order, some of them many times, until the raffle is sold out."""
    tickets: dict[str, Ticket] = {}
    people = st.sampled_from([f"203.0.113.{n}" for n in range(total)])
    for person in [*data.draw(st.lists(people, max_size=3 * total)), *(f"198.51.100.{n}" for n in range(total))]:
        try:
            ticket = engine.participate(raffle, person)  # type: ignore[arg-type]  # an id in any form
        except (AlreadyParticipated, SoldOut):
            assert person in tickets or len(tickets) == total
        else:
            assert person not in tickets
            tickets[person] = ticket
    return list(tickets.values())


@settings(max_examples=40)
@given(shape=raffles(), data=st.data())
def test_the_rules_hold_for_any_raffle(
    one_engine: RaffleEngine, shape: tuple[int, list[Prize]], data: st.DataObject
) -> None:
    total_tickets, prizes = shape
    raffle = one_engine.create("Any", total_tickets=total_tickets, prizes=prizes)

    tickets = sell_in_any_order(one_engine, raffle.id, total_tickets, data)
    wins = one_engine.draw(raffle.id)

    # Every number handed out exactly once, and all of 1 … N in the end.
    assert sorted(ticket.number for ticket in tickets) == list(range(1, total_tickets + 1))
    # No ticket with two prizes; each prize drawn exactly its amount, in the order given.
    assert len({win.ticket_number for win in wins}) == len(wins)
    assert [win.prize for win in wins] == [prize.name for prize in prizes for _ in range(prize.amount)]
    prize_of = {win.ticket_number: win.prize for win in wins}
    assert set(prize_of) <= {ticket.number for ticket in tickets}
    # Every ticket verifies with its own code, and shows what it won.
    for ticket in tickets:
        expected = Verification(has_won=ticket.number in prize_of, prize=prize_of.get(ticket.number))
        assert one_engine.verify(raffle.id, ticket.number, ticket.verification_code) == expected


@settings(max_examples=12)
@given(shape=raffles(most_tickets=6))
def test_a_code_verifies_only_with_its_own_ticket(one_engine: RaffleEngine, shape: tuple[int, list[Prize]]) -> None:
    total_tickets, prizes = shape
    raffles_of_one_kind = [one_engine.create("Any", total_tickets=total_tickets, prizes=prizes) for _ in range(2)]
    tickets = [
        one_engine.participate(raffle.id, f"participant {n}")
        for raffle in raffles_of_one_kind
        for n in range(total_tickets)
    ]
    for raffle in raffles_of_one_kind:
        one_engine.draw(raffle.id)

    for one, other in permutations(tickets, 2):
        with pytest.raises(InvalidVerificationCode):
            one_engine.verify(one.raffle_id, one.number, other.verification_code)


@settings(max_examples=10)
@given(shape=raffles(most_tickets=12), data=st.data())
def test_prizes_pass_on_until_no_ticket_is_left(
    one_engine: RaffleEngine, shape: tuple[int, list[Prize]], data: st.DataObject
) -> None:
    total_tickets, prizes = shape
    given = [prize.name for prize in prizes for _ in range(prize.amount)]
    raffle = one_engine.create("Any", total_tickets=total_tickets, prizes=prizes).id
    sold = data.draw(st.integers(len(given), total_tickets))
    numbers = [one_engine.participate(raffle, f"participant {n}").number for n in range(sold)]
    if sold < total_tickets:
        one_engine.close_raffle(raffle)
    one_engine.draw(raffle)
    queue = list(one_engine.queue(raffle).items)

    lapsed = 0
    while standing := one_engine.winners(raffle, unredeemed=True).items:
        # However many are left, each prize is won its amount of times, or has lapsed.
        assert len(standing) == len(given) - lapsed
        loser = data.draw(st.sampled_from(standing))
        heir = one_engine.forfeit(raffle, loser.ticket_number, why="disqualified", reason="too young")
        if heir is None:
            lapsed += 1
        else:
            assert (heir.ticket_number, heir.prize) == (queue.pop(0), loser.prize)

    assert (queue, lapsed) == ([], len(given))
    assert sorted(win.ticket_number for win in one_engine.winners(raffle).items) == sorted(numbers)
