"""`rafflekit backup`: a whole copy while people take part, or a clear refusal that leaves nothing behind."""

import errno
import json
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from contextlib import closing
from itertools import count
from pathlib import Path

import pytest

from rafflekit import (
    InvalidSetting,
    InvalidValue,
    Prize,
    RaffleEngine,
    StorageUnavailable,
    back_up_database,
)
from rafflekit.core.storage import sqlite
from tests.cli.conftest import Terminal
from tests.databases import PostgresqlServer
from tests.programs import run
from tests.raffles import sold_out
from tests.waiting import wait_until

# Sends itself a signal in the middle of the copy, and others while it clears up.
SIGNALLED_HALFWAY = """
import os, signal, sys
from pathlib import Path
from rafflekit.cli import main
from rafflekit.core.storage import sqlite

ignored, (first, *others) = int(sys.argv[1]), map(int, sys.argv[2].split(","))
if ignored:
    signal.signal(ignored, signal.SIG_IGN)
unlink = Path.unlink

def signalling(status, remaining, total):
    if 0 < remaining < total / 2:
        os.kill(os.getpid(), first)

def signalling_again(path, **options):
    while others:
        os.kill(os.getpid(), others.pop())
    unlink(path, **options)

sqlite._between_steps, Path.unlink = signalling, signalling_again
sys.exit(main(sys.argv[3:]))
"""


def large(database: Path) -> None:
    """Make a file of many steps of a backup."""
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("CREATE TABLE filler AS SELECT randomblob(20000000) AS bytes")


def backup_signalled_halfway(copy: Path, *numbers: int, ignored: int = 0) -> subprocess.CompletedProcess[str]:
    sent = ",".join(str(int(number)) for number in numbers)
    return run([sys.executable, "-c", SIGNALLED_HALFWAY, str(int(ignored)), sent, "backup", str(copy)], text=True)


@pytest.mark.usefixtures("loose_umask")
def test_a_backup_is_a_database_for_its_owner_alone(terminal: Terminal, engine: RaffleEngine, tmp_path: Path) -> None:
    raffle = sold_out(engine)
    copy = tmp_path / "copies" / "monday.db"
    copy.parent.mkdir(0o700)

    shown = terminal(f"backup {copy} --json")

    assert (shown.status, shown.err) == (0, "")
    key = Path(f"{copy}.key")
    assert json.loads(shown.out) == {"file": str(copy), "bytes": copy.stat().st_size, "key": str(key)}
    assert sorted(copy.parent.iterdir()) == [copy, key]
    assert {stat.S_IMODE(file.stat().st_mode) for file in (copy, key)} == {0o600}
    with RaffleEngine(f"sqlite:///{copy}") as restored:
        assert restored.proofs.verifier_key() == engine.proofs.verifier_key()
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
            copy = back_up_database(tmp_path / f"{turn}.db", database_url).file
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


def test_a_backup_fails_if_its_key_is_not_a_file(
    terminal: Terminal, engine: RaffleEngine, database: Path, tmp_path: Path
) -> None:
    engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
    key = Path(f"{database}.key")
    key.rename(tmp_path / "moved.key")
    key.mkdir()
    before = set(tmp_path.iterdir())

    shown = terminal(f"backup {tmp_path / 'copy.db'}")

    assert (shown.status, shown.out) == (3, "")
    assert f"is not private. {key}: it is not a regular file." in shown.err
    assert f"No backup was written to {tmp_path / 'copy.db'}." in shown.err
    assert set(tmp_path.iterdir()) == before


@pytest.mark.parametrize("syncs", [0, 1, 2])
def test_an_unfinished_backup_leaves_neither_copy_nor_key(
    engine: RaffleEngine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, syncs: int
) -> None:
    engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
    folder = tmp_path / "copies"
    folder.mkdir()
    done, fsync = count(), os.fsync

    def fail_after(descriptor: int) -> None:
        if next(done) == syncs:
            raise OSError(errno.EIO, "Input/output error")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail_after)

    with pytest.raises(StorageUnavailable, match="cannot be made: Input/output error"):
        back_up_database(folder / "monday.db", database_url)

    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("has_another_key", [False, True])
def test_a_key_that_a_setting_names_is_mentioned_not_copied(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_another_key: bool
) -> None:
    if has_another_key:
        terminal("create Before --tickets 2 --prize hug")
    named, copied = tmp_path / "named.key", tmp_path / "one.db.key"
    terminal(f"key make {named}")
    monkeypatch.setenv("RAFFLEKIT_SIGNING_KEY", str(named))
    terminal("create Foobar --tickets 2 --prize hug")

    shown, as_json = terminal(f"backup {tmp_path / 'one.db'}"), terminal(f"backup {tmp_path / 'two.db'} --json")

    and_the_copy = f"{copied} and " if has_another_key else ""
    assert shown.out.endswith(f"signing key: {and_the_copy}{named}, which is not copied; keep a copy of it too\n")
    assert (json.loads(as_json.out)["key"], copied.exists()) == (
        str(tmp_path / "two.db.key") if has_another_key else None,
        has_another_key,
    )


@pytest.mark.parametrize("name", ["copy.db", "copy.db.key"])
def test_neither_a_copy_nor_its_key_is_overwritten(
    terminal: Terminal, engine: RaffleEngine, tmp_path: Path, name: str
) -> None:
    engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
    taken, before = tmp_path / name, set(tmp_path.iterdir())
    taken.write_text("precious")

    shown = terminal(f"backup {tmp_path / 'copy.db'}")

    assert (shown.status, shown.out) == (2, "")
    assert f"{taken} already exists; name a new file, because no backup is overwritten." in shown.err
    assert taken.read_text() == "precious"
    assert set(tmp_path.iterdir()) - before == {taken}


def test_a_file_created_during_the_copy_is_not_overwritten(
    engine: RaffleEngine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
    copy = tmp_path / "copies" / "monday.db"
    copy.parent.mkdir()
    monkeypatch.setattr(sqlite, "_between_steps", lambda *_: copy.write_text("precious"))

    with pytest.raises(InvalidValue) as refusal:
        back_up_database(copy, database_url)

    assert str(refusal.value) == f"file: {copy} already exists; name a new file, because no backup is overwritten."
    assert copy.read_text() == "precious"
    assert list(copy.parent.iterdir()) == [copy]


def test_a_finished_backup_and_its_key_are_on_the_disk(
    engine: RaffleEngine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy's content is SQLite's to write through; its name, and the key with its name, are ours."""
    engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
    copy = tmp_path / "copies" / "monday.db"
    copy.parent.mkdir()
    synced: list[tuple[str, list[str], bytes]] = []
    key = Path(f"{copy}.key")
    fsync = os.fsync

    def noted(descriptor: int) -> None:
        there = sorted(file.name for file in copy.parent.iterdir())
        name = Path(os.readlink(f"/proc/self/fd/{descriptor}")).name
        synced.append((name, there, key.read_bytes() if key.exists() else b""))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", noted)

    back_up_database(copy, database_url)

    both, content = ["monday.db", "monday.db.key"], key.read_bytes()
    assert content == (tmp_path / "raffles.db.key").read_bytes()
    assert [name for name, *_ in synced] == ["monday.db.key", "copies", "copies"]
    # The copy comes last: what is there by its name is whole.
    assert ["monday.db" in there for _, there, _ in synced] == [False, False, True]
    assert synced[-1] == ("copies", both, content)


def test_a_path_may_be_text_and_is_returned_absolute(
    engine: RaffleEngine, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
    monkeypatch.chdir(tmp_path)

    assert back_up_database("copy.db", database_url).file == tmp_path / "copy.db"


def test_the_default_place_of_a_backup_makes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(StorageUnavailable, match="does not exist, so there is nothing to back up"):
        back_up_database(tmp_path / "copy.db")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("folder", ["no-such-folder", "raffles.db"])
def test_a_folder_that_is_missing_is_named(
    terminal: Terminal, engine: RaffleEngine, tmp_path: Path, folder: str
) -> None:
    engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])

    backed_up = terminal(f"backup {tmp_path / folder / 'copy.db'}")

    assert backed_up == (2, "", f"rafflekit: FILE: there is no folder {tmp_path / folder}.\n")


def test_without_a_real_database_there_is_no_copy(terminal: Terminal, database: Path, tmp_path: Path) -> None:
    missing = terminal(f"backup {tmp_path / 'copy.db'}")
    database.write_bytes(b"no database at all, " * 100)
    wrong = terminal(f"backup {tmp_path / 'copy.db'}")

    assert (missing.status, wrong.status) == (3, 3)
    assert "does not exist, so there is nothing to back up" in missing.err
    assert "is not a SQLite database" in wrong.err
    assert list(tmp_path.iterdir()) == [database]


def test_postgresql_is_left_to_its_own_programs(postgresql: PostgresqlServer, tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="pg_dump"):
        back_up_database(tmp_path / "copy.db", postgresql.new_url())

    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("numbers", "status"),
    [
        ([signal.SIGINT], 130),
        ([signal.SIGTERM], 143),
        ([signal.SIGHUP], 129),
        # The shell and the system may both report that a terminal was closed, and systemd sends both of these.
        ([signal.SIGHUP, signal.SIGHUP], 129),
        ([signal.SIGTERM, signal.SIGHUP], 143),
        ([signal.SIGHUP, signal.SIGTERM], 129),
    ],
)
def test_a_backup_that_is_ended_halfway_leaves_no_secrets_behind(
    engine: RaffleEngine, database: Path, tmp_path: Path, numbers: list[signal.Signals], status: int
) -> None:
    engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
    large(database)
    folder = tmp_path / "copies"
    folder.mkdir()

    ended = backup_signalled_halfway(folder / "monday.db", *numbers)

    assert (ended.returncode, ended.stdout, ended.stderr) == (status, "", "")
    assert list(folder.iterdir()) == []


def test_a_backup_outlives_its_terminal_if_that_was_asked_for(
    engine: RaffleEngine, database: Path, tmp_path: Path
) -> None:
    """As `nohup` does: the signal is ignored from the beginning."""
    engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
    large(database)

    ended = backup_signalled_halfway(tmp_path / "copy.db", signal.SIGHUP, ignored=signal.SIGHUP)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert (tmp_path / "copy.db").stat().st_size == database.stat().st_size
