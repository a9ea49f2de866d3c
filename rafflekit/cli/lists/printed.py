"""The tickets of a list that `participate --from` wrote, as they are printed: checked, then read pile by pile.

The order of the sheets needs eight places of the list at once. Eight readers of the same file have them, however long
it is.
"""

from collections.abc import Iterator
from itertools import count, islice
from pathlib import Path
from typing import TYPE_CHECKING

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.owners import listed_rows
from rafflekit.core.errors import InvalidVerificationCode
from rafflekit.core.protocol import codes

if TYPE_CHECKING:
    from rafflekit.core.engine import RaffleEngine
    from rafflekit.core.models import Raffle
    from rafflekit.html.paper.sheets import PrintedTicket

_DIGITS = 18


class TicketsToPrint:
    """The tickets of a list, all of them of one raffle; `count` says how many.

    Every code is checked: at the cost that rafflekit gives a code, that takes a small part of the time that printing
    takes, and a ticket with a wrong code would be noticed only when its prize is collected.

    Raises:
        CommandStopped: the list cannot be read, has no tickets, or a code is not that of this raffle's ticket.
    """

    def __init__(self, path: Path, engine: "RaffleEngine", raffle: "Raffle") -> None:
        self._path = path
        self.count = 0
        for number, code, _ in self._tickets():
            try:
                engine.check_code(raffle.id, number, code)
            except InvalidVerificationCode as error:
                raise self._wrong_code(number) from error
            self.count += 1
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
            link = "" if links is None else f"{links}#t={number}&c={code}"
            yield PrintedTicket(place, number, code, link, holder)
            read += 1
        if read < len(pile):
            raise self._stopped(f"{self._path.name} was changed while it was read.")

    def _tickets(self) -> Iterator[tuple[int, str, str]]:
        for row in listed_rows(self._path):
            number = row["ticket_number"].strip()
            if not number:
                # This line got no ticket.
                continue
            if not (number.isascii() and number.isdigit() and len(number) <= _DIGITS):
                raise self._stopped(
                    f"{number[:_DIGITS]!r} in {self._path.name} is not a ticket number; "
                    "use the file as rafflekit wrote it."
                )
            code = codes.read(row["verification_code"])
            if code is None:
                raise self._wrong_code(int(number))
            # As rafflekit spells it: a spreadsheet may have changed that.
            yield int(number), codes.spell(codes.unspell(code)), row["participant"]

    def _wrong_code(self, number: int) -> CommandStopped:
        return self._stopped(
            f"the code of ticket {number} in {self._path.name} is not that of this raffle's ticket; is it the list of "
            "another raffle?"
        )

    def _stopped(self, problem: str) -> CommandStopped:
        return CommandStopped(f"--tickets: {problem}", status=WRONG_USAGE)
