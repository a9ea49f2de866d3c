"""Forfeits: if a winner does not get a prize, it passes to the next ticket of the same shuffle (section 7).

The wins of a draw have the ordinals 1 … W. The j-th forfeit of a raffle makes win W + j, for the next ticket after the
winners in the draw's shuffle; when every ticket has won, the prize lapses. The operator signs a statement of each.
"""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.core.protocol.checkpoints import check_noted_reason
from rafflekit.core.protocol.hashing import HASH_BYTES
from rafflekit.core.protocol.notes import NoteWrong, base64_of, read_base64, read_number

DAY_S = 86_400

_STATEMENT = re.compile(
    r"rafflekit forfeit v1\n(?P<origin>[^\n]+)\ndraw (?P<draw>[^\n]+)\nforfeit (?P<number>[0-9]+)\n"
    r"time (?P<time>[0-9]+)\nwin (?P<win>[0-9]+)\nwhy (?P<why>[a-z]+)\nreason (?P<reason>[^\n]+)\n"
    r"next (?:none|(?P<serial>[0-9]+) (?P<ticket>[0-9]+))\n"
)


class Why(StrEnum):
    """Why a winner does not get the prize."""

    UNCLAIMED = "unclaimed"
    RENOUNCED = "renounced"
    DISQUALIFIED = "disqualified"


# What is published if a manager gives no reason.
_REASONS = {Why.UNCLAIMED: "not collected", Why.RENOUNCED: "renounced by the winner"}


def given_why(why: str, reason: str | None) -> tuple[Why, str]:
    """Return why a prize passes on, and the reason that everyone can read; None: a usual one, if there is any.

    Raises:
        InvalidValue: for `why` or `reason`.
    """
    if why not in list(Why):
        raise InvalidValue("why", f"must be {', '.join(list(Why)[:-1])} or {list(Why)[-1]}.")
    kind = Why(why)
    if reason is None and kind not in _REASONS:
        raise InvalidValue("reason", "is missing: say in words why the ticket is disqualified; everyone can read it.")
    text = _REASONS[kind] if reason is None else reason
    return kind, limits.given_reason("reason", text)


class NextTicket(NamedTuple):
    """The ticket that takes a prize over."""

    serial: int
    ticket_number: int


@dataclass(frozen=True, slots=True)
class ForfeitStatement:
    """What the operator states and signs about a forfeit.

    `number` counts a raffle's forfeits from 1, in the order of time. `win` is the ordinal of the win that is lost.
    `next` is None if the prize lapses.
    """

    origin: str
    draw_hash: bytes
    number: int
    time: int
    win: int
    why: Why
    reason: str
    next: NextTicket | None

    @classmethod
    def read(cls, text: str) -> "ForfeitStatement":
        """Read the text of a statement.

        Raises:
            NoteWrong: it is not a statement of a forfeit.
        """
        found = _STATEMENT.fullmatch(text)
        if found is None or found["why"] not in list(Why):
            raise NoteWrong("it is not a statement of a forfeit: origin, draw, forfeit, time, win, why, reason, next")
        draw_hash = read_base64(found["draw"])
        if len(draw_hash) != HASH_BYTES:
            raise NoteWrong("a hash of a forfeit has 32 bytes")
        check_noted_reason(found["reason"])
        return cls(
            found["origin"],
            draw_hash,
            read_number(found["number"]),
            read_number(found["time"]),
            read_number(found["win"]),
            Why(found["why"]),
            found["reason"],
            None if found["serial"] is None else NextTicket(read_number(found["serial"]), read_number(found["ticket"])),
        )

    def text(self) -> str:
        """Return the text that is signed."""
        following = "none" if self.next is None else f"{self.next.serial} {self.next.ticket_number}"
        return (
            f"rafflekit forfeit v1\n{self.origin}\ndraw {base64_of(self.draw_hash)}\nforfeit {self.number}\n"
            f"time {self.time}\nwin {self.win}\nwhy {self.why}\nreason {self.reason}\nnext {following}\n"
        )
