"""What a kind of database has to tell `database.Database`: how it is opened, written, and what its errors mean."""

from collections.abc import Collection, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from types import MappingProxyType
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import Connection, Engine

from rafflekit.core.storage.remains import Remains

ENGINE_OPTIONS: Mapping[str, Any] = MappingProxyType(
    {
        # An error names its statement, never the hashes that were in it.
        "hide_parameters": True,
        # A connection for each thread that asks, and kept: what limits them is the caller's number of threads.
        "pool_size": 0,
        "pool_use_lifo": True,
        # Every transaction is ended by its `with` block, so there is nothing to reset.
        "pool_reset_on_return": None,
    }
)
"""How SQLAlchemy keeps the connections of every kind."""


class Backend(Protocol):
    """One database of one kind: `sqlite.Sqlite`, `postgresql.Postgresql`.

    Its engine's connections commit every statement by itself, unless one of the two statements here began a
    transaction.
    """

    begin_reading: str
    begin_writing: str

    confirmation: str | None
    """A statement whose commit waits until everything that was seen before is as durable as what is written; None where
    nothing is seen before it is."""

    is_embedded: bool
    """It belongs to whoever opens it, so an older layout is upgraded on opening."""

    writes_in_turn: bool
    """Only one transaction writes at a time anyway: a process's writers wait for one another in here."""

    @property
    def url(self) -> str:
        """The URL, as it may be shown."""

    @property
    def key_file(self) -> Path | None:
        """Where a signing key of its own belongs, if it has such a place."""

    @property
    def name(self) -> str:
        """The database in a sentence: "The database …"."""

    def exists(self) -> bool:
        """Tell whether the database is there, as far as that can be told without connecting.

        Raises:
            StorageUnavailable: its place cannot be looked at.
        """

    def create_engine(self, *, is_patient: bool = False) -> Engine:
        """Return the engine, which connects when it is first used; what is not there is made if that is possible.

        `is_patient` waits for a server for ever, where a statement may take hours.

        Raises:
            SchemaMismatch, StorageUnavailable: it can be told beforehand that the database is of no use.
        """

    def create_looking_engine(self) -> Engine:
        """Return an engine for a look at a database that exists: it makes and changes nothing.

        Raises:
            SchemaMismatch, StorageUnavailable: it can be told beforehand that the database is of no use.
        """

    def back_up(self, to: Path) -> None:
        """Copy the database, as it is at one moment, over the empty file `to`; others read and write meanwhile.

        Raises:
            InvalidSetting: this kind of database has a better way of its own.
            SchemaMismatch, StorageUnavailable: it is another program's, or cannot be read, or the copy not written.
        """

    def remains(self, raffles: Collection[UUID]) -> Remains:
        """Tell of which of these raffles deleted secrets can still be read from the database's own files.

        Raises:
            StorageUnavailable: they cannot be read.
        """

    def rebuild_indexes(self, connection: Connection, table: str) -> None:
        """Write a table's indexes anew, where what was deleted can stay in their pages."""

    def is_made(self, connection: Connection) -> bool:
        """Tell whether rafflekit made this database; an empty one is nobody's yet.

        Raises:
            SchemaMismatch: it is another program's.
        """

    def lock_layout(self, connection: Connection) -> None:
        """Make other processes wait that want to make or upgrade this database, until the transaction ends."""

    def mark_as_ours(self, connection: Connection) -> None:
        """Write into a new database which program it belongs to."""

    def lock_sequence(self, connection: Connection) -> None:
        """Make others who create a raffle wait, until the transaction ends."""

    def storing_many_rows(self, connection: Connection) -> AbstractContextManager[None]:
        """Prepare a connection for a million rows in one transaction, and put it back afterwards."""

    def must_run_again(self, error: BaseException | None) -> bool:
        """Tell whether an error means: this transaction met another one, and would pass a second time."""

    def says_participant_has_ticket(self, error: BaseException | None) -> bool:
        """Tell whether an error means that the participant of a new ticket holds one already."""

    def meaning(self, error: BaseException | None) -> str:
        """Return the sentence that says what an error means to people, and what to do."""
