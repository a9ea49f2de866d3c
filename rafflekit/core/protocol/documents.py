"""Receipts and proofs: the documents that people keep, written as JSON and read strictly (sections 5 and 8).

Reading checks only the form of a document; `audit` checks whether what it says is true.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from rafflekit.core import limits
from rafflekit.core.protocol.document_shapes import (
    ConsistencyShape,
    LeafShape,
    ProofShape,
    ProvenForfeitShape,
    ProvenWinShape,
    ReceiptShape,
)
from rafflekit.core.protocol.entropy import SOURCES, Evidence, source_of
from rafflekit.core.protocol.hashing import HASH_BYTES, PROTOCOL
from rafflekit.core.protocol.leaves import Leaf
from rafflekit.core.protocol.notes import NoteWrong, base64_of, read_base64
from rafflekit.core.protocol.strict_json import (
    MOST_BYTES,
    DocumentWrong,
    checked_text,
    fields_of,
    hex_of,
    list_of,
    number_of,
    read_json,
    text_of,
)
from rafflekit.core.protocol.terms import Terms, read_terms

WINNERS_IN_A_PROOF = 1_000
"""A proof lists at most this many wins, each with its leaf; of more wins it has only the signed digest."""

FORFEITS_IN_A_PROOF = 1_000
"""A proof lists at most this many forfeits; of more, it lists nothing."""

LEAF_LINE_BYTES = 8 * 1024
"""The longest line in the list of all leaves."""

PROOF_BYTES = MOST_BYTES
"""The largest proof."""

RECEIPT_BYTES = 128 * 1024
"""The largest receipt."""

_PATH_HASHES = 64
_PRINTABLE = re.compile(r"[!-~]{1,1000}")


@dataclass(frozen=True, slots=True)
class Receipt:
    """A participant's evidence that a ticket is in the ledger: leaf, inclusion proof, and a signed checkpoint."""

    leaf: Leaf
    path: Sequence[bytes]
    checkpoint: str

    def shape(self) -> ReceiptShape:
        """Return it as JSON has it."""
        return {
            "protocol": PROTOCOL,
            "leaf": _leaf_shape(self.leaf),
            "path": [base64_of(each) for each in self.path],
            "checkpoint": self.checkpoint,
        }


@dataclass(frozen=True, slots=True)
class Consistency:
    """The proof that a tree of `new` leaves continues one of `old` leaves."""

    old: int
    new: int
    proof: Sequence[bytes]

    def shape(self) -> ConsistencyShape:
        """Return it as JSON has it."""
        return {"old": self.old, "new": self.new, "proof": [base64_of(each) for each in self.proof]}


@dataclass(frozen=True, slots=True)
class ProvenWin:
    """A win: which prize (from 0), the ticket's leaf, and its inclusion proof in the closing's tree."""

    prize: int
    leaf: Leaf
    path: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class ProvenForfeit:
    """A forfeit: its signed statement, and the leaf and the path of the ticket that takes over, None if it lapses."""

    note: str
    leaf: Leaf | None
    path: Sequence[bytes]


@dataclass(frozen=True, slots=True)
class Proof:
    """Everything needed to check a draw.

    `winners` is None if there are more than `WINNERS_IN_A_PROOF`, and `forfeits` if there are more than
    `FORFEITS_IN_A_PROOF`.
    """

    terms: Terms
    key: str
    closing: str
    witnesses: Sequence[str]
    entropy: Evidence
    seed: bytes
    draw: str
    winners: Sequence[ProvenWin] | None
    forfeits: Sequence[ProvenForfeit] | None = ()

    def shape(self) -> ProofShape:
        """Return it as JSON has it."""
        return {
            "protocol": PROTOCOL,
            "terms": self.terms.shape(),
            "key": self.key,
            "closing": self.closing,
            "witnesses": list(self.witnesses),
            "entropy": source_of(self.entropy.kind).shape(self.entropy),
            "seed": self.seed.hex(),
            "draw": self.draw,
            "winners": None if self.winners is None else [_win_shape(win) for win in self.winners],
            "forfeits": None if self.forfeits is None else [_forfeit_shape(forfeit) for forfeit in self.forfeits],
        }


def leaf_line(leaf: Leaf) -> str:
    """Return the line of a leaf in the list of all leaves, without its newline."""
    return json.dumps(_leaf_shape(leaf), separators=(",", ":"))


def read_leaf_line(line: str | bytes) -> Leaf:
    """Read a line of the list of all leaves, with or without its newline.

    Raises:
        DocumentWrong: it has another form.
    """
    return _leaf(read_json(line, most=LEAF_LINE_BYTES), "leaf")


def read_receipt(text: str | bytes) -> Receipt:
    """Read a receipt, or the whole answer to a participant, which has it.

    Raises:
        DocumentWrong: it has another form, or another protocol version.
    """
    document = read_json(text, most=RECEIPT_BYTES)
    if isinstance(document, dict) and "receipt" in document and "protocol" not in document:
        document = document["receipt"]
    fields = fields_of(_of_this_protocol(document), "receipt", "protocol", "leaf", "path", "checkpoint")
    return Receipt(_leaf(fields["leaf"], "leaf"), _path(fields["path"], "path"), text_of(fields, "checkpoint"))


def read_consistency(text: str | bytes) -> Consistency:
    """Read a consistency proof.

    Raises:
        DocumentWrong: it has another form.
    """
    fields = fields_of(read_json(text, most=RECEIPT_BYTES), "consistency", "old", "new", "proof")
    old, new = number_of(fields, "old", 0, limits.TICKETS), number_of(fields, "new", 0, limits.TICKETS)
    return Consistency(old, new, _path(fields["proof"], "proof"))


def read_proof(text: str | bytes) -> Proof:
    """Read a proof.

    Raises:
        DocumentWrong: it has another form, or another protocol version.
    """
    fields = fields_of(
        _of_this_protocol(read_json(text, most=PROOF_BYTES)),
        "proof",
        "protocol",
        "terms",
        "key",
        "closing",
        "witnesses",
        "entropy",
        "seed",
        "draw",
        "winners",
        "forfeits",
    )
    winners, forfeits = fields["winners"], fields["forfeits"]
    return Proof(
        terms=read_terms(fields["terms"]),
        key=text_of(fields, "key"),
        closing=text_of(fields, "closing"),
        witnesses=[checked_text(each, "witnesses") for each in list_of(fields["witnesses"], "witnesses")],
        entropy=_evidence(fields["entropy"]),
        seed=hex_of(fields, "seed", HASH_BYTES),
        draw=text_of(fields, "draw"),
        winners=None if winners is None else _winners(winners),
        forfeits=None if forfeits is None else _forfeits(forfeits),
    )


def _of_this_protocol(document: Any) -> Any:
    # First, because everything else may differ in another version.
    protocol = document.get("protocol") if isinstance(document, dict) else None
    if protocol != PROTOCOL or isinstance(protocol, bool):
        raise DocumentWrong(f"it is not a JSON object with protocol {PROTOCOL}, the only known version")
    return document


def _evidence(value: Any) -> Evidence:
    kind = value.get("kind") if isinstance(value, dict) else None
    source = SOURCES.get(kind) if isinstance(kind, str) else None
    if source is None:
        raise DocumentWrong(f"entropy.kind is not one of {', '.join(SOURCES)}")
    return source.read(value)


def _winners(value: Any) -> list[ProvenWin]:
    found = [fields_of(each, "winners", "prize", "leaf", "path") for each in list_of(value, "winners")]
    if len(found) > WINNERS_IN_A_PROOF:
        raise DocumentWrong(f"a proof has at most {WINNERS_IN_A_PROOF:,} winners")
    return [
        ProvenWin(
            number_of(win, "prize", 0, limits.PRIZE_KINDS - 1),
            _leaf(win["leaf"], "winners.leaf"),
            _path(win["path"], "winners.path"),
        )
        for win in found
    ]


def _forfeits(value: Any) -> list[ProvenForfeit]:
    found = [fields_of(each, "forfeits", "note", "leaf", "path") for each in list_of(value, "forfeits")]
    if len(found) > FORFEITS_IN_A_PROOF:
        raise DocumentWrong(f"a proof has at most {FORFEITS_IN_A_PROOF:,} forfeits")
    return [
        ProvenForfeit(
            text_of(forfeit, "note"),
            None if forfeit["leaf"] is None else _leaf(forfeit["leaf"], "forfeits.leaf"),
            _path(forfeit["path"], "forfeits.path"),
        )
        for forfeit in found
    ]


def _leaf(value: Any, place: str) -> Leaf:
    fields = fields_of(value, place, "serial", "ticket_number", "code_hash")
    code_hash = text_of(fields, "code_hash")
    if not _PRINTABLE.fullmatch(code_hash):
        raise DocumentWrong(f"{place}.code_hash does not have 1 to 1,000 printable ASCII characters without spaces")
    return Leaf(
        number_of(fields, "serial", 0, limits.TICKETS - 1),
        number_of(fields, "ticket_number", 1, limits.TICKETS),
        code_hash,
    )


def _path(value: Any, place: str) -> list[bytes]:
    try:
        path = [read_base64(checked_text(each, place)) for each in list_of(value, place)]
    except NoteWrong as error:
        raise DocumentWrong(f"{place}: {error}") from error
    if len(path) > _PATH_HASHES or any(len(each) != HASH_BYTES for each in path):
        raise DocumentWrong(f"{place} is at most {_PATH_HASHES} hashes of {HASH_BYTES} bytes")
    return path


def _leaf_shape(leaf: Leaf) -> LeafShape:
    return {"serial": leaf.serial, "ticket_number": leaf.ticket_number, "code_hash": leaf.code_hash}


def _win_shape(win: ProvenWin) -> ProvenWinShape:
    return {"prize": win.prize, "leaf": _leaf_shape(win.leaf), "path": [base64_of(each) for each in win.path]}


def _forfeit_shape(forfeit: ProvenForfeit) -> ProvenForfeitShape:
    return {
        "note": forfeit.note,
        "leaf": None if forfeit.leaf is None else _leaf_shape(forfeit.leaf),
        "path": [base64_of(each) for each in forfeit.path],
    }
