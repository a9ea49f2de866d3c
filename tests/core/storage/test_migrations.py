"""Databases with an older layout are upgraded with everything in them; newer ones are refused.

There is one layout so far, so the tests add a made-up step after it (`use_next_layout`).
"""

import multiprocessing
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any, NamedTuple
from uuid import UUID

import pytest

from rafflekit import (
    Prize,
    RaffleEngine,
    SchemaMismatch,
    StorageUnavailable,
    Ticket,
    check_database,
    upgrade_database,
)
from rafflekit.core.storage import schema, sqlite
from tests.databases import NEXT_LAYOUT, open_engine, run, use_next_layout
from tests.raffles import keyed, people, sold_out
from tests.users import as_nobody
from tests.waiting import LIMIT_S

TODAYS = schema.VERSION


class Older(NamedTuple):
    """A file that the made-up step can upgrade, and the raffles in it: one drawn, one sold out, one open."""

    file: Path
    drawn: UUID
    sold_out: UUID
    open: UUID
    tickets: list[Ticket]
    """The open raffle's."""

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"


@pytest.fixture
def older(database: Path, monkeypatch: pytest.MonkeyPatch) -> Older:
    """A file with three raffles, which is older than what rafflekit needs."""
    with open_engine(f"sqlite:///{database}") as engine:
        drawn, full = sold_out(engine), sold_out(engine)
        engine.draw(drawn.id)
        raffle = engine.create("Open", total_tickets=10**12, prizes=[Prize("car"), Prize("bike", 10)])
        tickets = [each for each in engine.participate_many(raffle.id, keyed(people(7))) if isinstance(each, Ticket)]
    use_next_layout(monkeypatch)
    return Older(database, drawn.id, full.id, raffle.id, tickets)


def rows_of(database: Path) -> dict[str, list[Any]]:
    """Return every row of every table, except the layout."""
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        names.remove("alembic_version")
        return {name: sorted(connection.execute(f"SELECT * FROM {name}"), key=repr) for name in names}


def layout_of(database: Path) -> str:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_opening_upgrades_an_older_file_and_changes_no_row(older: Older) -> None:
    before = rows_of(older.file)
    assert layout_of(older.file) == TODAYS

    open_engine(older.url).close()

    assert layout_of(older.file) == NEXT_LAYOUT
    names = {older.drawn.bytes, older.sold_out.bytes, older.open.bytes}
    after = rows_of(older.file)
    assert {id for id, _ in after.pop("made_up")} == names
    assert after == before | {"made_up_too": []}


def test_an_upgraded_database_passes_its_check_up(older: Older) -> None:
    upgrade_database(older.url)

    assert check_database(older.url).problems == ()


def test_the_raffles_of_an_upgraded_database_continue(older: Older) -> None:
    with open_engine(older.url) as engine:
        assert engine.proofs.proof(older.drawn).winners
        assert engine.draw(older.sold_out)
        again = list(engine.participate_many(older.open, keyed(people(7))))
        new = engine.participate(older.open, "someone else")

        assert again == older.tickets
        assert new.number not in {ticket.number for ticket in older.tickets}
        assert engine.get(older.open).available_tickets == 10**12 - 8


def test_an_upgrade_that_fails_leaves_the_database_unchanged(older: Older) -> None:
    """There already is a table with the name of a new one."""
    run(older.url, "CREATE TABLE made_up_too (id BIGINT PRIMARY KEY)")
    before = rows_of(older.file)

    with pytest.raises(StorageUnavailable) as failure:
        open_engine(older.url)

    assert "table made_up_too already exists" in str(failure.value)
    assert "Its upgrade from layout 0001 to 0002 failed and changed nothing." in str(failure.value)
    assert (layout_of(older.file), rows_of(older.file)) == (TODAYS, before)


def test_an_upgrade_on_a_full_disk_leaves_the_database_unchanged(older: Older, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = filled_to_the_last_page(older.file)
    monkeypatch.setattr(sqlite, "_PRAGMAS", (*sqlite._PRAGMAS, f"PRAGMA max_page_count = {pages}"))
    before = rows_of(older.file)

    with pytest.raises(StorageUnavailable, match=r"the disk is full.*changed nothing\."):
        open_engine(older.url)

    assert (layout_of(older.file), rows_of(older.file)) == (TODAYS, before)


def filled_to_the_last_page(database: Path) -> int:
    """Fill the list of tables, views and triggers until not even a short one has room; return the number of pages."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM")
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        names = (f"filler_{number}" for number in count())
        for size in (1000, 300, 100, 30, 10):
            with suppress(sqlite3.OperationalError):
                while True:
                    connection.execute(f"CREATE VIEW {next(names)} AS SELECT '{'x' * size}'")
    return int(pages)


def test_the_refusal_of_a_read_only_file_says_so(older: Older) -> None:
    shared = Path(tempfile.mkdtemp(prefix="rafflekit-"))
    try:
        database = shared / "raffles.db"
        shutil.copyfile(older.file, database)
        database.chmod(0o400)
        shared.chmod(0o500)
        with as_nobody(shared), pytest.raises(StorageUnavailable, match="cannot be written; check the permissions"):
            open_engine(f"sqlite:///{database}")
        assert layout_of(database) == TODAYS
    finally:
        shared.chmod(0o755)
        shutil.rmtree(shared)


def test_a_newer_layout_is_refused_and_left_unchanged(database: Path) -> None:
    url = f"sqlite:///{database}"
    open_engine(url).close()
    run(url, "UPDATE alembic_version SET version_num = '0002'")
    before = rows_of(database)

    for opened in (RaffleEngine, upgrade_database):
        with pytest.raises(SchemaMismatch, match="has the layout 0002, and this rafflekit knows 0001 and older ones"):
            opened(url)

    assert (layout_of(database), rows_of(database)) == ("0002", before)


@pytest.mark.parametrize("layout", ["0000", "abcd", "ae1027a6acf"])
def test_an_unknown_layout_is_refused(database_url: str, layout: str) -> None:
    open_engine(database_url).close()
    run(database_url, "UPDATE alembic_version SET version_num = ?", layout)

    with pytest.raises(SchemaMismatch, match=f"has the layout {layout}"):
        open_engine(database_url)


def test_two_processes_can_upgrade_at_the_same_time(older: Older) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        start = manager.Barrier(2)
        with context.Pool(2) as pool:
            counts = pool.starmap(raffles_in, [(older.url, start)] * 2)

    assert counts == [3, 3]
    assert layout_of(older.file) == NEXT_LAYOUT


def raffles_in(url: str, start: Barrier) -> int:
    with pytest.MonkeyPatch.context() as patch:
        use_next_layout(patch)
        start.wait(LIMIT_S)
        with open_engine(url) as engine:
            return engine.list().count


def test_an_upgrade_prints_nothing(older: Older, capfd: pytest.CaptureFixture[str]) -> None:
    open_engine(older.url).close()

    assert capfd.readouterr() == ("", "")
