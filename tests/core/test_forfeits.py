"""A prize that its winner does not get passes to the next ticket of the same shuffle, or lapses."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import islice
from threading import Barrier
from typing import Any

import pytest

from rafflekit import (
    InvalidValue,
    InvalidVerificationCode,
    PageNotFound,
    RaffleEngine,
    RaffleError,
    TicketNotFound,
    TooEarly,
    TooLate,
    Verification,
    Win,
    check_database,
)
from rafflekit.core.protocol.audit import audit
from rafflekit.core.protocol.documents import leaf_line
from rafflekit.core.protocol.winners import winning_serials
from tests.core.conftest import KEY, NOW, Clock
from tests.core.drawn import Scene, drawn
from tests.waiting import LIMIT_S

DAY = timedelta(days=1)
WRONG_CODE = "0000-0000-0000-0000-0000-0000"


def test_an_undone_redemption_can_be_forfeited(scene: Scene) -> None:
    number = scene.number(0)
    scene.redeem(number)
    for why in ("disqualified", "renounced", "unclaimed"):
        with pytest.raises(TooLate, match="This prize has already been redeemed"):
            scene.forfeit(number, why)
    scene.redeem(number, undo=True)

    assert scene.forfeit(number) == Win(scene.queue[0], "car", in_place_of=number)


@pytest.mark.parametrize(
    ("why", "how", "reason"),
    [
        ("unclaimed", {}, "not collected"),
        ("unclaimed", {"reason": " never came "}, "never came"),
        ("renounced", {}, "renounced by the winner"),
        ("renounced", {"reason": "has one already"}, "has one already"),
        ("disqualified", {"reason": "a relative of the organiser"}, "a relative of the organiser"),
    ],
)
def test_a_forfeited_prize_passes_to_the_next_ticket(scene: Scene, why: str, how: dict[str, str], reason: str) -> None:
    number, heir = scene.number(0), scene.queue[0]
    scene.clock.now += DAY

    win = scene.forfeit(number, why, **how)

    assert win == Win(heir, "car", in_place_of=number)
    lost = Win(number, "car", forfeited_at=NOW + DAY, why=why, reason=reason)
    assert scene.listed() == [lost, *scene.wins[1:], win]
    assert scene.listed(unredeemed=True) == [*scene.wins[1:], win]
    assert scene.verify(number) == Verification(
        has_won=False, prize=None, forfeited_prize="car", forfeited_at=NOW + DAY, reason=reason
    )
    assert scene.verify(heir) == Verification(has_won=True, prize="car")
    assert list(scene.engine.queue(scene.raffle.id).items) == scene.queue[1:]
    for call in (lambda: scene.redeem(number), lambda: scene.forfeit(number, why)):
        with pytest.raises(TooLate, match=f"This prize was forfeited on 2026-11-24 09:00:00 UTC: “{reason}”"):
            call()
    assert scene.redeem(heir).redeemed_at == NOW + DAY


@pytest.mark.parametrize(
    ("how", "field"),
    [
        ({"why": "disliked"}, "why"),
        ({"why": ""}, "why"),
        ({"why": None}, "why"),
        ({"why": "disqualified"}, "reason"),
        ({"why": "disqualified", "reason": ""}, "reason"),
        ({"why": "disqualified", "reason": "two\nlines"}, "reason"),
        ({"why": "unclaimed", "reason": "x" * 201}, "reason"),
        ({"why": "renounced"}, "verification_code"),
        ({"why": "renounced", "verification_code": 7}, "verification_code"),
    ],
)
def test_a_forfeit_with_a_wrong_value_changes_nothing(scene: Scene, how: dict[str, Any], field: str) -> None:
    for call in (scene.engine.check_forfeit, scene.engine.forfeit):
        with pytest.raises(InvalidValue) as refusal:
            call(scene.raffle.id, scene.number(0), **how)
        assert refusal.value.field == field

    assert scene.listed() == scene.wins


def test_only_the_winner_renounces(scene: Scene) -> None:
    for code in (WRONG_CODE, scene.code(scene.number(1))[1]):
        with pytest.raises(InvalidVerificationCode):
            scene.forfeit(scene.number(0), "renounced", verification_code=code)

    assert scene.listed() == scene.wins


@pytest.mark.parametrize("number", [0, -1, 10**30])
def test_a_ticket_that_was_not_handed_out_forfeits_nothing(scene: Scene, number: int) -> None:
    free = next(each for each in range(1, 21) if each not in scene.tickets)

    for missing in (number, free):
        with pytest.raises(TicketNotFound):
            scene.forfeit(missing)
        with pytest.raises(TicketNotFound):
            scene.forfeit(missing, "unclaimed")


def test_an_unclaimed_prize_passes_on_after_the_deadline(dated: Scene) -> None:
    number = dated.number(0)
    dated.clock.now = NOW + 10 * DAY - timedelta(seconds=1)
    with pytest.raises(TooEarly, match="can still be redeemed, until 2026-12-03 09:00:00 UTC") as early:
        dated.forfeit(number, "unclaimed")
    assert early.value.until == NOW + 10 * DAY
    dated.clock.now = NOW + 10 * DAY

    win = dated.forfeit(number, "unclaimed")

    # The next ticket has as long as the first one had.
    assert win is not None
    until = NOW + 20 * DAY
    assert dated.verify(win.ticket_number) == Verification(has_won=True, prize="car", redeem_until=until)
    dated.clock.now = until - timedelta(seconds=1)
    with pytest.raises(TooEarly):
        dated.forfeit(win.ticket_number, "unclaimed")
    dated.redeem(win.ticket_number)


def test_other_forfeits_wait_for_no_deadline(dated: Scene) -> None:
    assert dated.forfeit(dated.number(0), "renounced") == Win(dated.queue[0], "car", in_place_of=dated.number(0))
    assert dated.forfeit(dated.number(1)) == Win(dated.queue[1], "hug", in_place_of=dated.number(1))


def test_the_queue_is_the_shuffle_after_the_last_win(scene: Scene) -> None:
    """Anyone can compute it from the seed."""
    proof = scene.engine.proofs.proof(scene.raffle.id)
    number_of = {leaf.serial: leaf.ticket_number for leaf in scene.engine.proofs.leaves(scene.raffle.id)}

    serials = winning_serials(proof.seed, tickets=6, wins=6)

    assert [number_of[serial] for serial in islice(serials, 3)] == [win.ticket_number for win in scene.wins]
    assert [number_of[serial] for serial in serials] == scene.queue


def test_forfeits_take_the_places_of_the_queue_in_their_order(scene: Scene) -> None:
    """Whichever win is lost, and also one that came from another ticket."""
    second, first = scene.number(2), scene.number(0)
    assert scene.forfeit(second) == Win(scene.queue[0], "hug", in_place_of=second)
    assert scene.forfeit(first) == Win(scene.queue[1], "car", in_place_of=first)
    assert scene.forfeit(scene.queue[0]) == Win(scene.queue[2], "hug", in_place_of=scene.queue[0])

    assert [(win.ticket_number, win.prize, win.in_place_of, win.forfeited_at is None) for win in scene.listed()] == [
        (first, "car", None, False),
        (scene.number(1), "hug", None, True),
        (second, "hug", None, False),
        (scene.queue[0], "hug", second, False),
        (scene.queue[1], "car", first, True),
        (scene.queue[2], "hug", scene.queue[0], True),
    ]
    assert list(scene.engine.queue(scene.raffle.id).items) == []


def test_a_prize_lapses_when_every_ticket_has_won(database_url: str, scene: Scene) -> None:
    for place in range(3):
        assert scene.forfeit(scene.number(place))
    heirs = scene.listed()[3:]
    assert sorted(win.ticket_number for win in scene.listed()) == sorted(scene.tickets)

    for heir in heirs[:2]:
        assert scene.forfeit(heir.ticket_number) is None

    assert scene.listed(unredeemed=True) == heirs[2:]
    assert len(scene.listed()) == 6
    assert scene.engine.queue(scene.raffle.id).count == 0
    assert scene.verify(heirs[0].ticket_number).forfeited_at == NOW
    with pytest.raises(TooLate):
        scene.forfeit(heirs[0].ticket_number)
    scene.redeem(heirs[2].ticket_number)
    assert scene.listed(unredeemed=True) == []
    assert check_database(database_url, signing_key=KEY).problems == ()


def test_where_every_ticket_wins_a_forfeit_lapses_at_once(timed: RaffleEngine, clock: Clock) -> None:
    scene = drawn(timed, clock, tickets=3)
    assert scene.queue == []

    assert scene.forfeit(scene.number(0)) is None

    assert [win.forfeited_at for win in scene.listed()] == [NOW, None, None]


def test_all_unclaimed_prizes_pass_on_at_once(database_url: str, dated: Scene) -> None:
    dated.redeem(dated.number(1))
    disqualified = dated.forfeit(dated.number(2))
    assert disqualified is not None
    with pytest.raises(TooEarly) as early:
        dated.engine.forfeit_unclaimed(dated.raffle.id)
    assert early.value.until == NOW + 10 * DAY
    dated.clock.now = NOW + 10 * DAY

    passed = dated.engine.forfeit_unclaimed(dated.raffle.id, reason="nobody came")

    # The heir got the prize on the day of the draw, so that its time is over as well.
    assert passed == [
        Win(dated.queue[1], "car", in_place_of=dated.number(0)),
        Win(dated.queue[2], "hug", in_place_of=dated.queue[0]),
    ]
    assert {win.reason for win in dated.listed()} == {None, "nobody came", "a relative"}
    assert list(dated.engine.forfeit_unclaimed(dated.raffle.id)) == []
    dated.clock.now = NOW + 20 * DAY
    assert list(dated.engine.forfeit_unclaimed(dated.raffle.id)) == [None, None]
    assert check_database(database_url, signing_key=KEY).problems == ()


def test_a_heir_keeps_the_time_that_it_has_left(dated: Scene) -> None:
    dated.clock.now = NOW + 5 * DAY
    heir = dated.forfeit(dated.number(0))
    assert heir is not None
    dated.clock.now = NOW + 10 * DAY

    passed = dated.engine.forfeit_unclaimed(dated.raffle.id)

    assert [win and win.in_place_of for win in passed] == [dated.number(1), dated.number(2)]
    assert dated.verify(heir.ticket_number).redeem_until == NOW + 15 * DAY


def test_without_a_deadline_each_unclaimed_prize_is_named(scene: Scene) -> None:
    with pytest.raises(InvalidValue, match="claim_days: This raffle announced no deadline, so name each ticket"):
        scene.engine.forfeit_unclaimed(scene.raffle.id)
    assert scene.listed() == scene.wins

    assert scene.forfeit(scene.number(0), "unclaimed")


def test_winners_and_the_queue_have_pages(timed: RaffleEngine, clock: Clock) -> None:
    scene = drawn(timed, clock, tickets=14)
    for place in range(3):
        scene.forfeit(scene.number(place))
    everything = scene.listed()

    pages = [timed.winners(scene.raffle.id, page=page, page_size=4) for page in (1, 2)]
    queued = [timed.queue(scene.raffle.id, page=page, page_size=3) for page in (1, 2, 3)]

    assert [win for page in pages for win in page.items] == everything
    assert [(page.count, page.has_next) for page in pages] == [(6, True), (6, False)]
    assert [number for page in queued for number in page.items] == scene.queue[3:]
    assert [(page.count, page.has_next) for page in queued] == [(8, True), (8, True), (8, False)]
    left = [timed.winners(scene.raffle.id, page=page, page_size=2, unredeemed=True) for page in (1, 2)]
    assert [win for page in left for win in page.items] == everything[3:]
    assert [page.count for page in left] == [3, 3]
    for ask in (
        lambda: timed.winners(scene.raffle.id, page=3, page_size=4),
        lambda: timed.winners(scene.raffle.id, page=3, page_size=2, unredeemed=True),
        lambda: timed.queue(scene.raffle.id, page=4, page_size=3),
    ):
        with pytest.raises(PageNotFound):
            ask()
    with pytest.raises(InvalidValue):
        timed.queue(scene.raffle.id, page=0)


def test_claims_survive_a_restart_and_a_purge(database_url: str, clock: Clock) -> None:
    with RaffleEngine(database_url, clock=clock, signing_key=KEY) as engine:
        scene = drawn(engine, clock)
        scene.redeem(scene.number(1))
        scene.forfeit(scene.number(0))
        before = scene.listed()
        assert engine.purge(scene.raffle.id) == 6

    with RaffleEngine(database_url, clock=clock, signing_key=KEY) as engine:
        scene.engine = engine
        assert scene.listed() == before
        assert scene.forfeit(scene.number(2)) == Win(scene.queue[1], "hug", in_place_of=scene.number(2))
        assert check_database(database_url, signing_key=KEY).problems == ()


def test_a_forfeit_is_not_dated_before_the_last_one(scene: Scene) -> None:
    """The clock may have been set back; the audit checks the order."""
    scene.clock.now = NOW + DAY
    scene.forfeit(scene.number(0))
    scene.clock.now = NOW - DAY

    scene.forfeit(scene.number(1))

    dates = [win.forfeited_at for win in scene.listed()[:2]]
    assert dates == [NOW + DAY, NOW + DAY]


@pytest.mark.parametrize(
    ("call", "refusal"),
    [
        (lambda scene, engine: engine.redeem(scene.raffle.id, *scene.code(scene.number(0))), TooLate),
        (
            lambda scene, engine: engine.forfeit(
                scene.raffle.id, scene.number(0), why="disqualified", reason="a relative"
            ),
            TooLate,
        ),
    ],
    ids=["redeem", "forfeit"],
)
def test_of_two_claims_at_once_one_is_refused(
    database_url: str, scene: Scene, call: Callable[[Scene, RaffleEngine], object], refusal: type[RaffleError]
) -> None:
    together = Barrier(4)

    def claim(engine: RaffleEngine) -> object:
        together.wait(LIMIT_S)
        try:
            return call(scene, engine)
        except RaffleError as error:
            return type(error)

    with RaffleEngine(database_url, clock=scene.clock, signing_key=KEY) as another, ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(claim, [scene.engine, another] * 2))

    assert outcomes.count(refusal) == 3
    assert check_database(database_url, signing_key=KEY).problems == ()


def test_forfeits_at_once_take_different_places(database_url: str, timed: RaffleEngine, clock: Clock) -> None:
    scene = drawn(timed, clock, tickets=9)
    together = Barrier(3)

    def forfeit(place: int) -> Win | None:
        together.wait(LIMIT_S)
        return scene.forfeit(scene.number(place))

    with ThreadPoolExecutor(3) as threads:
        wins = list(threads.map(forfeit, range(3)))

    assert {win.ticket_number for win in wins if win} == set(scene.queue[:3])
    assert check_database(database_url, signing_key=KEY).problems == ()


def test_forfeits_in_a_proof_follow_the_rules(dated: Scene) -> None:
    dated.redeem(dated.number(1))
    dated.forfeit(dated.number(0), "renounced")
    dated.clock.now += 10 * DAY
    dated.engine.forfeit_unclaimed(dated.raffle.id)
    leaves = [leaf_line(leaf) for leaf in dated.engine.proofs.leaves(dated.raffle.id)]

    proof = dated.engine.proofs.proof(dated.raffle.id)
    report = audit(json.dumps(proof.shape()), key=str(KEY.verifier), raffle=str(dated.raffle.id), leaves=leaves)

    assert report.good
    # Only the operator says why the prizes were lost.
    assert {step.name: step.outcome for step in report.steps}["forfeits"] == "not proven"
    assert dated.engine.proofs.proof(dated.raffle.id) == proof


def test_a_redemption_is_not_in_the_proof(scene: Scene) -> None:
    """It says nothing about the draw."""
    before = scene.engine.proofs.proof(scene.raffle.id)

    scene.redeem(scene.number(0))

    assert scene.engine.proofs.proof(scene.raffle.id) == before
