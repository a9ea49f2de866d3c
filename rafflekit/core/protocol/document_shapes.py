"""The JSON shapes of receipts and proofs as typed dicts; `documents` says what they mean (sections 5 and 8)."""

from typing import Any, TypedDict

from rafflekit.core.protocol.terms import TermsShape


class LeafShape(TypedDict):
    """A ticket in its raffle's ledger."""

    serial: int
    ticket_number: int
    code_hash: str


class ReceiptShape(TypedDict):
    """A receipt."""

    protocol: int
    leaf: LeafShape
    path: list[str]
    checkpoint: str


class ConsistencyShape(TypedDict):
    """A consistency proof."""

    old: int
    new: int
    proof: list[str]


class ProvenWinShape(TypedDict):
    """A win with its proof."""

    prize: int
    leaf: LeafShape
    path: list[str]


class ProvenForfeitShape(TypedDict):
    """A forfeit with its proof; without a leaf, the prize lapsed."""

    note: str
    leaf: LeafShape | None
    path: list[str]


class ProofShape(TypedDict):
    """A proof."""

    protocol: int
    terms: TermsShape
    key: str
    closing: str
    witnesses: list[str]
    entropy: dict[str, Any]
    seed: str
    draw: str
    winners: list[ProvenWinShape] | None
    forfeits: list[ProvenForfeitShape] | None
