"""What is wrong with a raffle's ledger: its key, its stored hashes, its closing, and the seed that came from it."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from rafflekit.core.checkup.keys import is_operator_key
from rafflekit.core.errors import InvalidValue
from rafflekit.core.ledger.books import book_of
from rafflekit.core.models import Raffle
from rafflekit.core.protocol import cosignatures, tree
from rafflekit.core.protocol.checkpoints import End
from rafflekit.core.protocol.entropy import SOURCES, source_of
from rafflekit.core.protocol.notes import Note, NoteWrong, VerifierKey
from rafflekit.core.protocol.tiles import GrowingTree, WholeTile
from rafflekit.core.protocol.winners import seed_of
from rafflekit.core.storage.database import Connection
from rafflekit.core.storage.statements import checkup as statements
from rafflekit.core.storage.statements import draws, ledgers, raffles
from rafflekit.core.storage.statements.checkup import RaffleRecord

_LEAVES_AT_ONCE = 10_000

_END_OF_DATES = 253_402_300_800
"""The first second of the year 10000; raffles are from 1970 or later."""


def ledger_problems(connection: Connection, raffle: RaffleRecord) -> Iterator[str]:
    """Yield what is wrong with the ledger of a raffle, each as the end of a sentence."""
    # Not read with `load_raffle`, which finds no raffle without prizes, and fails if another value is of a wrong type.
    if not _has_source(raffle):
        yield "its source of entropy is unknown, or has another delay"
        return
    loaded = raffles.load_raffle(connection, raffle.id) if has_date(raffle) else None
    if loaded is not None and not is_operator_key(loaded.verifier_key):
        yield "its ledger's key is not an operator's, so it can be neither continued nor proven"
    growing, whole = _grown(connection, raffle)
    if raffle.closed_at is None and growing.size == raffle.total_tickets:
        yield "it is sold out, but not closed"
    if raffle.closed_at is not None and growing.size < sum(raffle.amounts):
        yield "it is closed, but has more prizes than tickets"
    different = whole ^ statements.stored_tiles(connection, raffle.id)
    if different:
        yield f"{len(different)} of its ledger's stored hashes do not match its tickets"
        return
    if loaded is not None and loaded.end is not None:
        root = tree.root(growing.subtree, growing.size)
        yield from _closing_problems(connection, raffle, loaded, loaded.end, root)


def has_date(raffle: RaffleRecord) -> bool:
    """Return whether a raffle's creation date can be shown."""
    # SQLite stores other types than whole numbers.
    created_at: object = raffle.created_at
    return isinstance(created_at, int) and 0 <= created_at < _END_OF_DATES


def _has_source(raffle: RaffleRecord) -> bool:
    source = SOURCES.get(raffle.entropy)
    return source is not None and (source.delay is None) == (raffle.delay_s is None)


def _grown(connection: Connection, raffle: RaffleRecord) -> tuple[GrowingTree, set[WholeTile]]:
    growing, whole = GrowingTree(), set[WholeTile]()
    leaves = statements.leaf_hashes(connection, raffle.id)
    while some := list(islice(leaves, _LEAVES_AT_ONCE)):
        growing, more = growing.grown(some)
        whole.update(more)
    return growing, whole


def _closing_problems(
    connection: Connection, raffle: RaffleRecord, loaded: Raffle, end: End, root: bytes
) -> Iterator[str]:
    terms = loaded.terms
    book = book_of(terms)
    if end != book.end_at(end.closed):
        yield "its closing is from before the raffle, or its round does not match its time"
        return
    closed = book.checkpoint(root, loaded.issued, end)
    source = source_of(terms.entropy)
    known_from = source.known_from(end)
    for key, line in ledgers.load_cosignatures(connection, raffle.id):
        if not _is_cosigned(closed.text(), key, line, created_at=terms.created_at, known_from=known_from):
            yield f"the cosignature of {key} does not belong to its closing, so its proof is rejected"
    draw = draws.load_draw(connection, raffle.id)
    if draw is None:
        return
    if not source.is_whole(draw.entropy):
        yield "the entropy of its draw is damaged"
    elif seed_of(closed.closing_hash(), source.entropy_of(draw.entropy)) != raffle.seed:
        yield "its seed does not come from its closing and its entropy"


def _is_cosigned(text: str, key: str, line: str, *, created_at: datetime, known_from: int | None) -> bool:
    try:
        kept = cosignatures.cosignature_of(VerifierKey.read(key), Note.read(f"{text}\n{line}"))
        cosignatures.check_date(kept.time, created_at=created_at, known_from=known_from)
    except (NoteWrong, InvalidValue):
        return False
    return True
