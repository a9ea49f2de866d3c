"""Desk passes: their tokens, their names, their time, and who redeemed or forfeited a prize."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from hashlib import sha256
from threading import Barrier

import pytest

from rafflekit import DeskPass, InvalidValue, RaffleEngine, RaffleError, Right, Win
from rafflekit.core import limits
from rafflekit.core.storage.database import Database
from tests.core.conftest import NOW, Clock
from tests.core.drawn import Scene
from tests.databases import run

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
REDEEM = frozenset({Right.REDEEM})


def test_a_token_opens_the_desk_until_its_pass_expires(timed: RaffleEngine, clock: Clock) -> None:
    made = timed.passes.make("  Ann ", may=["redeem", "sell"], lasts=12 * HOUR)

    assert made.desk_pass == DeskPass("Ann", frozenset({Right.REDEEM, Right.SELL}), NOW, NOW + 12 * HOUR)
    assert made.token.startswith("rkp_")
    assert made.token not in repr(made)
    clock.now += 12 * HOUR - timedelta(microseconds=1)
    assert timed.passes.find(made.token) == made.desk_pass
    clock.now = NOW + 12 * HOUR
    assert timed.passes.find(made.token) is None


def test_a_revoked_pass_opens_nothing(timed: RaffleEngine, clock: Clock) -> None:
    ann, bob = (timed.passes.make(name, may=REDEEM, lasts=DAY) for name in ("Ann", "Bob"))
    clock.now += HOUR

    revoked = timed.passes.revoke("Ann")

    assert revoked.revoked_at == NOW + HOUR
    assert timed.passes.find(ann.token) is None
    assert timed.passes.find(bob.token) == bob.desk_pass
    assert timed.passes.list() == [bob.desk_pass, revoked]


def test_only_the_hash_of_a_token_is_stored(timed: RaffleEngine, database_url: str) -> None:
    token = timed.passes.make("Ann", may=REDEEM, lasts=DAY).token

    assert len(bytes.fromhex(token.removeprefix("rkp_"))) * 8 >= 128
    assert [bytes(row[0]) for row in run(database_url, "SELECT token_hash FROM passes")] == [
        sha256(token.encode()).digest()
    ]
    assert token not in str(run(database_url, "SELECT * FROM passes"))


def test_other_texts_never_reach_the_database(timed: RaffleEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    token = timed.passes.make("Ann", may=REDEEM, lasts=DAY).token
    monkeypatch.setattr(Database, "query", None)

    for text in ("", "rkp_", token.upper(), token[:-1], f"{token}0", f"{token}\n", f" {token}", "rkp_" + "ñ" * 32):
        assert timed.passes.find(text) is None


@pytest.mark.parametrize("ending", ["expired", "revoked"])
def test_a_name_belongs_to_one_valid_pass(timed: RaffleEngine, clock: Clock, ending: str) -> None:
    first = timed.passes.make("Ann", may=REDEEM, lasts=HOUR)
    with pytest.raises(InvalidValue, match="name: a valid pass has this name; revoke that pass"):
        timed.passes.make(" Ann", may=["manage"], lasts=DAY)
    clock.now += HOUR if ending == "expired" else MINUTE
    if ending == "revoked":
        timed.passes.revoke("Ann")

    second = timed.passes.make("Ann", may=["manage"], lasts=DAY)

    assert (timed.passes.find(first.token), timed.passes.find(second.token)) == (None, second.desk_pass)
    assert [each.expires_at for each in timed.passes.list()] == [clock.now + DAY, NOW + HOUR]


def test_of_two_makers_at_once_one_gets_the_name(timed: RaffleEngine) -> None:
    start = Barrier(4)

    def make(_: int) -> bool:
        start.wait()
        try:
            return bool(timed.passes.make("Ann", may=REDEEM, lasts=DAY))
        except InvalidValue:
            return False

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(make, range(4))) == [False, False, False, True]
    assert len(timed.passes.list()) == 1


def test_revoking_a_wrong_name_lists_the_valid_passes(timed: RaffleEngine) -> None:
    with pytest.raises(InvalidValue, match=r"name: no valid pass has this name\. There are no valid passes\."):
        timed.passes.revoke("Ann")
    for number in range(21):
        timed.passes.make(f"Desk {number:02}", may=REDEEM, lasts=DAY)

    with pytest.raises(InvalidValue, match=r"Valid: “Desk 00”, .*, “Desk 19” and 1 more\.$"):
        timed.passes.revoke("Ann")


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"name": "Ann\nBob"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": 7}, "name"),
        ({"may": []}, "may"),
        ({"may": ["everything"]}, "may"),
        ({"may": "everything"}, "may"),
        ({"lasts": MINUTE - timedelta(microseconds=1)}, "lasts"),
        ({"lasts": 400 * DAY + timedelta(microseconds=1)}, "lasts"),
        ({"lasts": 60}, "lasts"),
    ],
)
def test_a_pass_outside_the_limits_is_refused(timed: RaffleEngine, values: dict[str, object], field: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        timed.passes.make(**{"name": "Ann", "may": REDEEM, "lasts": DAY} | values)  # type: ignore[arg-type]  # wrong on purpose

    assert caught.value.field == field
    assert timed.passes.list() == []


def test_what_a_limit_just_allows_is_accepted(timed: RaffleEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "PASSES", 2)
    timed.passes.make("x" * 100, may="redeem", lasts=MINUTE)
    timed.passes.make("Ann", may=Right, lasts=400 * DAY)

    with pytest.raises(InvalidValue, match="there are 2 valid passes, the most possible; revoke some"):
        timed.passes.make("Bob", may=REDEEM, lasts=DAY)


def test_the_right_to_manage_includes_the_others() -> None:
    allowed = {
        only: {right for right in Right if DeskPass("Ann", frozenset({only}), NOW, NOW + DAY).allows(right)}
        for only in Right
    }

    assert allowed == {Right.REDEEM: {Right.REDEEM}, Right.SELL: {Right.SELL}, Right.MANAGE: set(Right)}


def test_a_win_names_the_pass_that_redeemed_or_forfeited_it(dated: Scene) -> None:
    redeemed, disqualified = dated.number(0), dated.number(1)
    engine, raffle = dated.engine, dated.raffle.id
    engine.redeem(raffle, *dated.code(redeemed), by="Eve")
    engine.redeem(raffle, *dated.code(redeemed), undo=True, by="Ann")
    engine.redeem(raffle, *dated.code(redeemed), by=" Ann ")
    engine.forfeit(raffle, disqualified, why="disqualified", reason="a relative", by="Bob")
    dated.clock.now += 10 * DAY
    engine.forfeit_unclaimed(raffle, by="Cleo")

    wins = dated.listed()

    assert [(win.redeemed_by, win.forfeited_by) for win in wins[:3]] == [("Ann", None), (None, "Bob"), (None, "Cleo")]
    assert wins[0].redeemed_at is not None
    assert Win(wins[0].ticket_number, "car", wins[0].redeemed_at, redeemed_by="Ann") == wins[0]


def test_an_undone_redemption_says_who_undid_it(scene: Scene, database_url: str) -> None:
    ticket = scene.code(scene.number(0))
    scene.engine.redeem(scene.raffle.id, *ticket, by="Ann")
    scene.engine.redeem(scene.raffle.id, *ticket, undo=True, by="Bob")

    assert run(database_url, "SELECT redeemed_by, undone_by FROM redemptions") == [("Ann", "Bob")]
    assert [win.redeemed_by for win in scene.listed()] == [None] * 3


def test_a_wrong_name_of_a_pass_changes_nothing(dated: Scene) -> None:
    number = dated.number(0)
    engine, raffle = dated.engine, dated.raffle.id
    calls: list[Callable[[], object]] = [
        lambda: engine.redeem(raffle, *dated.code(number), by=""),
        lambda: engine.forfeit(raffle, number, why="disqualified", reason="a relative", by="\u200b"),
        lambda: engine.forfeit_unclaimed(raffle, by="x" * 101),
    ]
    for call in calls:
        with pytest.raises(RaffleError, match=r"^by: "):
            call()

    assert dated.listed() == dated.wins
