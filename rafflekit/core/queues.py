"""The queue of a draw: which tickets take over the prizes that pass on (pure)."""

from functools import partial
from itertools import islice
from threading import Lock

from rafflekit.core.protocol.winners import winning_serials


class TicketQueue:
    """The shuffle of a draw after its last win, as far as it is needed; any number of threads can use it."""

    def __init__(self, seed: bytes, tickets: int, wins: int) -> None:
        self._lock = Lock()
        self._shuffle = partial(winning_serials, seed, tickets=tickets, wins=tickets)
        self._wins = wins
        self._begin()

    def serials(self, skip: int, most: int) -> list[int]:
        """Return at most `most` serials after the first `skip`; fewer if the tickets are used up."""
        with self._lock:
            try:
                self._known += islice(self._rest, max(0, skip + most - len(self._known)))
            except BaseException:
                # An interrupted shuffle cannot continue, and would look as if the tickets were used up.
                self._begin()
                raise
            return self._known[skip : skip + most]

    def _begin(self) -> None:
        self._rest = islice(self._shuffle(), self._wins, None)
        self._known: list[int] = []
