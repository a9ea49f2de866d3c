"""Who has each prize of a drawn raffle now, and how many prizes are redeemed, passed on, lapsed or left (pure)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from rafflekit.core.lifecycle import redeem_until
from rafflekit.core.models import Raffle
from rafflekit.core.prizes import Prize, Win, prizes_of_wins


@dataclass(frozen=True, slots=True)
class Holding:
    """One win of a draw as it is now.

    `prize` is the prize's position in the terms, from 0. `wins` are the win of the draw, and after it those of the
    tickets that took the prize over, in turn. `redeem_until` is when the last of them can redeem it, if a deadline was
    announced.
    """

    prize: int
    wins: tuple[Win, ...]
    redeem_until: datetime | None = None

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
        return self.current.redeemed_at is not None

    @property
    def has_lapsed(self) -> bool:
        """Whether the prize was lost when no ticket was left to take it over."""
        return self.current.forfeited_at is not None

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


def holdings_of(raffle: Raffle, wins: Sequence[Win]) -> list[Holding]:
    """Return the holdings of a drawn raffle in draw order; `wins` are all its wins, as `RaffleEngine.winners` has them.

    A ticket wins at most once, so the number of a ticket says which prize it passed on.
    """
    prizes = list(prizes_of_wins(prize.amount for prize in raffle.prizes))
    chains: list[list[Win]] = []
    chain_of: dict[int, list[Win]] = {}
    for win in wins:
        if win.in_place_of is None:
            chains.append([])
        chain = chains[-1] if win.in_place_of is None else chain_of[win.in_place_of]
        chain.append(win)
        chain_of[win.ticket_number] = chain
    return [Holding(prize, tuple(chain), _deadline(raffle, chain)) for prize, chain in zip(prizes, chains, strict=True)]


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


def _deadline(raffle: Raffle, chain: Sequence[Win]) -> datetime | None:
    # A prize passes on at the moment of its forfeit.
    return redeem_until(raffle, taken_over_at=chain[-2].forfeited_at if len(chain) > 1 else None)
