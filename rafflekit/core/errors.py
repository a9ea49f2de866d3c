"""What can go wrong, as one small family below `RaffleError`.

A `code` is a stable word for programs; the message is for people and carries the HTTP contract's sentence.
Nothing here knows an HTTP status or an exit code: each face has one table for that.
"""

from typing import ClassVar


class RaffleError(Exception):
    """Stand at the head of the family: catch this one to catch every refusal of rafflekit."""

    code: ClassVar[str] = "raffle_error"
    sentence: ClassVar[str] = "The raffle engine refused."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.sentence)


class InvalidValue(RaffleError):
    """Say that a value breaks a limit: `field` is its name, `reason` what is wrong and what would be right."""

    code = "invalid_value"
    sentence = "A value is out of its limits."

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class RaffleNotFound(RaffleError):
    """Say that no raffle has this id."""

    code = "raffle_not_found"
    sentence = "No raffle has this id; the list of raffles shows those that exist."


class PageNotFound(RaffleError):
    """Say that a list ends before the page that was asked for."""

    code = "page_not_found"
    sentence = "The list ends before this page; begin with page 1."


class TicketNotFound(RaffleError):
    """Say that no ticket of the raffle has this number, or none yet."""

    code = "ticket_not_found"
    sentence = "No ticket with this number has been handed out."


class SoldOut(RaffleError):
    """Say that every ticket has been handed out."""

    code = "sold_out"
    sentence = "Tickets to this raffle are no longer available"


class AlreadyParticipated(RaffleError):
    """Say that this participant has a ticket already, and did not repeat the request that got it."""

    code = "already_participated"
    sentence = "Your ip address has already participated in this raffle"


class TicketsRemaining(RaffleError):
    """Say that a draw came before the last ticket was handed out."""

    code = "tickets_remaining"
    sentence = "Winners can't be drawn when tickets are still available"


class AlreadyDrawn(RaffleError):
    """Say that a draw came after the draw."""

    code = "already_drawn"
    sentence = "Winners for the raffle have already been drawn"


class BeaconNotPublished(RaffleError):
    """Say that a draw came before the beacon that decides it; `retry_after_s` is how long that takes, in seconds."""

    code = "beacon_not_published"
    sentence = "The draw's beacon round has not been published yet"

    def __init__(self, retry_after_s: int = 1) -> None:
        super().__init__()
        self.retry_after_s = retry_after_s


class BeaconUnavailable(RaffleError):
    """Say that the beacon that decides a draw cannot be had or checked here."""

    code = "beacon_unavailable"
    sentence = "The draw's beacon cannot be had now."


class NotDrawnYet(RaffleError):
    """Say that a ticket can be verified only after the draw."""

    code = "not_drawn_yet"
    sentence = "Winners for the raffle have not been drawn yet"


class InvalidVerificationCode(RaffleError):
    """Say that code and ticket number do not belong together; an unknown number looks the same."""

    code = "invalid_verification_code"
    sentence = "Invalid verification code"


class StorageUnavailable(RaffleError):
    """Say that the database cannot be used now.

    The transaction that failed did nothing, unless `is_in_doubt`: its commit was on the way when the connection or the
    disk failed, and nobody knows. An idempotency key makes asking again safe.
    """

    code = "storage_unavailable"
    sentence = "The database cannot be used."

    def __init__(self, message: str | None = None, *, is_in_doubt: bool = False) -> None:
        super().__init__(message)
        self.is_in_doubt = is_in_doubt


class SigningKeyUnavailable(RaffleError):
    """Say that no key is at hand that may sign for a raffle.

    None was given, the one beside the file is missing or cannot be used, or the raffle's ledger has another one.
    """

    code = "signing_key_unavailable"
    sentence = "There is no key here that may sign for this raffle."


class SchemaMismatch(RaffleError):
    """Say that the database was not made by this version of rafflekit, nor by one that it can read."""

    code = "schema_mismatch"
    sentence = "The database has another layout than this version of rafflekit."


class InvalidSetting(RaffleError):
    """Say that a setting cannot be read: `variable`, the value it has (None: it is not set), and why that is wrong."""

    code = "invalid_setting"
    sentence = "A setting cannot be read."

    def __init__(self, variable: str, value: str | None, reason: str) -> None:
        super().__init__(f"{variable} is {'not set' if value is None else repr(value)}: {reason}")
        self.variable = variable
        self.value = value
        self.reason = reason


NAMELESS_URL = "The database URL"
"""What an `InvalidSetting` of a URL calls it, as long as nobody has said which setting it came from."""
