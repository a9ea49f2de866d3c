"""Invitation codes: any number of them can be made, each always the same, and none can be guessed."""

import hmac
from hashlib import blake2b

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit import Cancelled, InvalidValue, Prize, RaffleEngine, SoldOut
from rafflekit.core import limits
from rafflekit.core.protocol import codes
from rafflekit.core.tickets.invitations import invitation_number, invitation_of
from tests.databases import open_engine

KEY, OTHER = bytes(range(32)), bytes(32)
HUG = [Prize("hug")]


@given(st.integers(1, limits.INVITATIONS - 1))
def test_a_code_has_the_number_of_its_invitation(number: int) -> None:
    code = invitation_of(KEY, number)

    assert invitation_number(KEY, code) == number
    assert invitation_number(OTHER, code) is None


def test_a_code_is_a_number_and_eighty_bits_of_proof() -> None:
    """As the architecture has it: 40 bits of a number, and 80 of a keyed hash of it."""
    code = codes.unspell(codes.read(invitation_of(KEY, 258)) or "")

    assert (code[:5], len(code[5:])) == (bytes([0, 0, 0, 1, 2]), 10)
    assert code[5:] == blake2b(code[:5], digest_size=10, key=KEY, person=b"rafflekit invite").digest()


@given(st.integers(1, 10**6), st.integers(0, 119))
def test_no_bit_of_a_code_can_be_changed(number: int, bit: int) -> None:
    code = int.from_bytes(codes.unspell(codes.read(invitation_of(KEY, number)) or ""))

    assert invitation_number(KEY, codes.spell((code ^ 1 << bit).to_bytes(15))) is None


def test_no_invitation_has_the_number_zero() -> None:
    written = bytes(5)
    proof = blake2b(written, digest_size=10, key=KEY, person=b"rafflekit invite").digest()

    assert invitation_number(KEY, codes.spell(written + proof)) is None


@pytest.mark.parametrize("text", ["", "no code", "0000-0000-0000-0000-0000-0000", "x" * 5_000, "ЖЖЖЖ", "\0"])
def test_what_is_not_a_code_has_no_number(text: str) -> None:
    assert invitation_number(KEY, text) is None


def test_a_code_is_read_as_people_paste_it() -> None:
    code = invitation_of(KEY, 7)

    for pasted in (code.lower(), code.replace("-", ""), f" “{code.replace('-', '–')}”\n", code.replace("0", "O")):
        assert invitation_number(KEY, pasted) == 7


def test_a_wrong_code_costs_what_a_right_one_does(monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[int] = []

    def compare(one: bytes, other: bytes) -> bool:
        compared.append(len(other))
        return one == other

    monkeypatch.setattr(hmac, "compare_digest", compare)

    for text in (invitation_of(KEY, 7), invitation_of(OTHER, 7), "no code", ""):
        invitation_number(KEY, text)

    assert compared == [10, 10, 10, 10]


def test_invitations_are_always_the_same_and_stored_nowhere(database_url: str) -> None:
    with open_engine(database_url) as engine:
        raffle = engine.create("Foobar", total_tickets=9, prizes=HUG, entry="invitation")
        first = engine.invitations(raffle.id, 200)
        assert len(set(first)) == 200

    with open_engine(database_url) as engine:
        assert engine.invitations(raffle.id, 200) == first
        assert engine.invitations(raffle.id, 3, first=199) == [
            *first[198:],
            engine.invitations(raffle.id, 1, first=201)[0],
        ]
        assert engine.get(raffle.id) == raffle


def test_invitations_belong_to_one_raffle(engine: RaffleEngine) -> None:
    raffles = [engine.create("Foobar", total_tickets=9, prizes=HUG, entry="invitation") for _ in range(2)]

    first, second = (set(engine.invitations(raffle.id, 100)) for raffle in raffles)

    assert not first & second


@pytest.mark.parametrize(
    ("count", "first", "field"),
    [
        (0, 1, "count"),
        (-1, 1, "count"),
        (limits.INVITATIONS_AT_ONCE + 1, 1, "count"),
        (True, 1, "count"),
        (1, 0, "first"),
        (1, limits.INVITATIONS, "first"),
        (2, limits.INVITATIONS - 1, "count"),
    ],
)
def test_a_number_of_invitations_outside_the_limits_is_refused(
    engine: RaffleEngine, count: int, first: int, field: str
) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=HUG, entry="invitation")

    with pytest.raises(InvalidValue) as refusal:
        engine.invitations(raffle.id, count, first=first)

    assert refusal.value.field == field


def test_the_last_invitation_can_be_made_and_used(engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=HUG, entry="invitation")

    [code] = engine.invitations(raffle.id, 1, first=limits.INVITATIONS - 1)

    assert engine.participate(raffle.id, invitation=code).number in range(1, 10)


@pytest.mark.parametrize("entry", ["address", "desk"])
def test_a_raffle_of_another_rule_has_no_invitations(engine: RaffleEngine, entry: str) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=HUG, entry=entry)

    with pytest.raises(InvalidValue, match=f"its entry rule is '{entry}', so it has no invitations"):
        engine.invitations(raffle.id, 1)


def test_a_finished_raffle_makes_no_more_invitations(engine: RaffleEngine) -> None:
    """Its secrets are deleted."""
    drawn, cancelled = (engine.create("Foobar", total_tickets=1, prizes=HUG, entry="invitation") for _ in range(2))
    engine.participate(drawn.id, "ann")
    assert engine.invitations(drawn.id, 1)
    engine.draw(drawn.id)
    engine.cancel(cancelled.id, "rain")

    with pytest.raises(SoldOut):
        engine.invitations(drawn.id, 1)
    with pytest.raises(Cancelled):
        engine.invitations(cancelled.id, 1)
