"""`rafflekit backup`, `doctor`, `db status`, `db upgrade`: a database's copy, its check-up, its layout."""

from pathlib import Path
from typing import Annotated

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.failures import REFUSED, CommandStopped
from rafflekit.cli.options import AsJsonLine, DatabaseUrl, named_database, read_settings
from rafflekit.cli.signals import ending_as_with_ctrl_c
from rafflekit.core.settings import SIGNING_KEY


def status(*, as_json: AsJsonLine = False, database_url: DatabaseUrl = None) -> None:
    """Tell which layout the database has; nothing is made or changed."""
    from rafflekit.core.upkeep import database_status

    with named_database(database_url, read_settings()) as url:
        found = database_status(url)
    render.show_database_status(found, as_json=as_json)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file; nothing is overwritten.")],
    *,
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Write a copy of the database file while servers go on. Keep it as safe as the database."""
    from rafflekit.core.upkeep import back_up_database

    settings = read_settings()
    with (
        ending_as_with_ctrl_c(),
        named_database(database_url, settings) as url,
        terminal.working("Copying the database"),
    ):
        made = back_up_database(file, url)
    render.show_backup(made, named_key=settings.signing_key, as_json=as_json)


def doctor(*, as_json: AsJsonLine = False, database_url: DatabaseUrl = None) -> None:
    """Check that layout, counters, tickets, draws, secrets and keys agree; nothing is changed.

    Tables, indexes and triggers are compared with those that rafflekit makes, draws are replayed from their
    seeds, and the secrets of drawn raffles and the keys of the ledgers are looked for. Exit status 1 if something
    is wrong.
    """
    from rafflekit.core.checkup import check_database
    from rafflekit.core.ledger.keys import signing_key_of

    settings = read_settings()
    with named_database(database_url, settings) as url, terminal.working("Checking the database"):
        found = check_database(url, signing_key=signing_key_of(settings))
    render.show_check_up(found, as_json=as_json)
    if found.problems:
        raise CommandStopped(
            "The database is not as it should be. Keep it as it is, and restore a backup under another name; in the "
            "old place, delete the -wal and -shm beside it first.",
            status=REFUSED,
        )
    if found.missing_keys:
        raise CommandStopped(
            "A key is missing, and the database itself is whole: put a copy of the key in its place, or name its file "
            f"in {SIGNING_KEY.name}.",
            status=REFUSED,
        )
    if found.remains:
        raise CommandStopped("Secrets that should be gone can still be read.", status=REFUSED)


def upgrade(*, as_json: AsJsonLine = False, database_url: DatabaseUrl = None) -> None:
    """Upgrade an older database to today's layout, or make an empty one.

    Stop the programs that use the database, and make a backup, before.
    """
    from rafflekit.core.upkeep import upgrade_database

    with named_database(database_url, read_settings()) as url:
        upgraded = upgrade_database(url)
    render.show_database_status(upgraded, as_json=as_json)
