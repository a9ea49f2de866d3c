"""What a SQLite file has stored, to be compared."""

import sqlite3
from contextlib import closing
from pathlib import Path


def everything(database: Path) -> list[str]:
    """Return every row of a database, as SQL, after a check of the file."""
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        return list(connection.iterdump())
