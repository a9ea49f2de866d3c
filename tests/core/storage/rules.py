"""Statements that SQLite and PostgreSQL must refuse; `test_schema` tries them.

The database has a drawn raffle of six tickets and, after it, an open one of twenty with three tickets issued. A
`Dialect` has the spellings that differ.
"""

from typing import NamedTuple

DRAWN = "(SELECT id FROM raffles WHERE drawn_at IS NOT NULL)"
OPEN = "(SELECT id FROM raffles WHERE drawn_at IS NULL)"
FREE = (
    "(SELECT min(column1) FROM (VALUES (1), (2), (3), (4)) AS numbers "
    f"WHERE column1 NOT IN (SELECT number FROM tickets WHERE raffle = {OPEN}))"
)


class Dialect(NamedTuple):
    """Spellings that differ: an id that no raffle has, some bytes, and the value that a purge leaves."""

    no_raffle: str
    some_bytes: str
    forgotten: str

    def spell(self, statement: str) -> str:
        spelled = statement.replace("{no_raffle}", self.no_raffle).replace("{bytes}", self.some_bytes)
        return spelled.replace("{forgotten}", self.forgotten)


SQLITE = Dialect("x'00'", "x'ff'", "CAST(CAST(serial AS TEXT) AS BLOB)")
POSTGRESQL = Dialect("'00000000-0000-4000-8000-000000000000'", "'\\xff'", "CAST(CAST(serial AS TEXT) AS BYTEA)")

FINAL = [
    f"INSERT INTO wins VALUES ({DRAWN}, 99, (SELECT max(serial) FROM tickets), 0)",
    "UPDATE wins SET prize = prize",
    "UPDATE wins SET ordinal = ordinal + 10",
    f"UPDATE wins SET raffle = {OPEN}",
    "DELETE FROM wins",
    f"INSERT INTO prizes VALUES ({DRAWN}, 9, 'another', 1)",
    f"UPDATE prizes SET name = 'another' WHERE raffle = {DRAWN}",
    f"UPDATE prizes SET raffle = {DRAWN}, position = 7 WHERE raffle = {OPEN}",
    f"DELETE FROM prizes WHERE raffle = {DRAWN}",
    f"UPDATE raffles SET seed = {{bytes}} WHERE id = {DRAWN}",
    f"UPDATE raffles SET seed = NULL, drawn_at = NULL WHERE id = {DRAWN}",
    f"UPDATE raffles SET total_tickets = 9 WHERE id = {DRAWN}",
    f"UPDATE raffles SET name = 'another' WHERE id = {DRAWN}",
    f"DELETE FROM raffles WHERE id = {DRAWN}",
    "UPDATE tickets SET number = number + 100",
    "UPDATE tickets SET code_hash = 'known'",
    "UPDATE tickets SET serial = serial + 100",
    f"DELETE FROM tickets WHERE raffle = {OPEN}",
    "UPDATE ledgers SET entropy = 'another'",
    f"UPDATE ledgers SET closed_at = 5 WHERE raffle = {DRAWN}",
    f"UPDATE ledgers SET round = 5 WHERE raffle = {DRAWN}",
    "UPDATE ledgers SET verifier_key = 'another'",
    f"UPDATE ledgers SET raffle = {OPEN}",
    "DELETE FROM ledgers",
    "UPDATE tiles SET hash = {bytes}",
    "DELETE FROM tiles",
    f"INSERT INTO draws VALUES ({DRAWN}, {{bytes}}, {{bytes}}, 1)",
    "UPDATE draws SET entropy = {bytes}",
    "DELETE FROM draws",
    f"UPDATE raffles SET name = 'another' WHERE id = {OPEN}",
    f"UPDATE raffles SET folded_name = 'another' WHERE id = {OPEN}",
    f"UPDATE raffles SET created_at = 5 WHERE id = {OPEN}",
    f"DELETE FROM raffles WHERE id = {OPEN}",
    f"INSERT INTO prizes VALUES ({OPEN}, 9, 'another', 1)",
    f"UPDATE prizes SET amount = 1 WHERE raffle = {OPEN}",
    f"UPDATE prizes SET position = 9 WHERE raffle = {OPEN}",
    f"UPDATE prizes SET name = 'another' WHERE raffle = {OPEN}",
    f"DELETE FROM prizes WHERE raffle = {OPEN}",
    f"UPDATE tickets SET issued_at = 5 WHERE raffle = {DRAWN}",
    f"UPDATE tickets SET participant = {{bytes}} WHERE raffle = {DRAWN} AND serial = 0",
    f"UPDATE tickets SET repeat_hash = {{bytes}} WHERE raffle = {DRAWN} AND serial = 0",
    f"UPDATE counters SET raffle = {{no_raffle}} WHERE raffle = {DRAWN}",
    f"DELETE FROM counters WHERE raffle = {DRAWN}",
    f"INSERT INTO tiles VALUES ({DRAWN}, 1, 0, {{bytes}})",
    f"UPDATE tickets SET participant = {{forgotten}}, repeat_hash = NULL WHERE raffle = {OPEN}",
]


class Breach(NamedTuple):
    """A statement, and what names the rule that it breaks, for SQLite and for PostgreSQL."""

    statement: str
    sqlite: str
    postgresql: str


BREACHES = [
    Breach(
        f"INSERT INTO tickets SELECT raffle, 9, number, {{bytes}}, '', NULL, 0 FROM tickets WHERE raffle = {OPEN}",
        "tickets.raffle, tickets.number",
        "tickets_number",
    ),
    Breach(
        f"INSERT INTO tickets SELECT raffle, 9, {FREE}, participant, '', NULL, 0 FROM tickets "
        f"WHERE raffle = {OPEN} AND serial = 0",
        "tickets.raffle, tickets.participant",
        "tickets_participant",
    ),
    Breach(
        f"INSERT INTO tickets VALUES ({OPEN}, 9, 18, {{bytes}}, '', NULL, 0), ({OPEN}, 9, 20, '', '', NULL, 0)",
        "tickets.raffle, tickets.serial",
        "tickets_pkey",
    ),
    Breach("INSERT INTO tickets VALUES ({no_raffle}, -1, 1, {bytes}, '', NULL, 0)", "tickets_serial", "tickets_serial"),
    Breach(
        f"INSERT INTO tickets VALUES ({OPEN}, 9, 0, {{bytes}}, '', NULL, 0)",
        "tickets_number_from_one",
        "tickets_number_from_one",
    ),
    Breach(
        "INSERT INTO tickets VALUES ({no_raffle}, 0, 1, {bytes}, '', NULL, 0)", "FOREIGN KEY", "tickets_raffle_fkey"
    ),
    Breach("INSERT INTO counters VALUES ({no_raffle}, 0)", "FOREIGN KEY", "counters_raffle_fkey"),
    Breach("INSERT INTO secrets VALUES ({no_raffle}, {bytes}, {bytes}, {bytes})", "FOREIGN KEY", "secrets_raffle_fkey"),
    Breach("INSERT INTO prizes VALUES ({no_raffle}, 0, 'hug', 1)", "FOREIGN KEY", "prizes_raffle_fkey"),
    Breach(f"INSERT INTO wins VALUES ({OPEN}, 1, 0, 0), ({OPEN}, 2, 0, 0)", "wins.raffle, wins.serial", "wins_serial"),
    Breach(f"INSERT INTO wins VALUES ({OPEN}, 1, 0, 0), ({OPEN}, 1, 1, 0)", "wins.raffle, wins.ordinal", "wins_pkey"),
    Breach(f"INSERT INTO wins VALUES ({OPEN}, 0, 0, 0)", "wins_ordinal", "wins_ordinal"),
    Breach(f"INSERT INTO wins VALUES ({OPEN}, 1, 99, 0)", "FOREIGN KEY", "wins_raffle_serial_fkey"),
    Breach(f"INSERT INTO wins VALUES ({OPEN}, 1, 0, 9)", "FOREIGN KEY", "wins_raffle_prize_fkey"),
    Breach("INSERT INTO prizes VALUES ({no_raffle}, 9, 'none', 0)", "prizes_amount", "prizes_amount"),
    Breach("INSERT INTO counters VALUES ({no_raffle}, -1)", "counters_issued", "counters_issued"),
    Breach(
        "INSERT INTO raffles VALUES ({no_raffle}, 9, '', '', 0, 0, NULL, NULL)",
        "raffles_total_tickets",
        "raffles_total_tickets",
    ),
    Breach(
        "INSERT INTO raffles VALUES ({no_raffle}, 9, '', '', 0, 1, 1, NULL)",
        "raffles_drawn_with_seed",
        "raffles_drawn_with_seed",
    ),
    Breach(
        "INSERT INTO raffles VALUES ({no_raffle}, 2, '', '', 0, 1, NULL, NULL)", "raffles.sequence", "raffles_sequence"
    ),
    Breach(f"UPDATE raffles SET sequence = 9 WHERE id = {OPEN}", "size of a raffle are final", "raffles_fixed"),
    Breach(f"UPDATE raffles SET total_tickets = 3 WHERE id = {OPEN}", "size of a raffle are final", "raffles_fixed"),
    Breach(
        f"UPDATE raffles SET drawn_at = 1, seed = {{bytes}} WHERE id = {OPEN}",
        "tickets remain",
        "raffles_drawn_when_sold_out",
    ),
    Breach(
        f"INSERT INTO tickets VALUES ({OPEN}, 9, 21, {{bytes}}, '', NULL, 0)",
        "no such ticket",
        "tickets_within_the_raffle",
    ),
    Breach(
        f"INSERT INTO tickets VALUES ({OPEN}, 20, 9, {{bytes}}, '', NULL, 0)",
        "no such ticket",
        "tickets_within_the_raffle",
    ),
    Breach(f"UPDATE counters SET issued = 2 WHERE raffle = {OPEN}", "goes forward", "counters_forward"),
    Breach(f"UPDATE counters SET issued = 21 WHERE raffle = {OPEN}", "goes forward", "counters_forward"),
]

# PostgreSQL only: these delete all rows without touching a single one.
TRUNCATIONS = [
    "TRUNCATE wins",
    "TRUNCATE prizes, wins",
    "TRUNCATE tickets, wins",
    "TRUNCATE raffles CASCADE",
    "TRUNCATE ledgers",
    "TRUNCATE tiles",
    "TRUNCATE draws",
    "TRUNCATE counters",
]

# SQLite only: these delete a row whose key a new one takes, unseen by triggers on DELETE.
REPLACEMENTS = [
    "INSERT OR REPLACE INTO tickets SELECT raffle, serial, number, participant, code_hash || 'x', repeat_hash, "
    f"issued_at FROM tickets WHERE raffle = {DRAWN} AND serial = 0",
    f"INSERT OR REPLACE INTO tickets VALUES ({DRAWN}, 5, 1, x'01', '', NULL, 0)",
    f"INSERT OR REPLACE INTO tickets VALUES ({OPEN}, 0, 20, x'0f', '', NULL, 0)",
    "UPDATE OR REPLACE tickets SET participant = (SELECT participant FROM tickets "
    f"WHERE raffle = {DRAWN} AND serial = 0) WHERE raffle = {DRAWN} AND serial = 1",
    "INSERT OR REPLACE INTO raffles SELECT id, 9, 'Z', 'z', 5, total_tickets, NULL, NULL FROM raffles "
    f"WHERE id = {OPEN}",
    "INSERT OR REPLACE INTO raffles VALUES (x'00', 2, 'Z', 'z', 5, 1, NULL, NULL)",
    f"INSERT OR REPLACE INTO counters VALUES ({DRAWN}, 0)",
    f"INSERT OR REPLACE INTO counters VALUES ({OPEN}, 0)",
    f"INSERT OR REPLACE INTO ledgers VALUES ({DRAWN}, 'key', 'secrets', NULL, 101, NULL)",
    f"INSERT OR REPLACE INTO ledgers VALUES ({OPEN}, NULL, 'secrets', NULL, NULL, NULL)",
    f"INSERT OR REPLACE INTO prizes VALUES ({OPEN}, 0, 'another', 1)",
    f"INSERT OR REPLACE INTO tiles VALUES ({DRAWN}, 0, 0, x'00')",
    f"INSERT OR REPLACE INTO tiles VALUES ({OPEN}, 0, 0, x'00')",
]
