"""Who has each prize of a drawn raffle now, and how many prizes are redeemed, passed on, lapsed or left (pure)."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rafflekit.core.models import ExportedWin, WinState
from rafflekit.core.prizes import Prize, Win, prizes_of_wins


@dataclass(frozen=True, slots=True)
class Holding:
    """One win of a draw as it is now.

    `prize` is the prize's position in the terms, from 0. `wins` are the win of the draw, and after it those of the
    tickets that took the prize over, in turn. `state` is that of the last of them; `redeem_until` is when it can be
    redeemed, if it is unredeemed and a deadline was announced.
    """

    prize: int
    wins: tuple[Win, ...]
    state: WinState
    redeem_until: datetime | None

    @property
    def drawn(self) -> Win:
        """The win of the draw itself."""
        return self.wins[0]

    @property
    def current(self) -> Win:
        """The win that counts now; it is forfeited if the prize lapsed."""
        return self.wins[-1]

    @property
    def is_redeemed(self) -> bool:
        """Whether the prize was handed out."""
        return self.state is WinState.REDEEMED

    @property
    def has_lapsed(self) -> bool:
        """Whether the prize was lost when no ticket was left to take it over."""
        return self.state is WinState.LAPSED

    @property
    def has_passed_on(self) -> bool:
        """Whether another ticket has taken the prize over."""
        return len(self.wins) > 1


@dataclass(frozen=True, slots=True)
class Tally:
    """What became of a prize, or of several: of `drawn` wins, each is now either redeemed, lapsed or left.

    `passed_on` counts the wins that another ticket has taken over; they are also in one of these three.
    """

    drawn: int
    redeemed: int
    lapsed: int
    passed_on: int

    @property
    def left(self) -> int:
        """How many have been neither redeemed nor lost."""
        return self.drawn - self.redeemed - self.lapsed


def holdings_of(prizes: Sequence[Prize], wins: Iterable[ExportedWin]) -> list[Holding]:
    """Return the holdings of a drawn raffle in draw order; `wins` are all its wins, as `engine.exports.wins` has them.

    A ticket wins at most once, so the number of a ticket says which prize it passed on.
    """
    chains: list[list[ExportedWin]] = []
    chain_of: dict[int, list[ExportedWin]] = {}
    for each in wins:
        if each.win.in_place_of is None:
            chain: list[ExportedWin] = []
            chains.append(chain)
        else:
            chain = chain_of[each.win.in_place_of]
        chain.append(each)
        chain_of[each.win.ticket_number] = chain
    return [
        Holding(prize, tuple(each.win for each in chain), chain[-1].state, chain[-1].redeem_until)
        for prize, chain in zip(prizes_of_wins(prize.amount for prize in prizes), chains, strict=True)
    ]


def tallies_of(prizes: Sequence[Prize], holdings: Sequence[Holding]) -> list[Tally]:
    """Return what became of each prize, in the order of the terms."""
    of_prizes: list[list[Holding]] = [[] for _ in prizes]
    for holding in holdings:
        of_prizes[holding.prize].append(holding)
    return [tally_of(each) for each in of_prizes]


def tally_of(holdings: Sequence[Holding]) -> Tally:
    """Return what became of these wins together."""
    return Tally(
        drawn=len(holdings),
        redeemed=sum(each.is_redeemed for each in holdings),
        lapsed=sum(each.has_lapsed for each in holdings),
        passed_on=sum(each.has_passed_on for each in holdings),
    )
