"""Tickets and keys, as they pass between the rooms that decide and the storage (pure)."""

from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

Holder = tuple[UUID, bytes]
"""A raffle, and a participant's hash in it."""


@dataclass(frozen=True, slots=True)
class HeldTicket:
    """The ticket that a participant already holds; `is_drawn` is the raffle's state."""

    number: int
    repeat_hash: bytes | None
    code_hash: str
    is_drawn: bool


class NewTicket(NamedTuple):
    """A ticket to be stored, in the order of the table's columns; `issued_at` in whole seconds since 1970."""

    raffle: UUID
    serial: int
    number: int
    participant: bytes
    code_hash: str
    repeat_hash: bytes | None
    issued_at: int


@dataclass(frozen=True, slots=True)
class RaffleKeys:
    """The three keys of a raffle, until its draw."""

    numbering_key: bytes = field(repr=False)
    participant_key: bytes = field(repr=False)
    code_key: bytes = field(repr=False)
