"""Failures on the command line: each is one sentence on standard error, and an exit status.

Notes of an exception (`add_note`), such as what to do now, are printed below it, one per line.

Two tables are here: from the engine's errors to exit statuses, and from its field names to options and arguments.
"""

import errno
import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

import typer

from rafflekit.cli import terminal
from rafflekit.core import errors
from rafflekit.core.private_files import NotPrivate

REFUSED = 1
WRONG_USAGE = 2
NO_DATABASE = 3
UNEXPECTED = 70  # EX_SOFTWARE of sysexits.h …
IO_FAILED = 74  # … and EX_IOERR
INTERRUPTED = 130  # what a shell reports for SIGINT …
READER_GONE = 141  # … and for SIGPIPE

EXIT_STATUSES: dict[type[errors.RaffleError], int] = {
    errors.RaffleError: REFUSED,
    errors.RaffleNotFound: REFUSED,
    errors.PageNotFound: REFUSED,
    errors.TicketNotFound: REFUSED,
    errors.SoldOut: REFUSED,
    errors.Cancelled: REFUSED,
    errors.NotOpenYet: REFUSED,
    errors.InvitationNeeded: REFUSED,
    errors.ManagersOnly: REFUSED,
    errors.AlreadyParticipated: REFUSED,
    errors.TooFewTickets: REFUSED,
    errors.TooLate: REFUSED,
    errors.TooEarly: REFUSED,
    errors.NoPrize: REFUSED,
    errors.IdempotencyKeyReused: REFUSED,
    errors.TicketsRemaining: REFUSED,
    errors.AlreadyDrawn: REFUSED,
    errors.BeaconNotPublished: REFUSED,
    errors.BeaconUnavailable: NO_DATABASE,
    errors.NotDrawnYet: REFUSED,
    errors.InvalidVerificationCode: REFUSED,
    errors.InvalidValue: WRONG_USAGE,
    errors.InvalidSetting: WRONG_USAGE,
    errors.StorageUnavailable: NO_DATABASE,
    errors.SigningKeyUnavailable: NO_DATABASE,
    errors.SchemaMismatch: NO_DATABASE,
}

PARAMETERS = {
    "name": "NAME",
    "total_tickets": "--tickets",
    "prizes": "--prize",
    "entropy": "--entropy",
    "delay_s": "--delay",
    "source": "--source",
    "entry": "--entry",
    "tickets_each": "--each",
    "opens_at": "--opens",
    "closes_at": "--closes",
    "draw_at": "--draw-at",
    "claim_days": "--claim-days",
    "value": "--value",
    "state": "--state",
    "raffle": "RAFFLE",
    "file": "FILE",
    "runs": "--runs",
    "participant": "WHO",
    "invitation": "--invitation",
    "count": "--count",
    "first": "--from-number",
    "reason": "--reason",
    "idempotency_key": "--idempotency-key",
    "ticket_number": "NUMBER",
    "verification_code": "CODE",
    "page": "--page",
    "page_size": "--page-size",
}

# A full disk, a used-up quota, a limit of the file's size.
_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_SHOWN_AT_EACH_END = 400
_ONE_PRIZE = re.compile(r"prizes\[(\d+)\](?:\.(\w+))?")
# One dash and no second one: more likely a text than a mistyped option.
_LIKE_AN_OPTION = re.compile(r"-[^-].*", re.DOTALL)
_log = logging.getLogger(__name__)


class CommandStopped(Exception):
    """A command fails for a reason that the engine does not know; `status` is its exit status."""

    def __init__(self, message: str, *, status: int) -> None:
        super().__init__(message)
        self.status = status


class Terminated(KeyboardInterrupt):
    """A signal (SIGTERM, SIGHUP) ends the process, as Ctrl-C does."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.status = 128 + number
        """The exit status that a shell reports for the signal."""


def report(error: Exception) -> int:
    """Print one sentence about `error` on standard error, then its notes, and return its exit status."""
    message, status = _explained(error)
    # If the disk is too full for output, it may be too full for the message as well. The status is returned anyway.
    with suppress(OSError, ValueError):
        terminal.complain(_shortened(message), getattr(error, "__notes__", ()))
    terminal.discard_what_is_stuck()
    return status


@contextmanager
def arguments_named(names: Mapping[str, str]) -> Iterator[None]:
    """Use these names of fields instead of `PARAMETERS`, for a command with other options."""
    try:
        yield
    except errors.InvalidValue as error:
        raise errors.InvalidValue(_parameter_of(error.field, names), error.reason) from error


def _explained(error: Exception) -> tuple[str, int]:
    match error:
        case errors.InvalidValue():
            return f"{_parameter_of(error.field, PARAMETERS)}: {error.reason}", WRONG_USAGE
        case errors.RaffleError():
            return str(error), _status_of(error)
        case CommandStopped():
            return str(error), error.status
        case typer.TyperException():
            return _usage_sentence(error), WRONG_USAGE
        case OSError():
            return _refusal_of_the_system(error)
        case _:
            _log.debug("unexpected", exc_info=error)
            sentence = f"Something unexpected went wrong ({type(error).__name__}). Please report it, with your command."
            return sentence, UNEXPECTED


def _parameter_of(field: str, names: Mapping[str, str]) -> str:
    """Return the name that people know the engine's `field` by.

    >>> _parameter_of("total_tickets", PARAMETERS), _parameter_of("prizes[1].amount", PARAMETERS)
    ('--tickets', '--prize no. 2, amount')
    """
    prize = _ONE_PRIZE.fullmatch(field)
    if prize is None or "prizes" not in names:
        return names.get(field, field)
    position, part = prize.groups()
    return f"{names['prizes']} no. {int(position) + 1}" + (f", {part}" if part else "")


def _shortened(message: str) -> str:
    """Return a message without its middle if it is very long: it quotes a text, and ends with what to do."""
    is_short = len(message) <= 2 * _SHOWN_AT_EACH_END
    return message if is_short else f"{message[:_SHOWN_AT_EACH_END]} … {message[-_SHOWN_AT_EACH_END:]}"


def _refusal_of_the_system(error: OSError) -> tuple[str, int]:
    if isinstance(error, NotPrivate):
        return f"{error.strerror}.", WRONG_USAGE
    reason = error.strerror or type(error).__name__
    if error.filename is not None:
        reason += f": {error.filename}"
    what = "The output could not be written" if error.errno in _NO_ROOM else "The operating system refused"
    return f"{what}: {reason}. What was done before is kept.", IO_FAILED


def _status_of(error: errors.RaffleError) -> int:
    return next(EXIT_STATUSES[kind] for kind in type(error).__mro__ if kind in EXIT_STATUSES)


def _usage_sentence(error: typer.TyperException) -> str:
    message = error.format_message().rstrip()
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "rafflekit"
    if _LIKE_AN_OPTION.fullmatch(getattr(error, "option_name", "")):
        message += "; write -- before a text that begins with -"
    return f"{message}{'' if message.endswith(('.', '?')) else '.'} '{command} --help' says more."
