"""Times, durations, numbers and long texts: as people give them, and as people read them.

A time without a zone is the terminal's local time. Times are shown in local time with the offset from UTC; the JSON of
the contract has them in UTC.
"""

import re
from datetime import UTC, datetime, timedelta

from rafflekit.core.errors import InvalidValue
from rafflekit.core.models import DeskPass
from rafflekit.core.protocol.quoting import quoted

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?) ?(Z|[+-]\d\d:?\d\d)?", re.ASCII)
# No number of these digits is too large for a timedelta; the engine has the limits.
_LASTING = re.compile(r"([0-9]{1,6}) ?([mhdMHD])")
_SHORT_CHARACTERS = 60
_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def time_given(field: str, given: object) -> datetime:
    """Return the time that a text or a TOML file gives, with its offset.

    Raises:
        InvalidValue: for `field`.
    """
    moment = _read(given) if isinstance(given, str) else given
    if not isinstance(moment, datetime):
        raise InvalidValue(field, "must be a time such as 2026-12-05T18:00, or 2026-12-05T18:00+01:00 with its offset.")
    try:
        local = moment.astimezone()
        # When clocks are set forward, an hour is left out, and Python takes another one.
        exists = moment.tzinfo is not None or local.astimezone(UTC).astimezone().replace(tzinfo=None) == moment
    except (OverflowError, ValueError, OSError) as error:
        raise InvalidValue(field, "must be a time from 1970 to 9999.") from error
    if not exists:
        raise InvalidValue(field, "does not exist here, because clocks are set forward then; give another time.")
    return local


def lasting_given(field: str, given: str) -> timedelta:
    """Return the time that a text such as 30m, 12h or 7d gives.

    Raises:
        InvalidValue: for `field`.
    """
    found = _LASTING.fullmatch(given.strip())
    if found is None:
        raise InvalidValue(field, "must be a time such as 30m, 12h or 7d (minutes, hours or days).")
    unit_s = next(seconds for noun, seconds in _UNITS if noun.startswith(found[2].lower()))
    return timedelta(seconds=int(found[1]) * unit_s)


def local_time(moment: datetime) -> str:
    """Return a time as a person at this terminal reads it: local, with its offset from UTC."""
    try:
        local = moment.astimezone()
    except (OverflowError, ValueError, OSError):
        local = moment.astimezone(UTC)
    return f"{local:%Y-%m-%d %H:%M:%S} {local.isoformat()[-6:] if local.utcoffset() else 'UTC'}"


def counted(number: int, noun: str) -> str:
    """Return a number of things.

    >>> counted(1, "ticket"), counted(1_000, "ticket")
    ('1 ticket', '1,000 tickets')
    """
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def partly_handed_out(number: int, wanted: int, reason: str) -> str:
    """Return the sentence that only some of the wanted tickets were handed out.

    >>> partly_handed_out(1, 3, "Tickets to this raffle are no longer available")
    '1 of 3 tickets was handed out: Tickets to this raffle are no longer available.'
    """
    were = "was" if number == 1 else "were"
    return f"{number:,} of {wanted:,} tickets {were} handed out: {reason.removesuffix('.')}."


def duration(seconds: int) -> str:
    """Return a duration in its two largest units.

    >>> duration(200_000), duration(3_600), duration(61)
    ('2 days 7 hours', '1 hour', '1 minute 1 second')
    """
    parts = []
    for noun, unit_s in _UNITS:
        number, seconds = divmod(seconds, unit_s)
        parts.append(counted(number, noun) if number else "")
    first = next((position for position, part in enumerate(parts) if part), len(parts) - 1)
    return " ".join(filter(None, parts[first : first + 2])) or "0 seconds"


def time_left(moment: datetime) -> str:
    """Return how long it takes from now to a time: 'in 2 hours', or 'now' if it has passed."""
    left_s = int((moment - datetime.now(UTC)).total_seconds())
    return f"in {duration(left_s)}" if left_s > 0 else "now"


def pass_state(desk_pass: DeskPass) -> str:
    """Return whether a desk pass is 'valid', 'expired' or 'revoked' now."""
    if desk_pass.is_valid_at(datetime.now(UTC)):
        return "valid"
    return "expired" if desk_pass.revoked_at is None else "revoked"


def pass_sentence(desk_pass: DeskPass) -> str:
    """Return what a desk pass allows, and until when; or since when it does not."""
    who = f"{quoted(desk_pass.name)} may {' and '.join(sorted(desk_pass.may))}"
    if desk_pass.revoked_at is not None:
        return f"{who}: revoked on {local_time(desk_pass.revoked_at)}."
    return f"{who} until {local_time(desk_pass.expires_at)}."


def _read(text: str) -> datetime | None:
    found = _TIME.fullmatch(text.strip())
    if found is None:
        return None
    day, time, offset = found.groups()
    try:
        return datetime.fromisoformat(f"{day}T{time}{offset or ''}")
    except ValueError:
        return None


def shortened(text: str) -> str:
    """Return the beginning of a text that is too long for a sentence.

    >>> shortened("ann"), len(shortened("x" * 100))
    ('ann', 61)
    """
    return text if len(text) <= _SHORT_CHARACTERS else f"{text[:_SHORT_CHARACTERS]}…"
