"""Raw statements past the engine, on connections of the engine's kind."""

from collections.abc import Sequence
from typing import Any, Self

from sqlalchemy.exc import IntegrityError

from rafflekit.core.storage import migrations, schema
from rafflekit.core.storage.location import backend_of
from tests.core.storage.rules import DRAWN, OPEN, POSTGRESQL, SQLITE

_IDS = ("00000000-0000-4000-8000-00000000000d", "00000000-0000-4000-8000-00000000000e")

# `{id}` is the raffle's.
_LEDGER = (
    "INSERT INTO ledgers VALUES ({id}, 'key', 'secrets', NULL, NULL, NULL)",
    "INSERT INTO tiles VALUES ({id}, 0, 0, {bytes})",
)
_DRAWN_RAFFLE = (
    "INSERT INTO raffles VALUES ({id}, 1, 'Drawn', 'drawn', 0, 6, NULL, NULL)",
    "INSERT INTO counters VALUES ({id}, 0)",
    "INSERT INTO prizes VALUES ({id}, 0, 'hug', 2)",
    *_LEDGER,
    *(f"INSERT INTO tickets VALUES ({{id}}, {n}, {n + 1}, {{participant{n}}}, '', NULL, 0)" for n in range(6)),
    "UPDATE counters SET issued = 6 WHERE raffle = {id}",
    "UPDATE ledgers SET closed_at = 1 WHERE raffle = {id}",
    "INSERT INTO wins VALUES ({id}, 1, 4, 0), ({id}, 2, 0, 0)",
    "INSERT INTO draws VALUES ({id}, {bytes}, {bytes}, 2)",
    "UPDATE raffles SET drawn_at = 1, seed = {bytes} WHERE id = {id}",
)
_OPEN_RAFFLE = (
    "INSERT INTO raffles VALUES ({id}, 2, 'Open', 'open', 0, 20, NULL, NULL)",
    "INSERT INTO counters VALUES ({id}, 0)",
    "INSERT INTO prizes VALUES ({id}, 0, 'hug', 2)",
    *_LEDGER,
    *(f"INSERT INTO tickets VALUES ({{id}}, {n}, {2 * n + 1}, {{participant{n}}}, '', NULL, 0)" for n in range(3)),
    "UPDATE counters SET issued = 3 WHERE raffle = {id}",
)


class PastTheEngine:
    """A database to which any statement can be sent, each in its own transaction."""

    def __init__(self, url: str) -> None:
        self._backend = backend_of(url)
        self._engine = self._backend.create_engine()
        self.is_postgresql = self._engine.dialect.name == "postgresql"
        self._dialect = POSTGRESQL if self.is_postgresql else SQLITE

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._engine.dispose()

    def send(self, statement: str, *values: Any) -> list[Any]:
        """Send a statement in this database's spelling, and return its rows."""
        with self._engine.connect() as connection:
            result = connection.exec_driver_sql(self._dialect.spell(statement), values or None)
            return [tuple(row) for row in result] if result.returns_rows else []

    def refusal(self, statement: str) -> str:
        """Send a statement; return the rule that it breaks in the database's words, or "" if it was accepted."""
        try:
            self.send(statement)
        except IntegrityError as error:
            broken = f"{error.orig.diag.constraint_name}: " if self.is_postgresql else ""  # type: ignore[union-attr]  # psycopg has it
            return f"{broken}{error.orig}"
        return ""

    def everything(self) -> dict[str, Sequence[Any]]:
        """Return every row of every table."""
        return {name: sorted(self.send(f"SELECT * FROM {name}"), key=repr) for name in schema.metadata.tables}

    def migrate(self, layout: str) -> None:
        """Run migrations up to `layout`, which must be newer than the database's."""
        with self._engine.begin() as connection:
            connection.exec_driver_sql("BEGIN")
            migrations.migrate(connection, to=layout)
            self._backend.mark_as_ours(connection)

    def fill(self) -> None:
        """Store the two raffles of `rules`."""
        for id, statements in zip(_IDS, (_DRAWN_RAFFLE, _OPEN_RAFFLE), strict=True):
            for statement in statements:
                self.send(self._with_values(statement, id))
        assert self.send(f"SELECT count(*) FROM wins WHERE raffle = {DRAWN}") == [(2,)]
        assert self.send(f"SELECT count(*) FROM tickets WHERE raffle = {OPEN}") == [(3,)]

    def _with_values(self, statement: str, id: str) -> str:
        spelled = statement.replace("{id}", f"'{id}'" if self.is_postgresql else f"x'{id.replace('-', '')}'")
        for n in range(6):
            spelled = spelled.replace(f"{{participant{n}}}", f"'\\x0{n}'" if self.is_postgresql else f"x'0{n}'")
        return spelled
