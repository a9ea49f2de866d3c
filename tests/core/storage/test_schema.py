"""The database holds the rules by itself: it refuses statements past the engine that break them."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from rafflekit import Prize, RaffleEngine
from rafflekit.core.storage import schema
from rafflekit.core.storage.sqlite import prepare_connection
from tests.core.storage.past_the_engine import PastTheEngine
from tests.core.storage.rules import (
    BREACHES,
    DRAWN,
    FINAL,
    OPEN,
    REPLACEMENTS,
    TRUNCATIONS,
    Breach,
)
from tests.databases import KINDS, PostgresqlServer
from tests.raffles import sold_out

# A rule's message, or that of an INSERT whose key is taken.
REFUSED = "final|UNIQUE constraint failed"


@pytest.fixture(scope="module", params=KINDS)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PastTheEngine]:
    """A database with a drawn and an open raffle, on each kind; refused statements leave it unchanged."""
    if request.param == "SQLite":
        url = f"sqlite:///{tmp_path_factory.mktemp('schema')}/raffles.db"
    else:
        url = request.getfixturevalue("postgresql").new_url()
    with made_and_filled(url) as opened:
        yield opened


@pytest.fixture(scope="module")
def filled_postgresql(postgresql: PostgresqlServer) -> Iterator[PastTheEngine]:
    """The same on PostgreSQL alone."""
    with made_and_filled(postgresql.new_url()) as opened:
        yield opened


@pytest.fixture
def sqlite_connection(database: Path) -> Iterator[sqlite3.Connection]:
    """A connection of the engine's kind to the same on SQLite alone."""
    with made_and_filled(f"sqlite:///{database}"), closing(sqlite3.connect(database)) as connection:
        prepare_connection(connection)
        yield connection


@contextmanager
def made_and_filled(url: str) -> Iterator[PastTheEngine]:
    RaffleEngine(url).close()
    with PastTheEngine(url) as opened:
        opened.fill()
        yield opened


@pytest.mark.parametrize("statement", FINAL)
def test_final_rows_cannot_be_inserted_changed_or_deleted(filled: PastTheEngine, statement: str) -> None:
    before = filled.everything()

    assert "final" in filled.refusal(statement)

    assert filled.everything() == before


@pytest.mark.parametrize("breach", BREACHES, ids=lambda breach: breach.statement)
def test_the_database_refuses_what_breaks_a_rule(filled: PastTheEngine, breach: Breach) -> None:
    refusal = filled.refusal(breach.statement)

    if filled.is_postgresql:
        assert refusal.startswith(f"{breach.postgresql}: ")
    else:
        assert breach.sqlite in refusal


def test_a_raffle_cannot_be_drawn_without_its_draw_record(database_url: str, postgresql: PostgresqlServer) -> None:
    for url in (database_url, postgresql.new_url()):
        with RaffleEngine(url) as engine, PastTheEngine(url) as opened:
            raffle = sold_out(engine)

            assert "the draw record is missing" in opened.refusal("UPDATE raffles SET drawn_at = 1, seed = {bytes}")

            assert not engine.get(raffle.id).winners_drawn


@pytest.mark.parametrize("statement", TRUNCATIONS)
def test_final_tables_cannot_be_truncated(filled_postgresql: PastTheEngine, statement: str) -> None:
    before = filled_postgresql.everything()

    assert "final" in filled_postgresql.refusal(statement)

    assert filled_postgresql.everything() == before


def test_announced_prizes_cannot_be_truncated(postgresql: PostgresqlServer) -> None:
    url = postgresql.new_url()
    with RaffleEngine(url) as engine, PastTheEngine(url) as opened:
        raffle = engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])

        assert "final" in opened.refusal("TRUNCATE prizes, wins")

        assert engine.get(raffle.id) == raffle


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT INTO wins SELECT raffle, 1, serial, prize FROM wins WHERE raffle = {DRAWN} AND ordinal = 2 "
        "ON CONFLICT (raffle, ordinal) DO UPDATE SET prize = 0",
        f"INSERT INTO prizes VALUES ({DRAWN}, 0, 'another', 1) "
        "ON CONFLICT (raffle, position) DO UPDATE SET name = 'another'",
        f"INSERT INTO ledgers VALUES ({DRAWN}, NULL, 'secrets', NULL, NULL, NULL) "
        "ON CONFLICT (raffle) DO UPDATE SET closed_at = 5",
        f"INSERT INTO tickets SELECT raffle, serial, 20, participant, 'known', NULL, 0 FROM tickets "
        f"WHERE raffle = {OPEN} ON CONFLICT (raffle, serial) DO UPDATE SET code_hash = 'known'",
    ],
)
def test_an_upsert_cannot_change_final_rows(filled: PastTheEngine, statement: str) -> None:
    before = filled.everything()

    assert re.search(REFUSED, filled.refusal(statement))

    assert filled.everything() == before


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT OR REPLACE INTO wins SELECT raffle, 1, serial, prize FROM wins WHERE raffle = {DRAWN} AND ordinal = 2",
        f"INSERT OR REPLACE INTO prizes VALUES ({DRAWN}, 0, 'another', 1)",
        f"INSERT OR REPLACE INTO raffles SELECT id, sequence, name, folded_name, created_at, total_tickets, NULL, NULL "
        f"FROM raffles WHERE id = {DRAWN}",
        f"INSERT OR REPLACE INTO tickets SELECT raffle, 0, number, participant, code_hash, repeat_hash, issued_at "
        f"FROM tickets WHERE raffle = {OPEN} AND serial = 1",
    ],
)
def test_final_rows_cannot_be_replaced(sqlite_connection: sqlite3.Connection, statement: str) -> None:
    before = list(sqlite_connection.iterdump())

    with pytest.raises(sqlite3.IntegrityError, match=REFUSED):
        sqlite_connection.execute(statement)

    assert list(sqlite_connection.iterdump()) == before


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT OR REPLACE INTO raffles SELECT id, 7, name, folded_name, created_at, total_tickets, NULL, NULL "
        f"FROM raffles WHERE id = {DRAWN}",
        "INSERT OR REPLACE INTO raffles VALUES (randomblob(16), 1, '', '', 0, 1, NULL, NULL)",
        f"UPDATE OR REPLACE raffles SET sequence = 1 WHERE id = {OPEN}",
        f"UPDATE OR REPLACE wins SET serial = 0 WHERE raffle = {DRAWN}",
        f"DELETE FROM raffles WHERE id = {DRAWN}",
        f"DELETE FROM raffles WHERE id = {OPEN}",
        *REPLACEMENTS,
    ],
)
def test_draws_and_terms_are_final_for_any_program(
    sqlite_connection: sqlite3.Connection, database: Path, statement: str
) -> None:
    """Other programs have SQLite's default pragmas."""
    before = list(sqlite_connection.iterdump())
    with (
        closing(sqlite3.connect(database, isolation_level=None)) as plain,
        pytest.raises(sqlite3.IntegrityError, match=REFUSED),
    ):
        plain.execute(statement)

    assert list(sqlite_connection.iterdump()) == before


def test_participants_can_be_forgotten_after_the_draw(filled: PastTheEngine) -> None:
    forget = f"UPDATE tickets SET participant = {{forgotten}}, repeat_hash = NULL WHERE raffle = {DRAWN}"

    assert filled.refusal(forget) == ""


def test_a_raffle_without_tickets_can_be_deleted_by_hand(filled: PastTheEngine) -> None:
    """Its ledger first: with a ledger, its terms are announced."""
    filled.send("INSERT INTO raffles VALUES ({no_raffle}, 3, 'Empty', 'empty', 0, 20, NULL, NULL)")
    filled.send("INSERT INTO counters VALUES ({no_raffle}, 0)")
    filled.send("INSERT INTO prizes VALUES ({no_raffle}, 0, 'hug', 1)")
    filled.send("INSERT INTO ledgers VALUES ({no_raffle}, NULL, 'secrets', NULL, NULL, NULL)")

    assert "final" in filled.refusal("DELETE FROM prizes WHERE raffle = {no_raffle}")
    for table in ("ledgers", "prizes", "counters"):
        assert filled.refusal(f"DELETE FROM {table} WHERE raffle = {{no_raffle}}") == ""
    assert filled.refusal("DELETE FROM raffles WHERE id = {no_raffle}") == ""


def test_a_connection_is_durable_and_enforces_the_rules(sqlite_connection: sqlite3.Connection) -> None:
    def pragma(name: str) -> object:
        return sqlite_connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2  # FULL: an answered ticket survives a power cut
    assert (pragma("foreign_keys"), pragma("recursive_triggers"), pragma("secure_delete")) == (1, 1, 1)
    assert pragma("trusted_schema") == 0


def test_a_database_says_which_layout_it_has(filled: PastTheEngine) -> None:
    assert filled.send("SELECT version_num FROM alembic_version") == [(schema.VERSION,)]
