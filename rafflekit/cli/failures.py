"""What a failure looks like on the terminal: one sentence on standard error, and an exit status.

The one table from the engine's errors to exit statuses is here, and the one from its field names to the
options and arguments in which the command line takes them.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import typer

from rafflekit.cli import terminal
from rafflekit.core.errors import (
    AlreadyDrawn,
    AlreadyParticipated,
    BeaconNotPublished,
    BeaconUnavailable,
    InvalidSetting,
    InvalidValue,
    InvalidVerificationCode,
    NotDrawnYet,
    PageNotFound,
    RaffleError,
    RaffleNotFound,
    SchemaMismatch,
    SigningKeyUnavailable,
    SoldOut,
    StorageUnavailable,
    TicketNotFound,
    TicketsRemaining,
)

DONE = 0
REFUSED = 1
WRONG_USAGE = 2
NO_DATABASE = 3
UNEXPECTED = 70  # EX_SOFTWARE of sysexits.h …
IO_FAILED = 74  # … and EX_IOERR
INTERRUPTED = 130  # what a shell makes of SIGINT …
READER_GONE = 141  # … and of SIGPIPE

EXIT_STATUSES: dict[type[RaffleError], int] = {
    RaffleError: REFUSED,
    RaffleNotFound: REFUSED,
    PageNotFound: REFUSED,
    TicketNotFound: REFUSED,
    SoldOut: REFUSED,
    AlreadyParticipated: REFUSED,
    TicketsRemaining: REFUSED,
    AlreadyDrawn: REFUSED,
    BeaconNotPublished: REFUSED,
    BeaconUnavailable: NO_DATABASE,
    NotDrawnYet: REFUSED,
    InvalidVerificationCode: REFUSED,
    InvalidValue: WRONG_USAGE,
    InvalidSetting: WRONG_USAGE,
    StorageUnavailable: NO_DATABASE,
    SigningKeyUnavailable: NO_DATABASE,
    SchemaMismatch: NO_DATABASE,
}

PARAMETERS = {
    "name": "NAME",
    "total_tickets": "--tickets",
    "prizes": "--prize",
    "entropy": "--entropy",
    "delay_s": "--delay",
    "beacon": "--beacon",
    "raffle": "RAFFLE",
    "participant": "WHO",
    "idempotency_key": "--idempotency-key",
    "ticket_number": "NUMBER",
    "verification_code": "CODE",
    "page": "--page",
    "page_size": "--page-size",
}

_ONE_PRIZE = re.compile(r"prizes\[(\d+)\](?:\.(\w+))?")
_log = logging.getLogger(__name__)


class CommandStopped(Exception):
    """Say that a command ends here for a reason that only the command line knows, with its exit status."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Terminated(KeyboardInterrupt):
    """Say that the process was told to end by a signal (SIGTERM, SIGHUP), as Ctrl-C says it."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.status = 128 + number
        """What a shell makes of the signal."""


def report(error: Exception) -> int:
    """Print one sentence about `error` on standard error and return the exit status that it means."""
    message, status = _explained(error)
    # Where there is no room for output there may be none for complaints: the status says it all the same.
    with suppress(OSError, ValueError):
        terminal.complain(message)
    terminal.discard_what_is_stuck()
    return status


def parameter_of(field: str) -> str:
    """Return the option or argument that gives the engine's `field`.

    >>> parameter_of("total_tickets"), parameter_of("prizes[1].amount")
    ('--tickets', '--prize no. 2, amount')
    """
    prize = _ONE_PRIZE.fullmatch(field)
    if prize is None:
        return PARAMETERS.get(field, field)
    position, part = prize.groups()
    return f"{PARAMETERS['prizes']} no. {int(position) + 1}" + (f", {part}" if part else "")


@contextmanager
def arguments_named(names: Mapping[str, str]) -> Iterator[None]:
    """Name the engine's fields otherwise than `PARAMETERS` does, for a command that takes them elsewhere."""
    try:
        yield
    except InvalidValue as error:
        raise InvalidValue(names.get(error.field, error.field), error.reason) from error


def _explained(error: Exception) -> tuple[str, int]:
    match error:
        case InvalidValue():
            return f"{parameter_of(error.field)}: {error.reason}", WRONG_USAGE
        case RaffleError():
            return str(error), _status_of(error)
        case CommandStopped():
            return str(error), error.status
        case typer.TyperException():
            return f"{error.format_message().rstrip('.')}. {_where_to_look(error)}", WRONG_USAGE
        case OSError():
            reason = error.strerror or type(error).__name__
            if error.filename is not None:
                reason += f": {error.filename}"
            return f"The operating system refused ({reason}); what was done before stays done.", IO_FAILED
        case _:
            _log.debug("unexpected", exc_info=error)
            return (
                f"Something unexpected went wrong ({type(error).__name__}). "
                "Please report it, with the command that you gave.",
                UNEXPECTED,
            )


def _status_of(error: RaffleError) -> int:
    return next(EXIT_STATUSES[kind] for kind in type(error).__mro__ if kind in EXIT_STATUSES)


def _where_to_look(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "rafflekit"
    return f"'{command} --help' says more."
