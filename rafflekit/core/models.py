"""The frozen values that go in and out of the engine.

Nothing here needs a database. `shapes` turns these values into the contract's JSON.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, TypeVar
from uuid import UUID

from rafflekit.core.errors import RaffleNotFound
from rafflekit.core.prizes import Prize, Win

if TYPE_CHECKING:
    from rafflekit.core.protocol.checkpoints import Cancellation, End
    from rafflekit.core.protocol.documents import Receipt
    from rafflekit.core.protocol.terms import Terms

Item = TypeVar("Item")


class State(StrEnum):
    """The state of a raffle."""

    UPCOMING = "upcoming"
    OPEN = "open"
    CLOSED = "closed"
    DRAWN = "drawn"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Raffle:
    """One raffle as it is now: its terms, which are announced, and its progress."""

    terms: "Terms"
    issued: int = 0
    """The number of tickets handed out."""
    end: "End | None" = None
    """When its list of tickets became final, and the round that decides; None before that."""
    cancellation: "Cancellation | None" = None
    """When it was cancelled, and why."""
    drawn_at: datetime | None = None
    """When the winners were drawn, in UTC and whole seconds; None before the draw."""
    verifier_key: str = field(default="", repr=False)
    """The key that signs its ledger, as people share it; empty if it is not stored yet."""
    state: State = State.OPEN
    """The state that it was in when it was read."""
    more_prizes: int = 0
    """The number of further kinds of prizes that a list omitted from its terms, as it was asked to."""

    @property
    def id(self) -> UUID:
        """The raffle's id."""
        return self.terms.id

    @property
    def name(self) -> str:
        """The raffle's name."""
        return self.terms.name

    @property
    def created_at(self) -> datetime:
        """When the raffle was created, in UTC and whole seconds."""
        return self.terms.created_at

    @property
    def total_tickets(self) -> int:
        """The number of all its tickets."""
        return self.terms.total_tickets

    @property
    def prizes(self) -> Sequence[Prize]:
        """The prizes in the order in which they are drawn."""
        return self.terms.prizes

    @property
    def available_tickets(self) -> int:
        """The number of tickets that can still be handed out; 0 once it is closed."""
        return self.total_tickets - self.issued if self.state in (State.UPCOMING, State.OPEN) else 0

    @property
    def winners_drawn(self) -> bool:
        """Whether the winners have been drawn."""
        return self.drawn_at is not None


def uuid_of(raffle_id: UUID | str) -> UUID:
    """Return the id of a raffle.

    Raises:
        RaffleNotFound: the text is not a UUID.
    """
    if isinstance(raffle_id, UUID):
        return raffle_id
    try:
        return UUID(raffle_id)
    except (ValueError, AttributeError, TypeError) as error:
        raise RaffleNotFound from error


DatabaseState = Literal["missing", "empty", "older", "current", "newer"]
"""How a database relates to this version of rafflekit. A SQLite file can be missing; a PostgreSQL database is empty."""


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """Which layout a database has (None: no tables yet), and which one this version of rafflekit needs.

    `url` is the database's URL without its password.
    """

    url: str
    layout: str | None
    newest_layout: str
    state: DatabaseState


@dataclass(frozen=True, slots=True)
class DatabaseBackup:
    """The copy of a database, and the copy of the signing key next to it; None if there is no such key."""

    file: Path
    key: Path | None


@dataclass(frozen=True, slots=True)
class DatabaseReport:
    """What a check-up of a database found: how much it read, and a sentence for each problem.

    `url` is the database's URL without its password. `hashed_participants` is the number of tickets of drawn and
    cancelled raffles that still have their participant's hash. `unopened` is the number of raffles whose secrets could
    not be opened, because their key is not here, so that their numbers were not checked. `remains` says where deleted
    secrets can still be read, `missing_keys` which keys that sign the ledgers are not here.
    """

    url: str
    raffles: int
    tickets: int
    draws: int
    hashed_participants: int
    unopened: int
    remains: tuple[str, ...]
    missing_keys: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One request for a ticket: who asks, and the idempotency key of `RaffleEngine.participate`, if any.

    A manager names the `participant`. Otherwise the raffle's entry rule decides whether the request's IP `address` or
    its `invitation` identifies the participant.
    """

    participant: str | None = field(default=None, repr=False)
    idempotency_key: str | None = field(default=None, repr=False)
    address: str | None = field(default=None, repr=False)
    invitation: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as its participant gets it: the only place where the verification code can be read."""

    raffle_id: UUID
    number: int
    verification_code: str = field(repr=False)
    receipt: "Receipt | None" = field(default=None, repr=False, compare=False)
    """The evidence that the ticket is in the raffle's ledger; None from a list."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a genuine ticket won: `prize` is None when `has_won` is False. A forfeited ticket has not won.

    `forfeited_prize` is the prize that it lost.
    """

    has_won: bool
    prize: str | None
    redeemed_at: datetime | None = None
    forfeited_at: datetime | None = None
    reason: str | None = None
    """Why the prize was forfeited."""
    redeem_until: datetime | None = None
    """When the prize can last be redeemed, if the raffle announced a deadline."""
    forfeited_prize: str | None = None
    redeemed_by: str | None = None
    """The name of the desk pass with which it was redeemed, if any; not public."""


class WinState(StrEnum):
    """What has become of a win."""

    UNREDEEMED = "unredeemed"
    REDEEMED = "redeemed"
    PASSED_ON = "passed on"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class ExportedWin:
    """A win in the list of all wins.

    `ordinal` is its place in the list, from 1. `redeem_until` is when an unredeemed prize can last be redeemed, if the
    raffle announced a deadline.
    """

    ordinal: int
    win: Win
    state: WinState
    redeem_until: datetime | None


@dataclass(frozen=True, slots=True)
class ExportedTicket:
    """A ticket in the list of all tickets: when it was issued (None after a purge), and what it won, if anything."""

    number: int
    issued_at: datetime | None
    prize: str | None = None
    state: WinState | None = None


class ClaimEvent(StrEnum):
    """What happened to a prize after the draw."""

    REDEEMED = "redeemed"
    UNDONE = "redemption undone"
    PASSED_ON = "passed on"
    LAPSED = "lapsed"


@dataclass(frozen=True, slots=True)
class ExportedClaim:
    """One thing that happened to a prize after the draw: when, to which ticket's prize, and with which desk pass.

    A forfeit has its kind (`why`), its `reason` in words, and the number of the ticket that took the prize over
    (`passed_to`).
    """

    at: datetime
    event: ClaimEvent
    ticket_number: int
    prize: str
    by: str | None = None
    why: str | None = None
    reason: str | None = None
    passed_to: int | None = None


class Right(StrEnum):
    """What a desk pass allows: to hand prizes out, to hand tickets out, or everything that managers may do."""

    REDEEM = "redeem"
    SELL = "sell"
    MANAGE = "manage"


@dataclass(frozen=True, slots=True)
class DeskPass:
    """A pass for someone who works at a raffle's desk: its name, its rights, and its times in UTC."""

    name: str
    may: frozenset[Right]
    made_at: datetime
    expires_at: datetime
    """The first moment at which it is no longer valid."""
    revoked_at: datetime | None = None
    """When it was revoked; None if it was not."""

    def allows(self, right: Right) -> bool:
        """Return whether the pass has a right; `MANAGE` includes all others. It may have expired or been revoked."""
        return right in self.may or Right.MANAGE in self.may

    def is_valid_at(self, moment: datetime) -> bool:
        """Return whether the pass has neither expired nor been revoked."""
        return self.revoked_at is None and moment < self.expires_at


@dataclass(frozen=True, slots=True)
class NewPass:
    """A pass that was just made, with its token: the only place where the token can be read."""

    desk_pass: DeskPass
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """One page of a list: its `items`, its `number` (from 1), the page `size`, and the `count` of all items."""

    items: Sequence[Item]
    count: int
    number: int
    size: int

    @property
    def has_next(self) -> bool:
        """Whether the list continues after this page."""
        return self.number * self.size < self.count

    @property
    def has_previous(self) -> bool:
        """Whether the list has a page before this one."""
        return self.number > 1
