"""Statements that go straight to the driver: the hot path, where SQLAlchemy's work costs more than the database's.

After an interruption (a caller's time-out, Ctrl-C) a connection is not used again: it may still be in the middle of a
statement. `send` and `send_many` run in a transaction of SQLAlchemy's and raise its errors.
"""

from collections.abc import Sequence
from contextlib import closing
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine

Values = Sequence[Any]


def fetch_rows(engine: Engine, statement: str, values: Any) -> list[Any]:
    """Send one statement on a new or idle connection; return its rows as the driver gives them.

    Raises:
        Exception: the driver's errors.
    """
    with closing(engine.raw_connection()) as connection:
        try:
            cursor = connection.cursor()
            cursor.execute(statement, values)
            return list(cursor.fetchall())
        except BaseException as error:
            # As SQLAlchemy does: after an error the connection may be dead, and then the idle ones may be as well.
            is_dead = isinstance(error, engine.dialect.loaded_dbapi.Error) and engine.dialect.is_disconnect(
                error, connection.dbapi_connection, None
            )
            connection.invalidate(error)
            if is_dead:
                engine.pool.dispose()
            raise


def send(connection: Connection, statement: str, values: Values = ()) -> list[Any]:
    """Send one statement in the driver's spelling; return its rows as the driver gives them, if it has any.

    Raises:
        DBAPIError: as SQLAlchemy's own statements do.
    """
    try:
        cursor = connection.connection.cursor()
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []
    except BaseException as error:
        _raise_as_sqlalchemy(connection, statement, error)


def send_many(connection: Connection, statement: str, rows: Sequence[Values]) -> None:
    """Send one statement once for each row of values.

    Raises:
        DBAPIError: as SQLAlchemy's own statements do.
    """
    try:
        connection.connection.cursor().executemany(statement, rows)
    except BaseException as error:
        _raise_as_sqlalchemy(connection, statement, error)


def _raise_as_sqlalchemy(connection: Connection, statement: str, error: BaseException) -> NoReturn:
    if not isinstance(error, connection.dialect.loaded_dbapi.Error):
        connection.invalidate(error)
        raise error
    # A private method, but the only place where SQLAlchemy and our listeners decide whether the connection is dead.
    connection._handle_dbapi_exception(error, statement, None, None, None)
