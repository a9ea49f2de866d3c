"""Who gets a ticket, decided on values alone: no database, no clock, no randomness."""

from collections import Counter as Count
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit import (
    AlreadyParticipated,
    Cancelled,
    Entry,
    InvitationNeeded,
    ManagersOnly,
    NotOpenYet,
    Prize,
    RaffleNotFound,
    SoldOut,
)
from rafflekit.core.protocol.terms import Terms
from rafflekit.core.records import Counter, Held, Holder, RaffleKeys
from rafflekit.core.tickets.deciding import RANDOM_BYTES, Decision, Given, Wish, decide
from rafflekit.core.tickets.invitations import invitation_of
from rafflekit.core.tickets.numbering import Numbering

KEY = bytes(range(32))
NOW = datetime(2026, 11, 23, 9, 0, 0, 500, UTC)
FIRST, SECOND = UUID(int=1), UUID(int=2)
REPEAT = "a key of sixteen or more"
OPEN = Counter(0, None, is_closed=False, is_cancelled=False)


def terms(tickets: int = 10, *, raffle: UUID = FIRST, **options: Any) -> Terms:
    return Terms(raffle, "Foobar", NOW - timedelta(days=1), tickets, (Prize("hug"),), **options)


def wish(person: str | None, key: str | None = None, *, of: Terms | None = None, **asked: str) -> Wish:
    """A wish that is prepared: without a key, it has its own code and its own hash of a repeat."""
    of = of or terms()
    made = Wish(of.id, of, RaffleKeys(KEY, KEY, KEY), Numbering(KEY, of.total_tickets), Entry(person, key, **asked))
    made.identify()
    number = next(_numbers)
    if key is None:
        made.take_random(number.to_bytes(RANDOM_BYTES))
    made.code_hash = f"hash {number}"
    return made


_numbers = count()


def held_by(*wishes: Wish, is_finished: bool = False) -> dict[Holder, Held]:
    """What participants hold who were served before, numbered from 100."""
    held: dict[Holder, Held] = {}
    for place, each in enumerate(wishes):
        before = held.get(each.holder, Held(0, {}))
        numbers = {**before.numbers, each.repeat_hash: 100 + place}
        held[each.holder] = Held(before.count + 1, numbers, is_finished)
    return held


def decided(
    wishes: Sequence[Wish],
    held: Mapping[Holder, Held] | None = None,
    issued: int = 0,
    *,
    now: datetime = NOW,
    **counter: bool,
) -> Decision:
    return decide(wishes, held or {}, {FIRST: OPEN._replace(issued=issued, **counter)}, now=now)


def kinds(decision: Decision) -> list[type]:
    return [type(answer) for answer in decision.answers]


def test_new_tickets_take_the_next_serials_in_order() -> None:
    numbering = Numbering(KEY, 10)

    decision = decided([wish("ann"), wish("ben")], issued=4)

    assert [(ticket.serial, ticket.number, ticket.nth) for ticket in decision.new] == [
        (serial, numbering.number(serial), 1) for serial in (4, 5)
    ]
    assert decision.answers == [Given(ticket.number, ticket.serial) for ticket in decision.new]
    assert (decision.issued, list(decision.closed)) == ({FIRST: 6}, [])
    assert {ticket.issued_at for ticket in decision.new} == {int(NOW.timestamp())}


def test_a_participant_twice_in_a_group_gets_one_ticket() -> None:
    decision = decided([wish("ann"), wish("Ann")])

    assert kinds(decision) == [Given, AlreadyParticipated]
    assert len(decision.new) == 1


def test_a_repeat_in_the_same_group_gets_the_same_ticket() -> None:
    decision = decided([wish("ann", REPEAT), wish("ann", REPEAT)])

    first, again = decision.answers
    assert isinstance(first, Given)
    assert again == Given(first.number)
    assert len(decision.new) == 1


def test_a_repeat_gets_its_ticket_when_all_are_sold() -> None:
    of = terms(1)
    ann = wish("ann", REPEAT, of=of)
    others = [wish("ann", "another key of sixteen", of=of), wish("ann", of=of), wish("ben", of=of)]

    decision = decided([ann, *others], held=held_by(ann), issued=1)

    assert decision.answers[0] == Given(100)
    assert kinds(decision)[1:] == [SoldOut, SoldOut, SoldOut]
    assert (decision.new, list(decision.closed)) == ([], [FIRST])


@pytest.mark.parametrize(("counter", "refusal"), [({"is_closed": True}, SoldOut), ({"is_cancelled": True}, Cancelled)])
def test_a_repeat_after_the_end_is_refused(counter: dict[str, bool], refusal: type) -> None:
    ann = wish("ann", REPEAT)

    decision = decided([ann], held=held_by(ann, is_finished=True), issued=1, **counter)

    assert kinds(decision) == [refusal]


def test_another_key_or_none_is_not_a_repeat() -> None:
    decision = decided([wish("ann", "another key of sixteen"), wish("ann")], held=held_by(wish("ann", REPEAT)))

    assert kinds(decision) == [AlreadyParticipated, AlreadyParticipated]


def test_a_wish_served_again_is_known_without_a_key() -> None:
    ann = wish("ann")

    assert decided([ann], held=held_by(ann), issued=1).answers == [Given(100)]


def test_the_last_ticket_goes_to_the_earlier_wish() -> None:
    of = terms(3)

    decision = decided([wish("ann", of=of), wish("ben", of=of)], issued=2)

    assert kinds(decision) == [Given, SoldOut]
    assert (decision.issued, list(decision.closed)) == ({FIRST: 3}, [FIRST])


def test_several_tickets_each_are_counted_in_a_group() -> None:
    of = terms(tickets_each=3)

    decision = decided([wish("ann", of=of) for _ in range(4)] + [wish("ben", of=of)])

    assert kinds(decision) == [Given, Given, Given, AlreadyParticipated, Given]
    assert [ticket.nth for ticket in decision.new] == [1, 2, 3, 1]


def test_held_tickets_count_against_the_limit() -> None:
    of = terms(tickets_each=3)
    before = [wish("ann", f"{REPEAT} {place}", of=of) for place in range(2)]

    decision = decided([wish("ann", of=of), wish("ann", of=of)], held=held_by(*before), issued=2)

    assert kinds(decision) == [Given, AlreadyParticipated]
    assert [(ticket.serial, ticket.nth) for ticket in decision.new] == [(2, 3)]


def test_each_of_several_tickets_can_be_repeated() -> None:
    of = terms(tickets_each=3)
    before = [wish("ann", f"{REPEAT} {place}", of=of) for place in range(3)]

    decision = decided([*reversed(before), wish("ann", f"{REPEAT} 3", of=of)], held=held_by(*before), issued=3)

    assert decision.answers[:3] == [Given(102), Given(101), Given(100)]
    assert kinds(decision)[3:] == [AlreadyParticipated]


def test_a_participant_with_several_sees_how_many() -> None:
    of = terms(tickets_each=1_000)
    held = {wish("ann", of=of).holder: Held(1_000, {})}

    [answer] = decided([wish("ann", of=of)], held=held).answers

    assert str(answer) == "This participant already has all 1,000 tickets."


UPCOMING = {"opens_at": NOW + timedelta(hours=1), "closes_at": NOW + timedelta(hours=2)}
OVER = {"closes_at": NOW}


@pytest.mark.parametrize(
    ("options", "counter", "refusal"),
    [
        # Each row has everything that speaks against a ticket, and the next one a reason less.
        (UPCOMING, {"issued": 10, "is_closed": True, "is_cancelled": True}, Cancelled),
        (UPCOMING, {"issued": 10, "is_closed": True}, SoldOut),
        (UPCOMING, {"issued": 10}, SoldOut),
        (UPCOMING, {"issued": 5, "is_closed": True}, SoldOut),
        (OVER, {"issued": 5}, SoldOut),
        (UPCOMING, {"issued": 5}, NotOpenYet),
        ({}, {"issued": 5}, InvitationNeeded),
    ],
)
def test_the_first_reason_against_a_ticket_counts(
    options: dict[str, Any], counter: dict[str, Any], refusal: type
) -> None:
    """The contract's order: cancelled, sold out or closed, not open yet, the entry rule, already participated."""
    of = terms(entry="invitation", **options)
    stranger = wish(None, of=of, address="203.0.113.7", invitation="no code")
    held = {stranger.holder: Held(1, {})}

    assert kinds(decided([stranger], held=held, **counter)) == [refusal]


def test_who_already_has_a_ticket_is_asked_last() -> None:
    of = terms(entry="invitation")
    guest = wish(None, of=of, invitation=invitation_of(KEY, 7))

    [answer] = decided([guest], held={guest.holder: Held(1, {})}).answers

    assert (type(answer), str(answer)) == (AlreadyParticipated, "This invitation has been used already.")


def test_a_desk_gives_tickets_only_to_named_participants() -> None:
    of = terms(entry="desk")

    decision = decided([wish(None, of=of, address="203.0.113.7"), wish("ann", of=of, address="203.0.113.7")])

    assert kinds(decision) == [ManagersOnly, Given]


@pytest.mark.parametrize(
    ("now", "kind"),
    [
        (timedelta(hours=1) - timedelta(microseconds=501), NotOpenYet),
        (timedelta(hours=1), Given),
        (timedelta(hours=2) - timedelta(seconds=1), Given),
        (timedelta(hours=2), SoldOut),
    ],
)
def test_tickets_are_given_between_two_times(now: timedelta, kind: type) -> None:
    start = NOW.replace(microsecond=0)
    of = terms(opens_at=start + timedelta(hours=1), closes_at=start + timedelta(hours=2))

    assert kinds(decided([wish("ann", of=of)], now=start + now)) == [kind]


def test_a_repeat_gets_its_ticket_after_the_time() -> None:
    of = terms(**OVER)
    ann = wish("ann", REPEAT, of=of)

    assert decided([ann], held=held_by(ann), issued=1).answers == [Given(100)]


def test_a_raffle_without_a_counter_is_refused_alone() -> None:
    decision = decided([wish("ann", of=terms(raffle=SECOND)), wish("ann")])

    assert kinds(decision) == [RaffleNotFound, Given]
    assert [ticket.raffle for ticket in decision.new] == [FIRST]


def test_an_ended_raffle_does_not_spoil_the_group() -> None:
    ended = {SECOND: OPEN._replace(is_cancelled=True), FIRST: OPEN}

    decision = decide([wish("ann", of=terms(raffle=SECOND)), wish("ann")], {}, ended, now=NOW)

    assert kinds(decision) == [Cancelled, Given]


def test_what_was_read_is_not_changed() -> None:
    of = terms(tickets_each=3)
    ann = wish("ann", REPEAT, of=of)
    held = held_by(ann)
    counters = {FIRST: OPEN._replace(issued=1)}
    before = dict(held), dict(held[ann.holder].numbers), dict(counters)

    decide([wish("ann", of=of), wish("ben", of=of)], held, counters, now=NOW)

    assert (held, held[ann.holder].numbers, counters) == before


@given(
    st.lists(
        st.tuples(st.sampled_from([FIRST, SECOND]), st.integers(0, 5), st.sampled_from([None, "x" * 16, "y" * 16])),
        max_size=30,
    ),
    st.integers(1, 9),
    st.integers(1, 3),
)
def test_no_group_breaks_a_rule(asked: list[tuple[UUID, int, str | None]], tickets: int, each: int) -> None:
    """Two raffles in one group: numbers are unique in each, no one has too many, and no raffle is oversold."""
    of = {raffle: terms(tickets, raffle=raffle, tickets_each=each) for raffle in (FIRST, SECOND)}
    wishes = [wish(f"person {person}", key, of=of[raffle]) for raffle, person, key in asked]

    decision = decide(wishes, {}, {raffle: OPEN for raffle, _, _ in asked}, now=NOW)

    assert len(decision.answers) == len(wishes)
    for raffle in decision.issued:
        new = [ticket for ticket in decision.new if ticket.raffle == raffle]
        assert [ticket.serial for ticket in new] == list(range(len(new)))
        assert len({ticket.number for ticket in new}) == len(new)
        assert len({(ticket.participant, ticket.nth) for ticket in new}) == len(new)
        assert all(1 <= ticket.nth <= each for ticket in new)
        # Repeats with the same key ask for the same ticket.
        requests = {(person, key or place) for place, (one, person, key) in enumerate(asked) if one == raffle}
        due = sum(min(each, wanted) for wanted in Count(person for person, _ in requests).values())
        assert decision.issued[raffle] == len(new) == min(tickets, due)
    assert sum(isinstance(answer, Given) and answer.serial is not None for answer in decision.answers) == len(
        decision.new
    )
