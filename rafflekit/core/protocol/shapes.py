"""The JSON shapes of the documents, as plain typed dicts; `documents` and `terms` say what they mean (pure)."""

from typing import Any, NotRequired, TypedDict


class TermsPrizeShape(TypedDict):
    """A prize of the terms."""

    name: str
    amount: int


class TermsShape(TypedDict):
    """The terms; `delay_s` only with `drand-quicknet`."""

    protocol: int
    id: str
    name: str
    created_at: str
    total_tickets: int
    prizes: list[TermsPrizeShape]
    entropy: str
    delay_s: NotRequired[int]


class LeafShape(TypedDict):
    """A ticket as its raffle's ledger has it."""

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
