"""Whoever writes past the engine: raw statements, on connections of the engine's kind."""

from collections.abc import Sequence
from typing import Any, Self

from sqlalchemy import inspect
from sqlalchemy.exc import IntegrityError

from rafflekit.core.storage import migrations, schema
from rafflekit.core.storage.location import backend_of
from tests.core.storage.rules import DRAWN, OPEN, POSTGRESQL, SQLITE

_IDS = ("00000000-0000-4000-8000-00000000000d", "00000000-0000-4000-8000-00000000000e")

# Each with one placeholder for the id of a raffle, if any: the drawn one's, then the open one's.
_DRAWN_RAFFLE = (
    "INSERT INTO raffles VALUES ({id}, 1, 'Drawn', 'drawn', 0, 6, NULL, NULL)",
    "INSERT INTO counters VALUES ({id}, 0)",
    "INSERT INTO prizes VALUES ({id}, 0, 'hug', 2)",
    *(f"INSERT INTO tickets VALUES ({{id}}, {n}, {n + 1}, {{participant{n}}}, '', NULL, 0)" for n in range(6)),
    "UPDATE counters SET issued = 6 WHERE raffle = {id}",
    "INSERT INTO wins VALUES ({id}, 1, 4, 0), ({id}, 2, 0, 0)",
    "UPDATE raffles SET drawn_at = 1, seed = {bytes}",
)
_OPEN_RAFFLE = (
    "INSERT INTO raffles VALUES ({id}, 2, 'Open', 'open', 0, 20, NULL, NULL)",
    "INSERT INTO counters VALUES ({id}, 0)",
    "INSERT INTO prizes VALUES ({id}, 0, 'hug', 2)",
    *(f"INSERT INTO tickets VALUES ({{id}}, {n}, {2 * n + 1}, {{participant{n}}}, '', NULL, 0)" for n in range(3)),
    "UPDATE counters SET issued = 3 WHERE raffle = {id}",
)


# A ledger for each, and for the drawn raffle where its seed came from; older layouts have no such tables.
_LEDGERS = (
    "INSERT INTO ledgers VALUES ({id}, 'key', 'secrets', NULL, NULL, NULL)",
    "INSERT INTO tiles VALUES ({id}, 0, 0, {bytes})",
    "UPDATE ledgers SET closed_at = 1 WHERE raffle IN (SELECT id FROM raffles WHERE sequence = 1)",
)
_DRAW = "INSERT INTO draws VALUES ({id}, {bytes}, {bytes}, 2)"


class PastTheEngine:
    """A database to which any statement may be sent; each is a transaction of its own."""

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
        """Send a statement, spelled as this database wants it, and return its rows."""
        with self._engine.connect() as connection:
            result = connection.exec_driver_sql(self._dialect.spell(statement), values or None)
            return [tuple(row) for row in result] if result.returns_rows else []

    def refusal(self, statement: str) -> str:
        """Send a statement; return what the database says that it breaks, or "" if it was done."""
        try:
            self.send(statement)
        except IntegrityError as error:
            broken = f"{error.orig.diag.constraint_name}: " if self.is_postgresql else ""  # type: ignore[union-attr]  # psycopg has it
            return f"{broken}{error.orig}"
        return ""

    def everything(self) -> dict[str, Sequence[Any]]:
        """Return every row of every table."""
        return {name: sorted(self.send(f"SELECT * FROM {name}"), key=repr) for name in self._tables()}

    def migrate(self, layout: str) -> None:
        """Run migrations up to `layout`, which is newer than the one that is there, if any."""
        with self._engine.begin() as connection:
            connection.exec_driver_sql("BEGIN")
            migrations.run(connection, to=layout)
            self._backend.mark_as_ours(connection)

    def fill(self) -> None:
        """Store the two raffles of `rules`, by statements that suit every layout."""
        has_ledgers = "ledgers" in self._tables()
        for id, statements in zip(_IDS, (_DRAWN_RAFFLE, _OPEN_RAFFLE), strict=True):
            # The raffle first, what decides it last.
            *first, last = statements
            for statement in (*first, *([*_LEDGERS, _DRAW] if has_ledgers and id == _IDS[0] else []), last):
                self.send(self._with_values(statement, id))
            if has_ledgers and id == _IDS[1]:
                for statement in _LEDGERS[:-1]:
                    self.send(self._with_values(statement, id))
        assert self.send(f"SELECT count(*) FROM wins WHERE raffle = {DRAWN}") == [(2,)]
        assert self.send(f"SELECT count(*) FROM tickets WHERE raffle = {OPEN}") == [(3,)]

    def _tables(self) -> list[str]:
        there = inspect(self._engine).get_table_names()
        return [name for name in schema.metadata.tables if name in there]

    def _with_values(self, statement: str, id: str) -> str:
        spelled = statement.replace("{id}", f"'{id}'" if self.is_postgresql else f"x'{id.replace('-', '')}'")
        for n in range(6):
            spelled = spelled.replace(f"{{participant{n}}}", f"'\\x0{n}'" if self.is_postgresql else f"x'0{n}'")
        return spelled
