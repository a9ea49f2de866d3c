"""rafflekit: raffles with numbered tickets, and a draw that no one can predict.

The public names are here. `RaffleEngine` and the functions for a database's upkeep are imported on first use, so that
`rafflekit --help` and the values need no database library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from rafflekit.core.errors import (
    AlreadyDrawn,
    AlreadyParticipated,
    BeaconNotPublished,
    BeaconUnavailable,
    Cancelled,
    IdempotencyKeyReused,
    InvalidSetting,
    InvalidValue,
    InvalidVerificationCode,
    InvitationNeeded,
    ManagersOnly,
    NoPrize,
    NotDrawnYet,
    NotOpenYet,
    PageNotFound,
    RaffleError,
    RaffleNotFound,
    SchemaMismatch,
    SigningKeyUnavailable,
    SoldOut,
    StorageUnavailable,
    TicketNotFound,
    TicketsRemaining,
    TooEarly,
    TooFewTickets,
    TooLate,
)
from rafflekit.core.models import (
    DatabaseBackup,
    DatabaseReport,
    DatabaseStatus,
    DeskPass,
    Entry,
    NewPass,
    Page,
    Raffle,
    Right,
    State,
    Ticket,
    Verification,
)
from rafflekit.core.prizes import Prize, Win, Wins

if TYPE_CHECKING:
    from rafflekit.core.checkup import check_database
    from rafflekit.core.engine import RaffleEngine
    from rafflekit.core.upkeep import back_up_database, database_status, upgrade_database

__version__ = "0.1.0"

__all__ = [
    "AlreadyDrawn",
    "AlreadyParticipated",
    "BeaconNotPublished",
    "BeaconUnavailable",
    "Cancelled",
    "DatabaseBackup",
    "DatabaseReport",
    "DatabaseStatus",
    "DeskPass",
    "Entry",
    "IdempotencyKeyReused",
    "InvalidSetting",
    "InvalidValue",
    "InvalidVerificationCode",
    "InvitationNeeded",
    "ManagersOnly",
    "NewPass",
    "NoPrize",
    "NotDrawnYet",
    "NotOpenYet",
    "Page",
    "PageNotFound",
    "Prize",
    "Raffle",
    "RaffleEngine",
    "RaffleError",
    "RaffleNotFound",
    "Right",
    "SchemaMismatch",
    "SigningKeyUnavailable",
    "SoldOut",
    "State",
    "StorageUnavailable",
    "Ticket",
    "TicketNotFound",
    "TicketsRemaining",
    "TooEarly",
    "TooFewTickets",
    "TooLate",
    "Verification",
    "Win",
    "Wins",
    "__version__",
    "back_up_database",
    "check_database",
    "database_status",
    "upgrade_database",
]


# Each name and its module of the core.
_LOADED_WHEN_ASKED_FOR = {
    "RaffleEngine": "engine",
    "back_up_database": "upkeep",
    "check_database": "checkup",
    "database_status": "upkeep",
    "upgrade_database": "upkeep",
}


def __getattr__(name: str) -> Any:
    if name in _LOADED_WHEN_ASKED_FOR:
        return getattr(import_module(f"rafflekit.core.{_LOADED_WHEN_ASKED_FOR[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
