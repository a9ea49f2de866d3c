"""Raffles: create, change, list, find and look them up.

What takes a connection runs in a transaction that the engine begins and ends.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any
from uuid import UUID

from rafflekit.core import lifecycle, limits
from rafflekit.core.errors import IdempotencyKeyReused, InvalidValue, RaffleNotFound
from rafflekit.core.models import Page, Raffle, State, uuid_of
from rafflekit.core.paging import folded, items_before, page_of
from rafflekit.core.protocol import codes
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.protocol.quoting import harmless
from rafflekit.core.protocol.terms import Terms, canonical_json
from rafflekit.core.records import RaffleKeys
from rafflekit.core.storage.database import Connection, Database
from rafflekit.core.storage.statements import raffles as statements
from rafflekit.core.storage.statements.raffles import Creation, Filter
from rafflekit.core.storage.statements.tickets import insert_sealed_keys
from rafflekit.core.tickets import numbering, participants, sealing
from rafflekit.core.tickets.groups import Groups

# Callers who look at the same raffle at the same moment share one reading of it. Several queues let the readings of
# different raffles run side by side.
_LOOKUP_QUEUES = 64
_LOOKUPS_AT_ONCE = 64

_CANDIDATES_SHOWN = 5
_SHORT_ID_DIGITS = 8
_ID_DIGITS = 32


def new_sealed_keys(raffle: UUID, signer: SignerKey, random_bytes: Callable[[int], bytes]) -> bytes:
    """Make the keys of a new raffle, and return them sealed."""
    keys = RaffleKeys(
        numbering_key=random_bytes(numbering.KEY_BYTES),
        participant_key=random_bytes(participants.KEY_BYTES),
        code_key=random_bytes(codes.KEY_BYTES),
    )
    return sealing.seal(keys, signer, raffle, random_bytes)


def creation_key_of(idempotency_key: str) -> bytes:
    """Return the hash by which a creation with this key is recognised when it is repeated.

    Raises:
        InvalidValue: the key breaks a limit.
    """
    limits.check_idempotency_key(idempotency_key)
    return blake2b(idempotency_key.encode(), digest_size=16, person=b"rafflekit create").digest()


def creation_of(key: bytes, terms: Terms) -> Creation:
    """Return the key's hash with that of what is asked for."""
    request = {name: value for name, value in terms.shape().items() if name not in ("id", "created_at")}
    return Creation(key, blake2b(canonical_json(request), digest_size=16).digest())


def created_with(connection: Connection, key: bytes) -> Raffle | None:
    """Return the raffle that was created with a key, by the key's hash."""
    created = statements.creation_with(connection, key)
    return None if created is None else statements.load_raffle(connection, created[0])


def store_raffle(
    connection: Connection, terms: Terms, *, sealed_keys: bytes, verifier_key: str, creation: Creation | None
) -> Raffle:
    """Store a new raffle, whose ledger this key signs; call it first in a transaction.

    Return the raffle, or the one that was created with this idempotency key.

    Raises:
        IdempotencyKeyReused: something else was asked for with the key.
    """
    statements.lock_list(connection)
    if creation is not None and (created := statements.creation_with(connection, creation.key)) is not None:
        raffle, request = created
        before = statements.load_raffle(connection, raffle)
        if request != creation.request or before is None:
            raise IdempotencyKeyReused(raffle)
        return before
    statements.insert_raffle(
        connection, terms, folded_name=folded(terms.name), verifier_key=verifier_key, creation=creation
    )
    insert_sealed_keys(connection, terms.id, sealed_keys)
    return Raffle(terms, verifier_key=verifier_key)


def change_terms(connection: Connection, raffle: UUID, changes: Mapping[str, Any], now: datetime) -> Raffle:
    """Change terms of a raffle that has no tickets; call it first in a transaction.

    Raises:
        RaffleNotFound: no raffle has this id.
        TooLate: it has tickets, or is cancelled.
        InvalidValue: a term breaks a limit.
    """
    found = statements.lock_raffle(connection, raffle)
    lifecycle.check_changeable(found)
    terms = found.terms.changed(changes, now=now)
    statements.replace_terms(connection, terms, folded_name=folded(terms.name))
    return replace(found, terms=terms)


@dataclass(frozen=True, slots=True)
class Listing:
    """Which raffles are listed: None matches all. `name` is a part of the name, in any letter case."""

    name: str | None = None
    winners_drawn: bool | None = None
    state: str | None = None

    def filter(self, now: datetime) -> Filter | None:
        """Return the checked filter, or None if all raffles match.

        Raises:
            InvalidValue: a value breaks a limit.
        """
        if self == Listing():
            return None
        if self.name is not None:
            limits.check_searched_name(self.name)
        if self.winners_drawn is not None:
            limits.check_winners_drawn(self.winners_drawn)
        if self.state is not None and self.state not in list(State):
            raise InvalidValue("state", f"must be {', '.join(list(State)[:-1])} or {list(State)[-1]}.")
        return Filter(
            None if self.name is None else folded(self.name),
            drawn=self.winners_drawn,
            state=None if self.state is None else State(self.state),
            now=int(now.timestamp()),
        )


def load_page(
    connection: Connection, which: Listing, *, page: int, page_size: int, most_prizes: int | None, now: datetime
) -> Page[Raffle]:
    """Return a page of the raffles that match, the newest first, each with at most this number of its prizes.

    Raises:
        InvalidValue: a value breaks a limit.
        PageNotFound: the list ends before this page.
    """
    skip = items_before(page, page_size, most=limits.RAFFLES_PAGE_SIZE_MOST)
    if most_prizes is not None:
        limits.check_count("most_prizes", most_prizes, most=limits.PRIZE_KINDS)
    chosen = which.filter(now)
    if chosen is None:
        count = statements.count_raffles(connection)
        found = statements.newest_raffles(connection, newest=count - skip, most=page_size, most_prizes=most_prizes)
    else:
        count = statements.count_matching(connection, chosen)
        found = statements.newest_matching(connection, chosen, skip=skip, most=page_size, most_prizes=most_prizes)
    return page_of([lifecycle.seen(raffle, now) for raffle in found], count, page, page_size)


class RaffleLookups:
    """Look raffles up by their ids, from any number of threads."""

    def __init__(self, database: Database, clock: Callable[[], datetime]) -> None:
        self._database = database
        self._clock = clock
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
        now = self._clock()
        known = {raffle: lifecycle.seen(each, now) for raffle, each in found.items() if each is not None}
        return [known.get(raffle) or RaffleNotFound() for raffle in raffles]


def find_raffle(connection: Connection, text: str, *, whole_name: bool) -> Raffle:
    """Return the one raffle whose id begins with `text` or whose name is `text`, or else whose name contains it.

    Raises:
        RaffleNotFound: no raffle fits.
        InvalidValue: several raffles fit, or only a part of a name with `whole_name`, or `text` is empty.
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
    if not found:
        found = _with_name(connection, text, is_whole=False)
        if found and whole_name:
            way_out = f"give the whole name, or the beginning of the id: {', '.join(_shown(found))}"
            raise InvalidValue("raffle", f"{text!r} is only a part of a name; {way_out}.")
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
    chosen = Filter(folded(text), is_whole=is_whole)
    return statements.newest_matching(connection, chosen, skip=0, most=_CANDIDATES_SHOWN + 1)


def _shown(found: Sequence[Raffle]) -> Iterator[str]:
    for raffle in found[:_CANDIDATES_SHOWN]:
        yield f"{raffle.id.hex[:_SHORT_ID_DIGITS]} ({harmless(raffle.name)})"
    if len(found) > _CANDIDATES_SHOWN:
        yield "…"
