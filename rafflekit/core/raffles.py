"""Raffles: announce, store, list, find and look them up.

What takes a connection runs in a transaction that the engine begins and ends.
"""

from collections.abc import Callable, Iterator, Sequence
from uuid import UUID

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue, RaffleNotFound
from rafflekit.core.models import Page, Raffle, uuid_of
from rafflekit.core.paging import folded, items_before, page_of
from rafflekit.core.protocol import codes
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.protocol.terms import Terms
from rafflekit.core.records import RaffleKeys
from rafflekit.core.storage.database import Connection, Database
from rafflekit.core.storage.statements import raffles as statements
from rafflekit.core.storage.statements.ledgers import insert_ledger
from rafflekit.core.storage.statements.tickets import insert_keys
from rafflekit.core.tickets import numbering, participants
from rafflekit.core.tickets.groups import Groups

# Callers who look at the same raffle at the same moment share one reading of it. Several queues let the readings of
# different raffles run side by side.
_LOOKUP_QUEUES = 64
_LOOKUPS_AT_ONCE = 64

_CANDIDATES_SHOWN = 5
_SHORT_ID_DIGITS = 8
_ID_DIGITS = 32


def new_keys(random_bytes: Callable[[int], bytes]) -> RaffleKeys:
    """Return the keys of a new raffle."""
    return RaffleKeys(
        numbering_key=random_bytes(numbering.KEY_BYTES),
        participant_key=random_bytes(participants.KEY_BYTES),
        code_key=random_bytes(codes.KEY_BYTES),
    )


def store_raffle(connection: Connection, terms: Terms, keys: RaffleKeys, signer: SignerKey | None) -> None:
    """Store a new raffle, whose ledger this key signs if there is one; call it first in a transaction."""
    statements.insert_raffle(connection, terms, folded_name=folded(terms.name))
    insert_keys(connection, terms.id, keys)
    # Last: from here on the database refuses changes to the terms.
    insert_ledger(connection, terms, verifier_key=None if signer is None else str(signer.verifier))


def load_page(
    connection: Connection, *, page: int, page_size: int, name: str | None, winners_drawn: bool | None
) -> Page[Raffle]:
    """Return a page of all raffles, or of those that match.

    Raises:
        InvalidValue: a value breaks a limit.
        PageNotFound: the list ends before this page.
    """
    skip = items_before(page, page_size)
    if name is None and winners_drawn is None:
        count = statements.count_raffles(connection)
        found = statements.newest_raffles(connection, newest=count - skip, most=page_size)
    else:
        if name is not None:
            limits.check_searched_name(name)
            name = folded(name)
        if winners_drawn is not None:
            limits.check_winners_drawn(winners_drawn)
        count = statements.count_matching(connection, folded_name=name, drawn=winners_drawn)
        found = statements.newest_matching(connection, folded_name=name, drawn=winners_drawn, skip=skip, most=page_size)
    return page_of(found, count, page, page_size)


class RaffleLookups:
    """Look raffles up by their ids, from any number of threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queues = tuple(Groups(self._look_up, most=_LOOKUPS_AT_ONCE) for _ in range(_LOOKUP_QUEUES))

    def get(self, raffle_id: UUID | str) -> Raffle:
        """Return a raffle as it is now.

        Raises:
            RaffleNotFound: no raffle has this id.
        """
        raffle = uuid_of(raffle_id)
        return self._queues[hash(raffle) % _LOOKUP_QUEUES].submit(raffle)

    def _look_up(self, raffles: Sequence[UUID]) -> Sequence[Raffle | RaffleNotFound]:
        """Read each of these raffles once, however many callers ask for it: all of them asked before it is read."""
        found = {
            raffle: statements.raffle_of(self._database.fetch(statements.RAFFLE, {"raffle": raffle}))
            for raffle in set(raffles)
        }
        return [found[raffle] or RaffleNotFound() for raffle in raffles]


def find_raffle(connection: Connection, text: str) -> Raffle:
    """Return the one raffle whose id begins with `text` or whose name is `text`, or else whose name contains it.

    Raises:
        RaffleNotFound: no raffle fits.
        InvalidValue: several raffles fit, or `text` is empty.
    """
    text = text.strip()
    if not text:
        raise InvalidValue("raffle", "must not be empty; give the raffle's id, the beginning of it, or its name.")
    digits = text.replace("-", "").lower()
    found = _with_id_prefix(connection, digits)
    if not found or len(digits) < _ID_DIGITS:
        # A name can look like the beginning of another raffle's id, and a draw cannot be undone.
        named = _with_name(connection, text, is_whole=True)
        found += [raffle for raffle in named if raffle not in found]
    found = found or _with_name(connection, text, is_whole=False)
    if len(found) > 1:
        raise InvalidValue(
            "raffle", f"several raffles match {text!r}; use the beginning of the id: {', '.join(_shown(found))}."
        )
    if not found:
        raise RaffleNotFound(
            f"No raffle's id begins with {text!r}, and no raffle's name contains it; "
            "'rafflekit list' shows all raffles."
        )
    return found[0]


def _with_id_prefix(connection: Connection, digits: str) -> list[Raffle]:
    if not 0 < len(digits) <= _ID_DIGITS or not set(digits) <= set("0123456789abcdef"):
        return []
    first, last = UUID(digits.ljust(_ID_DIGITS, "0")), UUID(digits.ljust(_ID_DIGITS, "f"))
    ids = statements.ids_between(connection, first, last, most=_CANDIDATES_SHOWN + 1)
    return [found for raffle in ids if (found := statements.load_raffle(connection, raffle)) is not None]


def _with_name(connection: Connection, text: str, *, is_whole: bool) -> list[Raffle]:
    try:
        limits.check_searched_name(text)
    except InvalidValue:
        return []
    return statements.newest_matching(
        connection, folded_name=folded(text), is_whole=is_whole, drawn=None, skip=0, most=_CANDIDATES_SHOWN + 1
    )


def _shown(found: Sequence[Raffle]) -> Iterator[str]:
    for raffle in found[:_CANDIDATES_SHOWN]:
        yield f"{raffle.id.hex[:_SHORT_ID_DIGITS]} ({raffle.name})"
    if len(found) > _CANDIDATES_SHOWN:
        yield "…"
