"""Raw statements past the engine, on connections of the engine's kind."""

from collections.abc import Sequence
from typing import Any, Self

from sqlalchemy.exc import IntegrityError

from rafflekit.core.storage import migrations, schema
from rafflekit.core.storage.location import backend_of
from tests.core.storage.rules import DRAWN, OPEN, POSTGRESQL, SQLITE, raffle_row

# `{id}` is the raffle's.
_TILE = "INSERT INTO tiles VALUES ({id}, 0, 0, {bytes})"


def _raffle(place: int, name: str, *, total: int = 20, hugs: int = 2, **options: object) -> tuple[str, ...]:
    return (
        raffle_row("{id}", place, name=name, total=total, **options),
        "INSERT INTO counters VALUES ({id}, 0)",
        f"INSERT INTO prizes VALUES ({{id}}, 0, 'hug', {hugs})",
    )


def _tickets(count: int) -> tuple[str, ...]:
    return (
        _TILE,
        *(
            f"INSERT INTO tickets VALUES ({{id}}, {n}, {2 * n + 1}, {{participant{n}}}, 1, '', NULL, 10)"
            for n in range(count)
        ),
        f"UPDATE counters SET issued = {count} WHERE raffle = {{id}}",
    )


# It was closed early: W = 4 wins, and a queue of two. Win 1 is redeemed; win 2 was lost to serial 2, which makes win 5;
# the redemption of win 4, the only one of the second prize, was undone.
_DRAWN_RAFFLE = (
    *_raffle(1, "Drawn", total=11, hugs=3, claim_days=10),
    "INSERT INTO prizes VALUES ({id}, 1, 'car', 1)",
    *_tickets(6),
    "UPDATE raffles SET closed_at = 1 WHERE id = {id}",
    "INSERT INTO wins VALUES ({id}, 1, 4, 0), ({id}, 2, 0, 0), ({id}, 3, 1, 0), ({id}, 4, 3, 1)",
    "INSERT INTO draws VALUES ({id}, {bytes}, {bytes}, 4)",
    "UPDATE raffles SET drawn_at = 1, seed = {bytes} WHERE id = {id}",
    "INSERT INTO redemptions VALUES ({id}, 1, 1, 2, NULL, 'Ann', NULL), ({id}, 4, 1, 2, NULL, NULL, NULL)",
    "UPDATE redemptions SET undone_at = 3 WHERE raffle = {id} AND ordinal = 4",
    "INSERT INTO forfeits VALUES ({id}, 2, 1, 864001, 'unclaimed', 'not collected', 0, 2, 'Ann')",
    "INSERT INTO passes VALUES ({participant0}, 'Ann', 'manage redeem', 1, 900, NULL)",
    "INSERT INTO passes VALUES ({participant1}, 'Bob', 'redeem', 1, 900, 50)",
)
_OPEN_RAFFLE = (*_raffle(2, "Open", opens_at=5, closes_at=100, creation_key="{bytes}"), *_tickets(3))
_CLOSED_RAFFLE = (*_raffle(3, "Closed"), *_tickets(3), "UPDATE raffles SET closed_at = 50 WHERE id = {id}")
_CANCELLED_RAFFLE = (
    *_raffle(4, "Cancelled", opens_at=5, closes_at=100),
    "UPDATE raffles SET cancelled_at = 40, reason = 'rain' WHERE id = {id}",
)
# It alone has secrets, so that the others can be ended in any way.
_EMPTY_RAFFLE = (*_raffle(5, "Empty"), "INSERT INTO secrets VALUES ({id}, {bytes})")
_RAFFLES = (_DRAWN_RAFFLE, _OPEN_RAFFLE, _CLOSED_RAFFLE, _CANCELLED_RAFFLE, _EMPTY_RAFFLE)


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

    def spelled(self, statement: str) -> str:
        """Return a statement in this database's spelling."""
        return self._dialect.spell(statement)

    def send(self, statement: str, *values: Any) -> list[Any]:
        """Send a statement in this database's spelling, and return its rows."""
        with self._engine.connect() as connection:
            result = connection.exec_driver_sql(self.spelled(statement), values or None)
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
        """Store the five raffles of `rules`: one drawn, one open, one closed early, one cancelled, one without tickets.

        The last two have no tickets; the open one, three of 20, from second 5 to second 100.
        """
        for place, statements in enumerate(_RAFFLES, start=1):
            for statement in statements:
                self.send(self._with_values(statement, f"00000000-0000-4000-8000-{place:012}"))
        assert self.send(f"SELECT count(*) FROM wins WHERE raffle = {DRAWN}") == [(4,)]
        assert self.send(f"SELECT count(*) FROM tickets WHERE raffle = {OPEN}") == [(3,)]

    def _with_values(self, statement: str, id: str) -> str:
        spelled = statement.replace("{id}", f"'{id}'" if self.is_postgresql else f"x'{id.replace('-', '')}'")
        for n in range(6):
            spelled = spelled.replace(f"{{participant{n}}}", f"'\\x0{n}'" if self.is_postgresql else f"x'0{n}'")
        return spelled
