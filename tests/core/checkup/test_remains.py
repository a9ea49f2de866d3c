"""Deleted secrets and participants: a check-up says where they can still be read."""

import sqlite3
import sys
from contextlib import closing
from pathlib import Path

from rafflekit import Prize
from tests import programs
from tests.core.checkup.filled import DRAWN, OPEN, fill
from tests.databases import check_up, open_engine, past_the_rules, run
from tests.raffles import sold_out, stored_bytes


def test_the_hash_of_an_idempotency_key_counts_as_left(database_url: str) -> None:
    with open_engine(database_url) as engine:
        raffle = sold_out(engine)
        engine.draw(raffle.id)
        engine.purge(raffle.id)
    assert check_up(database_url).hashed_participants == 0
    some = "'\\x00'" if database_url.startswith("postgresql") else "x'00'"
    past_the_rules(database_url, f"UPDATE tickets SET repeat_hash = {some} WHERE serial = 2")

    assert check_up(database_url).hashed_participants == 1


def test_secrets_in_the_journal_are_named_until_it_is_emptied(database: Path) -> None:
    url = f"sqlite:///{database}"
    with open_engine(url) as engine:
        raffle = sold_out(engine)
        with closing(sqlite3.connect(database, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM secrets").fetchall()
            engine.draw(raffle.id)

            during = check_up(url)

        engine.list()
        afterwards = check_up(url)

    assert during.remains == (
        f"Raffle {raffle.id}: its deleted secrets can still be read in the file's journal, until no program reads the "
        "database any more.",
    )
    assert (during.problems, afterwards.problems, afterwards.remains) == ((), (), ())


def test_a_cancelled_raffle_leaves_no_secrets(database: Path) -> None:
    """Its participants' hashes are gone as well."""
    url = f"sqlite:///{database}"
    with open_engine(url) as engine:
        for raffle in (sold_out(engine, tickets=500), engine.create("Empty", total_tickets=9, prizes=[Prize("hug")])):
            of_it = f"WHERE raffle = x'{raffle.id.hex}'"
            keys = run(url, f"SELECT sealed FROM secrets {of_it}")
            hashes = run(url, f"SELECT participant, repeat_hash FROM tickets {of_it}")
            secrets = [secret for row in [*keys, *hashes] for secret in row]
            before = stored_bytes(database)
            assert all(secret in before for secret in secrets)

            engine.cancel(raffle.id, "rain")

            after = stored_bytes(database)
            assert not [secret for secret in secrets if secret in after]
        report = check_up(url)

    assert (report.problems, report.remains, report.hashed_participants) == ((), (), 0)


def test_a_cancelled_raffles_secrets_in_the_journal_are_named(database: Path) -> None:
    url = f"sqlite:///{database}"
    with open_engine(url) as engine:
        raffle = engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")])
        with closing(sqlite3.connect(database, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM secrets").fetchall()
            engine.cancel(raffle.id, "rain")

            during = check_up(url)

        engine.list()
        afterwards = check_up(url)

    assert [each.partition(":")[0] for each in during.remains] == [f"Raffle {raffle.id}"]
    assert (during.problems, afterwards.problems, afterwards.remains) == ((), (), ())


def test_secrets_in_unused_parts_of_the_file_are_named(database: Path) -> None:
    """They were deleted by a program that does not overwrite what it deletes."""
    url = f"sqlite:///{database}"
    with open_engine(url) as engine:
        drawn, kept = sold_out(engine), sold_out(engine)
        engine.draw(drawn.id)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        connection.execute("DROP TRIGGER secrets_ended")
        connection.execute("INSERT INTO secrets VALUES (?, ?)", (drawn.id.bytes, b"\1" * 124))
        connection.execute("DELETE FROM secrets WHERE raffle = ?", (drawn.id.bytes,))

    assert check_up(url).remains == (
        f"Raffle {drawn.id}: its deleted secrets can still be read in unused parts of the file; SQLite's VACUUM "
        "overwrites them.",
    )
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("VACUUM")
    assert check_up(url).remains == ()
    assert kept.id.bytes in database.read_bytes()


def test_a_check_up_keeps_the_locks_of_its_process(database: Path) -> None:
    """Closing a file drops a process's locks on it; another process would then delete the journal."""
    url = f"sqlite:///{database}"
    with open_engine(url) as engine:
        raffle = sold_out(engine)
        check_up(url)
        run_elsewhere = (
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM raffles'); c.close()"
        )
        programs.run([sys.executable, "-c", run_elsewhere, str(database)], check=True)

        assert Path(f"{database}-wal").exists()
        assert engine.get(raffle.id) == raffle


def test_secrets_in_rows_are_not_remains_but_a_problem(database: Path) -> None:
    url = f"sqlite:///{database}"
    fill(url)
    past_the_rules(url, f"UPDATE secrets SET raffle = {DRAWN} WHERE raffle = {OPEN}")

    report = check_up(url)

    assert any("it is drawn, but its secrets are still stored" in each for each in report.problems)
    assert report.remains == ()
