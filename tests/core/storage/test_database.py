"""Opening a database: a new one is made, an unusable one is refused with a clear sentence."""

import sqlite3
import stat
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, nullcontext
from pathlib import Path
from threading import Event

import pytest
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

from rafflekit import (
    AlreadyParticipated,
    InvalidSetting,
    Prize,
    RaffleEngine,
    SchemaMismatch,
    SoldOut,
    StorageUnavailable,
    Ticket,
)
from rafflekit.core.records import NewTicket, RaffleKeys
from rafflekit.core.storage import sqlite
from rafflekit.core.storage.database import Database
from rafflekit.core.storage.statements.draws import large_cache
from rafflekit.core.storage.statements.tickets import insert_tickets
from tests.databases import run
from tests.raffles import sold_out
from tests.waiting import LIMIT_S


@pytest.mark.usefixtures("loose_umask")
def test_a_database_file_is_readable_only_by_its_owner(database: Path) -> None:
    with RaffleEngine(f"sqlite:///{database}") as engine:
        engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])

        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in database.parent.iterdir()}

    assert modes == dict.fromkeys(("raffles.db", "raffles.db-wal", "raffles.db-shm", "raffles.db.key"), 0o600)


def test_closing_leaves_the_file_and_its_key(database: Path) -> None:
    with RaffleEngine(f"sqlite:///{database}") as engine:
        engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])

    assert sorted(database.parent.iterdir()) == [database, Path(f"{database}.key")]


def test_a_path_with_strange_characters_works(tmp_path: Path) -> None:
    folder = tmp_path / "år 100% #1?"
    folder.mkdir()
    url = sqlite_url(folder / "raffles & more.db")

    with RaffleEngine(url) as engine:
        engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])

    assert (folder / "raffles & more.db").exists()


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{str(path).replace('%', '%25').replace('?', '%3F')}"


def test_the_default_place_is_the_users_data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    with RaffleEngine() as engine:
        engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])

    assert list(tmp_path.rglob("raffles.db"))


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="does not exist"):
        RaffleEngine(f"sqlite:///{tmp_path}/nowhere/raffles.db")


def test_a_folder_is_not_a_database(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match="is a folder"):
        RaffleEngine(f"sqlite:///{tmp_path}")


def test_a_file_that_is_not_a_database_is_left_unchanged(database: Path) -> None:
    text = b"these are my diaries, not a database\n" * 100
    database.write_bytes(text)

    with pytest.raises(StorageUnavailable, match="is not a SQLite database"):
        RaffleEngine(f"sqlite:///{database}")

    assert database.read_bytes() == text


def test_another_programs_database_is_left_unchanged(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("CREATE TABLE alembic_version (version_num)")
        connection.execute("INSERT INTO alembic_version VALUES ('0001')")
    theirs = database.read_bytes()

    with pytest.raises(SchemaMismatch, match="belongs to another program"):
        RaffleEngine(f"sqlite:///{database}")

    assert database.read_bytes() == theirs
    assert list(database.parent.iterdir()) == [database]


def test_a_database_of_another_version_is_refused(database: Path) -> None:
    RaffleEngine(f"sqlite:///{database}").close()
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaMismatch, match="layout 9999, and this rafflekit knows"):
        RaffleEngine(f"sqlite:///{database}")


def test_a_closed_engine_stays_closed(database: Path) -> None:
    engine = RaffleEngine(f"sqlite:///{database}")
    engine.close()

    with pytest.raises(StorageUnavailable, match="has been closed"):
        engine.list()
    with pytest.raises(StorageUnavailable, match="has been closed"):
        engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
    assert list(database.parent.iterdir()) == [database]


def test_a_closed_engine_does_not_report_sold_out(database: Path) -> None:
    """It knows about sold-out raffles without its database."""
    engine = RaffleEngine(f"sqlite:///{database}")
    raffle = sold_out(engine)
    with pytest.raises(SoldOut):
        engine.participate(raffle.id, "too late")
    engine.close()

    with pytest.raises(StorageUnavailable, match="has been closed"):
        engine.participate(raffle.id, "too late")


@pytest.mark.parametrize("url", ["http://[::1", "sqlite://h:99x/y", "sqlite:///a\0b.db", "sqlite:///\ud800.db"])
def test_an_invalid_url_is_refused(url: str) -> None:
    with pytest.raises(InvalidSetting, match="The database URL"):
        RaffleEngine(url)


def test_a_database_locked_by_another_program_is_reported(
    database: Path, engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0.1)
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with RaffleEngine(f"sqlite:///{database}") as impatient:
            with pytest.raises(StorageUnavailable, match="in use by another program"):
                impatient.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
            assert impatient.list().count == 0
        other.execute("COMMIT")

    assert engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")]) == engine.list().items[0]


def test_the_constraint_on_participants_becomes_a_refusal(database_url: str, engine: RaffleEngine) -> None:
    """The engine checks before it writes; the constraint refuses writers that did not check."""
    raffle = engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")])
    with closing(Database(database_url)) as opened:
        for serial in (0, 1):
            ticket = NewTicket(raffle.id, serial, serial + 1, b"the same participant", 1, "", b"", 0)
            with pytest.raises(AlreadyParticipated) if serial else nullcontext():
                opened.write(lambda connection, ticket=ticket: insert_tickets(connection, [ticket]))

    assert run(database_url, "SELECT count(*) FROM tickets") == [(1,)]


def test_an_error_of_the_database_does_not_show_the_values(database: Path, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")])
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("ALTER TABLE tickets RENAME TO gone")
        with pytest.raises(StorageUnavailable, match="no such table: tickets") as failure:
            engine.participate(raffle.id, "ann")
        connection.execute("ALTER TABLE prizes RENAME TO gone_too")
        with pytest.raises(StorageUnavailable, match="no such table: prizes") as of_sqlalchemy:
            engine.create("Foobar", total_tickets=9, prizes=[Prize("kiss")])

    assert "INSERT INTO prizes" in str(of_sqlalchemy.value.__cause__)
    assert "kiss" not in str(of_sqlalchemy.value.__cause__)
    assert isinstance(failure.value.__cause__, DBAPIError)
    assert failure.value.__cause__.params is None


def test_the_repr_of_keys_does_not_show_them() -> None:
    assert repr(RaffleKeys(b"one", b"two", b"three")) == "RaffleKeys()"


def test_writers_of_one_process_wait_for_each_other(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "BUSY_TIMEOUT_S", 0)
    begun, ended = Event(), Event()
    with closing(Database(f"sqlite:///{database}")) as opened, ThreadPoolExecutor(2) as threads:

        def hold(_: Connection) -> None:
            begun.set()
            # A writer that does not wait has been refused by now.
            ended.wait(1)

        first = threads.submit(opened.write, hold)
        assert begun.wait(LIMIT_S)
        second = threads.submit(opened.write, lambda _: "written")
        second.add_done_callback(lambda _: ended.set())

        first.result(LIMIT_S)
        assert second.result(LIMIT_S) == "written"


def test_a_draw_restores_the_settings_of_its_connection(database: Path) -> None:
    def cache_size(connection: Connection) -> object:
        return connection.exec_driver_sql("PRAGMA cache_size").scalar()

    with closing(Database(f"sqlite:///{database}")) as opened:
        before = opened.query(cache_size)

        def store(connection: Connection) -> object:
            with large_cache(connection):
                return cache_size(connection)

        assert opened.write(store) != before
        assert opened.query(cache_size) == before


def test_a_full_disk_loses_no_committed_ticket(database: Path, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=10_000, prizes=[Prize("hug")])
    limit_size(engine)
    issued: list[Ticket] = []

    with pytest.raises(StorageUnavailable, match="the disk is full"):
        issued.extend(engine.participate(raffle.id, f"participant {n}") for n in range(10_000))

    assert 0 < len(issued) < 10_000
    assert engine.get(raffle.id).available_tickets == 10_000 - len(issued)
    with closing(sqlite3.connect(database)) as connection:
        assert {row[0] for row in connection.execute("SELECT number FROM tickets")} == {t.number for t in issued}


def limit_size(engine: RaffleEngine) -> None:
    """Let the database grow by two pages only: a disk that is about to be full, without filling one."""
    with closing(engine._database._engine.raw_connection()) as connection:
        cursor = connection.cursor()
        pages = cursor.execute("PRAGMA page_count").fetchone()[0]
        cursor.execute(f"PRAGMA max_page_count = {pages + 2}")
