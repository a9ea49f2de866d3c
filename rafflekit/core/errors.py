"""What can go wrong, as one small family below `RaffleError`.

A `code` is a stable word for programs. The message is for people, and most are the HTTP contract's sentences. Nothing
here knows an HTTP status or an exit code: each face has one table for that.
"""

from datetime import datetime
from typing import ClassVar
from uuid import UUID


class RaffleError(Exception):
    """The base class: catch it to catch every refusal of rafflekit."""

    code: ClassVar[str] = "raffle_error"
    sentence: ClassVar[str] = "The raffle engine refused."

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or self.sentence)


class InvalidValue(RaffleError):
    """A value breaks a limit: `field` is its name, `reason` what is wrong and what would be right."""

    code = "invalid_value"
    sentence = "A value is outside its limits."

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field}: {reason}")
        self.field = field
        self.reason = reason


class RaffleNotFound(RaffleError):
    """No raffle has this id."""

    code = "raffle_not_found"
    sentence = "No raffle has this id; the list of raffles shows those that exist."


class PageNotFound(RaffleError):
    """The list ends before this page."""

    code = "page_not_found"
    sentence = "The list ends before this page; begin with page 1."


class TicketNotFound(RaffleError):
    """No ticket with this number has been handed out in the raffle."""

    code = "ticket_not_found"
    sentence = "No ticket with this number has been handed out."


class SoldOut(RaffleError):
    """All tickets have been handed out, or the raffle has been closed."""

    code = "sold_out"
    sentence = "Tickets to this raffle are no longer available"


class Cancelled(RaffleError):
    """The raffle has been cancelled: no tickets are handed out, and it is never drawn."""

    code = "cancelled"
    sentence = "This raffle has been cancelled"


class NotOpenYet(RaffleError):
    """Tickets are handed out from `opens_at` (UTC) on, in `retry_after_s` seconds."""

    code = "not_open_yet"
    sentence = "This raffle is not open yet"

    def __init__(self, opens_at: datetime, message: str | None = None, *, retry_after_s: int) -> None:
        super().__init__(message)
        self.opens_at = opens_at
        self.retry_after_s = retry_after_s


class InvitationNeeded(RaffleError):
    """The raffle hands out tickets for invitation codes, and the code is missing or wrong."""

    code = "invitation_needed"
    sentence = "A valid invitation code is needed"


class ManagersOnly(RaffleError):
    """The raffle's tickets are handed out by its managers."""

    code = "managers_only"
    sentence = "Tickets to this raffle are handed out by its managers"


class AlreadyParticipated(RaffleError):
    """The participant has all tickets that one can have, and this is not a repeat of the request for one of them."""

    code = "already_participated"
    sentence = "This participant already has a ticket for this raffle."


class TooFewTickets(RaffleError):
    """The raffle cannot be closed: it has more prizes than tickets handed out."""

    code = "too_few_tickets"
    sentence = "There are more prizes than tickets handed out"


class TooLate(RaffleError):
    """It is too late for this; the message says what the raffle or the prize is instead, and since when."""

    code = "too_late"
    sentence = "It is too late for this."


class TooEarly(RaffleError):
    """The prize can still be redeemed, until `until` (UTC), so it is not unclaimed yet."""

    code = "too_early"
    sentence = "This prize can still be redeemed."

    def __init__(self, until: datetime, message: str | None = None) -> None:
        super().__init__(message)
        self.until = until


class NoPrize(RaffleError):
    """The ticket has not won anything, so there is nothing to redeem or to pass on."""

    code = "no_prize"
    sentence = "This ticket has not won anything."


class IdempotencyKeyReused(RaffleError):
    """Another raffle, `raffle_id`, was created with this idempotency key."""

    code = "idempotency_key_reused"
    sentence = "Another raffle was created with this idempotency key; use a new key for another raffle."

    def __init__(self, raffle_id: UUID, message: str | None = None) -> None:
        super().__init__(message)
        self.raffle_id = raffle_id


class TicketsRemaining(RaffleError):
    """The raffle cannot be drawn yet: `remaining` tickets are left."""

    code = "tickets_remaining"
    sentence = "Winners can't be drawn when tickets are still available"

    def __init__(self, remaining: int, message: str | None = None) -> None:
        super().__init__(message)
        self.remaining = remaining


class AlreadyDrawn(RaffleError):
    """The winners of the raffle have already been drawn."""

    code = "already_drawn"
    sentence = "Winners for the raffle have already been drawn"


class BeaconNotPublished(RaffleError):
    """The beacon that decides the draw is not published before `published_at` (UTC), in `retry_after_s` seconds."""

    code = "beacon_not_published"
    sentence = "The draw's beacon round has not been published yet"

    def __init__(self, published_at: datetime, *, retry_after_s: int) -> None:
        super().__init__()
        self.published_at = published_at
        self.retry_after_s = retry_after_s


class BeaconUnavailable(RaffleError):
    """The beacon that decides the draw cannot be fetched, or cannot be checked here."""

    code = "beacon_unavailable"
    sentence = "The draw's beacon is not available now."


class NotDrawnYet(RaffleError):
    """The winners have not been drawn yet, and this is possible only after the draw."""

    code = "not_drawn_yet"
    sentence = "Winners for the raffle have not been drawn yet"


class InvalidVerificationCode(RaffleError):
    """The code does not belong to this ticket number; an unknown number looks the same."""

    code = "invalid_verification_code"
    sentence = "Invalid verification code"


class StorageUnavailable(RaffleError):
    """The database cannot be used now.

    The failed transaction did nothing, unless `is_in_doubt`: the connection or the disk failed during its commit, so
    the change may have been stored. With an idempotency key it is safe to ask again.
    """

    code = "storage_unavailable"
    sentence = "The database cannot be used."

    def __init__(self, message: str | None = None, *, is_in_doubt: bool = False) -> None:
        super().__init__(message)
        self.is_in_doubt = is_in_doubt


class SigningKeyUnavailable(RaffleError):
    """No signing key for this raffle is available here.

    No key was given, the key next to the file is missing or unusable, or the raffle's ledger is signed by another key.
    """

    code = "signing_key_unavailable"
    sentence = "No signing key for this raffle is available here."


class SchemaMismatch(RaffleError):
    """The database was not made by this version of rafflekit, or by one that it can read."""

    code = "schema_mismatch"
    sentence = "The database does not have the layout of this version of rafflekit."


class InvalidSetting(RaffleError):
    """A setting cannot be read: `variable` is its name, `value` what it holds (None: not set), `reason` why not."""

    code = "invalid_setting"
    sentence = "A setting cannot be read."

    def __init__(self, variable: str, value: str | None, reason: str) -> None:
        super().__init__(f"{variable} is {'not set' if value is None else repr(value)}: {reason}")
        self.variable = variable
        self.value = value
        self.reason = reason


NAMELESS_URL = "The database URL"
"""What an `InvalidSetting` calls a URL until it is known which setting the URL came from."""
