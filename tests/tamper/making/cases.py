"""Honest documents, and ways to falsify them: as a stranger can, or as an operator who signs can."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from rafflekit.core.protocol.audit import AuditReport, Witnessed, audit
from rafflekit.core.protocol.checkpoints import Checkpoint
from rafflekit.core.protocol.documents import Proof, leaf_line
from rafflekit.core.protocol.entropy import SECRETS, source_of
from rafflekit.core.protocol.entropy.announced import Announced
from rafflekit.core.protocol.forfeits import DAY_S, Why
from rafflekit.core.protocol.notes import base64_of, read_base64
from rafflekit.core.protocol.tree import consistency_proof
from tests.vectors.examples import (
    CLOSED,
    CREATED,
    DRAWN,
    MANY_PRIZES,
    MANY_TICKETS,
    Example,
    Loss,
    example,
    witness,
)

COSIGNED = CLOSED + 5
COPIED = CLOSED + 20
NOW = CLOSED + 3600
RECEIPT_SERIAL = 4
RECEIPT_SIZE = 7
CLAIM_DAYS = 7
DEADLINE = DRAWN + CLAIM_DAYS * DAY_S
LOSSES = (
    Loss(2, Why.UNCLAIMED, "not collected in time", DEADLINE),
    Loss(1, Why.RENOUNCED, "has one already", DEADLINE),
    # The prize of win 2, which passed on a week ago.
    Loss(5, Why.UNCLAIMED, "not collected in time", DEADLINE + CLAIM_DAYS * DAY_S),
    Loss(3, Why.DISQUALIFIED, "is one of the organisers", DEADLINE + 7 * DAY_S + 1),
    Loss(7, Why.RENOUNCED, "moved away", DEADLINE + 7 * DAY_S + 2),
    # By then every ticket has had a prize, so this one lapses.
    Loss(8, Why.DISQUALIFIED, "is one of the organisers", DEADLINE + 7 * DAY_S + 3),
)
"""The forfeits of the raffle with announced entropy, which has 9 tickets and 4 wins."""


@dataclass(frozen=True, slots=True)
class Given:
    """All that an audit is given: see `audit`."""

    proof: str
    key: str | None = None
    raffle: str | None = None
    witnesses: Sequence[str] = ()
    witnessed: Sequence[Witnessed] = ()
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
        return {
            "proof": self.proof,
            "key": self.key,
            "raffle": self.raffle,
            "witnesses": list(self.witnesses),
            "witnessed": [{"note": copy.note, "at": copy.at} for copy in self.witnessed],
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
    cosigners: Sequence[str] = ("witness",)

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
        """Return them with a closing (`Checkpoint`) that the operator and the witnesses signed with these fields."""
        return self.changed(closing=self.cosigned(replace(self.closing, **fields).text()))

    def drawn_again(self, **fields: Any) -> Given:
        """Return them with a statement (`DrawStatement`) of the draw that the operator signed with these fields."""
        wins = self.example.statement(self.closing.closing_hash(), self.entropy_value, self.proof.seed)
        return self.changed(draw=self.example.sign(replace(wins, **fields).text()))

    def cosigned(self, text: str, *, time: int = COSIGNED) -> str:
        """Return a text that the operator and the witnesses signed."""
        return self.example.sign(text) + "".join(witness(name).line(text, time=time) for name in self.cosigners)

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
    early = example(
        "early", tickets=30, issued=20, entry="desk", opens_at=CREATED, closes_at=CREATED + timedelta(hours=1)
    )
    announced = example(
        "announced",
        entropy=Announced.name,
        tickets=12,
        issued=9,
        source="Lotto 6/49 of 23 August 2023",
        entry="invitation",
        tickets_each=5,
        claim_days=CLAIM_DAYS,
        draw_at=datetime.fromtimestamp(DRAWN, UTC),
        collection="at the bar until 21:00",
        promoter="Scouts of Upton",
        address="1 Mill Lane, Upton",
        price="£1",
        licence="M123456",
        note="Over 18s only \u2602",
    )
    at_once = Loss(1, Why.UNCLAIMED, "left before the draw", DRAWN)
    return {
        "drand": _base("drand", example("drand"), cosigned=["witness"]),
        "secrets": _base("secrets", example("secrets", entropy=SECRETS)),
        "many": _base("many", example("many", tickets=MANY_TICKETS, prizes=MANY_PRIZES)),
        "early": _base("early", early, cosigned=["a", "b"], silent=["c"], losses=[at_once]),
        "announced": _base("announced", announced, losses=LOSSES),
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


def _base(
    name: str,
    honest: Example,
    *,
    cosigned: Sequence[str] = (),
    silent: Sequence[str] = (),
    losses: Sequence[Loss] = (),
) -> Base:
    proof = honest.proof(cosigned=[(witness(each), COSIGNED) for each in cosigned], losses=losses)
    given = Given(
        proof=written(proof.shape()),
        key=proof.key,
        raffle=str(honest.terms.id),
        witnesses=[str(witness(each).verifier) for each in (*cosigned, *silent)],
        witnessed=[Witnessed(honest.sign(honest.checkpoint(len(honest.leaves)).text()), COPIED)],
        leaves=[leaf_line(leaf) for leaf in honest.leaves],
        receipt=written(honest.receipt(RECEIPT_SERIAL, RECEIPT_SIZE).shape()),
        consistency=consistency(honest, RECEIPT_SIZE),
        code=honest.codes[RECEIPT_SERIAL],
        now=max([NOW, *(loss.time for loss in losses)]),
    )
    return Base(name, honest, proof, given, cosigned or ("witness",))
