"""Which state a raffle is in, and what is allowed in it, over time."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit import (
    AlreadyDrawn,
    Cancelled,
    NotDrawnYet,
    NotOpenYet,
    Prize,
    Raffle,
    RaffleError,
    SoldOut,
    TicketsRemaining,
    TooFewTickets,
    TooLate,
)
from rafflekit.core import lifecycle
from rafflekit.core.models import State
from rafflekit.core.protocol.checkpoints import Cancellation, End
from rafflekit.core.protocol.terms import Terms

CREATED_AT = datetime(2026, 11, 23, tzinfo=UTC)
SECOND = timedelta(seconds=1)
OPENS_AT, CLOSES_AT = CREATED_AT + timedelta(days=1), CREATED_AT + timedelta(days=2)
CREATED_S = int(CREATED_AT.timestamp())

OPEN = Raffle(Terms(UUID(int=1), "Foobar", CREATED_AT, 15, (Prize("hug"), Prize("kiss", 2))))
TIMED = Raffle(replace(OPEN.terms, opens_at=OPENS_AT, closes_at=CLOSES_AT))
LAST_TICKET = replace(OPEN, issued=14)
SOLD_OUT = replace(OPEN, issued=15, end=End(CREATED_S + 60))
CLOSED_EARLY = replace(OPEN, issued=3, end=End(CREATED_S + 60))
DRAWN = replace(SOLD_OUT, drawn_at=CREATED_AT + timedelta(minutes=2))
CANCELLED = replace(OPEN, issued=3, cancellation=Cancellation(CREATED_S + 60, "rain"))
CANCELLED_CLOSED = replace(CANCELLED, end=End(CREATED_S + 30))

Check = Callable[[Raffle], None]


@pytest.mark.parametrize(
    ("raffle", "state"),
    [
        (OPEN, State.OPEN),
        (LAST_TICKET, State.OPEN),
        (SOLD_OUT, State.CLOSED),
        (CLOSED_EARLY, State.CLOSED),
        (DRAWN, State.DRAWN),
        (CANCELLED, State.CANCELLED),
        (CANCELLED_CLOSED, State.CANCELLED),
    ],
)
def test_a_raffle_is_in_one_state(raffle: Raffle, state: State) -> None:
    now = CREATED_AT + timedelta(days=9)

    assert lifecycle.state_of(raffle, now) is state
    assert lifecycle.seen(raffle, now).state is state
    assert lifecycle.is_drawn(raffle) is (state is State.DRAWN)
    assert lifecycle.is_finished(raffle) is (state in (State.DRAWN, State.CANCELLED))


@pytest.mark.parametrize(
    ("now", "state", "available"),
    [
        (CREATED_AT - SECOND, State.UPCOMING, 15),
        (OPENS_AT - SECOND, State.UPCOMING, 15),
        (OPENS_AT - timedelta(microseconds=1), State.UPCOMING, 15),
        (OPENS_AT, State.OPEN, 15),
        (CLOSES_AT - timedelta(microseconds=1), State.OPEN, 15),
        (CLOSES_AT, State.CLOSED, 0),
        (CLOSES_AT + timedelta(days=999), State.CLOSED, 0),
    ],
)
def test_a_raffle_opens_and_closes_at_its_times(now: datetime, state: State, available: int) -> None:
    seen = lifecycle.seen(TIMED, now)

    assert (seen.state, seen.available_tickets) == (state, available)


@pytest.mark.parametrize(
    ("ended", "state"),
    [
        ({"end": End(CREATED_S + 9)}, State.CLOSED),
        ({"end": End(CREATED_S + 9), "drawn_at": OPENS_AT}, State.DRAWN),
        ({"cancellation": Cancellation(CREATED_S + 9, "rain")}, State.CANCELLED),
    ],
)
def test_an_end_comes_before_any_time(ended: dict[str, object], state: State) -> None:
    for now in (CREATED_AT, OPENS_AT, CLOSES_AT):
        seen = lifecycle.seen(replace(TIMED, issued=3, **ended), now)  # type: ignore[arg-type]  # of several types
        assert (seen.state, seen.available_tickets) == (state, 0)


@given(st.lists(st.integers(0, 10**6), min_size=2), st.sampled_from([OPEN, TIMED, SOLD_OUT, DRAWN, CANCELLED]))
def test_time_alone_never_leads_back(seconds: list[int], raffle: Raffle) -> None:
    states = [lifecycle.state_of(raffle, CREATED_AT + timedelta(seconds=each)) for each in sorted(seconds)]

    order = list(State)
    assert all(order.index(before) <= order.index(after) for before, after in pairwise(states))


@pytest.mark.parametrize(("issued", "expected"), [(0, False), (14, False), (15, True), (16, True)])
def test_a_raffle_is_sold_out_with_its_last_ticket(issued: int, expected: bool) -> None:
    assert lifecycle.is_sold_out(issued=issued, total_tickets=15) is expected


@pytest.mark.parametrize(
    ("raffle", "now", "expected"),
    [
        (TIMED, CLOSES_AT - SECOND, False),
        (TIMED, CLOSES_AT, True),
        (replace(TIMED, end=End(CREATED_S)), CLOSES_AT, False),
        (replace(TIMED, cancellation=Cancellation(CREATED_S, "rain")), CLOSES_AT, False),
        (OPEN, CLOSES_AT, False),
    ],
)
def test_a_raffle_is_due_until_its_list_is_closed(raffle: Raffle, now: datetime, expected: bool) -> None:
    assert lifecycle.is_due(lifecycle.seen(raffle, now)) is expected


def check_open(now: datetime) -> Check:
    return lambda raffle: lifecycle.check_open(raffle, now)


@pytest.mark.parametrize(
    ("check", "raffle", "refusal"),
    [
        (lifecycle.check_drawable, OPEN, TicketsRemaining),
        (lifecycle.check_drawable, LAST_TICKET, TicketsRemaining),
        (lifecycle.check_drawable, DRAWN, AlreadyDrawn),
        (lifecycle.check_drawable, CANCELLED, Cancelled),
        (lifecycle.check_drawable, CANCELLED_CLOSED, Cancelled),
        (lifecycle.check_closed, LAST_TICKET, TicketsRemaining),
        (lifecycle.check_drawn, OPEN, NotDrawnYet),
        (lifecycle.check_drawn, SOLD_OUT, NotDrawnYet),
        (lifecycle.check_drawn, CANCELLED, NotDrawnYet),
        (lifecycle.check_finished, OPEN, NotDrawnYet),
        (lifecycle.check_finished, SOLD_OUT, NotDrawnYet),
        (lifecycle.check_closable, SOLD_OUT, TooLate),
        (lifecycle.check_closable, CLOSED_EARLY, TooLate),
        (lifecycle.check_closable, DRAWN, TooLate),
        (lifecycle.check_closable, CANCELLED, Cancelled),
        (lifecycle.check_closable, OPEN, TooFewTickets),
        (lifecycle.check_closable, replace(OPEN, issued=2), TooFewTickets),
        (lifecycle.check_cancellable, DRAWN, TooLate),
        (lifecycle.check_cancellable, CANCELLED, TooLate),
        (lifecycle.check_changeable, replace(OPEN, issued=1), TooLate),
        (lifecycle.check_changeable, SOLD_OUT, TooLate),
        (lifecycle.check_changeable, DRAWN, TooLate),
        (lifecycle.check_changeable, replace(CANCELLED, issued=0), TooLate),
        (check_open(OPENS_AT), SOLD_OUT, SoldOut),
        (check_open(OPENS_AT), CLOSED_EARLY, SoldOut),
        (check_open(OPENS_AT), CANCELLED, Cancelled),
        (check_open(OPENS_AT), CANCELLED_CLOSED, Cancelled),
        (check_open(OPENS_AT - SECOND), TIMED, NotOpenYet),
        (check_open(CLOSES_AT), TIMED, SoldOut),
    ],
)
def test_a_state_refuses_what_it_does_not_allow(check: Check, raffle: Raffle, refusal: type[RaffleError]) -> None:
    with pytest.raises(refusal):
        check(raffle)


@pytest.mark.parametrize(
    ("check", "raffle"),
    [
        (lifecycle.check_drawable, SOLD_OUT),
        (lifecycle.check_drawable, CLOSED_EARLY),
        (lifecycle.check_closed, CLOSED_EARLY),
        (lifecycle.check_closed, DRAWN),
        (lifecycle.check_drawn, DRAWN),
        (lifecycle.check_finished, DRAWN),
        (lifecycle.check_finished, CANCELLED),
        (lifecycle.check_closable, replace(OPEN, issued=3)),
        (lifecycle.check_closable, replace(TIMED, issued=3)),
        (lifecycle.check_cancellable, OPEN),
        (lifecycle.check_cancellable, TIMED),
        (lifecycle.check_cancellable, SOLD_OUT),
        (lifecycle.check_changeable, OPEN),
        (lifecycle.check_changeable, TIMED),
        (check_open(CREATED_AT), OPEN),
        (check_open(OPENS_AT), TIMED),
        (check_open(CLOSES_AT - SECOND), TIMED),
    ],
)
def test_a_state_lets_pass_what_it_allows(check: Check, raffle: Raffle) -> None:
    check(raffle)


@pytest.mark.parametrize(
    "raffle",
    [OPEN, LAST_TICKET, TIMED, replace(TIMED, issued=3), SOLD_OUT, CLOSED_EARLY, DRAWN, CANCELLED, CANCELLED_CLOSED],
)
@pytest.mark.parametrize("now", [CREATED_AT, OPENS_AT, CLOSES_AT])
def test_what_is_possible_is_what_is_not_refused(raffle: Raffle, now: datetime) -> None:
    checks: dict[lifecycle.Action, Check] = {
        lifecycle.Action.HAND_OUT: check_open(now),
        lifecycle.Action.CHANGE: lifecycle.check_changeable,
        lifecycle.Action.CANCEL: lifecycle.check_cancellable,
        # Until its time is over, there may be enough tickets later.
        lifecycle.Action.CLOSE: lambda raffle: lifecycle.check_closable(
            raffle if lifecycle.is_due(raffle) else replace(raffle, issued=15)
        ),
        # Whose time is over is closed by the draw.
        lifecycle.Action.DRAW: lambda raffle: (
            lifecycle.check_closable(raffle) if lifecycle.is_due(raffle) else lifecycle.check_drawable(raffle)
        ),
        lifecycle.Action.REDEEM: lifecycle.check_drawn,
        lifecycle.Action.FORFEIT: lifecycle.check_drawn,
    }
    seen = lifecycle.seen(raffle, now)

    assert lifecycle.possible_actions(seen) == {action for action, check in checks.items() if passes(check, seen)}


def passes(check: Check, raffle: Raffle) -> bool:
    try:
        check(raffle)
    except RaffleError:
        return False
    return True


def test_terms_decide_what_else_is_possible() -> None:
    invited = replace(OPEN, terms=replace(OPEN.terms, entry="invitation", claim_days=3))

    assert lifecycle.Action.INVITE in lifecycle.possible_actions(invited)
    assert lifecycle.Action.FORFEIT_UNCLAIMED not in lifecycle.possible_actions(invited)
    drawn = lifecycle.seen(replace(invited, drawn_at=CREATED_AT), CREATED_AT)
    assert lifecycle.possible_actions(drawn) >= {lifecycle.Action.FORFEIT_UNCLAIMED, lifecycle.Action.REDEEM}
    assert lifecycle.Action.INVITE not in lifecycle.possible_actions(drawn)


def test_a_draw_that_is_too_early_says_how_many_are_left() -> None:
    with pytest.raises(TicketsRemaining, match="Winners can't be drawn when tickets are still available") as refused:
        lifecycle.check_drawable(OPEN)

    assert refused.value.remaining == 15


@pytest.mark.parametrize(
    ("before", "wait_s"),
    [(timedelta(days=1), 86_400), (SECOND, 1), (timedelta(microseconds=1), 1), (timedelta(seconds=1.5), 2)],
)
def test_a_raffle_that_is_not_open_says_when_it_opens(before: timedelta, wait_s: int) -> None:
    with pytest.raises(NotOpenYet, match=r"^This raffle is not open yet: it opens on 2026-") as refused:
        lifecycle.check_open(TIMED, OPENS_AT - before)

    assert (refused.value.opens_at, refused.value.retry_after_s) == (OPENS_AT, wait_s)


@pytest.mark.parametrize(
    ("check", "raffle", "words"),
    [
        (lifecycle.check_closable, CLOSED_EARLY, "This raffle has been closed since 2026-11-23 00:01:00 UTC."),
        (lifecycle.check_closable, DRAWN, "The winners of this raffle were drawn on 2026-11-23 00:02:00 UTC."),
        (lifecycle.check_closable, OPEN, "There are more prizes than tickets handed out: 3 prizes, 0 tickets."),
        (lifecycle.check_cancellable, DRAWN, "The winners of this raffle were drawn on 2026-11-23 00:02:00 UTC."),
        (lifecycle.check_cancellable, CANCELLED, "This raffle was cancelled on 2026-11-23 00:01:00 UTC."),
        (lifecycle.check_changeable, CANCELLED, "This raffle was cancelled on 2026-11-23 00:01:00 UTC."),
        (lifecycle.check_changeable, LAST_TICKET, "The terms are final: 14 tickets have been handed out."),
        (
            lifecycle.check_changeable,
            replace(OPEN, issued=1),
            "The terms are final: 1 ticket has been handed out.",
        ),
    ],
)
def test_a_refusal_says_what_the_raffle_is_instead(check: Check, raffle: Raffle, words: str) -> None:
    with pytest.raises((TooLate, TooFewTickets)) as refused:
        check(raffle)

    assert str(refused.value) == words


@pytest.mark.parametrize(
    ("raffle", "expected"),
    [
        (OPEN, None),
        (SOLD_OUT, None),
        (replace(OPEN, terms=replace(OPEN.terms, entropy="drand-quicknet", delay_s=60)), None),
    ],
)
def test_without_a_beacon_no_draw_has_a_time(raffle: Raffle, expected: None) -> None:
    assert lifecycle.draw_possible_at(raffle) is expected


def test_a_draw_is_possible_when_its_beacon_is_published() -> None:
    terms = replace(OPEN.terms, entropy="drand-quicknet", delay_s=60)
    # Quicknet's first round was at 1692803367, and a round takes three seconds.
    closed = Raffle(terms, issued=15, end=End(1_692_803_367, 21))

    assert lifecycle.draw_possible_at(closed) == datetime.fromtimestamp(1_692_803_427, UTC)
    assert lifecycle.draw_possible_at(replace(closed, drawn_at=CREATED_AT)) is None
    assert lifecycle.draw_possible_at(replace(closed, cancellation=Cancellation(CREATED_S, "rain"))) is None
