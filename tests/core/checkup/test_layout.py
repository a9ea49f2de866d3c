"""The layout and the file: a check-up names what is missing, and refuses what it cannot check."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rafflekit import RaffleEngine, SchemaMismatch, StorageUnavailable, check_database, upgrade_database
from tests.core.checkup.filled import DRAWN, OPEN, fill
from tests.databases import PostgresqlServer, past_the_rules, run, use_next_layout


def test_a_newer_layout_is_refused(database: Path) -> None:
    url = f"sqlite:///{database}"
    fill(url)
    run(url, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaMismatch, match="which this version of rafflekit does not know: check it"):
        check_database(url)


@pytest.mark.parametrize(
    ("statements", "difference"),
    [
        (["DROP INDEX raffles_open"], "the index raffles_open of the table raffles is missing"),
        (
            ["DROP INDEX raffles_open", "CREATE INDEX raffles_open ON raffles (sequence) WHERE drawn_at IS NOT NULL"],
            "the index raffles_open of the table raffles is not as rafflekit made it, or off",
        ),
    ],
)
def test_a_dropped_or_changed_index_is_named(database_url: str, statements: list[str], difference: str) -> None:
    fill(database_url)
    for statement in statements:
        run(database_url, statement)

    [problem] = check_database(database_url).problems

    assert problem.startswith(f"The layout is not as rafflekit made it: {difference}. ")
    assert "Recreate them as a new database has them, or restore a backup." in problem


@pytest.mark.parametrize(
    ("statements", "difference"),
    [
        (["DROP TRIGGER wins_final_insert"], "the trigger wins_final_insert of the table wins is missing"),
        (
            [
                "DROP TRIGGER tickets_final_delete",
                "CREATE TRIGGER tickets_final_delete BEFORE DELETE ON tickets WHEN FALSE "
                "BEGIN SELECT RAISE(ABORT, 'a ticket is final'); END",
            ],
            "the trigger tickets_final_delete of the table tickets is not as rafflekit made it, or off",
        ),
        (
            ["CREATE TRIGGER loaded AFTER INSERT ON tickets BEGIN SELECT 1; END"],
            "the trigger loaded of the table tickets is not rafflekit's",
        ),
        (
            [
                "PRAGMA writable_schema = ON",
                "UPDATE sqlite_master SET sql = replace(sql, 'amount >= 1', 'amount >= 0') WHERE name = 'prizes'",
            ],
            "the table prizes is not as rafflekit made it, or off",
        ),
    ],
)
def test_a_missing_rule_of_a_file_is_named(database: Path, statements: list[str], difference: str) -> None:
    url = f"sqlite:///{database}"
    fill(url)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)

    [problem] = check_database(url).problems

    assert problem.startswith(f"The layout is not as rafflekit made it: {difference}. ")


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("DROP TRIGGER wins_final_insert ON wins", "the trigger wins_final_insert of the table wins is missing"),
        (
            "ALTER TABLE wins DISABLE TRIGGER wins_final_update",
            "the trigger wins_final_update of the table wins is not as rafflekit made it, or off",
        ),
        (
            "CREATE OR REPLACE FUNCTION tickets_final_truncate() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RETURN NULL; END $$",
            "the trigger tickets_final_truncate of the table tickets is not as rafflekit made it, or off",
        ),
        (
            "CREATE TRIGGER loaded AFTER INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION wins_final_insert()",
            "the trigger loaded of the table tickets is not rafflekit's",
        ),
        (
            "ALTER TABLE tickets DROP CONSTRAINT tickets_number",
            "the constraint tickets_number of the table tickets is missing",
        ),
        (
            "ALTER TABLE prizes DROP CONSTRAINT prizes_amount, ADD CONSTRAINT prizes_amount CHECK (amount >= 0)",
            "the constraint prizes_amount of the table prizes is not as rafflekit made it, or off",
        ),
        (
            "ALTER TABLE counters DROP CONSTRAINT counters_raffle_fkey",
            "the constraint FOREIGN KEY (raffle) REFERENCES raffles(id) of the table counters is missing",
        ),
        (
            "ALTER TABLE secrets DISABLE TRIGGER ALL",
            "the constraint FOREIGN KEY (raffle) REFERENCES raffles(id) of the table secrets is not as rafflekit made "
            "it, or off; the trigger secrets_ended of the table secrets is not as rafflekit made it, or off",
        ),
        (
            "ALTER TABLE tiles DROP CONSTRAINT tiles_pkey",
            "the constraint PRIMARY KEY (raffle, level, position) of the table tiles is missing",
        ),
        (
            "ALTER TABLE secrets ALTER COLUMN sealed DROP NOT NULL",
            "the column sealed of the table secrets is not as rafflekit made it, or off",
        ),
    ],
)
def test_a_missing_rule_of_postgresql_is_named(postgresql: PostgresqlServer, statement: str, difference: str) -> None:
    url = postgresql.new_url()
    fill(url)
    run(url, statement)

    [problem] = check_database(url).problems

    assert problem.startswith(f"The layout is not as rafflekit made it: {difference}. ")


def test_an_upgraded_database_is_well(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(database_url)
    use_next_layout(monkeypatch)
    upgrade_database(database_url)

    assert check_database(database_url).problems == ()


def test_a_damaged_file_is_named(database: Path) -> None:
    url = f"sqlite:///{database}"
    fill(url)
    past_the_rules(url, f"DELETE FROM prizes WHERE raffle = {OPEN}")

    assert "The file is damaged: " not in "\n".join(check_database(url).problems)

    past_the_rules(url, f"DELETE FROM raffles WHERE id = {DRAWN}")

    assert "The file is damaged: a row of counters belongs to a row of raffles" in "\n".join(
        check_database(url).problems
    )


def test_what_cannot_be_checked_is_refused_and_unchanged(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageUnavailable, match="does not exist"):
        check_database(f"sqlite:///{database}")
    assert not database.exists()

    database.touch()
    with pytest.raises(StorageUnavailable, match="is empty, so there is nothing to check"):
        check_database(f"sqlite:///{database}")
    RaffleEngine(f"sqlite:///{database}").close()
    use_next_layout(monkeypatch)
    with pytest.raises(SchemaMismatch, match="the layout 0001, and only the layout"):
        check_database(f"sqlite:///{database}")
    assert run(f"sqlite:///{database}", "SELECT version_num FROM alembic_version") == [("0001",)]


def test_a_check_up_of_the_default_place_makes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAFFLEKIT_DATABASE_URL", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(StorageUnavailable, match="does not exist"):
        check_database()

    assert list(tmp_path.iterdir()) == []


def test_all_differences_of_the_layout_are_listed(database: Path) -> None:
    url = f"sqlite:///{database}"
    fill(url)
    run(url, "DROP INDEX raffles_open")
    run(url, "DROP TRIGGER counters_forward")

    [sentence] = check_database(url).problems

    assert "raffles_open of the table raffles is missing; the trigger counters_forward" in sentence
