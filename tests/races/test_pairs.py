"""Two calls that decide something final: each pauses before each of its statements while the other one runs.

RAFFLEKIT_TEST_INTERLEAVINGS, whatever its number, lets the other one pause as well, adds less important pairs, and
tries PostgreSQL's strictest isolation level.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import pytest

from rafflekit import Prize, check_database
from tests.databases import KINDS, new_database_url
from tests.races.bench import KEY, KINDS_OF_DATABASES, SIGNER, Bench, Plan, bench_on
from tests.races.calls import Call, Cancel, Change, Close, Draw, Forfeit, Participate, Redeem
from tests.raffle_model import Terms

IS_LONG = "RAFFLEKIT_TEST_INTERLEAVINGS" in os.environ
TO_THE_END = 1_000


@dataclass(frozen=True)
class Race:
    """Two calls, and what is there before: terms, tickets sold, perhaps a draw."""

    one: Call
    other: Call
    terms: Terms
    sold: int = 0
    is_drawn: bool = False


LATER_TERMS = Terms(3, (Prize("other", 2),), tickets_each=2, claim_days=3)
TWO_PRIZES = Terms(5, (Prize("hug", 2),))

RACES = {
    "the last ticket, a closing": Race(Participate("ben"), Close(), Terms(2), sold=1),
    "a closing, a draw": Race(Close(), Draw(), Terms(4), sold=2),
    "a cancellation, a draw": Race(Cancel(), Draw(), Terms(2), sold=2),
    "a cancellation, the last ticket": Race(Cancel(), Participate("ben"), Terms(2), sold=1),
    "the first ticket, a change": Race(Participate("ann"), Change(LATER_TERMS), Terms(1)),
    "two redemptions": Race(Redeem(), Redeem(), TWO_PRIZES, sold=3, is_drawn=True),
    "two forfeits, one ticket left": Race(Forfeit(0), Forfeit(1), TWO_PRIZES, sold=3, is_drawn=True),
    "a redemption, a forfeit": Race(Redeem(), Forfeit(), TWO_PRIZES, sold=3, is_drawn=True),
}
MORE_RACES = {
    "a ticket, a closing": Race(Participate("ben"), Close(), Terms(4), sold=1),
    "a repeated ticket, a closing": Race(Participate("ann", KEY), Close(), Terms(2), sold=1),
    "two closings": Race(Close(), Close(), Terms(4), sold=2),
    "a closing, a cancellation": Race(Close(), Cancel(), Terms(4), sold=2),
    "two cancellations": Race(Cancel(), Cancel(), Terms(2), sold=1),
    "the first ticket, a change of its rule": Race(Participate("ann"), Change(Terms(2, entry="invitation")), Terms(2)),
    "two changes": Race(Change(LATER_TERMS), Change(Terms(9)), Terms(1)),
    "a cancellation, a change": Race(Cancel(), Change(LATER_TERMS), Terms(1)),
    "a redemption, its undoing": Race(Redeem(), Redeem(undo=True), TWO_PRIZES, sold=3, is_drawn=True),
    "two forfeits of a prize": Race(Forfeit(), Forfeit(), TWO_PRIZES, sold=3, is_drawn=True),
}
if IS_LONG:
    RACES |= MORE_RACES


@pytest.fixture(scope="module", params=KINDS_OF_DATABASES if IS_LONG else KINDS)
def bench(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """One bench for all races on each kind of database; finally, the doctor looks at what they left."""
    url = f"sqlite:///{tmp_path_factory.mktemp('pairs')}/raffles.db"
    if request.param != "SQLite":
        url = new_database_url(request)
    with bench_on(url) as opened:
        yield opened
    assert check_database(url, signing_key=SIGNER).problems == ()


@pytest.mark.parametrize("race", RACES.values(), ids=RACES)
def test_one_call_in_the_middle_of_another_is_in_an_order(bench: Bench, race: Race) -> None:
    for calls in (((race.one,), (race.other,)), ((race.other,), (race.one,))):
        for steps in count():
            paused, whole = bench.check(Plan(race.terms, race.sold, calls, (steps, TO_THE_END), race.is_drawn))
            for more in range(1, whole.ended - whole.begun) if IS_LONG else ():
                bench.check(Plan(race.terms, race.sold, calls, (steps, more, TO_THE_END), race.is_drawn))
            if paused.ended <= steps:
                break
