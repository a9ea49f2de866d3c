"""A check-up of a database: whether its counters, tickets, draws and secrets agree with each other.

The database's own rules keep most of this true; a check-up tells whether somebody went past them, or a disk did.
"""

import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice, zip_longest
from uuid import UUID

from rafflekit.core.errors import InvalidValue, SchemaMismatch, SigningKeyUnavailable, StorageUnavailable
from rafflekit.core.ledger.books import book_of
from rafflekit.core.ledger.keys import read_key_beside
from rafflekit.core.models import DatabaseReport
from rafflekit.core.protocol import codes, cosignatures, tree
from rafflekit.core.protocol import winners as drawing
from rafflekit.core.protocol.checkpoints import Closing
from rafflekit.core.protocol.entropy import SOURCES, source_of
from rafflekit.core.protocol.notes import OPERATOR, Note, NoteWrong, SignerKey, VerifierKey
from rafflekit.core.protocol.tiles import GrowingTree, WholeTile
from rafflekit.core.storage import catalog, database
from rafflekit.core.storage.backend import Backend
from rafflekit.core.storage.database import Connection
from rafflekit.core.storage.location import backend_of, url_or_default
from rafflekit.core.storage.remains import Remains
from rafflekit.core.storage.statements import draws, evidence, ledgers
from rafflekit.core.storage.statements import raffles as queries
from rafflekit.core.storage.statements.evidence import RaffleRecord
from rafflekit.core.tickets import numbering, participants

_LEAVES_AT_ONCE = 10_000

_END_OF_DATES = 253_402_300_800
"""The first second of the year 10000; raffles are from 1970 on."""


def check_database(database_url: str | None = None, *, signing_key: SignerKey | None = None) -> DatabaseReport:
    """Read a whole database, as it is at one moment, and tell what in it does not agree; nothing is changed.

    The layout is compared with this version's, counters with the tickets, numbers of raffles not yet drawn with their
    keys, ledgers with the tickets, seeds with what they came from, draws with what their seeds give. Secrets must be
    gone after a draw: from the tables, and from every byte of a SQLite file and its journal. Every key that signs a
    ledger must be here: `signing_key`, or the one beside a file; a PostgreSQL without the first is not asked for keys.
    It takes some 35 µs a ticket; servers go on meanwhile.

    Raises:
        InvalidSetting: the URL is none, or names a database that is not supported.
        SchemaMismatch: it is another program's, or has another layout than this version's.
        StorageUnavailable: it is not there, or cannot be opened.
    """
    url = url_or_default(database_url, makes_folder=False)
    status = database.layout_status(url)
    if status.state == "missing":
        raise StorageUnavailable(f"The database {status.url} is not there, so there is nothing to check.")
    if status.state == "newer":
        raise SchemaMismatch(
            f"The database {status.url} has the layout {status.layout}, which this rafflekit does not know: check it "
            "with the one that made it, or restore a backup."
        )
    if status.state != "current":
        raise SchemaMismatch(
            f"The database {status.url} has the layout {status.layout or 'none'}, and only the layout "
            f"{status.newest_layout} can be checked; 'rafflekit db upgrade' makes it from an older one."
        )

    backend = backend_of(url)
    key = _KeyAtHand.found(backend, signing_key)
    cleaned: list[UUID] = []

    def examine(connection: Connection) -> DatabaseReport:
        raffles = evidence.raffle_records(connection)
        drawn = [raffle.id for raffle in raffles if raffle.is_drawn]
        # Those that are there as rows are a problem of their own, and no remains.
        cleaned[:] = [raffle.id for raffle in raffles if raffle.is_drawn and raffle.numbering_key is None]
        problems = [f"The file is damaged: {what}." for what in evidence.damage(connection)]
        problems += _problems_of_the_layout(connection)
        for raffle in raffles:
            problems += [f"Raffle {raffle.id}: {problem}." for problem in _problems(connection, raffle)]
        return DatabaseReport(
            status.url,
            raffles=len(raffles),
            tickets=sum(raffle.issued for raffle in raffles if isinstance(raffle.issued, int)),
            draws=len(drawn),
            hashed_participants=sum(evidence.count_hashed_participants(connection, raffle) for raffle in drawn),
            remains=(),
            missing_keys=() if key is None else tuple(key.missing(evidence.verifier_keys(connection))),
            problems=tuple(problems),
        )

    with closing(database.Database(url, is_patient=True)) as opened:
        report = opened.read(examine)
    # After the last connection: SQLite then empties its journal, if nobody else has the file open.
    return replace(report, remains=tuple(_remains(backend.remains(cleaned))))


@dataclass(frozen=True)
class _KeyAtHand:
    """The key that signs here (its verifier key), or why there is none."""

    known: str | None = None
    problem: str | None = None

    @classmethod
    def found(cls, backend: Backend, given: SignerKey | None) -> "_KeyAtHand | None":
        """Return the key that was given, or that beside the database; None if nobody can say which one signs here."""
        if given is not None:
            return cls(str(given.verifier))
        file = backend.key_file
        if file is None:
            return None
        if not os.path.lexists(file):
            return cls()
        try:
            return cls(str(read_key_beside(file).verifier))
        except SigningKeyUnavailable as error:
            return cls(problem=str(error))

    def missing(self, used: Iterable[str]) -> Iterator[str]:
        """Tell which of the keys of the ledgers are missing; what is no key is no missing one."""
        if self.problem is not None:
            yield self.problem
        for key, raffles in sorted(Counter(used).items()):
            if key != self.known and _is_an_operators(key):
                signed = f"{raffles:,} of the raffles"
                yield f"The key {key} is not here: {signed} can be neither drawn nor proven without it."


def _remains(found: Remains) -> Iterator[str]:
    for raffle in sorted(found.in_journal):
        yield (
            f"Raffle {raffle}: its secrets are deleted, and can still be read in the journal of the file; they leave "
            "it when no program reads the database any more."
        )
    for raffle in sorted(found.in_file):
        yield (
            f"Raffle {raffle}: its secrets are deleted, and can still be read in unused parts of the file; SQLite's "
            "VACUUM overwrites them."
        )


def _problems_of_the_layout(connection: Connection) -> Iterator[str]:
    different = catalog.differences(connection)
    if different:
        yield (
            f"The layout is not as rafflekit made it: {'; '.join(different)}. Without indexes a database is "
            "slow, without constraints and triggers it does not hold the rules: make them again as a new database has "
            "them, or restore a backup."
        )
    yield from (f"{misfits}." for misfits in evidence.misfits(connection))


def _problems(connection: Connection, raffle: RaffleRecord) -> Iterator[str]:
    if not raffle.amounts:
        yield "it has no prizes, and so is shown nowhere"
    if raffle.places != list(range(len(raffle.places))):
        yield "its prizes do not stand in their places, so that it cannot be drawn"
    if not _has_a_date(raffle):
        yield "the date of its creation is none from 1970 to 9999, so that it cannot be shown or proven"
    try:
        yield from _problems_of_rows(connection, raffle)
    # Of the database itself nothing comes here as `StorageUnavailable`: it is what a value turned out to be.
    except (TypeError, ValueError, ArithmeticError, AttributeError, StorageUnavailable):
        yield "it has a value of a wrong type"


def _problems_of_rows(connection: Connection, raffle: RaffleRecord) -> Iterator[str]:
    yield from _problems_of_tickets(connection, raffle)
    yield from _problems_of_a_ledger(connection, raffle)
    if raffle.is_drawn:
        yield from _problems_of_a_draw(connection, raffle)
    elif evidence.count_stored_wins(connection, raffle.id):
        yield "it is not drawn, and has wins"
    elif raffle.numbering_key is None:
        yield "it is not drawn, and its secrets are gone"
    else:
        yield from _problems_of_secrets(connection, raffle)
        yield from _problems_of_numbers(connection, raffle, raffle.numbering_key)


def _problems_of_secrets(connection: Connection, raffle: RaffleRecord) -> Iterator[str]:
    for key, due in zip(raffle.other_keys, (participants.KEY_BYTES, codes.KEY_BYTES), strict=True):
        if not isinstance(key, bytes) or len(key) != due:
            yield "a key of its participants or codes is damaged"
    damaged = evidence.count_damaged_participants(connection, raffle.id, hash_bytes=participants.HASH_BYTES)
    if damaged:
        yield f"{damaged} tickets have no hash of their participant, who could get another one"


def _problems_of_tickets(connection: Connection, raffle: RaffleRecord) -> Iterator[str]:
    counted = evidence.count_stored_tickets(connection, raffle.id)
    if raffle.issued != counted.rows:
        yield f"its counter says {raffle.issued} tickets, and {counted.rows} are stored"
    if counted.last_serial + 1 != counted.rows:
        yield f"its last ticket was issued as no. {counted.last_serial + 1}, and {counted.rows} are stored"
    if counted.rows > raffle.total_tickets or counted.last_number > raffle.total_tickets:
        yield f"it has {raffle.total_tickets} tickets, and {counted.rows} are stored, up to no. {counted.last_number}"
    if counted.numbers != counted.rows:
        yield f"{counted.rows - counted.numbers} tickets have a number that another one has"
    damaged = evidence.count_damaged_hashes(connection, raffle.id)
    if damaged:
        yield f"{damaged} tickets have no Argon2id hash of a code, and can never be verified"
    if counted.participants != counted.rows:
        yield f"{counted.rows - counted.participants} tickets belong to somebody who has another one"
    if sum(raffle.amounts) > raffle.total_tickets:
        yield f"it has {sum(raffle.amounts)} prizes for {raffle.total_tickets} tickets"


def _problems_of_a_ledger(connection: Connection, raffle: RaffleRecord) -> Iterator[str]:
    record = ledgers.load_ledger(connection, raffle.id)
    if record is None:
        yield "it has no ledger"
        return
    if record.verifier_key is not None and not _is_an_operators(record.verifier_key):
        yield "the key of its ledger is none, so that nothing more can be signed"
    source = SOURCES.get(record.entropy)
    if source is None or (source.delay is None) != (record.delay_s is None):
        yield "what decides it is nothing that rafflekit knows"
        return
    growing, whole = GrowingTree(), set[WholeTile]()
    leaves = evidence.leaf_hashes(connection, raffle.id)
    while some := list(islice(leaves, _LEAVES_AT_ONCE)):
        growing, more = growing.grown(some)
        whole.update(more)
    if (record.closing is not None) != (growing.size == raffle.total_tickets):
        yield "its ledger is closed, and tickets remain" if record.closing else "it is sold out, and not closed"
    different = whole ^ evidence.stored_tiles(connection, raffle.id)
    if different:
        yield f"{len(different)} of its ledger's stored hashes are not those of its tickets"
        return
    if record.closing is not None and _has_a_date(raffle):
        root = tree.root(growing.subtree, growing.size)
        yield from _problems_of_a_closing(connection, raffle, record.closing, root)


def _problems_of_a_closing(
    connection: Connection, raffle: RaffleRecord, closing: Closing, root: bytes
) -> Iterator[str]:
    loaded = queries.load_raffle(connection, raffle.id)
    if loaded is None:
        return
    book = book_of(loaded.terms)
    if closing != book.closing_at(closing.closed):
        yield "its closing is from before the raffle, or has another round than its time gives"
        return
    closed = book.checkpoint(root, raffle.total_tickets, closing)
    source = source_of(loaded.terms.entropy)
    known_from = source.known_from(closing)
    for key, line in ledgers.load_cosignatures(connection, raffle.id):
        if not _is_cosigned(closed.text(), key, line, created_at=loaded.created_at, known_from=known_from):
            yield f"the cosignature of {key} is none for its closing, so that its proof is refused"
    draw = draws.load_draw(connection, raffle.id)
    if draw is None:
        return
    if len(draw.entropy) != source.evidence_bytes:
        yield "what decided its draw is damaged"
    elif drawing.seed_of(closed.closing_hash(), source.entropy_of(draw.entropy)) != raffle.seed:
        yield "its seed does not come from its closing and what decided"


def _is_cosigned(text: str, key: str, line: str, *, created_at: datetime, known_from: int | None) -> bool:
    try:
        kept = cosignatures.cosignature_of(VerifierKey.read(key), Note.read(f"{text}\n{line}"))
        cosignatures.check_date(kept.time, created_at=created_at, known_from=known_from)
    except (NoteWrong, InvalidValue):
        return False
    return True


def _is_an_operators(verifier_key: str) -> bool:
    try:
        return VerifierKey.read(verifier_key).kind == OPERATOR
    except NoteWrong:
        return False


def _has_a_date(raffle: RaffleRecord) -> bool:
    # SQLite takes other things than whole numbers.
    created_at: object = raffle.created_at
    return isinstance(created_at, int) and 0 <= created_at < _END_OF_DATES


def _problems_of_numbers(connection: Connection, raffle: RaffleRecord, key: bytes) -> Iterator[str]:
    if len(key) != numbering.KEY_BYTES:
        yield "the key of its numbers is damaged"
        return
    permutation = numbering.Numbering(key, raffle.total_tickets)
    wrong = [
        number
        for serial, number in evidence.numbers(connection, raffle.id)
        if serial >= raffle.total_tickets or permutation.number(serial) != number
    ]
    if wrong:
        yield f"{len(wrong)} tickets have a number that they were not given, no. {wrong[0]} is the first"


def _problems_of_a_draw(connection: Connection, raffle: RaffleRecord) -> Iterator[str]:
    if raffle.numbering_key is not None:
        yield "it is drawn, and its secrets are still there"
    if raffle.issued != raffle.total_tickets:
        yield "it is drawn, and not sold out"
    draw = draws.load_draw(connection, raffle.id)
    if draw is None:
        yield "it is drawn, and its draw record is missing; restore a backup"
    winners = sum(raffle.amounts)
    if not isinstance(raffle.seed, bytes) or len(raffle.seed) != drawing.SEED_BYTES or winners > raffle.total_tickets:
        yield "its draw cannot be replayed, since its seed or its prizes are damaged"
        return
    serials = array("q", drawing.winning_serials(raffle.seed, tickets=raffle.total_tickets, wins=winners))
    places = zip(serials, drawing.prizes_of_wins(raffle.amounts), strict=True)
    due = ((ordinal, *win) for ordinal, win in enumerate(places, start=1))
    different = sum(a != b for a, b in zip_longest(due, evidence.wins_in_order(connection, raffle.id)))
    if different:
        yield f"{different} of its {winners} wins are not what its seed gives"
        return
    numbers = draws.winning_numbers(connection, raffle.id, winners)
    if draw is None or len(numbers) != winners:
        return
    digest = drawing.winners_digest(zip(serials, numbers, drawing.prizes_of_wins(raffle.amounts), strict=True))
    if (draw.wins, draw.winners_digest) != (winners, digest):
        yield "what is kept of its draw is not what its seed and its tickets give, so that its proof is refused"
