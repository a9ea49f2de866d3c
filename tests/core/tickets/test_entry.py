"""The entry rules: who may take a ticket, and who the participant is."""

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

import pytest

from rafflekit import (
    AlreadyParticipated,
    Entry,
    InvalidValue,
    InvitationNeeded,
    ManagersOnly,
    Prize,
    Raffle,
    RaffleEngine,
    RaffleError,
    Ticket,
)
from rafflekit.core.protocol import codes
from rafflekit.core.protocol.codes import CodeHasher
from tests.databases import open_engine, run

HUG = [Prize("hug")]
ADDRESS, OTHER = "203.0.113.7", "203.0.113.8"
KEY = "an idempotency key"


def raffle_for(engine: RaffleEngine, entry: str, each: int = 1) -> Raffle:
    return engine.create("Foobar", total_tickets=20, prizes=HUG, entry=entry, tickets_each=each)


def kinds(outcomes: Sequence[Ticket | RaffleError]) -> list[type]:
    return [type(outcome) for outcome in outcomes]


@pytest.mark.parametrize("entry", ["address", "invitation", "desk"])
def test_a_manager_names_anyone_under_every_rule(engine: RaffleEngine, entry: str) -> None:
    raffle = raffle_for(engine, entry)

    engine.participate(raffle.id, "ann@example.org")
    # The manager's own address does not matter.
    engine.participate(raffle.id, "bob@example.org", address=ADDRESS)
    with pytest.raises(InvalidValue, match="invitation: must not be given for a participant who is named"):
        engine.participate(raffle.id, "cid@example.org", invitation="any code")

    for name in ("ann@example.org", " Ann@Example.org", "ann@\u200bexample.org"):
        with pytest.raises(AlreadyParticipated, match="This participant already has"):
            engine.participate(raffle.id, name)
    assert engine.get(raffle.id).available_tickets == 18


def test_an_address_takes_part_once_by_itself(engine: RaffleEngine) -> None:
    raffle = raffle_for(engine, "address")
    engine.participate(raffle.id, address=ADDRESS)

    with pytest.raises(AlreadyParticipated, match="Your ip address has already participated in this raffle"):
        engine.participate(raffle.id, address=f"::ffff:{ADDRESS}", invitation="ignored")
    engine.participate(raffle.id, address=OTHER)

    # Who is named by an address is who asks from it.
    with pytest.raises(AlreadyParticipated):
        engine.participate(raffle.id, OTHER)


def test_an_address_is_needed_where_it_is_the_participant(engine: RaffleEngine) -> None:
    raffle = raffle_for(engine, "address")

    with pytest.raises(InvalidValue, match="invitation: is not needed"):
        engine.participate(raffle.id, invitation="no code")


@pytest.mark.parametrize("entry", ["address", "invitation", "desk"])
def test_no_one_gets_a_ticket_without_any_name(engine: RaffleEngine, entry: str) -> None:
    raffle = raffle_for(engine, entry)

    with pytest.raises(InvalidValue, match="participant: is missing: say who gets the ticket"):
        engine.participate(raffle.id)
    assert engine.get(raffle.id).available_tickets == 20


def test_an_invitation_gives_its_tickets_from_any_address(engine: RaffleEngine) -> None:
    raffle = raffle_for(engine, "invitation", each=2)
    first, second = engine.invitations(raffle.id, 2)

    for address in (ADDRESS, OTHER):
        engine.participate(raffle.id, address=address, invitation=first.lower())
    with pytest.raises(AlreadyParticipated, match="This invitation has been used already"):
        engine.participate(raffle.id, address="203.0.113.9", invitation=first)
    engine.participate(raffle.id, address=ADDRESS, invitation=second)

    assert engine.get(raffle.id).available_tickets == 17


def test_without_a_valid_invitation_no_ticket_is_given(engine: RaffleEngine) -> None:
    raffle, another = raffle_for(engine, "invitation"), raffle_for(engine, "invitation")
    foreign = engine.invitations(another.id, 1)[0]

    for invitation in (None, "", "no code", foreign, "0000-0000-0000-0000-0000-0000"):
        with pytest.raises(InvitationNeeded, match="A valid invitation code is needed"):
            engine.participate(raffle.id, address=ADDRESS, invitation=invitation)
    assert engine.get(raffle.id).available_tickets == 20


def test_a_wrong_invitation_uses_nothing_up(engine: RaffleEngine) -> None:
    """Nor does an address: it may try again, and a right one is as good as before."""
    raffle = raffle_for(engine, "invitation")
    right = engine.invitations(raffle.id, 1)[0]
    with pytest.raises(InvitationNeeded):
        engine.participate(raffle.id, address=ADDRESS, invitation="no code", idempotency_key=KEY)

    assert engine.participate(raffle.id, address=ADDRESS, invitation=right, idempotency_key=KEY)


def test_a_wrong_invitation_costs_what_a_right_one_does(database_url: str) -> None:
    hashed: list[int] = []

    class NotingHasher(CodeHasher):
        def hash_all(self, codes: Sequence[str]) -> list[str]:
            hashed.append(len(codes))
            return super().hash_all(codes)

    with open_engine(database_url, code_hasher=NotingHasher()) as engine:
        raffle = raffle_for(engine, "invitation")
        right, used = engine.invitations(raffle.id, 2)
        engine.participate(raffle.id, address=ADDRESS, invitation=used)
        engine.participate(raffle.id, address=ADDRESS, invitation=right)
        for invitation in ("no code", used):
            with pytest.raises((InvitationNeeded, AlreadyParticipated)):
                engine.participate(raffle.id, address=ADDRESS, invitation=invitation)

    assert hashed == [1, 1, 1, 1]


def test_a_name_is_not_an_invitations_or_an_addresss(database_url: str, engine: RaffleEngine) -> None:
    """The text that stands for an invitation cannot be typed as a name."""
    raffle = raffle_for(engine, "invitation")
    engine.participate(raffle.id, invitation=engine.invitations(raffle.id, 1)[0])

    for name in ("invitation 1", "1", "\\0invitation 1"):
        engine.participate(raffle.id, name)
    with pytest.raises(InvalidValue, match="control characters"):
        engine.participate(raffle.id, "\0invitation 1")
    assert run(database_url, "SELECT count(*), count(DISTINCT participant) FROM tickets") == [(4, 4)]


def test_a_desk_refuses_everyone_who_asks_for_themselves(engine: RaffleEngine) -> None:
    raffle = raffle_for(engine, "desk")

    for asked in ({"address": ADDRESS}, {"invitation": "no code"}, {"address": ADDRESS, "idempotency_key": KEY}):
        with pytest.raises(ManagersOnly, match="Tickets to this raffle are handed out by its managers"):
            engine.participate(raffle.id, **asked)
    assert engine.get(raffle.id).available_tickets == 20


def test_a_refusal_by_the_rule_makes_and_hashes_no_code(database_url: str) -> None:
    class NoHasher(CodeHasher):
        def hash_all(self, codes: Sequence[str]) -> list[str]:
            raise AssertionError(codes)

    with open_engine(database_url, code_hasher=NoHasher()) as engine:
        desk, invited = raffle_for(engine, "desk"), raffle_for(engine, "invitation")

        with pytest.raises(ManagersOnly):
            engine.participate(desk.id, address=ADDRESS)
        with pytest.raises(InvitationNeeded):
            engine.participate(invited.id, address=ADDRESS)


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"participant": ""}, "participant"),
        ({"participant": "\u200b"}, "participant"),
        ({"participant": 7}, "participant"),
        ({"address": ""}, "participant"),
        ({"address": 7}, "participant"),
        ({"address": ADDRESS, "invitation": 7}, "invitation"),
        ({"address": ADDRESS, "idempotency_key": "short"}, "idempotency_key"),
    ],
)
def test_values_of_a_request_are_checked_before_the_raffle(
    engine: RaffleEngine, asked: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidValue) as refusal:
        engine.participate(uuid4(), **asked)

    assert refusal.value.field == field


@pytest.mark.parametrize("each", [1, 2, 1_000])
def test_no_participant_gets_more_tickets_than_announced(engine: RaffleEngine, each: int) -> None:
    raffle = engine.create("Foobar", total_tickets=5_000, prizes=HUG, tickets_each=each)

    outcomes = list(engine.participate_many(raffle.id, ["ann"] * (each + 2) + ["bob"]))

    assert kinds(outcomes) == [Ticket] * each + [AlreadyParticipated] * 2 + [Ticket]
    assert engine.get(raffle.id).available_tickets == 5_000 - each - 1
    tickets = [outcome for outcome in outcomes if isinstance(outcome, Ticket)]
    assert (
        len({ticket.number for ticket in tickets}) == len({ticket.verification_code for ticket in tickets}) == each + 1
    )


def test_every_ticket_of_a_participant_can_be_repeated(database_url: str) -> None:
    with open_engine(database_url) as engine:
        raffle = raffle_for(engine, "address", each=3)
        asked = [Entry("ann", f"{KEY} {place}") for place in range(3)]
        first = list(engine.participate_many(raffle.id, asked))
        assert len({ticket.number for ticket in first if isinstance(ticket, Ticket)}) == 3

    with open_engine(database_url) as engine:
        again = [engine.participate(raffle.id, "ann", idempotency_key=each.idempotency_key) for each in asked]
        assert again == first
        assert list(engine.participate_many(raffle.id, asked[::-1])) == first[::-1]
        # The same keys are another participant's own.
        others = list(engine.participate_many(raffle.id, [Entry("bob", each.idempotency_key) for each in asked]))
        assert kinds(others) == [Ticket] * 3
        for key in (None, f"{KEY} 3"):
            with pytest.raises(AlreadyParticipated, match="already has all 3 tickets"):
                engine.participate(raffle.id, "ann", idempotency_key=key)


def test_a_participant_of_several_can_win_several(engine: RaffleEngine) -> None:
    """Each ticket wins at most one prize."""
    raffle = engine.create("Foobar", total_tickets=6, prizes=[Prize("hug", 6)], tickets_each=5)
    tickets = [engine.participate(raffle.id, name) for name in ("ann", "ann", "bob", "ann", "ann", "ann")]

    wins = engine.draw(raffle.id)

    assert sorted(win.ticket_number for win in wins) == [1, 2, 3, 4, 5, 6]
    for ticket in tickets:
        assert engine.verify(raffle.id, ticket.number, ticket.verification_code).prize == "hug"


def test_a_participants_hash_is_the_same_for_each_ticket(database_url: str, engine: RaffleEngine) -> None:
    raffle = raffle_for(engine, "address", each=3)
    for _ in range(3):
        engine.participate(raffle.id, "ann")

    rows = run(database_url, "SELECT nth, participant, repeat_hash FROM tickets ORDER BY serial")

    assert [row[0] for row in rows] == [1, 2, 3]
    assert len({bytes(row[1]) for row in rows}) == 1
    assert len({bytes(row[2]) for row in rows}) == 3


def test_no_invitation_is_stored_in_plain(database_url: str, engine: RaffleEngine) -> None:
    raffle = raffle_for(engine, "invitation")
    code = engine.invitations(raffle.id, 1)[0]
    engine.participate(raffle.id, address=ADDRESS, invitation=code)

    stored = repr(run(database_url, "SELECT * FROM tickets")) + repr(run(database_url, "SELECT * FROM raffles"))

    assert code not in stored
    assert repr(codes.unspell(codes.read(code) or ""))[2:-1] not in stored
