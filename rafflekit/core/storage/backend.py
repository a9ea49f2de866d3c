"""What `database.Database` needs from a kind of database: how it is opened and written, and what its errors mean."""

from collections.abc import Collection, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Protocol
from uuid import UUID

from sqlalchemy import Connection, Engine

if TYPE_CHECKING:
    from rafflekit.core.storage.remains import Remains

ENGINE_OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        # An error names its statement, never the hashes that were in it.
        "hide_parameters": True,
        # One connection per thread, and kept: the caller's number of threads is the limit.
        "pool_size": 0,
        "pool_use_lifo": True,
        # Every transaction ends with its `with` block, so there is nothing to reset.
        "pool_reset_on_return": None,
    }
)
"""SQLAlchemy's settings for connections to every kind of database."""


class Backend(Protocol):
    """One database of one kind: `sqlite.Sqlite` or `postgresql.Postgresql`.

    The engine's connections commit every statement immediately, unless `begin_reading` or `begin_writing` began a
    transaction.
    """

    begin_reading: str
    """Begins a transaction that sees one state of the database."""

    begin_writing: str

    confirmation: str | None = None
    """A statement whose commit waits until everything seen before is as durable as committed writes; None if nothing is
    ever seen earlier."""

    is_embedded: bool = False
    """It belongs to the program that opens it, so that an older layout is upgraded on opening."""

    writes_in_turn: bool = False
    """Only one transaction can write at a time, so a process's writers wait for each other in this program."""

    key_file: Path | None = None
    """The file for the database's own signing key, if it can have one."""

    url: str
    """As it may be shown."""

    name: str
    """At the start of a sentence: "The database …"."""

    def exists(self) -> bool:
        """Return whether the database exists, as far as that shows without connecting.

        Raises:
            StorageUnavailable: its folder cannot be read.
        """
        return True

    def create_engine(self, *, is_patient: bool = False) -> Engine:
        """Return the engine, which connects on its first use; a missing database is made if possible.

        `is_patient` sets no limit to how long a server may take to answer, for statements that run for hours.

        Raises:
            SchemaMismatch, StorageUnavailable: the database is known to be unusable without connecting.
        """

    def create_looking_engine(self) -> Engine:
        """Return an engine that only inspects an existing database: it makes and changes nothing.

        Raises:
            SchemaMismatch, StorageUnavailable: the database is known to be unusable without connecting.
        """
        return self.create_engine()

    def back_up(self, to: Path) -> None:
        """Copy one state of the database over the empty file `to`, while others read and write.

        Raises:
            InvalidSetting: this kind of database has better programs for that.
            SchemaMismatch, StorageUnavailable: it is another program's, or cannot be read, or the copy not written.
        """

    def remains(self, raffles: Collection[UUID]) -> "Remains":
        """Return the raffles among these whose deleted secrets can still be read in the database's files.

        Raises:
            StorageUnavailable: they cannot be read.
        """

    def is_made(self, connection: Connection) -> bool:
        """Return whether rafflekit made this database; an empty one belongs to no program yet.

        Raises:
            SchemaMismatch: it is another program's.
        """

    def lock_layout(self, connection: Connection) -> None:
        """Make other processes that want to make or upgrade this database wait until the transaction ends."""

    def mark_as_ours(self, connection: Connection) -> None:
        """Mark a new database as rafflekit's."""

    def must_run_again(self, error: BaseException | None) -> bool:
        """Return whether an error means that the transaction conflicted with another one and should run again."""
        return False

    def says_participant_has_ticket(self, error: BaseException | None) -> bool:
        """Return whether an error means that the participant of a new ticket already holds one."""

    def meaning(self, error: BaseException | None) -> str:
        """Return a sentence for people that says what an error means and what to do."""
