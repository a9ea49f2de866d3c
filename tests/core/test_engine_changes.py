"""Terms change until the first ticket; whoever loaded a raffle before hands out tickets by the new ones."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rafflekit import (
    AlreadyParticipated,
    InvalidValue,
    InvitationNeeded,
    ManagersOnly,
    NotOpenYet,
    Prize,
    Raffle,
    RaffleEngine,
    RaffleError,
    RaffleNotFound,
    SoldOut,
    Ticket,
    TooLate,
    check_database,
)
from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.codes import CodeHasher
from rafflekit.core.protocol.notes import Note, SignerKey
from rafflekit.core.protocol.receipts import check_receipt
from tests.core.conftest import KEY
from tests.databases import open_engine, run
from tests.raffles import people

HUG = [Prize("hug")]
NOON = datetime(2999, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def signing_key() -> SignerKey:
    """What the engine signs with: `KEY`."""
    return KEY


def full_raffle(engine: RaffleEngine) -> Raffle:
    """Create a raffle that has every option."""
    return engine.create(
        "Foobar",
        total_tickets=9,
        prizes=[Prize("car"), Prize("hug", 3)],
        entropy="drand-quicknet",
        delay_s=90,
        entry="invitation",
        tickets_each=2,
        opens_at=NOON,
        closes_at=NOON + timedelta(days=1),
        draw_at=NOON + timedelta(days=2),
        claim_days=30,
        promoter="Scouts",
        price="£1",
        note="Over 18s only",
    )


@pytest.mark.parametrize(
    ("changes", "terms"),
    [
        ({"name": " Straße "}, {"name": "Straße"}),
        ({"total_tickets": 10**12}, {"total_tickets": 10**12}),
        ({"prizes": [Prize(" tea ", 2)]}, {"prizes": (Prize("tea", 2),)}),
        ({"total_tickets": 1, "prizes": HUG}, {"total_tickets": 1, "prizes": (Prize("hug"),)}),
        ({"delay_s": 120}, {"delay_s": 120}),
        ({"entropy": "drand-quicknet"}, {}),
        ({"entropy": "secrets"}, {"entropy": "secrets", "delay_s": None}),
        ({"entropy": "announced", "source": "dice"}, {"entropy": "announced", "source": "dice", "delay_s": None}),
        ({"entry": "desk"}, {"entry": "desk"}),
        ({"entry": None}, {"entry": "address"}),
        ({"tickets_each": 1_000}, {"tickets_each": 1_000}),
        ({"tickets_each": None}, {"tickets_each": 1}),
        ({"opens_at": NOON + timedelta(hours=1)}, {"opens_at": NOON + timedelta(hours=1)}),
        (
            {"opens_at": None, "closes_at": None, "claim_days": None},
            dict.fromkeys(("opens_at", "closes_at", "claim_days")),
        ),
        (
            {"draw_at": NOON + timedelta(days=1), "note": " Come early "},
            {"draw_at": NOON + timedelta(days=1), "note": "Come early"},
        ),
        ({"price": None, "draw_at": None, "promoter": None}, dict.fromkeys(("price", "draw_at", "promoter"))),
        ({"entropy": None}, {"entropy": "secrets", "delay_s": None}),
        ({}, {}),
    ],
)
def test_a_change_keeps_every_other_term(engine: RaffleEngine, changes: dict[str, Any], terms: dict[str, Any]) -> None:
    others = [engine.create("Before", total_tickets=9, prizes=HUG)]
    raffle = full_raffle(engine)
    others.append(engine.create("After", total_tickets=9, prizes=HUG))

    changed = engine.change(raffle.id, **changes)

    assert changed == engine.get(raffle.id) == engine.list().items[1]
    for name in raffle.terms.__dataclass_fields__:
        assert getattr(changed.terms, name) == terms.get(name, getattr(raffle.terms, name))
    assert [engine.get(other.id) for other in others] == others


def test_a_renamed_raffle_is_found_by_its_new_name(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=HUG)

    engine.change(raffle.id, name="Tombola am FLUẞ")

    assert engine.find("tombola am fluss").id == raffle.id
    assert engine.list(name="foo").count == 0


def test_a_change_can_be_tried_without_storing_it(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=HUG)

    shown = engine.change(raffle.id, dry_run=True, name="Another", opens_at=NOON)

    assert (shown.id, shown.name, shown.state, shown.available_tickets) == (raffle.id, "Another", "upcoming", 9)
    assert engine.get(raffle.id) == raffle
    with pytest.raises(InvalidValue, match="Too many prizes"):
        engine.change(raffle.id, dry_run=True, total_tickets=9, prizes=[Prize("hug", 10)])


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"total_tickets": 3}, "prizes"),
        ({"prizes": [Prize("hug", 10)]}, "prizes"),
        ({"prizes": []}, "prizes"),
        ({"prizes": None}, "prizes"),
        ({"name": None}, "name"),
        ({"name": "\u200b"}, "name"),
        ({"total_tickets": None}, "total_tickets"),
        ({"entropy": "announced"}, "source"),
        ({"entropy": "secrets", "delay_s": 60}, "delay_s"),
        ({"entropy": "dice"}, "entropy"),
        ({"source": "dice"}, "source"),
        ({"closes_at": NOON}, "closes_at"),
        ({"opens_at": NOON + timedelta(days=1)}, "closes_at"),
        ({"closes_at": NOON + timedelta(days=3)}, "draw_at"),
        ({"draw_at": None}, "draw_at"),
        ({"promoter": None}, "promoter"),
        ({"tickets_each": 0}, "tickets_each"),
        ({"claim_days": 0}, "claim_days"),
        ({"id": "3f0c"}, "id"),
        ({"created_at": NOON}, "created_at"),
        ({"issued": 5}, "issued"),
    ],
)
def test_a_change_that_breaks_a_limit_changes_nothing(
    engine: RaffleEngine, changes: dict[str, Any], field: str
) -> None:
    raffle = full_raffle(engine)

    for dry_run in (True, False):
        with pytest.raises(InvalidValue) as refusal:
            engine.change(raffle.id, dry_run=dry_run, **changes)
        assert refusal.value.field == field
    assert engine.get(raffle.id) == raffle


def test_terms_are_final_from_the_first_ticket_on(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=2, prizes=HUG)

    for sold in ("1 ticket has", "2 tickets have"):
        engine.participate(raffle.id, sold)
        for dry_run in (True, False):
            with pytest.raises(TooLate, match=f"The terms are final: {sold} been handed out"):
                engine.change(raffle.id, dry_run=dry_run, name="Another")
    engine.draw(raffle.id)
    with pytest.raises(TooLate, match="The terms are final"):
        engine.change(raffle.id, name="Another")
    assert engine.get(raffle.id).name == "Foobar"


def test_a_cancelled_raffle_cannot_be_changed(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=2, prizes=HUG)
    engine.cancel(raffle.id, "rain")

    with pytest.raises(TooLate, match="This raffle was cancelled on"):
        engine.change(raffle.id, name="Another")


def test_a_raffle_that_nobody_came_to_gets_another_time(database_url: str) -> None:
    now = datetime(2026, 11, 23, 9, tzinfo=UTC)
    with open_engine(database_url, clock=lambda: now) as engine:
        raffle = engine.create("Foobar", total_tickets=2, prizes=HUG, closes_at=now + timedelta(hours=1))
    later = now + timedelta(hours=2)
    with open_engine(database_url, clock=lambda: later) as engine:
        with pytest.raises(SoldOut):
            engine.participate(raffle.id, "ann")

        assert engine.change(raffle.id, closes_at=now + timedelta(hours=3)).state == "open"

        assert engine.participate(raffle.id, "ann")


def test_the_check_in_a_change_is_repeated_under_the_lock(
    engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A ticket may be handed out after the raffle was read."""
    raffle = engine.create("Foobar", total_tickets=2, prizes=HUG)
    engine.participate(raffle.id, "ann")
    monkeypatch.setattr(engine._lookups, "get", lambda _: raffle)

    with pytest.raises(TooLate):
        engine.change(raffle.id, name="Another")

    assert engine.list().items[0].name == "Foobar"


def changing(change: Callable[[], object]) -> CodeHasher:
    """Return a hasher that changes something once, after a raffle was loaded and before its tickets are stored."""

    class ChangingHasher(CodeHasher):
        is_changed = False

        def hash_all(self, codes: Sequence[str]) -> list[str]:
            if not self.is_changed:
                self.is_changed = True
                change()
            return super().hash_all(codes)

    return ChangingHasher()


def test_a_ticket_that_was_begun_follows_the_new_terms(database_url: str, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=10**12, prizes=HUG)
    hasher = changing(lambda: engine.change(raffle.id, total_tickets=2, name="Another"))
    with open_engine(database_url, signing_key=KEY, code_hasher=hasher) as stale:
        ticket = stale.participate(raffle.id, "ann")
        last = stale.participate(raffle.id, "bob")

    assert {ticket.number, last.number} == {1, 2}
    changed = engine.get(raffle.id)
    assert (changed.name, changed.available_tickets) == ("Another", 0)
    for each in (ticket, last):
        assert each.receipt is not None
        assert check_receipt(each.receipt, raffle.id, KEY.verifier).terms == changed.terms.hash()
    assert Checkpoint.read(Note.read(engine.proofs.checkpoint(raffle.id)).text).terms == changed.terms.hash()
    assert check_database(database_url, signing_key=KEY).problems == ()
    engine.draw(raffle.id)
    for each in (ticket, last):
        engine.verify(raffle.id, each.number, each.verification_code)


def test_a_ticket_of_a_changed_entry_rule_has_the_code_it_shows(database_url: str, engine: RaffleEngine) -> None:
    """Another rule identifies another participant, whose idempotency key gives another code."""
    raffle = engine.create("Foobar", total_tickets=1, prizes=HUG, entry="invitation")
    (code,) = engine.invitations(raffle.id, 1)
    hasher = changing(lambda: engine.change(raffle.id, entry="address"))
    with open_engine(database_url, signing_key=KEY, code_hasher=hasher) as stale:
        ticket = stale.participate(raffle.id, address="192.0.2.1", invitation=code, idempotency_key="k" * 16)

    engine.draw(raffle.id)

    assert engine.verify(raffle.id, ticket.number, ticket.verification_code).has_won


@pytest.mark.parametrize("field", ["closes_at", "draw_at"])
def test_a_raffle_cannot_be_changed_to_end_in_the_past(engine: RaffleEngine, field: str) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=HUG)

    with pytest.raises(InvalidValue, match=f"{field}: must be"):
        engine.change(raffle.id, **{field: datetime.now(UTC)})  # type: ignore[misc]  # either of two keywords


def test_a_raffle_can_be_drawn_before_its_planned_draw(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=HUG, draw_at=NOON)
    engine.participate(raffle.id, "ann")

    assert len(engine.draw(raffle.id)) == 1


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"entry": "desk"}, ManagersOnly),
        ({"entry": "invitation"}, InvitationNeeded),
        ({"opens_at": NOON}, NotOpenYet),
    ],
)
def test_a_ticket_that_was_begun_is_refused_by_the_new_terms(
    database_url: str, engine: RaffleEngine, changes: dict[str, Any], refusal: type[RaffleError]
) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=HUG)
    hasher = changing(lambda: engine.change(raffle.id, **changes))
    with (
        open_engine(database_url, signing_key=KEY, code_hasher=hasher) as stale,
        pytest.raises(refusal),
    ):
        stale.participate(raffle.id, address="203.0.113.7")

    assert engine.get(raffle.id).issued == 0


def test_a_stale_limit_of_tickets_each_does_not_count(database_url: str, engine: RaffleEngine) -> None:
    for before, after, kinds in (
        (3, 1, [Ticket, AlreadyParticipated, AlreadyParticipated]),
        (1, 3, [Ticket, Ticket, Ticket]),
    ):
        raffle = engine.create("Foobar", total_tickets=9, prizes=HUG, tickets_each=before)
        with open_engine(database_url, signing_key=KEY) as stale:
            outcomes = stale.participate_many(raffle.id, ["ann"] * 3)
            engine.change(raffle.id, tickets_each=after)

            assert [type(outcome) for outcome in outcomes] == kinds
        assert engine.get(raffle.id).issued == kinds.count(Ticket)


def test_a_list_that_was_begun_follows_the_new_terms(database_url: str, engine: RaffleEngine) -> None:
    """It may be longer than what is stored at once."""
    raffle = engine.create("Foobar", total_tickets=10**6, prizes=HUG)
    with open_engine(database_url, signing_key=KEY) as stale:
        outcomes = stale.participate_many(raffle.id, people(1_100))
        engine.change(raffle.id, total_tickets=1_050)

        answers = list(outcomes)

    tickets = [answer for answer in answers if isinstance(answer, Ticket)]
    assert sorted(ticket.number for ticket in tickets) == list(range(1, 1_051))
    assert {type(answer) for answer in answers[1_050:]} == {SoldOut}
    assert engine.get(raffle.id).state == "closed"
    assert check_database(database_url, signing_key=KEY).problems == ()


def test_a_change_and_a_first_ticket_elsewhere_are_both_seen(database_url: str, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=10**12, prizes=HUG, tickets_each=5)

    def change_and_sell() -> None:
        engine.change(raffle.id, total_tickets=3, tickets_each=1)
        engine.participate(raffle.id, "ann")

    with open_engine(database_url, signing_key=KEY, code_hasher=changing(change_and_sell)) as stale:
        with pytest.raises(AlreadyParticipated):
            stale.participate(raffle.id, "ann")
        assert stale.participate(raffle.id, "bob").number in (1, 2, 3)

    assert check_database(database_url, signing_key=KEY).problems == ()


def test_a_repeat_survives_a_change_of_terms(database_url: str, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=HUG)
    key = "an idempotency key"
    hasher = changing(lambda: engine.change(raffle.id, total_tickets=3))
    with open_engine(database_url, signing_key=KEY, code_hasher=hasher) as stale:
        ticket = stale.participate(raffle.id, "ann", idempotency_key=key)

        assert stale.participate(raffle.id, "ann", idempotency_key=key) == ticket
    assert engine.participate(raffle.id, "ann", idempotency_key=key) == ticket


def test_a_raffle_that_is_deleted_meanwhile_is_not_found(database_url: str, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=HUG)

    def delete() -> None:
        for table in ("secrets", "counters", "prizes", "raffles"):
            run(database_url, f"DELETE FROM {table}")

    with (
        open_engine(database_url, signing_key=KEY, code_hasher=changing(delete)) as stale,
        pytest.raises(RaffleNotFound),
    ):
        stale.participate(raffle.id, "ann")
