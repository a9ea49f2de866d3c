"""Times as people give them and as they are shown."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from rafflekit import InvalidValue
from rafflekit.cli.words import local_time, time_given, time_left

SIX_O_CLOCK = datetime(2026, 12, 5, 18, tzinfo=UTC)


@pytest.mark.usefixtures("an_hour_ahead")
@pytest.mark.parametrize(
    "given",
    [
        "2026-12-05T19:00",
        "2026-12-05 19:00:00",
        "2026-12-05T18:00Z",
        "2026-12-05T20:00+02:00",
        " 2026-12-05 20:00 +0200 ",
        datetime(2026, 12, 5, 19),  # noqa: DTZ001 - what a TOML file has without an offset
        datetime(2026, 12, 5, 17, tzinfo=timezone(timedelta(hours=-1))),
    ],
)
def test_a_time_without_an_offset_is_local(given: object) -> None:
    assert time_given("opens_at", given) == SIX_O_CLOCK


@pytest.mark.parametrize(
    "given",
    ["", "tomorrow", "2026-12-05", "18:00", "2026-13-05T18:00", "2026-12-05T25:00", "٢٠26-12-05T18:00", 5, None],
)
def test_what_is_no_time_is_refused_with_an_example(given: object) -> None:
    with pytest.raises(InvalidValue, match=r"must be a time such as 2026-12-05T18:00, or .* with its offset\.$"):
        time_given("opens_at", given)


@pytest.mark.usefixtures("an_hour_ahead")
def test_a_time_before_the_calendar_begins_is_refused() -> None:
    with pytest.raises(InvalidValue, match="from 1970 to 9999"):
        time_given("opens_at", "0001-01-01T00:00")


@pytest.mark.usefixtures("an_hour_ahead")
def test_a_time_is_shown_in_local_time_with_its_offset() -> None:
    assert local_time(SIX_O_CLOCK) == "2026-12-05 19:00:00 +01:00"
    assert local_time(datetime(9999, 12, 31, 23, 30, tzinfo=UTC)) == "9999-12-31 23:30:00 UTC"


def test_where_local_time_is_utc_it_says_so() -> None:
    assert local_time(SIX_O_CLOCK) == "2026-12-05 18:00:00 UTC"


def test_a_time_that_has_passed_is_now() -> None:
    now = datetime.now(UTC)

    assert time_left(now) == "now"
    assert time_left(now + timedelta(days=2, hours=3, seconds=59)) == "in 2 days 3 hours"
