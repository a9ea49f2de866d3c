"""The database holds the rules by itself: whoever writes past the engine is refused."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from rafflekit import Prize, RaffleEngine
from rafflekit.core.storage import schema
from rafflekit.core.storage.sqlite import prepare_connection
from tests.raffles import sold_out


@pytest.fixture
def past_the_engine(engine: RaffleEngine, database: Path) -> Iterator[sqlite3.Connection]:
    """A connection of the engine's kind to a database with one drawn and one open raffle."""
    engine.draw(sold_out(engine).id)
    half_sold = engine.create("Open", total_tickets=20, prizes=[Prize("hug", 2)])
    for participant in ("ann", "bob", "cid"):
        engine.participate(half_sold.id, participant)
    with closing(sqlite3.connect(database)) as connection:
        prepare_connection(connection)
        yield connection


DRAWN = "(SELECT id FROM raffles WHERE drawn_at IS NOT NULL)"
OPEN = "(SELECT id FROM raffles WHERE drawn_at IS NULL)"
FREE = (
    "(SELECT min(column1) FROM (VALUES (1), (2), (3), (4)) "
    f"WHERE column1 NOT IN (SELECT number FROM tickets WHERE raffle = {OPEN}))"
)


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT INTO wins VALUES ({DRAWN}, 99, (SELECT max(serial) FROM tickets), 0)",
        f"INSERT OR REPLACE INTO wins SELECT raffle, 1, serial, prize FROM wins WHERE raffle = {DRAWN} AND ordinal = 2",
        "UPDATE wins SET prize = prize",
        "UPDATE wins SET ordinal = ordinal + 10",
        f"UPDATE wins SET raffle = {OPEN}",
        "DELETE FROM wins",
        f"INSERT INTO prizes VALUES ({DRAWN}, 9, 'another', 1)",
        f"INSERT OR REPLACE INTO prizes VALUES ({DRAWN}, 0, 'another', 1)",
        f"UPDATE prizes SET name = 'another' WHERE raffle = {DRAWN}",
        f"UPDATE prizes SET raffle = {DRAWN}, position = 7 WHERE raffle = {OPEN}",
        f"DELETE FROM prizes WHERE raffle = {DRAWN}",
        f"UPDATE raffles SET seed = randomblob(32) WHERE id = {DRAWN}",
        f"UPDATE raffles SET seed = NULL, drawn_at = NULL WHERE id = {DRAWN}",
        f"UPDATE raffles SET total_tickets = 9 WHERE id = {DRAWN}",
        f"UPDATE raffles SET name = 'another' WHERE id = {DRAWN}",
        f"DELETE FROM raffles WHERE id = {DRAWN}",
        f"INSERT OR REPLACE INTO raffles SELECT id, sequence, name, folded_name, created_at, total_tickets, NULL, NULL "
        f"FROM raffles WHERE id = {DRAWN}",
        "UPDATE tickets SET number = number + 100",
        "UPDATE tickets SET code_hash = 'known'",
        "UPDATE tickets SET serial = serial + 100",
        f"DELETE FROM tickets WHERE raffle = {OPEN}",
        f"INSERT OR REPLACE INTO tickets SELECT raffle, 0, number, participant, code_hash, repeat_hash, issued_at "
        f"FROM tickets WHERE raffle = {OPEN} AND serial = 1",
    ],
)
def test_what_is_final_cannot_be_inserted_changed_or_deleted(
    past_the_engine: sqlite3.Connection, statement: str
) -> None:
    before = list(past_the_engine.iterdump())

    with pytest.raises(sqlite3.IntegrityError, match="final"):
        past_the_engine.execute(statement)

    assert list(past_the_engine.iterdump()) == before


@pytest.mark.parametrize(
    ("statement", "constraint"),
    [
        (
            f"INSERT INTO tickets SELECT raffle, 9, number, x'00', '', NULL, 0 FROM tickets WHERE raffle = {OPEN}",
            "tickets.raffle, tickets.number",
        ),
        (
            f"INSERT INTO tickets SELECT raffle, 9, {FREE}, participant, '', NULL, 0 FROM tickets "
            f"WHERE raffle = {OPEN}",
            "tickets.raffle, tickets.participant",
        ),
        (f"INSERT INTO tickets VALUES ({OPEN}, 0, {FREE}, x'00', '', NULL, 0)", "tickets.raffle, tickets.serial"),
        (f"INSERT INTO tickets VALUES ({OPEN}, 9, 0, x'00', '', NULL, 0)", "tickets_number_from_one"),
        ("INSERT INTO tickets VALUES (x'00', 0, 1, x'00', '', NULL, 0)", "FOREIGN KEY"),
        (f"INSERT INTO wins VALUES ({OPEN}, 1, 0, 0), ({OPEN}, 2, 0, 0)", "wins.raffle, wins.serial"),
        (f"INSERT INTO wins VALUES ({OPEN}, 1, 0, 0), ({OPEN}, 1, 1, 0)", "wins.raffle, wins.ordinal"),
        (f"INSERT INTO wins VALUES ({OPEN}, 1, 99, 0)", "FOREIGN KEY"),
        (f"INSERT INTO wins VALUES ({OPEN}, 1, 0, 9)", "FOREIGN KEY"),
        (f"INSERT INTO prizes VALUES ({OPEN}, 9, 'none', 0)", "prizes_amount"),
        ("INSERT INTO counters VALUES (randomblob(16), -1)", "counters_issued"),
        ("INSERT INTO raffles VALUES (randomblob(16), 9, '', '', 0, 0, NULL, NULL)", "raffles_total_tickets"),
        ("INSERT INTO raffles VALUES (randomblob(16), 9, '', '', 0, 1, 1, NULL)", "raffles_drawn_with_seed"),
        ("INSERT INTO raffles VALUES (randomblob(16), 2, '', '', 0, 1, NULL, NULL)", "raffles.sequence"),
        (f"UPDATE raffles SET sequence = 9 WHERE id = {OPEN}", "size of a raffle are final"),
        (f"UPDATE raffles SET total_tickets = 3 WHERE id = {OPEN}", "size of a raffle are final"),
        (f"UPDATE raffles SET drawn_at = 1, seed = x'00' WHERE id = {OPEN}", "tickets remain"),
        (f"INSERT INTO tickets VALUES ({OPEN}, 9, 21, x'00', '', NULL, 0)", "no such ticket"),
        (f"INSERT INTO tickets VALUES ({OPEN}, 20, 9, x'00', '', NULL, 0)", "no such ticket"),
        (f"UPDATE counters SET issued = 2 WHERE raffle = {OPEN}", "goes forward"),
        (f"UPDATE counters SET issued = 21 WHERE raffle = {OPEN}", "goes forward"),
    ],
)
def test_what_breaks_a_rule_of_the_raffle_is_refused_by_the_database(
    past_the_engine: sqlite3.Connection, statement: str, constraint: str
) -> None:
    with pytest.raises(sqlite3.IntegrityError, match=constraint):
        past_the_engine.execute(statement)


@pytest.mark.parametrize(
    "statement",
    [
        f"INSERT OR REPLACE INTO raffles SELECT id, 7, name, folded_name, created_at, total_tickets, NULL, NULL "
        f"FROM raffles WHERE id = {DRAWN}",
        "INSERT OR REPLACE INTO raffles VALUES (randomblob(16), 1, '', '', 0, 1, NULL, NULL)",
        f"UPDATE OR REPLACE raffles SET sequence = 1 WHERE id = {OPEN}",
        f"UPDATE OR REPLACE wins SET serial = 0 WHERE raffle = {DRAWN}",
        f"DELETE FROM raffles WHERE id = {DRAWN}",
    ],
)
def test_a_draw_is_final_for_whoever_opens_the_file(
    past_the_engine: sqlite3.Connection, database: Path, statement: str
) -> None:
    """With SQLite's own pragmas, as every other program has them."""
    with closing(sqlite3.connect(database)) as plain, pytest.raises(sqlite3.IntegrityError, match="final"):
        plain.execute(statement)

    assert past_the_engine.execute("SELECT count(*) FROM wins").fetchone() == (2,)


def test_what_is_not_final_can_be_forgotten(past_the_engine: sqlite3.Connection) -> None:
    """Participants' hashes may go one day; the draw does not depend on them."""
    past_the_engine.execute("UPDATE tickets SET participant = randomblob(16), repeat_hash = NULL")


def test_a_connection_is_durable_and_holds_the_rules(past_the_engine: sqlite3.Connection) -> None:
    def pragma(name: str) -> object:
        return past_the_engine.execute(f"PRAGMA {name}").fetchone()[0]

    assert pragma("journal_mode") == "wal"
    assert pragma("synchronous") == 2  # FULL: an answered ticket survives a power cut
    assert (pragma("foreign_keys"), pragma("recursive_triggers"), pragma("secure_delete")) == (1, 1, 1)
    assert pragma("trusted_schema") == 0


def test_a_database_says_which_layout_it_has(past_the_engine: sqlite3.Connection) -> None:
    assert past_the_engine.execute("SELECT version_num FROM alembic_version").fetchall() == [(schema.VERSION,)]
