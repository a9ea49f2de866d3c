"""The operator's lists of everything in a raffle, read page by page while the raffle continues."""

from datetime import timedelta

import pytest

from rafflekit import NotDrawnYet, Prize, RaffleEngine, RaffleNotFound
from rafflekit.core import exports
from rafflekit.core.models import ClaimEvent, ExportedClaim, ExportedTicket, WinState
from tests.core.conftest import NOW
from tests.core.drawn import Scene
from tests.raffles import sold

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture(params=[1, 5_000], autouse=True)
def _page(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read lists in pages of one row, and in one page."""
    monkeypatch.setattr(exports, "_ROWS_AT_ONCE", request.param)


def test_the_tickets_are_listed_in_the_order_of_issue(scene: Scene) -> None:
    won = {win.ticket_number: win.prize for win in scene.wins}

    assert list(scene.engine.exports.tickets(scene.raffle.id)) == [
        ExportedTicket(number, NOW, won.get(number), WinState.UNREDEEMED if number in won else None)
        for number in scene.tickets
    ]


def test_before_the_draw_no_ticket_has_a_prize(timed: RaffleEngine) -> None:
    raffle = sold(timed, 3)

    listed = list(timed.exports.tickets(raffle.id))

    assert len(listed) == 3
    assert {(each.issued_at, each.prize, each.state) for each in listed} == {(NOW, None, None)}


def test_a_purge_takes_the_times_out_of_the_list(scene: Scene) -> None:
    scene.engine.purge(scene.raffle.id)

    assert {each.issued_at for each in scene.engine.exports.tickets(scene.raffle.id)} == {None}


def test_each_win_says_what_became_of_it(dated: Scene) -> None:
    first, second, third = (win.ticket_number for win in dated.wins)
    dated.clock.now += MINUTE
    dated.redeem(first)
    dated.forfeit(second)
    dated.forfeit(dated.queue[0])

    wins = list(dated.engine.exports.wins(dated.raffle.id))

    assert [each.win for each in wins] == dated.listed()
    taken = NOW + MINUTE + 10 * DAY
    assert [(each.win.ticket_number, each.state, each.redeem_until) for each in wins] == [
        (first, WinState.REDEEMED, None),
        (second, WinState.PASSED_ON, None),
        (third, WinState.UNREDEEMED, NOW + 10 * DAY),
        (dated.queue[0], WinState.PASSED_ON, None),
        (dated.queue[1], WinState.UNREDEEMED, taken),
    ]
    assert [each.ordinal for each in wins] == [1, 2, 3, 4, 5]
    states = {each.win.ticket_number: (each.win.prize, each.state) for each in wins}
    assert {
        each.number: (each.prize, each.state) for each in dated.engine.exports.tickets(dated.raffle.id)
    } == dict.fromkeys(dated.tickets, (None, None)) | states


def test_a_prize_lapses_with_the_last_ticket(scene: Scene) -> None:
    lost = [scene.number(0), *scene.queue]
    for number in lost:
        scene.forfeit(number)

    wins = {each.win.ticket_number: each.state for each in scene.engine.exports.wins(scene.raffle.id)}

    assert [wins[number] for number in lost] == [*[WinState.PASSED_ON] * 3, WinState.LAPSED]


def test_a_list_of_wins_has_the_heir_of_every_lost_prize(scene: Scene) -> None:
    scene.forfeit(scene.number(0))
    wins = scene.engine.exports.wins(scene.raffle.id)
    read = [next(wins)]
    # Pages that are read from now on meet forfeits whose heirs are after the list's end.
    scene.forfeit(scene.number(1))
    scene.forfeit(scene.queue[0])

    read += wins

    numbers = [each.win.ticket_number for each in read]
    assert numbers == [*(win.ticket_number for win in scene.wins), scene.queue[0]]
    assert [each.win.forfeited_at is None for each in read] == [each.state != WinState.PASSED_ON for each in read]


def test_claims_are_listed_in_the_order_of_time(scene: Scene) -> None:
    first, second = scene.number(0), scene.number(1)
    scene.engine.redeem(scene.raffle.id, *scene.code(second), by="Ann")
    scene.engine.redeem(scene.raffle.id, *scene.code(second), by="Bob", undo=True)
    scene.redeem(second)
    scene.clock.now += MINUTE
    scene.engine.forfeit(scene.raffle.id, first, why="disqualified", reason="a relative", by="Ann")
    scene.clock.now += MINUTE
    scene.redeem(scene.queue[0])

    assert list(scene.engine.exports.claims(scene.raffle.id)) == [
        ExportedClaim(NOW, ClaimEvent.REDEEMED, second, "hug", "Ann"),
        ExportedClaim(NOW, ClaimEvent.UNDONE, second, "hug", "Bob"),
        ExportedClaim(NOW, ClaimEvent.REDEEMED, second, "hug"),
        ExportedClaim(
            NOW + MINUTE, ClaimEvent.PASSED_ON, first, "car", "Ann", "disqualified", "a relative", scene.queue[0]
        ),
        ExportedClaim(NOW + 2 * MINUTE, ClaimEvent.REDEEMED, scene.queue[0], "car"),
    ]


def test_claims_never_have_an_heir_without_its_forfeit(scene: Scene) -> None:
    scene.redeem(scene.number(1))
    scene.redeem(scene.number(2))
    claims = scene.engine.exports.claims(scene.raffle.id)
    read = [next(claims)]
    # In the same second, and before the place at which the list is read.
    scene.forfeit(scene.number(0))
    scene.redeem(scene.queue[0])

    read += claims

    assert [each.ticket_number for each in read] == [scene.number(1), scene.number(2)]


def test_a_lapsed_prize_is_a_claim_without_an_heir(scene: Scene) -> None:
    for number in (scene.number(0), *scene.queue):
        scene.forfeit(number)

    *_, last = scene.engine.exports.claims(scene.raffle.id)

    assert (last.event, last.ticket_number, last.passed_to) == (ClaimEvent.LAPSED, scene.queue[-1], None)


def test_wins_and_claims_are_refused_before_the_draw(timed: RaffleEngine) -> None:
    raffle = sold(timed, 3)

    for listed in (timed.exports.wins, timed.exports.claims):
        with pytest.raises(NotDrawnYet):
            listed(raffle.id)
        with pytest.raises(RaffleNotFound):
            listed(UNKNOWN)


def test_codes_are_compared_before_the_draw_too(timed: RaffleEngine) -> None:
    raffle = timed.create("Foobar", total_tickets=9, prizes=[Prize("hug")])
    tickets = [timed.participate(raffle.id, who) for who in ("ann", "bob", "cy")]
    codes = {ticket.number: ticket.verification_code for ticket in tickets}
    first, second, _ = codes
    unknown = next(number for number in range(1, 10) if number not in codes)

    assert timed.exports.wrong_codes(raffle.id, codes) == []
    codes[first], codes[second] = codes[second], codes[first]
    assert timed.exports.wrong_codes(raffle.id, codes | {unknown: codes[first]}) == [first, second, unknown]
