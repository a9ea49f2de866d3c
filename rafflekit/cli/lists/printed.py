"""The tickets of a list that `participate --from` wrote, as they are printed: checked, then read pile by pile.

The order of the sheets needs eight places of the list at once. Eight readers of the same file have them, however long
the list is.
"""

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.owners import listed_tickets, wrong_code
from rafflekit.core.protocol import codes
from rafflekit.core.protocol.number_sets import number_set
from rafflekit.html.links import ticket_fragment

if TYPE_CHECKING:
    from rafflekit.core.engine import RaffleEngine
    from rafflekit.core.models import Raffle
    from rafflekit.html.paper.sheets import PrintedTicket

_DIGITS = 18
_CODES_AT_ONCE = 10_000


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
        tickets, printed = self._tickets(), number_set(raffle.total_tickets)
        while some := [(number, code) for number, code, _ in islice(tickets, _CODES_AT_ONCE)]:
            if wrong := engine.exports.wrong_codes(raffle.id, dict(some)):
                raise wrong_code(path, wrong[0])
            for number, _ in some:
                if number in printed:
                    # Two people would come for one prize.
                    raise self._stopped(f"ticket {number} is in {path.name} twice; remove one of the lines.")
                printed.add(number)
            self.count += len(some)
        if not self.count:
            raise self._stopped(f"{path.name} has no tickets.")

    def piles(self, links: str | None) -> list[Iterator["PrintedTicket"]]:
        """Return the tickets of each of the eight piles; `links` is the address of the raffle's page, for QR codes."""
        from rafflekit.html.paper.sheets import piles_of

        return [self._pile(pile, links) for pile in piles_of(self.count)]

    def _pile(self, pile: range, links: str | None) -> Iterator["PrintedTicket"]:
        from rafflekit.html.paper.sheets import PrintedTicket

        read = 0
        for place, (number, code, holder) in islice(zip(count(1), self._tickets()), pile.start, pile.stop):
            link = "" if links is None else f"{links}{ticket_fragment(number, code)}"
            yield PrintedTicket(place, number, code, link, holder)
            read += 1
        if read < len(pile):
            raise self._stopped(f"{self._path.name} was changed while it was read.")

    def _tickets(self) -> Iterator[tuple[int, str, str]]:
        for row in listed_tickets(self._path):
            number = row.number.strip()
            if not number:
                # This line got no ticket.
                continue
            if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS):
                raise self._stopped(
                    f"{number[:_DIGITS]!r} in {self._path.name} is not a ticket number; "
                    "use the file as rafflekit wrote it."
                )
            code = codes.read(row.code)
            if code is None:
                raise wrong_code(self._path, int(number))
            # As rafflekit spells it: a spreadsheet may have changed that.
            yield int(number), codes.spell(codes.unspell(code)), row.participant

    def _stopped(self, problem: str) -> CommandStopped:
        return CommandStopped(f"--tickets: {problem}", status=WRONG_USAGE)
