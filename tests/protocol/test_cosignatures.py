"""Which cosignatures a closing accepts: one per witness, with a useful date, by a key of the witness's own."""

from datetime import UTC, datetime

import pytest

from rafflekit import InvalidValue
from rafflekit.core.protocol.checkpoints import End
from rafflekit.core.protocol.cosignatures import Cosignature, check_beside, check_date, cosignature_of
from rafflekit.core.protocol.entropy.drand import DrandQuicknet, time_of
from rafflekit.core.protocol.entropy.secrets import Secrets
from rafflekit.core.protocol.notes import SIGNATURES, WITNESS, Note, NoteWrong, SignerKey, VerifierKey

TEXT = "a closing\n"
GAZETTE = SignerKey.make("gazette.example", kind=WITNESS)
OTHER = SignerKey.make("other.example", kind=WITNESS)
NOON = 1_800_000_000
CREATED_AT = datetime.fromtimestamp(NOON, UTC)
ROUND = 36_000_000
BEACON = time_of(ROUND)
PUBLIC = GAZETTE.verifier.public


def note_with(*lines: str) -> Note:
    return Note.read(f"{TEXT}\n{OTHER.line(TEXT, time=NOON)}{''.join(lines)}")


def witnesses(count: int) -> list[VerifierKey]:
    return [VerifierKey(f"w{number}", WITNESS, number.to_bytes(32, "big")) for number in range(count)]


def test_a_witnesss_cosignature_is_found_among_others() -> None:
    line = GAZETTE.line(TEXT, time=NOON + 7)

    assert cosignature_of(GAZETTE.verifier, note_with(line)) == Cosignature(line, NOON + 7)


@pytest.mark.parametrize(
    ("times", "reason"),
    [
        ((), "has no cosignature by gazette.example."),
        ((NOON, NOON), "has more than one cosignature by gazette.example."),
        ((NOON, NOON + 1), "has more than one cosignature by gazette.example."),
    ],
)
def test_a_witness_who_signs_never_or_twice_is_refused(times: tuple[int, ...], reason: str) -> None:
    note = note_with(*(GAZETTE.line(TEXT, time=time) for time in times))

    with pytest.raises(InvalidValue) as refusal:
        cosignature_of(GAZETTE.verifier, note)

    assert (refusal.value.field, refusal.value.reason) == ("note", reason)


def test_an_operators_key_gives_no_cosignature() -> None:
    operator = SignerKey.make("raffles.example")

    with pytest.raises(InvalidValue) as refusal:
        cosignature_of(operator.verifier, note_with(operator.line(TEXT)))

    assert (refusal.value.field, refusal.value.reason) == (
        "key",
        "is not a witness's key: it was not made for cosignatures.",
    )


def test_a_cosignature_of_another_text_is_refused() -> None:
    with pytest.raises(NoteWrong, match=r"gazette\.example does not match this text"):
        cosignature_of(GAZETTE.verifier, note_with(GAZETTE.line("another closing\n", time=NOON)))


def test_a_cosignature_is_not_older_than_the_raffle() -> None:
    check_date(NOON, created_at=CREATED_AT, known_from=None)

    with pytest.raises(InvalidValue) as refusal:
        check_date(NOON - 1, created_at=CREATED_AT, known_from=None)
    assert (refusal.value.field, refusal.value.reason) == (
        "note",
        "was cosigned before the raffle existed, so it shows nothing.",
    )


def test_a_cosignature_is_from_before_the_beacon() -> None:
    known_from = DrandQuicknet().known_from(End(BEACON - 60, ROUND))
    check_date(BEACON - 1, created_at=CREATED_AT, known_from=known_from)

    with pytest.raises(InvalidValue) as refusal:
        check_date(BEACON, created_at=CREATED_AT, known_from=known_from)
    assert (refusal.value.field, refusal.value.reason) == (
        "note",
        "was cosigned after the beacon was published, so it shows nothing.",
    )


def test_without_a_beacon_a_cosignature_has_no_latest_time() -> None:
    check_date(BEACON, created_at=CREATED_AT, known_from=Secrets().known_from(End(NOON)))


def test_a_witness_is_accepted_until_the_note_is_full() -> None:
    check_beside(GAZETTE.verifier, [])
    check_beside(GAZETTE.verifier, witnesses(SIGNATURES - 1))

    with pytest.raises(InvalidValue) as refusal:
        check_beside(GAZETTE.verifier, witnesses(SIGNATURES))
    assert (refusal.value.field, refusal.value.reason) == (
        "note",
        "is too late: it has 100 signatures, the most that a note can have.",
    )


@pytest.mark.parametrize("other", [GAZETTE.verifier, VerifierKey("other.example", WITNESS, PUBLIC)])
def test_a_key_that_has_signed_cannot_be_another_witness(other: VerifierKey) -> None:
    with pytest.raises(InvalidValue) as refusal:
        check_beside(GAZETTE.verifier, [*witnesses(2), other])

    assert (refusal.value.field, refusal.value.reason) == (
        "key",
        f"is the key of {other.name}, who signed already: a witness needs its own key.",
    )


def test_a_key_that_looks_like_one_that_signed_is_refused() -> None:
    # An id has only four bytes, so two keys with the same id are easy to find.
    alike, witness = (VerifierKey("gazette.example", WITNESS, n.to_bytes(32, "big")) for n in (20_107, 47_144))
    assert alike.id == witness.id

    with pytest.raises(InvalidValue) as refusal:
        check_beside(witness, [alike])

    assert (refusal.value.field, refusal.value.reason) == (
        "key",
        "has the name and id of another key that signed; their lines would look alike.",
    )
    check_beside(witness, [VerifierKey("gazette.example", WITNESS, bytes(32))])
