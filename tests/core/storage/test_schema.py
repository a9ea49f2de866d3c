"""The database holds the rules by itself: it refuses statements past the engine that break them."""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from rafflekit import Prize
from rafflekit.core.storage import rules, schema
from rafflekit.core.storage.sqlite import prepare_connection
from tests.core.storage.deleting import REPLACEMENTS, TRUNCATIONS
from tests.core.storage.past_the_engine import PastTheEngine
from tests.core.storage.rules import (
    BREACHES,
    CLOSED,
    CONSTRAINTS,
    DRAWN,
    EMPTY,
    FINAL,
    OPEN,
    Breach,
    forfeit_row,
    raffle_row,
    redemption_row,
    ticket_row,
)
from tests.databases import KINDS, PostgresqlServer, open_engine, prepare, without_triggers

# A rule's message, or that of an INSERT whose key is taken.
REFUSED = "final|in order|UNIQUE constraint failed"


@pytest.fixture(scope="module", params=KINDS)
def filled(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PastTheEngine]:
    """A database with raffles in each state, on each kind; refused statements leave it unchanged."""
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
    prepare(url, _make_and_fill)
    with PastTheEngine(url) as opened:
        yield opened


def _make_and_fill(url: str) -> None:
    open_engine(url).close()
    with PastTheEngine(url) as opened:
        opened.fill()


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


@pytest.mark.parametrize("statement", TRUNCATIONS)
def test_final_tables_cannot_be_truncated(filled_postgresql: PastTheEngine, statement: str) -> None:
    before = filled_postgresql.everything()

    assert "final" in filled_postgresql.refusal(statement)

    assert filled_postgresql.everything() == before


@pytest.mark.parametrize("ending", ["a ticket", "a cancellation"])
@pytest.mark.parametrize(
    "statement", ["TRUNCATE prizes, wins, forfeits", "TRUNCATE counters", "TRUNCATE raffles CASCADE"]
)
def test_one_raffle_that_has_begun_stops_a_truncation(
    postgresql: PostgresqlServer, ending: str, statement: str
) -> None:
    url = postgresql.new_url()
    with open_engine(url) as engine, PastTheEngine(url) as opened:
        raffle = engine.create("Foobar", total_tickets=2, prizes=[Prize("hug")])
        if ending == "a ticket":
            engine.participate(raffle.id, "ann")
        else:
            engine.cancel(raffle.id, "rain")
        before = opened.everything()

        assert "final" in opened.refusal(statement)

        assert opened.everything() == before


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT INTO wins SELECT raffle, 1, serial, prize FROM wins WHERE raffle = {DRAWN} AND ordinal = 2 "
        "ON CONFLICT (raffle, ordinal) DO UPDATE SET prize = 0",
        f"INSERT INTO prizes VALUES ({DRAWN}, 0, 'another', 1) "
        "ON CONFLICT (raffle, position) DO UPDATE SET name = 'another'",
        f"{raffle_row(CLOSED, 9)} ON CONFLICT (id) DO UPDATE SET closed_at = 60",
        f"{raffle_row(OPEN, 9)} ON CONFLICT (id) DO UPDATE SET tickets_each = 9",
        f"INSERT INTO tickets SELECT raffle, serial, 20, participant, 1, 'known', NULL, 10 FROM tickets "
        f"WHERE raffle = {OPEN} ON CONFLICT (raffle, serial) DO UPDATE SET code_hash = 'known'",
        f"{redemption_row(4)} ON CONFLICT (raffle, ordinal, number) DO UPDATE SET redeemed_at = 1",
        f"{forfeit_row(2)} ON CONFLICT (raffle, ordinal) DO UPDATE SET serial = 5",
    ],
)
def test_an_upsert_cannot_change_final_rows(filled: PastTheEngine, statement: str) -> None:
    before = filled.everything()

    assert re.search(REFUSED, filled.refusal(statement))

    assert filled.everything() == before


@pytest.mark.parametrize("statement", REPLACEMENTS)
def test_final_rows_cannot_be_replaced(sqlite_connection: sqlite3.Connection, statement: str) -> None:
    before = list(sqlite_connection.iterdump())

    with pytest.raises(sqlite3.IntegrityError, match=REFUSED):
        sqlite_connection.execute(statement)

    assert list(sqlite_connection.iterdump()) == before


@pytest.mark.parametrize("statement", [*REPLACEMENTS, *(each for each in FINAL if each.startswith("DELETE"))])
def test_final_rows_are_final_for_any_program(
    sqlite_connection: sqlite3.Connection, database: Path, statement: str
) -> None:
    """Other programs have SQLite's default pragmas: no foreign keys, no recursive triggers."""
    before = list(sqlite_connection.iterdump())
    with (
        closing(sqlite3.connect(database, isolation_level=None)) as plain,
        pytest.raises(sqlite3.IntegrityError, match=REFUSED),
    ):
        plain.execute(statement)

    assert list(sqlite_connection.iterdump()) == before


def test_constraints_hold_without_the_triggers(database_url: str, postgresql: PostgresqlServer) -> None:
    for url in (database_url, postgresql.new_url()):
        with made_and_filled(url) as opened, without_triggers(url) as refusal:
            refusals = [refusal(opened.spelled(breach.statement)) for breach in CONSTRAINTS]

            names = [breach.postgresql if opened.is_postgresql else breach.sqlite for breach in CONSTRAINTS]
            assert [name for name, text in zip(names, refusals, strict=True) if name not in text] == []


@pytest.mark.parametrize(
    "statements",
    [
        [f"UPDATE raffles SET total_tickets = 9, tickets_each = 1000, opens_at = 5 WHERE id = {EMPTY}"],
        [f"DELETE FROM prizes WHERE raffle = {EMPTY}", f"INSERT INTO prizes VALUES ({EMPTY}, 0, 'car', 1)"],
        [f"UPDATE raffles SET cancelled_at = 5, reason = 'rain' WHERE id = {raffle}" for raffle in (OPEN, CLOSED)],
        [f"UPDATE raffles SET closed_at = 5, round = 7 WHERE id = {OPEN}"],
        [ticket_row(OPEN, 9, 2, issued_at=5, nth=2)],
        [ticket_row(OPEN, 19, 20, issued_at=99)],
        [
            f"INSERT INTO wins VALUES ({CLOSED}, 1, 0, 0), ({CLOSED}, 2, 1, 0)",
            f"INSERT INTO draws VALUES ({CLOSED}, {{bytes}}, {{bytes}}, 2)",
            f"UPDATE raffles SET drawn_at = 60, seed = {{bytes}} WHERE id = {CLOSED}",
        ],
        [redemption_row(3, at=864_000), redemption_row(5, at=1_728_000), redemption_row(4, 2)],
        ["UPDATE redemptions SET undone_at = 902 WHERE ordinal = 1", redemption_row(1, 2), forfeit_row(3)],
        ["UPDATE redemptions SET undone_at = 902 WHERE ordinal = 1", forfeit_row(1, why="renounced")],
        [forfeit_row(5, at=1_728_001, why="unclaimed"), forfeit_row(3, number=3, at=1_728_001, serial="NULL")],
        [forfeit_row(4, prize=1, at=864_001, why="unclaimed")],
    ],
    ids=lambda statements: statements[-1],
)
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_rule_just_allows_is_accepted(
    request: pytest.FixtureRequest, database: Path, kind: str, statements: list[str]
) -> None:
    url = f"sqlite:///{database}" if kind == "SQLite" else request.getfixturevalue("postgresql").new_url()
    with made_and_filled(url) as opened:
        assert [opened.refusal(statement) for statement in statements] == [""] * len(statements)


@pytest.mark.parametrize(("raffle", "ended_at"), [(DRAWN, 1), (OPEN, 60), (CLOSED, 50)])
def test_participants_can_be_forgotten_once_it_is_finished(
    database_url: str, postgresql: PostgresqlServer, raffle: str, ended_at: int
) -> None:
    """The time of issue becomes that of the end: of the closing or, without one, of the cancellation."""
    forgotten = "participant = {forgotten}, repeat_hash = NULL, issued_at = {at}"
    forget = f"UPDATE tickets SET {forgotten} WHERE raffle = {raffle}"
    for url in (database_url, postgresql.new_url()):
        with made_and_filled(url) as opened:
            if raffle != DRAWN:
                opened.send(f"UPDATE raffles SET cancelled_at = 60, reason = 'rain' WHERE id = {raffle}")

            assert "forgotten" in opened.refusal(forget.replace("{at}", "61"))
            assert opened.refusal(forget.replace("{at}", str(ended_at))) == ""


def test_nothing_follows_a_cancellation(database_url: str, postgresql: PostgresqlServer) -> None:
    for url in (database_url, postgresql.new_url()):
        with made_and_filled(url) as opened:
            for raffle in (OPEN, CLOSED):
                opened.send(f"UPDATE raffles SET cancelled_at = 50, reason = 'rain' WHERE id = {raffle}")
            before = opened.everything()

            for statement, word in (
                (f"UPDATE raffles SET closed_at = 60 WHERE id = {OPEN}", "final"),
                (f"UPDATE counters SET issued = 4 WHERE raffle = {OPEN}", "goes forward"),
                (ticket_row(OPEN, 9, 2), "no such ticket"),
                (f"INSERT INTO wins VALUES ({CLOSED}, 1, 0, 0)", "final"),
                (f"INSERT INTO draws VALUES ({CLOSED}, {{bytes}}, {{bytes}}, 2)", "final"),
            ):
                assert word in opened.refusal(statement)
            assert opened.everything() == before


def test_an_uncounted_ticket_makes_the_terms_final(database_url: str, postgresql: PostgresqlServer) -> None:
    for url in (database_url, postgresql.new_url()):
        with made_and_filled(url) as opened:
            opened.send(ticket_row(EMPTY, 0, 1))

            assert "terms" in opened.refusal(f"UPDATE raffles SET name = 'another' WHERE id = {EMPTY}")
            assert "terms" in opened.refusal(f"DELETE FROM prizes WHERE raffle = {EMPTY}")


@pytest.mark.parametrize("missing", ["prizes", "counters"])
def test_an_incomplete_raffle_cannot_be_closed(database_url: str, postgresql: PostgresqlServer, missing: str) -> None:
    for url in (database_url, postgresql.new_url()):
        with made_and_filled(url) as opened:
            opened.send(f"DELETE FROM {missing} WHERE raffle = {EMPTY}")

            assert "more prizes than tickets" in opened.refusal(f"UPDATE raffles SET closed_at = 5 WHERE id = {EMPTY}")


def test_a_raffle_without_tickets_can_be_deleted_by_hand(database_url: str, postgresql: PostgresqlServer) -> None:
    for url in (database_url, postgresql.new_url()):
        with made_and_filled(url) as opened:
            for table in ("prizes", "counters", "secrets"):
                assert opened.refusal(f"DELETE FROM {table} WHERE raffle = {EMPTY}") == ""
            assert opened.refusal(f"DELETE FROM raffles WHERE id = {EMPTY}") == ""


def test_a_connection_is_durable_and_enforces_the_rules(sqlite_connection: sqlite3.Connection) -> None:
    def pragma(name: str) -> object:
        return sqlite_connection.execute(f"PRAGMA {name}").fetchone()[0]

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2  # FULL: an answered ticket survives a power cut
    assert (pragma("foreign_keys"), pragma("recursive_triggers"), pragma("secure_delete")) == (1, 1, 1)
    assert pragma("trusted_schema") == 0


def test_a_database_says_which_layout_it_has(filled: PastTheEngine) -> None:
    assert filled.send("SELECT version_num FROM alembic_version") == [(schema.VERSION,)]


def test_every_rule_refuses_one_of_the_statements(filled_postgresql: PastTheEngine) -> None:
    """PostgreSQL says which rule it was."""
    statements = [*FINAL, *(breach.statement for breach in BREACHES), *TRUNCATIONS]

    used = {filled_postgresql.refusal(statement).partition(":")[0] for statement in statements}

    assert {rule.name for rule in rules.of("postgresql")} - used == set()
