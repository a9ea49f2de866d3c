"""The tickets of a list that `participate --from` wrote, as they are printed: checked, then read pile by pile.

The order of the sheets needs eight places of the list at once. Eight readers of the same file have them, however long
the list is.
"""

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

from rafflekit.cli.lists.owners import listed_tickets, listed_twice, no_tickets, stopped, wrong_code
from rafflekit.core.protocol import codes
from rafflekit.core.protocol.number_sets import number_set
from rafflekit.html.links import ticket_fragment

if TYPE_CHECKING:
    from rafflekit.core.engine import RaffleEngine
    from rafflekit.core.models import Raffle
    from rafflekit.html.paper.sheets import PrintedTicket

_TICKETS_AT_ONCE = 10_000


class TicketsToPrint:
    """The tickets of a list, all of them of one raffle; `count` says how many.

    Every code is checked, which takes little time next to the printing. A ticket with a wrong code would otherwise be
    noticed only when its prize is collected.

    Raises:
        CommandStopped: the list cannot be read, has no tickets or one of them twice, or a code is not that of this
            raffle's ticket.
    """

    def __init__(self, path: Path, engine: "RaffleEngine", raffle: "Raffle") -> None:
        self._path = path
        self.count = 0
        tickets, printed = listed_tickets(path), number_set(raffle.total_tickets)
        while some := list(islice(tickets, _TICKETS_AT_ONCE)):
            if wrong := engine.exports.wrong_codes(raffle.id, {ticket.number: ticket.code for ticket in some}):
                raise wrong_code(path, wrong[0])
            for ticket in some:
                if ticket.number in printed:
                    raise listed_twice(path, ticket.number)
                printed.add(ticket.number)
            self.count += len(some)
        if not self.count:
            raise no_tickets(path)

    def piles(self, links: str | None) -> list[Iterator["PrintedTicket"]]:
        """Return the tickets of each of the eight piles; `links` is the address of the raffle's page, for QR codes."""
        from rafflekit.html.paper.sheets import piles_of

        return [self._pile(pile, links) for pile in piles_of(self.count)]

    def _pile(self, pile: range, links: str | None) -> Iterator["PrintedTicket"]:
        from rafflekit.html.paper.sheets import PrintedTicket

        read = 0
        tickets = zip(count(1), listed_tickets(self._path))
        for place, (number, holder, given) in islice(tickets, pile.start, pile.stop):
            code = codes.read(given)
            if code is None:
                break
            # As rafflekit spells it: a spreadsheet may have changed that.
            spelled = codes.spell(codes.unspell(code))
            link = "" if links is None else f"{links}{ticket_fragment(number, spelled)}"
            yield PrintedTicket(place, number, spelled, link, holder)
            read += 1
        if read < len(pile):
            raise stopped(f"{self._path.name} was changed while it was read.")
