"""The frozen values that go in and out of the engine.

They hold no behaviour that needs a database. How they look as the contract's JSON stands in `shapes`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, TypeVar
from uuid import UUID

from rafflekit.core.prizes import Prize

if TYPE_CHECKING:
    from rafflekit.core.protocol.documents import Receipt

Item = TypeVar("Item")


@dataclass(frozen=True, slots=True)
class Raffle:
    """One raffle as it stands now. `created_at` is UTC, in whole seconds; prizes are in the order given.

    `entropy` is what decides: "secrets", or "drand-quicknet", whose beacon comes `delay_s` seconds after the closing.
    """

    id: UUID
    name: str
    created_at: datetime
    total_tickets: int
    available_tickets: int
    winners_drawn: bool
    prizes: tuple[Prize, ...]
    entropy: str = "secrets"
    delay_s: int | None = None


DatabaseState = Literal["missing", "empty", "older", "current", "newer"]
"""How a database stands to this version of rafflekit; a file may be missing, a database of PostgreSQL is empty then."""


@dataclass(frozen=True, slots=True)
class DatabaseStatus:
    """Which layout a database has (None: no tables yet), and which one this version of rafflekit needs.

    `url` is the database's, as it may be shown.
    """

    url: str
    layout: str | None
    newest_layout: str
    state: DatabaseState


@dataclass(frozen=True, slots=True)
class DatabaseBackup:
    """The copy of a database, and that of its signing key; None if it has none of its own."""

    file: Path
    key: Path | None


@dataclass(frozen=True, slots=True)
class DatabaseReport:
    """What a check-up of a database found: how much was looked at, and a sentence for each thing that is wrong.

    `url` is the database's, as it may be shown. `hashed_participants` tells how many tickets of drawn raffles have
    their participant's hash, `remains` where secrets that are deleted can still be read, `missing_keys` which keys
    that sign its ledgers are not here.
    """

    url: str
    raffles: int
    tickets: int
    draws: int
    hashed_participants: int
    remains: tuple[str, ...]
    missing_keys: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Entry:
    """One wish for a ticket among many: who takes part, and the key by which the wish is known again, if any.

    The key is as in `RaffleEngine.participate`.
    """

    participant: str
    idempotency_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as its participant gets it: the only place where the verification code is ever readable."""

    raffle_id: UUID
    number: int
    verification_code: str = field(repr=False)
    receipt: "Receipt | None" = field(default=None, repr=False, compare=False)
    """The evidence that it is in the raffle's ledger; None from a list, and where there is no key to sign with."""


@dataclass(frozen=True, slots=True)
class Verification:
    """What a genuine ticket won: `prize` is None when `has_won` is False."""

    has_won: bool
    prize: str | None


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """A part of a list: `items` of page `number` (from 1) at `size` items a page, out of `count` in all."""

    items: Sequence[Item]
    count: int
    number: int
    size: int

    @property
    def has_next(self) -> bool:
        """Tell whether the list goes on after this page."""
        return self.number * self.size < self.count

    @property
    def has_previous(self) -> bool:
        """Tell whether the list has a page before this one."""
        return self.number > 1
