"""`rafflekit backup`, `doctor`, `db status` and `db upgrade`: copy, check and upgrade a database."""

from pathlib import Path
from typing import Annotated

import typer

from rafflekit.cli import render, terminal
from rafflekit.cli.failures import REFUSED, CommandStopped
from rafflekit.cli.options import AsJsonLine, DatabaseUrl, named_database, read_settings, refuse_standard_output
from rafflekit.cli.signals import ending_as_with_ctrl_c
from rafflekit.core.errors import StorageUnavailable
from rafflekit.core.settings import SIGNING_KEY


def back_up(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A new file. An existing one is never overwritten.")],
    *,
    as_json: AsJsonLine = False,
    database_url: DatabaseUrl = None,
) -> None:
    """Back up the database file while servers keep running.

    The signing key next to the database is copied too. With both copies, others can see who takes part: keep them
    apart. On PostgreSQL, use pg_dump.
    """
    from rafflekit.core.upkeep import back_up_database

    refuse_standard_output("FILE", file)
    settings = read_settings()
    with (
        ending_as_with_ctrl_c(),
        named_database(database_url, settings) as url,
        terminal.working("Copying the database"),
    ):
        try:
            made = back_up_database(file, url)
        except StorageUnavailable as error:
            # SQLite's own errors do not name the file.
            error.add_note(f"No backup was written to {file}.")
            raise
    render.print_backup(made, named_key=settings.signing_key, as_json=as_json)


def check_up(*, as_json: AsJsonLine = False, database_url: DatabaseUrl = None) -> None:
    """Check that a database is complete, correct and private.

    Tables, indexes and triggers are compared with those that rafflekit makes. Draws are replayed from their seeds.
    Secrets that should be deleted are searched for, and so are the signing keys. Nothing is changed. The exit status
    is 1 if something is wrong.
    """
    from rafflekit.core.checkup import check_database
    from rafflekit.core.ledger.keys import signing_key_of

    settings = read_settings()
    with named_database(database_url, settings) as url, terminal.working("Checking the database"):
        found = check_database(url, signing_key=signing_key_of(settings))
    render.print_check_up(found, as_json=as_json)
    if found.problems:
        raise CommandStopped(
            "Something is wrong with the database. Keep it unchanged, and restore a backup under another name. To "
            "restore in the same place, first delete the -wal and -shm files next to it.",
            status=REFUSED,
        )
    if found.missing_keys:
        raise CommandStopped(
            "The database is sound, but a key is missing: put a copy of the key in its place, or name its file "
            f"in {SIGNING_KEY.name}.",
            status=REFUSED,
        )
    if found.remains:
        raise CommandStopped("Secrets that should be gone can still be read.", status=REFUSED)


def show_layout(*, as_json: AsJsonLine = False, database_url: DatabaseUrl = None) -> None:
    """Show which layout the database has. Nothing is changed."""
    from rafflekit.core.upkeep import database_status

    with named_database(database_url, read_settings()) as url:
        found = database_status(url)
    render.print_layout(found, as_json=as_json)


def upgrade_layout(*, as_json: AsJsonLine = False, database_url: DatabaseUrl = None) -> None:
    """Upgrade an older database to the current layout.

    Stop the programs that use the database and make a backup first. A database that does not exist yet is created.
    """
    from rafflekit.core.upkeep import upgrade_database

    with named_database(database_url, read_settings()) as url:
        upgraded = upgrade_database(url)
    render.print_layout(upgraded, as_json=as_json)


GROUP = {"status": show_layout, "upgrade": upgrade_layout}
