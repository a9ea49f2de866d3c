"""A drawn raffle, with the codes of its tickets."""

from dataclasses import dataclass
from uuid import UUID

from rafflekit import Raffle, RaffleEngine, Ticket


@dataclass(frozen=True)
class Drawn:
    """A drawn raffle of three tickets and two prizes: the winning numbers in draw order, and each ticket's code."""

    engine: RaffleEngine
    id: UUID
    wins: list[int]
    codes: dict[int, str]

    @property
    def next(self) -> int:
        """The ticket that has not won."""
        (number,) = set(self.codes) - set(self.wins)
        return number

    def settle(self) -> tuple[int, int, int]:
        """Redeem the first prize and pass the second one on; return the two winners and the ticket that is next."""
        first, second = self.wins
        self.engine.redeem(self.id, first, self.codes[first])
        self.engine.forfeit(self.id, second, why="unclaimed")
        return first, second, self.next


def draw(engine: RaffleEngine, raffle: Raffle, tickets: list[Ticket]) -> Drawn:
    """Draw a raffle whose tickets are these."""
    wins = [win.ticket_number for win in engine.draw(raffle.id)]
    return Drawn(engine, raffle.id, wins, {ticket.number: ticket.verification_code for ticket in tickets})
