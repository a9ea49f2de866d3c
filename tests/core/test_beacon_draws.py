"""Draws that a beacon of drand decides: round 1000 of quicknet, which is real."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from rafflekit import (
    BeaconNotPublished,
    BeaconUnavailable,
    InvalidValue,
    Prize,
    Raffle,
    RaffleEngine,
    TicketsRemaining,
    check_database,
)
from rafflekit.core import relays
from rafflekit.core.protocol.audit import audit
from rafflekit.core.protocol.entropy.drand import Beacon, round_of, time_of
from rafflekit.core.protocol.notes import WITNESS, Note, SignerKey
from tests.databases import open_engine, past_the_rules
from tests.raffles import sell_all

ROUND = 1000
SIGNATURE = "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"
KEY = SignerKey.make("raffles.example.org")


class Clock:
    """A clock that shows the time that it is set to; at first a minute before the beacon."""

    def __init__(self) -> None:
        self.now = time_of(ROUND) - 60

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.now, UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def engine(database_url: str, clock: Clock) -> Iterator[RaffleEngine]:
    """An engine whose relays have the real beacon, on each kind of database."""

    def beacons(round: int) -> Beacon:
        assert round == ROUND
        return Beacon(ROUND, bytes.fromhex(SIGNATURE))

    with open_engine(database_url, clock=clock, signing_key=KEY, beacons=beacons) as opened:
        yield opened


def closed_raffle(engine: RaffleEngine, *, delay_s: int | None = None) -> Raffle:
    raffle = engine.create(
        "Foobar", total_tickets=9, prizes=[Prize("hug", 3)], entropy="drand-quicknet", delay_s=delay_s
    )
    sell_all(engine, raffle)
    return engine.get(raffle.id)


def outcomes(engine: RaffleEngine, raffle: Raffle, **known: object) -> dict[str, str]:
    """Return what an audit says of each step of a raffle's proof."""
    document = json.dumps(engine.proofs.proof(raffle.id).shape())
    return {step.name: step.outcome for step in audit(document, key=str(KEY.verifier), **known).steps}  # type: ignore[arg-type]  # of several types


def test_a_created_raffle_knows_its_source_and_delay(engine: RaffleEngine) -> None:
    created = engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")], entropy="drand-quicknet", delay_s=90)

    assert (created.terms.entropy, created.terms.delay_s) == ("drand-quicknet", 90)
    assert engine.get(created.id) == created


def test_a_draw_waits_for_the_beacon_that_its_closing_names(engine: RaffleEngine, clock: Clock) -> None:
    raffle = closed_raffle(engine)
    assert (raffle.terms.entropy, raffle.terms.delay_s) == ("drand-quicknet", 60)
    for waiting_s in (60, 1):
        clock.now = time_of(ROUND) - waiting_s
        with pytest.raises(BeaconNotPublished, match="has not been published yet") as early:
            engine.draw(raffle.id)
        assert early.value.retry_after_s == waiting_s
        assert early.value.published_at == datetime.fromtimestamp(time_of(ROUND), UTC)
    assert not engine.get(raffle.id).winners_drawn

    clock.now = time_of(ROUND)
    wins = engine.draw(raffle.id)

    assert list(engine.winners(raffle.id).items) == list(wins)
    said = outcomes(engine, raffle)
    assert "wrong" not in said.values()
    assert (said["entropy"], said["seed"], said["winners"]) == ("ok", "ok", "ok")
    assert said["witnessed"] == "not proven"


def test_a_closing_and_a_beacon_always_give_the_same_winners(engine: RaffleEngine, clock: Clock) -> None:
    raffle = closed_raffle(engine)
    clock.now = time_of(ROUND)
    engine.draw(raffle.id)
    proof = engine.proofs.proof(raffle.id)

    assert (proof.entropy.round, proof.entropy.value.hex()) == (ROUND, SIGNATURE)
    assert engine.proofs.proof(raffle.id) == proof


WRONG_CLOSING = "its closing is from before the raffle, or its round does not match its time"


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("DELETE FROM draws", "it is drawn, but its draw record is missing; restore a backup"),
        ("UPDATE draws SET entropy = winners_digest", "the entropy of its draw is damaged"),
        ("UPDATE raffles SET entropy = 'secrets', delay_s = NULL", WRONG_CLOSING),
        ("UPDATE raffles SET closed_at = closed_at + 3", WRONG_CLOSING),
    ],
)
def test_a_check_up_checks_the_entropy_of_a_draw(
    engine: RaffleEngine, clock: Clock, database_url: str, statement: str, problem: str
) -> None:
    raffle = closed_raffle(engine)
    clock.now = time_of(ROUND)
    engine.draw(raffle.id)
    assert check_database(database_url, signing_key=KEY).problems == ()

    past_the_rules(database_url, statement)

    assert f"Raffle {raffle.id}: {problem}." in check_database(database_url, signing_key=KEY).problems


@pytest.mark.parametrize("false", [Beacon(ROUND, bytes(48)), Beacon(ROUND, bytes.fromhex("c0" + 94 * "0"))])
def test_a_source_of_beacons_is_not_trusted(database_url: str, clock: Clock, false: Beacon) -> None:
    with open_engine(database_url, clock=clock, signing_key=KEY, beacons=lambda _: false) as engine:
        raffle = closed_raffle(engine)
        clock.now = time_of(ROUND)

        with pytest.raises(BeaconUnavailable, match="is not round 1000 of drand's quicknet"):
            engine.draw(raffle.id)

        assert not engine.get(raffle.id).winners_drawn


def test_without_a_network_the_beacon_is_given_as_text(engine: RaffleEngine) -> None:
    raffle = closed_raffle(engine)

    assert len(engine.draw(raffle.id, value=f"{SIGNATURE}\n")) == 3

    assert outcomes(engine, raffle)["entropy"] == "ok"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("", "is not round 1000 of drand's quicknet"),
        (SIGNATURE[:-1] + "8", "is not round 1000 of drand's quicknet"),
        (json.dumps({"round": 999, "signature": SIGNATURE}), "round 999, not of round 1000"),
    ],
)
def test_a_wrong_beacon_is_refused_and_nothing_is_drawn(engine: RaffleEngine, value: str, words: str) -> None:
    raffle = closed_raffle(engine)

    with pytest.raises(InvalidValue, match=words) as refusal:
        engine.draw(raffle.id, value=value)

    assert refusal.value.field == "value"
    assert not engine.get(raffle.id).winners_drawn


def test_a_beacon_of_another_round_is_refused(engine: RaffleEngine) -> None:
    raffle = closed_raffle(engine, delay_s=63)

    with pytest.raises(InvalidValue, match="is not round 1001"):
        engine.draw(raffle.id, value=SIGNATURE)


def test_secrets_take_no_beacon(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=2, prizes=[Prize("hug")])
    sell_all(engine, raffle)

    with pytest.raises(InvalidValue, match="does not belong to this raffle"):
        engine.draw(raffle.id, value=SIGNATURE)


def test_a_refused_draw_asks_for_no_beacon(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=2, prizes=[Prize("hug")], entropy="drand-quicknet")

    with pytest.raises(TicketsRemaining):
        engine.draw(raffle.id)


def test_without_a_relays_answer_a_raffle_stays_unchanged(database_url: str, clock: Clock) -> None:
    def beacons(round: int) -> Beacon:
        raise relays.NoRelayGaveIt(round, {"https://relay.example": "it is away"})

    with open_engine(database_url, clock=clock, beacons=beacons) as engine:
        raffle = closed_raffle(engine)
        clock.now = time_of(ROUND)
        with pytest.raises(BeaconUnavailable, match=r"relay\.example: it is away"):
            engine.draw(raffle.id)

        assert not engine.get(raffle.id).winners_drawn
        assert len(engine.draw(raffle.id, value=SIGNATURE)) == 3


@pytest.mark.parametrize(
    ("entropy", "delay_s", "field"),
    [
        ("dice", None, "entropy"),
        (None, None, "entropy"),
        ("secrets", 60, "delay_s"),
        *[("drand-quicknet", delay_s, "delay_s") for delay_s in (0, -1, 604_801, True, "60", 1.5)],
    ],
)
def test_an_unknown_source_or_a_wrong_delay_is_refused(
    engine: RaffleEngine, entropy: object, delay_s: object, field: str
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")], entropy=entropy, delay_s=delay_s)  # type: ignore[arg-type]  # wrong on purpose

    assert refusal.value.field == field
    assert engine.list().count == 0


def test_a_witness_before_the_beacon_proves_the_final_list(engine: RaffleEngine, clock: Clock) -> None:
    witness = SignerKey.make("gazette.example", kind=WITNESS)
    raffle = closed_raffle(engine)
    closing = engine.proofs.checkpoint(raffle.id)
    text = Note.read(closing).text
    late = closing + witness.line(text, time=time_of(ROUND))
    with pytest.raises(InvalidValue, match="was cosigned after the beacon was published"):
        engine.proofs.cosign(raffle.id, late, str(witness.verifier))

    engine.proofs.cosign(raffle.id, closing + witness.line(text, time=clock.now + 5), str(witness.verifier))
    engine.draw(raffle.id, value=SIGNATURE)

    said = outcomes(engine, raffle, witnesses=[str(witness.verifier)])
    assert (said["witnesses"], said["witnessed"]) == ("ok", "ok")


def test_the_operator_is_not_a_witness(engine: RaffleEngine) -> None:
    own = SignerKey(KEY.name, WITNESS, KEY.private)
    raffle = closed_raffle(engine)
    closing = engine.proofs.checkpoint(raffle.id)

    for key, words in ((own, "a witness needs its own key"), (KEY, "is not a witness's key")):
        note = closing + own.line(Note.read(closing).text, time=time_of(ROUND) - 1)
        with pytest.raises(InvalidValue, match=words):
            engine.proofs.cosign(raffle.id, note, str(key.verifier))


def test_no_raffle_closes_before_its_creation(engine: RaffleEngine, clock: Clock) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")], entropy="drand-quicknet")
    clock.now -= 1_000

    engine.participate(raffle.id, "ann")

    end = engine._ledgers.closing_of(engine.get(raffle.id)).end
    assert end is not None
    assert end.closed == time_of(ROUND) - 60
    assert end.round == round_of(end.closed, 60) == ROUND
