"""Everything of a raffle, item by item, for the operator's own lists.

Each list is read page by page, and each page in a transaction of its own: so no list, however long, holds a transaction
open or takes memory. A raffle may change in between. The numbers of tickets and of forfeits are therefore those of the
beginning: what comes later is missing as a whole, so that every prize that passed on has its heir in the list, and
every heir its forfeit. Redemptions that come later may be missing.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from uuid import UUID

from rafflekit.core import lifecycle
from rafflekit.core.models import ExportedClaim, ExportedTicket, ExportedWin, Raffle, WinState
from rafflekit.core.prizes import Win
from rafflekit.core.protocol.codes import CodeHasher
from rafflekit.core.storage.database import Database
from rafflekit.core.storage.statements import claims
from rafflekit.core.storage.statements import exports as statements
from rafflekit.core.storage.statements.claims import Progress, StandingWin

# PostgreSQL, as long as it has no statistics, compares each row of a page with every other.
_ROWS_AT_ONCE = 1_000
# SQLite takes at most 32,766 values in a statement.
_CODES_AT_ONCE = 1_000


class Exports:
    """The lists of everything in one database's raffles: `engine.exports`.

    A list is read while it is consumed, so it can raise `StorageUnavailable` at any item. Every method raises
    `RaffleNotFound` at once if no raffle has the id.
    """

    def __init__(self, database: Database, hasher: CodeHasher, get: Callable[[UUID | str], Raffle]) -> None:
        self._database = database
        self._hasher = hasher
        self._get = get

    def tickets(self, raffle_id: UUID | str) -> Iterator[ExportedTicket]:
        """Yield the tickets that a raffle has now, in the order of issue, as its public ledger has them.

        Before the draw, no ticket has a prize. A ticket whose prize was forfeited keeps it in the list, with its state.
        """
        raffle = self._get(raffle_id)
        progress = self._progress(raffle) if lifecycle.is_drawn(raffle) else None
        return self._tickets(raffle, progress)

    def wins(self, raffle_id: UUID | str) -> Iterator[ExportedWin]:
        """Yield the wins of a drawn raffle in draw order, and after them those of tickets that took a prize over.

        Raises:
            NotDrawnYet: the winners have not been drawn.
        """
        raffle = self._get(raffle_id)
        lifecycle.check_drawn(raffle)
        return self._wins(raffle, self._progress(raffle))

    def claims(self, raffle_id: UUID | str) -> Iterator[ExportedClaim]:
        """Yield the redemptions of a drawn raffle, those that were undone, and the forfeits, in the order of time.

        Raises:
            NotDrawnYet: the winners have not been drawn.
        """
        raffle = self._get(raffle_id)
        lifecycle.check_drawn(raffle)
        return self._claims(raffle, self._progress(raffle))

    def wrong_codes(self, raffle_id: UUID | str, codes: Mapping[int, str]) -> list[int]:
        """Return the numbers whose ticket does not exist or has another code, of `codes` by ticket number.

        Unlike `verify`, this works before the draw: it tells an organiser whether a list of codes is this raffle's.
        Hashing takes about 30 µs per code, besides the look-up of its ticket.
        """
        raffle = self._get(raffle_id)
        numbers = iter(codes)
        wrong: list[int] = []
        while some := list(islice(numbers, _CODES_AT_ONCE)):
            hashes = self._database.query(partial(statements.code_hashes, raffle=raffle.id, numbers=some))
            wrong += [number for number in some if not self._hasher.check(hashes.get(number), codes[number])]
        return wrong

    def _progress(self, raffle: Raffle) -> Progress:
        return self._database.query(partial(claims.progress_of, raffle=raffle.id))

    def _tickets(self, raffle: Raffle, progress: Progress | None) -> Iterator[ExportedTicket]:
        for first, last in _spans(0, raffle.issued):
            look = partial(statements.tickets_between, raffle=raffle.id, first=first, last=last, progress=progress)
            for ticket in self._database.read(look):
                issued_at = None if ticket.is_forgotten else datetime.fromtimestamp(ticket.issued_at, UTC)
                if progress is None or ticket.prize is None:
                    yield ExportedTicket(ticket.number, issued_at)
                    continue
                state = _state(raffle, progress, is_redeemed=ticket.redeemed_at is not None, forfeit=ticket.forfeit)
                yield ExportedTicket(ticket.number, issued_at, ticket.prize, state)

    def _wins(self, raffle: Raffle, progress: Progress) -> Iterator[ExportedWin]:
        for first, last in _spans(1, 1 + _wins_of(raffle, progress)):
            look = partial(claims.standing_wins, raffle=raffle.id, first=first, last=last)
            for standing in self._database.read(look):
                win, forfeit = _as_of(progress, standing)
                state = _state(raffle, progress, is_redeemed=win.redeemed_at is not None, forfeit=forfeit)
                until = lifecycle.redeem_until(raffle, taken_over_at=standing.taken_over_at)
                yield ExportedWin(standing.ordinal, win, state, until if state is WinState.UNREDEEMED else None)

    def _claims(self, raffle: Raffle, progress: Progress) -> Iterator[ExportedClaim]:
        after = statements.BEFORE_ALL
        known = partial(statements.events_after, raffle=raffle.id, progress=progress, wins=_wins_of(raffle, progress))
        while True:
            events = self._database.read(partial(known, after=after, most=_ROWS_AT_ONCE))
            for event in events:
                yield event.claim
            if len(events) < _ROWS_AT_ONCE:
                return
            after = events[-1].place


def _spans(first: int, end: int) -> Iterator[tuple[int, int]]:
    """Yield the first and the last place of each page, of the places from `first` to below `end`."""
    for start in range(first, end, _ROWS_AT_ONCE):
        yield start, min(start + _ROWS_AT_ONCE, end) - 1


def _wins_of(raffle: Raffle, progress: Progress) -> int:
    return progress.wins + progress.passed_on(raffle.issued)


def _as_of(progress: Progress, standing: StandingWin) -> tuple[Win, int | None]:
    """Return a win and the number of its forfeit, without a forfeit that came later."""
    if standing.forfeit is None or standing.forfeit <= progress.forfeits:
        return standing.win, standing.forfeit
    return replace(standing.win, forfeited_at=None, forfeited_by=None, why=None, reason=None), None


def _state(raffle: Raffle, progress: Progress, *, is_redeemed: bool, forfeit: int | None) -> WinState:
    if forfeit is not None:
        return WinState.PASSED_ON if forfeit <= progress.passed_on(raffle.issued) else WinState.LAPSED
    return WinState.REDEEMED if is_redeemed else WinState.UNREDEEMED
