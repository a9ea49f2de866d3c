"""Honest documents, and ways to falsify them: as a stranger can, or as an operator who signs can."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from rafflekit.core.protocol.audit import AuditReport, Witnessed, audit
from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.documents import Proof, leaf_line
from rafflekit.core.protocol.entropy import SECRETS, source_of
from rafflekit.core.protocol.notes import base64_of, read_base64
from rafflekit.core.protocol.tree import consistency_proof
from tests.vectors.examples import CLOSED, MANY_PRIZES, MANY_TICKETS, Example, example, witness

COSIGNED = CLOSED + 5
COPIED = CLOSED + 20
NOW = CLOSED + 3600
RECEIPT_SERIAL = 4
RECEIPT_SIZE = 7


@dataclass(frozen=True, slots=True)
class Given:
    """All that an audit is given: see `audit`."""

    proof: str
    key: str | None = None
    raffle: str | None = None
    witnesses: Sequence[str] = ()
    witnessed: Witnessed | None = None
    leaves: Sequence[str] | None = None
    receipt: str | None = None
    consistency: str | None = None
    code: str | None = field(default=None, repr=False)
    now: int | None = None

    def audit(self) -> AuditReport:
        """Audit it."""
        return audit(
            self.proof,
            key=self.key,
            raffle=self.raffle,
            witnesses=self.witnesses,
            witnessed=self.witnessed,
            leaves=self.leaves,
            receipt=self.receipt,
            consistency=self.consistency,
            code=self.code,
            now=self.now,
        )

    def shape(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        copy = None if self.witnessed is None else {"note": self.witnessed.note, "at": self.witnessed.at}
        return {
            "proof": self.proof,
            "key": self.key,
            "raffle": self.raffle,
            "witnesses": list(self.witnesses),
            "witnessed": copy,
            "leaves": None if self.leaves is None else list(self.leaves),
            "receipt": self.receipt,
            "consistency": self.consistency,
            "code": self.code,
            "now": self.now,
        }


@dataclass(frozen=True, slots=True)
class Base:
    """Honest documents of one raffle."""

    name: str
    example: Example
    proof: Proof
    given: Given

    def edited(self, edit: Callable[[dict[str, Any]], object]) -> Given:
        """Return them with the proof edited by someone who cannot sign."""
        shape = json.loads(self.given.proof)
        edit(shape)
        return self.written(written(shape))

    def written(self, proof: str) -> Given:
        """Return them with this text as the proof."""
        return replace(self.given, proof=proof)

    def replaced(self, old: str, new: str) -> Given:
        """Return them with one place of the proof's text replaced."""
        assert old in self.given.proof
        return self.written(self.given.proof.replace(old, new, 1))

    def changed(self, **fields: Any) -> Given:
        """Return them with fields of the proof (`Proof`) changed."""
        return self.written(written(replace(self.proof, **fields).shape()))

    def closed_again(self, **fields: Any) -> Given:
        """Return them with a closing (`Checkpoint`) that the operator and the witness signed with these fields."""
        return self.changed(closing=self.cosigned(replace(self.closing, **fields).text()))

    def drawn_again(self, **fields: Any) -> Given:
        """Return them with a statement (`DrawStatement`) of the draw that the operator signed with these fields."""
        wins = self.example.statement(self.closing.closing_hash(), self.entropy_value, self.proof.seed)
        return self.changed(draw=self.example.sign(replace(wins, **fields).text()))

    def cosigned(self, text: str, *, time: int = COSIGNED) -> str:
        """Return a text that the operator and the witness signed."""
        return self.example.sign(text) + witness().line(text, time=time)

    @property
    def closing(self) -> Checkpoint:
        """The closing."""
        return self.example.checkpoint(len(self.example.leaves))

    @property
    def entropy_value(self) -> bytes:
        """The entropy of the draw, 32 bytes."""
        return source_of(self.proof.entropy.kind).entropy_of(self.proof.entropy.value)


@dataclass(frozen=True, slots=True)
class Case:
    """Falsified documents and the step that has to refuse them; `needs` names a library that a verifier may lack."""

    name: str
    step: str
    base: str
    given: Given
    needs: str | None = None


@cache
def bases() -> dict[str, Base]:
    """Return the honest documents by their names."""
    return {
        "drand": _base("drand", example("drand"), cosigned=True),
        "secrets": _base("secrets", example("secrets", entropy=SECRETS)),
        "many": _base("many", example("many", tickets=MANY_TICKETS, prizes=MANY_PRIZES)),
    }


def written(shape: Mapping[str, object]) -> str:
    """Return a document as a server writes it."""
    return json.dumps(shape, ensure_ascii=False, separators=(",", ":"))


def consistency(example: Example, old: int) -> str:
    """Return the proof that the closing continues the checkpoint of this size."""
    new = len(example.leaves)
    proof = [base64_of(each) for each in consistency_proof(example.subtree, old, new)]
    return written({"old": old, "new": new, "proof": proof})


def flipped(encoded: str) -> str:
    """Return a text in Base64 with one bit flipped, the lowest of the last byte."""
    content = read_base64(encoded)
    return base64_of(content[:-1] + bytes([content[-1] ^ 1]))


def flipped_hex(text: str) -> str:
    """Return a hexadecimal text with its last bit flipped."""
    return text[:-1] + f"{int(text[-1], 16) ^ 1:x}"


def flipped_last_word(note: str, line: int) -> str:
    """Return a note with one bit flipped in the Base64 at the end of a line (from 0; negative: from the last one)."""
    lines = note.removesuffix("\n").split("\n")
    before, space, encoded = lines[line].rpartition(" ")
    lines[line] = before + space + flipped(encoded)
    return "\n".join(lines) + "\n"


def _base(name: str, honest: Example, *, cosigned: bool = False) -> Base:
    proof = honest.proof(cosigned=[(witness(), COSIGNED)] if cosigned else [])
    given = Given(
        proof=written(proof.shape()),
        key=proof.key,
        raffle=str(honest.terms.id),
        witnesses=[str(witness().verifier)] if cosigned else [],
        witnessed=Witnessed(honest.sign(honest.checkpoint(len(honest.leaves)).text()), COPIED),
        leaves=[leaf_line(leaf) for leaf in honest.leaves],
        receipt=written(honest.receipt(RECEIPT_SERIAL, RECEIPT_SIZE).shape()),
        consistency=consistency(honest, RECEIPT_SIZE),
        code=honest.codes[RECEIPT_SERIAL],
        now=NOW,
    )
    return Base(name, honest, proof, given)
