"""Who has each prize of a drawn raffle now, and what became of it."""

from datetime import timedelta

import pytest

from rafflekit import NotDrawnYet, Prize, RaffleEngine
from rafflekit.core.holdings import Tally, tallies_of, tally_of
from tests.core.conftest import NOW, Clock
from tests.core.drawn import Scene, drawn
from tests.raffles import new_raffle

DAY = timedelta(days=1)


def test_a_holding_names_every_ticket_that_had_the_prize(timed: RaffleEngine, clock: Clock) -> None:
    scene = drawn(timed, clock, claim_days=7)
    car, hug, _ = (win.ticket_number for win in scene.wins)
    clock.now += DAY
    scene.forfeit(hug)
    clock.now += DAY
    scene.forfeit(scene.queue[0])
    scene.redeem(scene.queue[1])

    found = timed.holdings(scene.raffle.id)

    assert [[win.ticket_number for win in each.wins] for each in found] == [
        [car],
        [hug, *scene.queue[:2]],
        [scene.number(2)],
    ]
    assert [each.prize for each in found] == [0, 1, 1]
    assert [each.redeem_until for each in found] == [NOW + 7 * DAY, None, NOW + 7 * DAY]
    assert tallies_of(scene.raffle.prizes, found) == [Tally(1, 0, 0, 0), Tally(2, 1, 0, 1)]
    assert tally_of(found).left == 2


def test_a_prize_lapses_if_no_ticket_is_left(timed: RaffleEngine, clock: Clock) -> None:
    scene = drawn(timed, clock, tickets=3)
    scene.forfeit(scene.number(0))

    car, *_ = timed.holdings(scene.raffle.id)

    assert (car.has_lapsed, car.has_passed_on, car.redeem_until) == (True, False, None)
    assert tally_of([car]) == Tally(drawn=1, redeemed=0, lapsed=1, passed_on=0)


def test_two_prizes_of_one_name_are_counted_apart(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=2, prizes=[Prize("tea"), Prize("tea")])
    codes = {ticket.number: ticket.verification_code for ticket in (engine.participate(raffle.id, who) for who in "ab")}
    second = engine.draw(raffle.id)[1].ticket_number
    engine.redeem(raffle.id, second, codes[second])

    tallies = tallies_of(raffle.prizes, engine.holdings(raffle.id))

    assert [each.redeemed for each in tallies] == [0, 1]


def test_holdings_need_a_draw(scene: Scene) -> None:
    with pytest.raises(NotDrawnYet):
        scene.engine.holdings(new_raffle(scene.engine, tickets=2).id)
