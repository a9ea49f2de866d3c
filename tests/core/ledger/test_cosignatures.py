"""No cosignature spoils an honest proof, and a witness signs only one closing."""

import json
from pathlib import Path
from uuid import UUID

import pytest

from rafflekit import InvalidValue, Prize, RaffleEngine
from rafflekit.core.protocol.audit import audit
from rafflekit.core.protocol.checkpoints import Checkpoint, End
from rafflekit.core.protocol.documents import Consistency, Proof
from rafflekit.core.protocol.entropy.drand import time_of
from rafflekit.core.protocol.notes import SIGNATURES, WITNESS, Note, SignerKey
from rafflekit.core.witness import Witness
from tests.core.conftest import KEY

GAZETTE = SignerKey.make("gazette.example", kind=WITNESS)
NOON = 1_800_000_000


def closed(engine: RaffleEngine, *, entropy: str = "secrets") -> UUID:
    raffle = engine.create("Foobar", total_tickets=3, prizes=[Prize("hug")], entropy=entropy).id
    assert len(list(engine.participate_many(raffle, ["ann", "bob", "cy"]))) == 3
    return raffle


def cosign(engine: RaffleEngine, raffle: UUID, *signers: SignerKey, times: tuple[int, ...] = (NOON,)) -> None:
    # The closing without the cosignatures of others.
    text = Note.read(engine.proofs.checkpoint(raffle)).text
    closing = f"{text}\n{KEY.line(text)}"
    for signer in signers:
        lines = "".join(signer.line(text, time=time) for time in times)
        engine.proofs.cosign(raffle, closing + lines, str(signer.verifier))


def is_good(proof: Proof) -> bool:
    return audit(json.dumps(proof.shape())).good


def test_a_witness_never_signs_a_second_closing_of_a_raffle(engine: RaffleEngine, tmp_path: Path) -> None:
    closing = Checkpoint.read(Note.read(engine.proofs.checkpoint(closed(engine))).text)
    assert closing.end is not None
    later = End(closing.end.closed + 1)
    other = Checkpoint(closing.origin, closing.size, closing.root, closing.terms, later)
    witness = Witness(GAZETTE, tmp_path / "seen.json")

    def not_asked(old: int, new: int) -> Consistency:
        raise AssertionError(f"Between trees of one size no proof is needed: {old}, {new}.")

    def signed(checkpoint: Checkpoint) -> str:
        text = checkpoint.text()
        return witness.cosign(f"{text}\n{KEY.line(text)}", KEY.verifier, not_asked, time=NOON).note

    signed(closing)
    with pytest.raises(InvalidValue, match="keep both"):
        signed(other)


def test_a_witness_with_two_names_does_not_spoil_a_proof(engine: RaffleEngine) -> None:
    raffle = closed(engine)
    cosign(engine, raffle, GAZETTE)
    engine.draw(raffle)

    with pytest.raises(InvalidValue, match="key"):
        cosign(engine, raffle, SignerKey("other.example", WITNESS, GAZETTE.private))
    assert is_good(engine.proofs.proof(raffle))


def test_a_witness_who_signs_twice_in_one_note_is_refused(engine: RaffleEngine) -> None:
    raffle = closed(engine, entropy="drand-quicknet")
    end = Checkpoint.read(Note.read(engine.proofs.checkpoint(raffle)).text).end
    assert end is not None
    assert end.round is not None
    beacon = time_of(end.round)

    with pytest.raises(InvalidValue, match="has more than one cosignature"):
        cosign(engine, raffle, GAZETTE, times=(beacon - 9, beacon - 5))


@pytest.mark.parametrize("key", ["foo", "gazette.example+00000000+AAAA", "\ud800"])
def test_an_invalid_key_is_reported_before_the_note(engine: RaffleEngine, key: str) -> None:
    raffle = closed(engine)

    for note in (engine.proofs.checkpoint(raffle), "no note"):
        with pytest.raises(InvalidValue, match="is not a verifier key: ") as refused:
            engine.proofs.cosign(raffle, note, key)
        assert refused.value.field == "key"


def test_an_invalid_note_is_reported_as_the_note(engine: RaffleEngine) -> None:
    with pytest.raises(InvalidValue, match="it is not a signed note") as refused:
        engine.proofs.cosign(closed(engine), "no note", str(GAZETTE.verifier))

    assert refused.value.field == "note"


def test_too_many_witnesses_do_not_spoil_a_proof(engine: RaffleEngine) -> None:
    raffle = closed(engine)
    # One of a note's signatures is the operator's.
    cosign(engine, raffle, *(SignerKey.make(f"w{n}", kind=WITNESS) for n in range(SIGNATURES - 1)))
    engine.draw(raffle)
    assert is_good(engine.proofs.proof(raffle))

    with pytest.raises(InvalidValue, match="note"):
        cosign(engine, raffle, SignerKey.make("one.too.many", kind=WITNESS))


def test_a_cosignature_during_a_proof_does_not_spoil_it(engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    raffle = closed(engine)
    engine.draw(raffle)
    taken = engine.proofs._signed_checkpoint

    def signed_checkpoint(*arguments: object) -> str:
        note = taken(*arguments)  # type: ignore[arg-type]  # passed on as they came
        monkeypatch.undo()
        cosign(engine, raffle, GAZETTE)
        return note

    monkeypatch.setattr(engine.proofs, "_signed_checkpoint", signed_checkpoint)

    assert is_good(engine.proofs.proof(raffle))
