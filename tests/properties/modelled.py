"""Raffles next to their models, and what a state machine draws for them: terms, requests for tickets, tickets."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import strategies as st

from rafflekit import Entry, Prize, Raffle
from tests.raffle_model import Asking, Held, RaffleModel, Terms

WRONG_CODE = "0000-0000-0000-0000-0000-0000"
SECOND, HOUR, DAY = timedelta(seconds=1), timedelta(hours=1), timedelta(days=1)

sessions = st.integers(0, 1)
which = st.integers(0, 9)
wrongly = st.sampled_from((False,) * 4 + (True,))
keys = st.sampled_from((None, "the first idempotency key", "another idempotency key"))
addresses = st.sampled_from(("203.0.113.1", "203.0.113.2"))
# One person is one text in any letter case.
by_name = st.builds(Asking, name=st.sampled_from(("ann", "Ann", "ben", "cat")), key=keys)
askings = st.one_of(
    by_name,
    st.builds(Asking, address=addresses, key=keys),
    st.builds(Asking, address=st.none() | addresses, invitation=st.integers(0, 2), key=keys),
)
# A ticket by its place in the order of issue, a winner's more often than not, or none.
places = st.tuples(st.sampled_from(("winner", "winner", "any", "none")), st.integers(0, 5))
# How long after the creation a raffle opens and closes.
TIMES = ((None, None), (None, None), (HOUR, None), (None, 2 * HOUR), (None, 2 * HOUR), (HOUR, DAY), (HOUR, HOUR))


@st.composite
def some_terms(draw: st.DrawFn, now: datetime) -> Terms:
    """Terms of a small raffle; some are impossible."""
    in_time = draw(st.sampled_from(TIMES))
    opens_at, closes_at = (None if wait is None else now.replace(microsecond=0) + wait for wait in in_time)
    planned = draw(st.sampled_from((None, None, None, 2 * HOUR, 2 * DAY)))
    return Terms(
        draw(st.integers(1, 8)),
        (Prize("first", draw(st.integers(1, 2))), Prize("second"))[: draw(st.integers(1, 2))],
        entropy=draw(st.sampled_from(("secrets", "secrets", "announced"))),
        entry=draw(st.sampled_from(("address", "invitation", "desk"))),
        tickets_each=draw(st.sampled_from((1, 1, 2))),
        opens_at=opens_at,
        closes_at=closes_at,
        draw_at=None if planned is None else now.replace(microsecond=0) + planned,
        claim_days=draw(st.sampled_from((None, 1))),
        promoter=draw(st.sampled_from((None, "us"))),
        price=draw(st.sampled_from((None,) * 7 + ("£1",))),
    )


@dataclass
class Modelled:
    """A raffle, what it should be by now, and the invitations that were printed for it."""

    raffle: Raffle
    model: RaffleModel
    invitations: Sequence[str] = field(default_factory=list)

    def entry(self, asking: Asking) -> Entry:
        code = None
        if asking.invitation is not None:
            printed = ["", *self.invitations]
            code = printed[asking.invitation] if 0 < asking.invitation < len(printed) else WRONG_CODE
        return Entry(asking.name, asking.key, asking.address, code)

    def ticket_at(self, place: tuple[str, int]) -> Held | None:
        which, number = place
        held = self.model.tickets
        if which == "winner" and self.model.wins:
            winners = {win.ticket_number for win in self.model.wins}
            held = tuple(each for each in held if each.ticket.number in winners)
        return held[number % len(held)] if held and which != "none" else None
