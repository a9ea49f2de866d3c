"""A check-up of a database: whether its counters, tickets, draws and secrets agree with each other.

The database's own rules keep most of this true. A check-up shows whether someone bypassed them, or a disk failed.
`raffles` and `ledgers` check one raffle each, `keys` looks for the keys that sign.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from functools import partial
from uuid import UUID

from rafflekit.core.checkup.keys import KeyAtHand
from rafflekit.core.checkup.raffles import raffle_problems
from rafflekit.core.errors import SchemaMismatch, StorageUnavailable
from rafflekit.core.models import DatabaseReport, DatabaseStatus
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.storage import catalog, database
from rafflekit.core.storage.database import Connection
from rafflekit.core.storage.location import backend_of, url_or_default
from rafflekit.core.storage.remains import Remains
from rafflekit.core.storage.statements import checkup as statements


def check_database(database_url: str | None = None, *, signing_key: SignerKey | None = None) -> DatabaseReport:
    """Read one state of a whole database, and report what does not agree; nothing is changed.

    These are compared: the layout with this version's, counters with the tickets, numbers of raffles before their draw
    with their secrets, ledgers with the tickets, seeds with their closings and their entropy, wins with their seeds.
    Secrets must be gone after a draw: from the tables, and from every byte of a SQLite file and its journal. Every key
    that signs a ledger must be here: `signing_key`, or the key next to a SQLite file. It opens the secrets; without it,
    numbers are not checked, and on PostgreSQL neither are keys. A check-up takes about 35 µs per ticket, and servers
    keep running.

    Raises:
        InvalidSetting: the URL is not valid, or names a database that is not supported.
        SchemaMismatch: the database belongs to another program, or does not have this version's layout.
        StorageUnavailable: the database does not exist, is empty, or cannot be opened.
    """
    url = url_or_default(database_url, makes_folder=False)
    status = database.layout_status(url)
    _require_current(status)
    backend = backend_of(url)
    examine = partial(_examined, url=status.url, key=KeyAtHand.found(backend, signing_key))
    with closing(database.Database(url, is_patient=True)) as opened:
        report, cleaned = opened.read(examine)
    # After the last connection: SQLite then empties its journal, unless another program has the file open.
    return replace(report, remains=tuple(_remains(backend.remains(cleaned))))


def _require_current(status: DatabaseStatus) -> None:
    if status.state == "missing":
        raise StorageUnavailable(f"The database {status.url} does not exist, so there is nothing to check.")
    if status.state == "empty":
        raise StorageUnavailable(f"The database {status.url} is empty, so there is nothing to check.")
    if status.state == "newer":
        raise SchemaMismatch(
            f"The database {status.url} has the layout {status.layout}, which this version of rafflekit does not know: "
            "check it with the version that made it, or restore a backup."
        )
    if status.state != "current":
        raise SchemaMismatch(
            f"The database {status.url} has the layout {status.layout}, and only the layout "
            f"{status.newest_layout} can be checked; 'rafflekit db upgrade' upgrades an older one."
        )


def _examined(connection: Connection, *, url: str, key: KeyAtHand | None) -> tuple[DatabaseReport, list[UUID]]:
    """Return the report, without remains, and the raffles whose deleted secrets must not remain anywhere."""
    raffles = statements.raffle_records(connection)
    finished = [raffle for raffle in raffles if raffle.is_drawn or raffle.is_cancelled]
    problems = [f"The file is damaged: {what}." for what in statements.damage(connection)]
    problems += _layout_problems(connection)
    unopened = 0
    for raffle in raffles:
        signer = key.signer if key is not None and key.is_key(raffle.verifier_key) else None
        problems += [f"Raffle {raffle.id}: {problem}." for problem in raffle_problems(connection, raffle, signer)]
        unopened += signer is None and raffle.sealed is not None
    report = DatabaseReport(
        url,
        raffles=len(raffles),
        tickets=sum(raffle.issued for raffle in raffles if isinstance(raffle.issued, int)),
        draws=sum(raffle.is_drawn for raffle in raffles),
        hashed_participants=sum(statements.count_hashed_participants(connection, raffle.id) for raffle in finished),
        remains=(),
        unopened=unopened,
        missing_keys=() if key is None else tuple(key.missing(statements.verifier_keys(connection))),
        problems=tuple(problems),
    )
    # Secrets that still have their row are one of the problems, and not remains.
    return report, [raffle.id for raffle in finished if raffle.sealed is None]


def _layout_problems(connection: Connection) -> Iterator[str]:
    different = catalog.differences(connection)
    if different:
        yield (
            f"The layout is not as rafflekit made it: {'; '.join(different)}. Without indexes a database is slow; "
            "without constraints and triggers it does not enforce the rules. Recreate them as a new database has them, "
            "or restore a backup."
        )
    yield from (f"{misfits}." for misfits in statements.misfits(connection))


def _remains(found: Remains) -> Iterator[str]:
    for raffle in sorted(found.in_journal):
        yield (
            f"Raffle {raffle}: its deleted secrets can still be read in the file's journal, until no program reads the "
            "database any more."
        )
    for raffle in sorted(found.in_file):
        yield (
            f"Raffle {raffle}: its deleted secrets can still be read in unused parts of the file; SQLite's VACUUM "
            "overwrites them."
        )
