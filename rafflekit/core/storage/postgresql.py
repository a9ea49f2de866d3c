"""PostgreSQL: its URL, the settings of a connection, locks, and what its errors mean to people."""

import re
from collections.abc import Collection
from pathlib import Path
from typing import Any, NoReturn
from uuid import UUID

from sqlalchemy import URL, Connection, Engine, ExceptionContext, create_engine, event
from sqlalchemy.pool import ConnectionPoolEntry

from rafflekit.core.errors import NAMELESS_URL, InvalidSetting, SchemaMismatch
from rafflekit.core.storage import schema
from rafflekit.core.storage.backend import ENGINE_OPTIONS, Backend
from rafflekit.core.storage.remains import Remains

LOCK_TIMEOUT_S = 10
"""How long a statement waits for another transaction's lock; the server measures it."""

ANSWER_LIMIT_S = 12
"""How long a server may stay silent during a statement or a commit: longer than a statement waits for a lock."""

# Options of libpq, unless the URL has them. A machine that is gone never answers: with default settings, TCP notices
# that only after 15 minutes while it sends, and after two hours while it waits.
_DEFAULTS: dict[str, str | int] = {
    "application_name": "rafflekit",
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}
_DEFAULTS_OF_SEVERAL_HOSTS = _DEFAULTS | {"target_session_attrs": "read-write"}

# Marks a database as ours: other programs use Alembic's table as well.
_MARK = "rafflekit"

# The advisory lock for making the tables: a number that other programs are unlikely to use.
_LAYOUT_LOCK = int.from_bytes(b"rafflkit", "big")

_SERIALIZATION_FAILURE, _DEADLOCK, _UNIQUE_VIOLATION, _READ_ONLY = "40001", "40P01", "23505", "25006"

# By SQLSTATE or by its class, the first two characters (https://www.postgresql.org/docs/current/errcodes-appendix.html).
_MEANINGS = {
    "3D000": "does not exist; 'createdb' makes one",
    "28": "does not let this user in; check name and password",
    "42501": "does not let this user do that; the owner of the tables can do it, or grant it",
    "25006": "cannot be written: it is a standby or read-only; add the primary's host to the URL",
    "53100": "cannot grow: the disk is full; free some space",
    "53300": "has no connection left; raise max_connections, or run fewer servers",
    "55P03": "is in use by another program; try again when that is done",
    "57P": "is being shut down or started; try again when it is up",
    "08007": "cannot confirm that its standby has the change; try again",
    "08": "cannot be reached; check that it runs, and check the URL",
}

# For a refused connection libpq gives no SQLSTATE, only the server's message, which may not be in English.
_REFUSED_CONNECTIONS = (
    (re.compile(r'database "[^"]*" does not exist'), "3D000"),
    (re.compile(r'authentication failed|role "[^"]*" does not exist|no pg_hba.conf entry|no password supplied'), "28"),
    (re.compile(r"permission denied"), "42501"),
    (re.compile(r"too many (clients|connections)|remaining connection slots"), "53300"),
    (re.compile(r"the database system is|terminating connection"), "57P"),
    (re.compile(r"session is read-only|server is in hot standby mode"), "25006"),
)


class Postgresql(Backend):
    """A PostgreSQL database, used with psycopg 3; the tables are in the URL's search path.

    Writing transactions use the isolation level that the database sets. They are correct under READ COMMITTED, by row
    locks and constraints, and under REPEATABLE READ and SERIALIZABLE, because a transaction that conflicted with
    another one runs again.
    """

    begin_reading = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY"
    begin_writing = "BEGIN"
    # A message in the log that has no receiver. If a transaction's wait for the standbys was cut short, by a crash of
    # the primary or by an operator, others see it immediately; the commit of the message waits until the standbys have
    # everything before it.
    confirmation = "SELECT pg_logical_emit_message(true, 'rafflekit', '')"

    def __init__(self, url: URL) -> None:
        self._url = url.set(drivername="postgresql+psycopg")
        # Only name and place: the query may contain a password as well.
        places = {part: url.query[part] for part in ("host", "port") if part in url.query}
        bare = URL.create("postgresql", url.username, host=url.host, port=url.port, database=url.database, query=places)
        self.url = bare.render_as_string().replace("%2F", "/").replace("%2C", ",")
        self.name = f"The database {self.url}"
        schema.know_postgresql()

    def create_engine(self, *, is_patient: bool = False) -> Engine:
        """Return the engine, unless psycopg is not installed or does not know an option of the URL."""
        try:
            self._check_options()
            engine = create_engine(self._url, connect_args=self._connect_args(), **ENGINE_OPTIONS)
            from rafflekit.core.storage.postgresql_connection import PostgresqlConnection
        # Not installed, or without the libpq that it needs.
        except ImportError as error:
            reason = (
                "PostgreSQL needs the extra 'postgresql'. In the clone of rafflekit, run: pip install '.[postgresql]'"
            )
            raise InvalidSetting(NAMELESS_URL, self.url, reason) from error

        def connect(_dialect: object, _entry: object, arguments: list[Any], named: dict[str, Any]) -> Any:
            connection = PostgresqlConnection.connect(*arguments, **named)
            connection.answer_limit_s = None if is_patient else ANSWER_LIMIT_S
            return connection

        event.listen(engine, "do_connect", connect)
        event.listen(engine, "connect", _prepare)
        event.listen(engine, "handle_error", _leave_unusable)
        return engine

    def _connect_args(self) -> dict[str, Any]:
        hosts = self._url.query.get("host", "")
        is_one_host = isinstance(hosts, str) and "," not in hosts
        defaults = _DEFAULTS if is_one_host else _DEFAULTS_OF_SEVERAL_HOSTS
        unless_in_url = {name: value for name, value in defaults.items() if name not in self._url.query}
        return unless_in_url | {"autocommit": True, "client_encoding": "utf8"}

    def _check_options(self) -> None:
        from psycopg import pq

        # psycopg takes more options than libpq, but not as text.
        known = {option.keyword.decode() for option in pq.Conninfo.get_defaults()}
        for name in self._url.query:
            if name not in known:
                reason = (
                    f"PostgreSQL knows no option {name!r}; https://www.postgresql.org/docs/current/libpq-connect.html"
                )
                raise InvalidSetting(NAMELESS_URL, self.url, f"{reason} lists them.")

    def back_up(self, to: Path) -> NoReturn:
        """Refuse, since PostgreSQL's own programs do it better."""
        reason = "PostgreSQL makes its backups itself: use pg_dump, or pg_basebackup for a whole server."
        raise InvalidSetting(NAMELESS_URL, self.url, reason)

    def remains(self, raffles: Collection[UUID]) -> Remains:
        """Find nothing: the server's files cannot be read here."""
        return Remains()

    def is_made(self, connection: Connection) -> bool:
        """Return whether the current schema has our tables; it must exist, and not have another program's."""
        schema, tables, mark = connection.exec_driver_sql(
            "SELECT current_schema(), (SELECT count(*) FROM pg_class WHERE relkind IN ('r', 'p', 'v', 'm') "
            "AND relnamespace = current_schema()::regnamespace AND NOT EXISTS (SELECT 1 FROM pg_depend "
            # Tables of extensions do not count, e.g. the views of pg_stat_statements.
            "WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e')), "
            "obj_description(to_regclass(quote_ident(current_schema()) || '.alembic_version'), 'pg_class')"
        ).one()
        if schema is None:
            raise SchemaMismatch(f"{self.name} has no schema for the tables; make the one that search_path names.")
        if tables and mark != _MARK:
            raise SchemaMismatch(
                f"{self.name} belongs to another program; name another database, or another schema in it "
                "(?options=-csearch_path=rafflekit)."
            )
        return bool(tables)

    def lock_layout(self, connection: Connection) -> None:
        """Take an advisory lock, since there may be no table yet; afterwards, what others have made is visible."""
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL READ COMMITTED")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LAYOUT_LOCK})")

    def mark_as_ours(self, connection: Connection) -> None:
        """Write rafflekit's mark into the comment of Alembic's table."""
        connection.exec_driver_sql(f"COMMENT ON TABLE alembic_version IS '{_MARK}'")

    def must_run_again(self, error: BaseException | None) -> bool:
        """Decide by the SQLSTATE; a taken place in the list of raffles is a conflict as well."""
        state = getattr(error, "sqlstate", None)
        took_a_place = state == _UNIQUE_VIOLATION and _constraint_of(error) == "raffles_sequence"
        return state in (_SERIALIZATION_FAILURE, _DEADLOCK) or took_a_place

    def says_participant_has_ticket(self, error: BaseException | None) -> bool:
        """Decide by the constraint's name."""
        return _constraint_of(error) == "tickets_participant"

    def meaning(self, error: BaseException | None) -> str:
        """Return the sentence for an error of PostgreSQL or psycopg."""
        text = str(error).strip()
        state = getattr(error, "sqlstate", None) or _state_of_refusal(text)
        reason = next((_MEANINGS[key] for key in (state, state[:3], state[:2]) if key in _MEANINGS), None)
        detail = text.partition("\n")[0]
        return f"{self.name} {reason or 'failed'} ({detail})."


def _state_of_refusal(text: str) -> str:
    return next((state for pattern, state in _REFUSED_CONNECTIONS if pattern.search(text)), "08")


def _constraint_of(error: BaseException | None) -> str | None:
    diagnosis = getattr(error, "diag", None)
    return getattr(diagnosis, "constraint_name", None)


def _leave_unusable(context: ExceptionContext) -> None:
    # A primary that becomes a standby keeps its connections; SQLAlchemy then drops all of them.
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
        context.is_disconnect = True
    # After an interruption, psycopg reports the end of its pipeline while the connection still runs a statement.
    used = context.connection
    if used is not None and not used.invalidated:
        driven: Any = used.connection.dbapi_connection
        context.is_disconnect = context.is_disconnect or driven.info.transaction_status.name == "ACTIVE"


def _prepare(dbapi_connection: Any, _entry: ConnectionPoolEntry) -> None:
    dbapi_connection.execute(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'")
    # PostgreSQL reports a commit in doubt by a warning.
    dbapi_connection.execute("SET client_min_messages = warning")
    # Every statement finds its few rows by a key. Otherwise the server would choose to scan a nearly empty table, and
    # keep that plan for a prepared statement while a rush fills the table.
    dbapi_connection.execute("SET enable_seqscan = off")
