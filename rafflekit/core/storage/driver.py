"""Statements that go to the driver as they are: the hot path, where SQLAlchemy's work costs more than the database's.

What fails goes through SQLAlchemy all the same: it gives dead connections up, and whoever minds errors knows one kind.
"""

from collections.abc import Sequence
from typing import Any, NoReturn

from sqlalchemy import Connection

Values = Sequence[Any]


def send(connection: Connection, statement: str, values: Values = ()) -> list[Any]:
    """Send one statement in the driver's spelling; return its rows as the driver gives them, or none.

    Raises:
        DBAPIError: as SQLAlchemy's own statements do.
    """
    try:
        cursor = connection.connection.cursor()
        cursor.execute(statement, values)
        return list(cursor.fetchall()) if cursor.description else []
    except connection.dialect.loaded_dbapi.Error as error:
        _raise_as_sqlalchemy(connection, statement, error)


def send_many(connection: Connection, statement: str, rows: Sequence[Values]) -> None:
    """Send one statement once for each row of values.

    Raises:
        DBAPIError: as SQLAlchemy's own statements do.
    """
    try:
        connection.connection.cursor().executemany(statement, rows)
    except connection.dialect.loaded_dbapi.Error as error:
        _raise_as_sqlalchemy(connection, statement, error)


def _raise_as_sqlalchemy(connection: Connection, statement: str, error: BaseException) -> NoReturn:
    # Private, and the one place where SQLAlchemy asks whether the connection is dead, listeners of ours included.
    connection._handle_dbapi_exception(error, statement, None, None, None)
