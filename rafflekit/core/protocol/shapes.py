"""The JSON shapes of the documents as typed dicts; `documents` and `terms` say what they mean (sections 2 to 8)."""

from typing import Any, NotRequired, TypedDict


class PrizeShape(TypedDict):
    """A prize of a raffle."""

    name: str
    amount: int


class AnnouncedShape(TypedDict):
    """The terms that every answer about a raffle has as well; an option is present if the raffle has it."""

    id: str
    name: str
    created_at: str
    total_tickets: int
    prizes: list[PrizeShape]
    entropy: str


class TermsShape(AnnouncedShape):
    """The terms as they are hashed; `delay_s` only if the source of entropy has a delay."""

    protocol: int
    delay_s: NotRequired[int]


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
