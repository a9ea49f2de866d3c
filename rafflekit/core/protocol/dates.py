"""Times: as documents write them, and as sentences for people show them (section 2)."""

from datetime import UTC, datetime

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_FIRST_YEAR = 1970


def write_time(time: datetime) -> str:
    """Return a time as documents write it: `YYYY-MM-DDThh:mm:ssZ`, in UTC."""
    # Half of the time of strftime; every answer about a raffle has such a time.
    return time.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def read_time(text: str) -> datetime | None:
    """Return the time that `write_time` wrote, or None if `text` is not a time from 1970 on."""
    try:
        found = datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
    except ValueError:
        return None
    # strptime also reads the digits of other scripts.
    return found if found.year >= _FIRST_YEAR and found.strftime(_FORMAT) == text else None


def time_text(seconds: int) -> str:
    """Return a time (seconds since 1970) as people read it."""
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s after 1970"
