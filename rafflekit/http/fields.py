"""The types of the fields of requests, as the OpenAPI document describes them.

msgspec checks the fields and their types. Limits are checked by the engine, in its own words; these types only name
them, from `rafflekit.core.limits`, for the document (`rafflekit.http.openapi`).
"""

import re
from typing import Annotated, Any

import msgspec

from rafflekit.core import limits
from rafflekit.core.models import State
from rafflekit.core.protocol.entropy import SOURCES
from rafflekit.core.protocol.entropy.drand import DrandQuicknet
from rafflekit.core.protocol.forfeits import Why
from rafflekit.core.protocol.terms import EntryRule

# uuid.UUID also reads braces, "urn:uuid:" and no dashes, but a raffle has one address.
RAFFLE_ID = re.compile(r"[a-f0-9]{8}-(?:[a-f0-9]{4}-){3}[a-f0-9]{12}")
"""A raffle's id, as it is spelled in addresses."""

# RFC 3339, 5.6, without leap seconds, which Python does not have, and without the years before 1970.
TIME = re.compile(
    r"((?:19[7-9][0-9]|[2-9][0-9]{3})-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12][0-9]|3[01])"
    r"[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9])(?:\.[0-9]+)?([Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
"""A time with its offset from UTC: its whole seconds, then the offset."""

# RFC 9651, 3.3.3: a String of printable ASCII in double quotes, with \" and \\ as its only escapes.
QUOTED_CHARACTER = r'(?:[ !#-\[\]-~]|\\["\\])'
"""A character of an Idempotency-Key in quotes, as a regular expression."""

# Without a comma, by which a server joins several headers of one name.
BARE_CHARACTER = r"[!#-+\--~]"
"""A character of an Idempotency-Key without quotes, as a regular expression."""

# limits.UNPRINTABLE_CATEGORIES (except lone surrogates) and blanks, as characters: not every reader of a JSON Schema
# has Unicode's categories, and \s is not the same everywhere.
_UNPRINTABLE = r"\u0000-\u001f\u007f-\u009f\u2028\u2029"
_BLANK = r" \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000"


def documented(**schema: Any) -> msgspec.Meta:
    """Return what the OpenAPI document says of a type, as keywords of JSON Schema; requests are not checked by it."""
    # As constraints, msgspec would refuse values in its own words, before the engine can do so in the contract's.
    return msgspec.Meta(extra_json_schema=schema)


RaffleId = Annotated[str, documented(format="uuid", pattern=f"^{RAFFLE_ID.pattern}$")]
"""A raffle's id."""

_LINE = f"^[^{_UNPRINTABLE}]*[^{_UNPRINTABLE}{_BLANK}][^{_UNPRINTABLE}]*$"

Name = Annotated[str, documented(minLength=1, maxLength=limits.NAME_CHARACTERS, pattern=_LINE)]
"""The name of a raffle or a prize."""

Reason = Annotated[str, documented(minLength=1, maxLength=limits.REASON_CHARACTERS, pattern=_LINE)]
"""A text that everyone can read: a reason, or what a raffle announces."""

Participant = Annotated[str, documented(minLength=1, maxLength=limits.PARTICIPANT_CHARACTERS, pattern=_LINE)]
"""The text that names a participant."""

SearchedName = Annotated[str, documented(maxLength=limits.NAME_CHARACTERS, pattern=f"^[^{_UNPRINTABLE}]*$")]
"""A part of a raffle's name."""

TicketCount = Annotated[int, documented(minimum=1, maximum=limits.TICKETS)]
"""The number of a raffle's tickets."""

TicketNumber = Annotated[int, documented(minimum=1, maximum=limits.TICKETS)]
"""The number on a ticket."""

PrizeAmount = Annotated[int, documented(minimum=1, maximum=limits.PRIZES)]
"""The number of times that a prize is given."""

LedgerSize = Annotated[int, documented(minimum=0, maximum=limits.TICKETS)]
"""The number of tickets that a ledger had."""

Entropy = Annotated[str, documented(enum=list(SOURCES))]
"""The source of the draw's randomness."""

Delay = Annotated[int, documented(minimum=DrandQuicknet.delay.least, maximum=DrandQuicknet.delay.most)]
"""Seconds from the last ticket to the beacon that decides the draw."""

Entry = Annotated[str, documented(enum=list(EntryRule))]
"""Who may take a ticket."""

TicketsEach = Annotated[int, documented(minimum=1, maximum=limits.TICKETS_EACH)]
"""The number of tickets that one participant may hold."""

Time = Annotated[str, documented(format="date-time", pattern=f"^{TIME.pattern}$")]
"""A time, as `reading.moment_of` reads it."""

ClaimDays = Annotated[int, documented(minimum=1, maximum=limits.CLAIM_DAYS)]
"""The days after the draw in which a prize must be redeemed."""

RaffleState = Annotated[str, documented(enum=list(State))]
"""The state of a raffle."""

ForfeitReason = Annotated[str, documented(enum=list(Why))]
"""Why a prize passes on to the next ticket."""

PageNumber = Annotated[int, documented(minimum=1)]
"""The number of a page of a list."""

PageSize = Annotated[int, documented(minimum=1, maximum=limits.PAGE_SIZE)]
"""The number of items on a page."""

RafflesPageSize = Annotated[int, documented(minimum=1, maximum=limits.RAFFLES_PAGE_SIZE_MOST)]
"""The number of raffles on a page."""

IdempotencyKey = Annotated[
    str,
    documented(
        pattern='^(?:"{0}{{{2},{3}}}"|{1}{{{2},{3}}})$'.format(
            QUOTED_CHARACTER, BARE_CHARACTER, *limits.IDEMPOTENCY_KEY_CHARACTERS
        )
    ),
]
"""The Idempotency-Key header as it is sent: in quotes or without."""


class OptionalBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A body that may be absent."""


class NoFields(OptionalBody, frozen=True, forbid_unknown_fields=True):
    """The body of a request that takes nothing."""
