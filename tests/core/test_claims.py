"""After the draw: a prize is handed out once, within its deadline, and a mistake can be undone for a short time."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from rafflekit import (
    InvalidValue,
    InvalidVerificationCode,
    NoPrize,
    NotDrawnYet,
    Page,
    RaffleEngine,
    TooLate,
    Verification,
    Win,
    check_database,
)
from rafflekit.core import queues
from rafflekit.core.protocol.winners import winning_serials
from tests.core.conftest import KEY, NOW
from tests.core.drawn import Scene
from tests.raffles import sold_out

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
WRONG_CODE = "0000-0000-0000-0000-0000-0000"


def test_a_prize_is_redeemed_once(scene: Scene) -> None:
    number = scene.number(0)
    assert scene.verify(number) == Verification(has_won=True, prize="car")
    scene.clock.now += MINUTE + timedelta(microseconds=7)

    redeemed = scene.redeem(number)

    assert redeemed == Verification(has_won=True, prize="car", redeemed_at=NOW + MINUTE) == scene.verify(number)
    with pytest.raises(TooLate, match="This prize has already been redeemed, on 2026-11-23 09:01:00 UTC"):
        scene.redeem(number)
    assert scene.listed() == [Win(number, "car", redeemed_at=NOW + MINUTE), *scene.wins[1:]]
    assert scene.listed(unredeemed=True) == scene.wins[1:]


@pytest.mark.parametrize("undo", [False, True])
def test_only_the_winners_own_code_redeems(scene: Scene, undo: bool) -> None:
    winner, other = scene.number(0), scene.number(1)
    if undo:
        scene.redeem(winner)

    for number, code in ((winner, WRONG_CODE), (winner, scene.code(other)[1]), (0, WRONG_CODE), (10**30, WRONG_CODE)):
        for call in (scene.engine.check_redeem, scene.engine.redeem):
            with pytest.raises(InvalidVerificationCode):
                call(scene.raffle.id, number, code, undo=undo)
    with pytest.raises(InvalidValue):
        scene.engine.redeem(scene.raffle.id, "7", WRONG_CODE, undo=undo)  # type: ignore[arg-type]  # wrong on purpose

    assert scene.verify(winner).redeemed_at == (NOW if undo else None)


def test_a_ticket_without_a_prize_has_nothing_to_redeem(scene: Scene) -> None:
    for undo in (False, True):
        with pytest.raises(NoPrize):
            scene.redeem(scene.queue[0], undo=undo)
    with pytest.raises(NoPrize):
        scene.forfeit(scene.queue[0])

    assert scene.listed() == scene.wins


def test_nothing_is_claimed_before_the_draw(timed: RaffleEngine) -> None:
    raffle = sold_out(timed)

    calls: list[Callable[[], object]] = [
        lambda: timed.redeem(raffle.id, 1, WRONG_CODE),
        lambda: timed.redeem(raffle.id, 1, WRONG_CODE, undo=True),
        lambda: timed.check_redeem(raffle.id, 1, WRONG_CODE),
        lambda: timed.check_forfeit(raffle.id, 1, why="unclaimed"),
        lambda: timed.forfeit(raffle.id, 1, why="unclaimed"),
        lambda: timed.forfeit(raffle.id, 1, why="renounced", verification_code=WRONG_CODE),
        lambda: timed.forfeit_unclaimed(raffle.id),
        lambda: timed.queue(raffle.id),
    ]
    for call in calls:
        with pytest.raises(NotDrawnYet):
            call()
    assert timed.winners(raffle.id, unredeemed=True) == Page((), 0, 1, 100)


@pytest.mark.parametrize("minutes", [0, 15])
def test_a_redemption_can_be_undone_for_a_quarter_of_an_hour(scene: Scene, minutes: int) -> None:
    number = scene.number(0)
    scene.redeem(number)
    scene.clock.now += minutes * MINUTE

    undone = scene.redeem(number, undo=True)

    assert undone == Verification(has_won=True, prize="car") == scene.verify(number)
    with pytest.raises(NoPrize, match="has not been redeemed, so there is nothing to undo"):
        scene.redeem(number, undo=True)
    scene.clock.now += DAY
    assert scene.redeem(number).redeemed_at == scene.clock.now


def test_a_redemption_is_final_after_that(scene: Scene) -> None:
    number = scene.number(0)
    scene.redeem(number)
    scene.clock.now += 15 * MINUTE + timedelta(seconds=1)

    with pytest.raises(TooLate, match="redeemed on 2026-11-23 09:00:00 UTC; that can be undone for 15 minutes"):
        scene.redeem(number, undo=True)

    assert scene.verify(number).redeemed_at == NOW


def test_a_redemption_can_be_undone_again_and_again(database_url: str, scene: Scene) -> None:
    number = scene.number(0)
    for _ in range(3):
        scene.redeem(number)
        scene.redeem(number, undo=True)
        scene.clock.now += MINUTE

    assert scene.redeem(number).redeemed_at == scene.clock.now
    assert check_database(database_url, signing_key=KEY).problems == ()


def test_a_prize_is_redeemed_before_its_deadline(dated: Scene) -> None:
    first, second = dated.number(0), dated.number(1)
    deadline = NOW + 10 * DAY
    assert dated.verify(first).redeem_until == deadline
    dated.clock.now = deadline - timedelta(seconds=1)
    assert dated.redeem(first) == Verification(
        has_won=True, prize="car", redeemed_at=dated.clock.now, redeem_until=deadline
    )
    dated.clock.now = deadline

    with pytest.raises(TooLate, match="This prize could be redeemed until 2026-12-03 09:00:00 UTC"):
        dated.redeem(second)

    # What was redeemed in time can still be undone; then it is too late.
    dated.redeem(first, undo=True)
    with pytest.raises(TooLate, match="could be redeemed until"):
        dated.redeem(first)


def test_a_time_of_a_claim_has_a_zone(scene: Scene) -> None:
    redeemed = scene.redeem(scene.number(0)).redeemed_at

    assert isinstance(redeemed, datetime)
    assert redeemed.utcoffset() == timedelta(0)


def test_an_interrupted_shuffle_begins_anew(database_url: str, scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """The shuffle is kept in memory; half of it would look as if every ticket had won."""
    interruptions = [KeyboardInterrupt]

    def interrupted_once(seed: bytes, *, tickets: int, wins: int) -> Iterator[int]:
        for place, serial in enumerate(winning_serials(seed, tickets=tickets, wins=wins)):
            if place == 4 and interruptions:
                raise interruptions.pop()
            yield serial

    monkeypatch.setattr(queues, "winning_serials", interrupted_once)
    with RaffleEngine(database_url, signing_key=KEY) as another:
        with pytest.raises(KeyboardInterrupt):
            another.queue(scene.raffle.id)

        assert list(another.queue(scene.raffle.id).items) == scene.queue
