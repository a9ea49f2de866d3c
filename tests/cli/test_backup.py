"""`rafflekit backup`: a whole copy while people take part, or a clear refusal that leaves nothing behind."""

import json
import sqlite3
import stat
import threading
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from rafflekit import InvalidSetting, Prize, RaffleEngine, back_up_database
from tests.cli.conftest import Terminal
from tests.databases import PostgresqlServer
from tests.raffles import sold_out
from tests.waiting import wait_until


def test_a_backup_is_a_database_for_its_owner_alone(terminal: Terminal, engine: RaffleEngine, tmp_path: Path) -> None:
    raffle = sold_out(engine)
    copy = tmp_path / "copies" / "monday.db"
    copy.parent.mkdir()

    told = terminal(f"backup {copy} --json")

    assert (told.status, told.err) == (0, "")
    assert json.loads(told.out) == {"file": str(copy), "bytes": copy.stat().st_size}
    key = Path(f"{copy}.key")
    assert sorted(copy.parent.iterdir()) == [copy, key]
    assert {stat.S_IMODE(file.stat().st_mode) for file in (copy, key)} == {0o600}
    with RaffleEngine(f"sqlite:///{copy}") as restored:
        assert restored.ledgers.verifier_key() == engine.ledgers.verifier_key()
        assert restored.get(raffle.id) == raffle
        assert len(restored.draw(raffle.id)) == 2
    assert not engine.get(raffle.id).winners_drawn


def test_backups_under_a_rush_are_each_of_one_moment(engine: RaffleEngine, database_url: str, tmp_path: Path) -> None:
    raffle = engine.create("Foobar", total_tickets=10**9, prizes=[Prize("hug")])
    people, ends = count(), threading.Event()

    def take_part() -> None:
        while not ends.is_set():
            engine.participate(raffle.id, f"participant {next(people)}")

    threads = [threading.Thread(target=take_part) for _ in range(4)]
    for thread in threads:
        thread.start()
    sold = []
    try:
        for turn in range(10):
            copy = back_up_database(tmp_path / f"{turn}.db", database_url)
            with closing(sqlite3.connect(copy)) as connection:
                assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
                [(issued, rows)] = connection.execute("SELECT issued, (SELECT count(*) FROM tickets) FROM counters")
            assert issued == rows
            sold.append(rows)
            wait_until(lambda: engine.get(raffle.id).available_tickets < 10**9 - sold[-1])
    finally:
        ends.set()
        for thread in threads:
            thread.join()

    assert sold == sorted(set(sold))


def test_nothing_is_overwritten(terminal: Terminal, engine: RaffleEngine, tmp_path: Path) -> None:
    engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
    taken = tmp_path / "taken.db"
    taken.write_text("precious")

    told = terminal(f"backup {taken}")

    assert (told.status, told.out) == (2, "")
    assert f"{taken} is there already; name a new file" in told.err
    assert taken.read_text() == "precious"


@pytest.mark.parametrize("file", ["no-such-folder/copy.db", "raffles.db/copy.db"])
def test_a_place_that_cannot_be_written_is_named(
    terminal: Terminal, engine: RaffleEngine, tmp_path: Path, file: str
) -> None:
    engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])

    told = terminal(f"backup {tmp_path / file}")

    assert told.status == 3
    assert f"The backup {tmp_path / file} cannot be made: " in told.err


def test_a_database_that_is_missing_or_none_leaves_no_copy(terminal: Terminal, database: Path, tmp_path: Path) -> None:
    missing = terminal(f"backup {tmp_path / 'copy.db'}")
    database.write_bytes(b"no database at all, " * 100)
    none = terminal(f"backup {tmp_path / 'copy.db'}")

    assert (missing.status, none.status) == (3, 3)
    assert "is not there, so there is nothing to back up" in missing.err
    assert "is no SQLite database" in none.err
    assert list(tmp_path.iterdir()) == [database]


def test_postgresql_is_left_to_its_own_programs(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="pg_dump"):
        back_up_database(tmp_path / "copy.db", postgresql.new_url())

    assert list(tmp_path.iterdir()) == []
