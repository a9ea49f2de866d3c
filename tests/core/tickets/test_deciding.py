"""Who gets a ticket, decided on values alone: no database, no clock, no randomness."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from rafflekit import AlreadyParticipated, Entry, RaffleNotFound, SoldOut
from rafflekit.core.records import HeldTicket, Holder, RaffleKeys
from rafflekit.core.tickets.deciding import Decision, Given, Wish, decide
from rafflekit.core.tickets.numbering import Numbering

KEY = bytes(range(32))
NOW = 1_800_000_000
FIRST, SECOND = UUID(int=1), UUID(int=2)


def wish(person: str, key: str | None = None, *, of: Numbering, raffle: UUID = FIRST, code_hash: str = "") -> Wish:
    """A wish that is identified, whose code's hash is its own unless given."""
    made = Wish(raffle, RaffleKeys(KEY, KEY, KEY), of, Entry(person, key))
    made.identify()
    made.code_hash = code_hash or f"hash of {person}'s code {key}"
    return made


def held_by(*wishes: Wish, is_drawn: bool = False) -> dict[Holder, HeldTicket]:
    """The tickets of participants who were served before, numbered from 100."""
    return {
        each.holder: HeldTicket(100 + place, each.repeat_hash, f"an older hash {place}", is_drawn=is_drawn)
        for place, each in enumerate(wishes)
    }


def decided(
    wishes: Sequence[Wish], held: Mapping[Holder, HeldTicket] | None = None, issued: Mapping[UUID, int] | None = None
) -> Decision:
    return decide(wishes, held or {}, {FIRST: 0} if issued is None else issued, now=NOW)


def test_new_tickets_take_the_next_serials_in_order() -> None:
    numbering = Numbering(KEY, 10)

    decision = decided([wish("ann", of=numbering), wish("ben", of=numbering)], issued={FIRST: 4})

    assert [(ticket.serial, ticket.number) for ticket in decision.new] == [
        (serial, numbering.number(serial)) for serial in (4, 5)
    ]
    assert decision.answers == [Given(ticket.number, ticket.serial) for ticket in decision.new]
    assert decision.issued == {FIRST: 6}
    assert {ticket.issued_at for ticket in decision.new} == {NOW}


def test_a_participant_twice_in_a_group_gets_one_ticket() -> None:
    numbering = Numbering(KEY, 10)

    decision = decided([wish("ann", of=numbering, code_hash="one"), wish("ann", of=numbering, code_hash="two")])

    assert [type(answer) for answer in decision.answers] == [Given, AlreadyParticipated]
    assert len(decision.new) == 1


def test_a_repeat_in_the_same_group_gets_the_same_ticket() -> None:
    numbering = Numbering(KEY, 10)
    key = "a key of sixteen or more"

    decision = decided([wish("ann", key, of=numbering, code_hash=code_hash) for code_hash in ("one", "two")])

    first, again = decision.answers
    assert isinstance(first, Given)
    assert again == Given(first.number)
    assert len(decision.new) == 1


def test_a_repeat_gets_its_ticket_when_all_are_sold() -> None:
    numbering = Numbering(KEY, 1)
    ann = wish("ann", "a key of sixteen or more", of=numbering)
    others = [wish("ann", "another key of sixteen", of=numbering), wish("ann", of=numbering), wish("ben", of=numbering)]

    decision = decided([ann, *others], held=held_by(ann), issued={FIRST: 1})

    assert decision.answers[0] == Given(100)
    assert [type(answer) for answer in decision.answers[1:]] == [SoldOut, SoldOut, SoldOut]
    assert decision.new == []


def test_a_repeat_after_the_draw_is_refused() -> None:
    ann = wish("ann", "a key of sixteen or more", of=Numbering(KEY, 1))

    [answer] = decided([ann], held=held_by(ann, is_drawn=True), issued={FIRST: 1}).answers

    assert isinstance(answer, SoldOut)


def test_another_key_or_none_is_not_a_repeat() -> None:
    numbering = Numbering(KEY, 10)
    ann = wish("ann", "a key of sixteen or more", of=numbering)

    decision = decided(
        [wish("ann", "another key of sixteen", of=numbering), wish("ann", of=numbering)], held=held_by(ann)
    )

    assert [type(answer) for answer in decision.answers] == [AlreadyParticipated, AlreadyParticipated]


def test_a_wish_served_again_is_known_by_its_codes_hash() -> None:
    ann = wish("ann", of=Numbering(KEY, 10))
    stored = {ann.holder: HeldTicket(7, None, ann.code_hash, is_drawn=False)}

    assert decided([ann], held=stored, issued={FIRST: 1}).answers == [Given(7)]


def test_the_last_ticket_goes_to_the_earlier_wish() -> None:
    numbering = Numbering(KEY, 3)

    decision = decided([wish(person, of=numbering) for person in ("ann", "ben")], issued={FIRST: 2})

    assert [type(answer) for answer in decision.answers] == [Given, SoldOut]
    assert decision.issued == {FIRST: 3}


def test_a_raffle_without_a_counter_is_refused_alone() -> None:
    gone, sound = Numbering(KEY, 3), Numbering(KEY, 3)

    decision = decided([wish("ann", of=gone, raffle=SECOND), wish("ann", of=sound)])

    assert [type(answer) for answer in decision.answers] == [RaffleNotFound, Given]
    assert [ticket.raffle for ticket in decision.new] == [FIRST]


def test_what_was_read_is_not_changed() -> None:
    ann = wish("ann", of=Numbering(KEY, 3))
    held: dict[Holder, HeldTicket] = {}
    issued = {FIRST: 0}

    decide([ann], held, issued, now=NOW)

    assert (held, issued) == ({}, {FIRST: 0})


@given(
    st.lists(
        st.tuples(st.sampled_from([FIRST, SECOND]), st.integers(0, 5), st.sampled_from([None, "x" * 16, "y" * 16])),
        max_size=30,
    ),
    st.integers(1, 6),
)
def test_no_group_breaks_a_rule(asked: list[tuple[UUID, int, str | None]], tickets: int) -> None:
    """Two raffles in one group: numbers and participants are unique in each, and no raffle is oversold."""
    numberings = {raffle: Numbering(KEY, tickets) for raffle in (FIRST, SECOND)}
    wishes = [
        wish(f"person {person}", key, of=numberings[raffle], raffle=raffle, code_hash=f"hash {place}")
        for place, (raffle, person, key) in enumerate(asked)
    ]

    decision = decide(wishes, {}, {FIRST: 0, SECOND: 0}, now=NOW)

    assert len(decision.answers) == len(wishes)
    for raffle in numberings:
        new = [ticket for ticket in decision.new if ticket.raffle == raffle]
        assert [ticket.serial for ticket in new] == list(range(len(new)))
        assert len({ticket.number for ticket in new}) == len({ticket.participant for ticket in new}) == len(new)
        people = {person for each, person, _ in asked if each == raffle}
        assert decision.issued[raffle] == len(new) == min(tickets, len(people))
    assert sum(isinstance(answer, Given) and answer.serial is not None for answer in decision.answers) == len(
        decision.new
    )
