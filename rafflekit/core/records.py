"""Tickets and keys, as they pass between the rooms that decide and the storage (pure)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from uuid import UUID

Holder = tuple[UUID, bytes]
"""A raffle, and a participant's hash in it."""


class Counter(NamedTuple):
    """How many tickets a raffle has issued, the last one's code hash, which identifies it, and whether it has ended."""

    issued: int
    last_code_hash: str | None
    is_closed: bool
    is_cancelled: bool


class Asked(NamedTuple):
    """Which tickets are asked for: a raffle, a participant's hash in it, and the hash of the request."""

    raffle: UUID
    participant: bytes
    repeat_hash: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """What a participant holds: how many tickets, and which of them the repeated requests in a group ask for.

    `numbers` are ticket numbers by the hash of the request. `is_finished` says that the raffle is drawn or cancelled.
    """

    count: int
    numbers: Mapping[bytes, int]
    is_finished: bool = False


class NewTicket(NamedTuple):
    """A ticket to be stored, in the order of the table's columns; `issued_at` in whole seconds since 1970.

    It is the `nth` ticket of its participant, from 1.
    """

    raffle: UUID
    serial: int
    number: int
    participant: bytes
    nth: int
    code_hash: str
    repeat_hash: bytes
    issued_at: int


@dataclass(frozen=True, slots=True)
class RaffleKeys:
    """The three keys of a raffle, until its draw; stored sealed (`tickets.sealing`)."""

    numbering_key: bytes = field(repr=False)
    participant_key: bytes = field(repr=False)
    code_key: bytes = field(repr=False)
