"""Statements that only one kind of database knows, and that delete rows unseen by triggers on rows."""

from tests.core.storage.rules import CANCELLED, CLOSED, DRAWN, EMPTY, OPEN, forfeit_row, raffle_row, redemption_row

# PostgreSQL only: these delete all rows without touching a single one.
TRUNCATIONS = [
    "TRUNCATE wins",
    "TRUNCATE prizes, wins, forfeits",
    "TRUNCATE tickets, wins, forfeits",
    "TRUNCATE raffles CASCADE",
    "TRUNCATE tiles",
    "TRUNCATE draws",
    "TRUNCATE counters",
    "TRUNCATE redemptions",
    "TRUNCATE forfeits",
]

# SQLite only: these delete a row whose key a new one takes, unseen by triggers on DELETE.
REPLACEMENTS = [
    "INSERT OR REPLACE INTO tickets SELECT raffle, serial, number, participant, nth, code_hash || 'x', repeat_hash, "
    f"issued_at FROM tickets WHERE raffle = {DRAWN} AND serial = 0",
    f"INSERT OR REPLACE INTO tickets VALUES ({DRAWN}, 5, 1, x'01', 1, '', NULL, 10)",
    f"INSERT OR REPLACE INTO tickets VALUES ({OPEN}, 0, 20, x'0f', 1, '', NULL, 10)",
    f"INSERT OR REPLACE INTO tickets VALUES ({CLOSED}, 0, 20, x'0f', 1, '', NULL, 10)",
    "UPDATE OR REPLACE tickets SET participant = (SELECT participant FROM tickets "
    f"WHERE raffle = {DRAWN} AND serial = 0) WHERE raffle = {DRAWN} AND serial = 1",
    *(raffle_row(raffle, 9).replace("INSERT", "INSERT OR REPLACE") for raffle in (DRAWN, OPEN, CLOSED, CANCELLED)),
    *(raffle_row("x'00'", place).replace("INSERT", "INSERT OR REPLACE") for place in (1, 2, 3, 4)),
    raffle_row("x'00'", 9, creation_key="x'ff'").replace("INSERT", "INSERT OR REPLACE"),
    f"UPDATE OR REPLACE raffles SET sequence = 1 WHERE id = {OPEN}",
    f"UPDATE OR REPLACE raffles SET creation_key = x'ff' WHERE id = {EMPTY}",
    *(f"INSERT OR REPLACE INTO counters VALUES ({raffle}, 0)" for raffle in (DRAWN, OPEN, CLOSED, CANCELLED)),
    *(f"INSERT OR REPLACE INTO prizes VALUES ({raffle}, 0, 'another', 1)" for raffle in (DRAWN, OPEN, EMPTY)),
    *(f"INSERT OR REPLACE INTO tiles VALUES ({raffle}, 0, 0, x'00')" for raffle in (DRAWN, OPEN)),
    f"INSERT OR REPLACE INTO draws VALUES ({DRAWN}, x'00', x'00', 4)",
    f"INSERT OR REPLACE INTO wins VALUES ({DRAWN}, 1, 2, 0)",
    f"UPDATE OR REPLACE wins SET serial = 0 WHERE raffle = {DRAWN}",
    redemption_row(4, 1).replace("INSERT", "INSERT OR REPLACE"),
    redemption_row(1, 1).replace("INSERT", "INSERT OR REPLACE"),
    "UPDATE OR REPLACE redemptions SET ordinal = 1",
    *(
        row.replace("INSERT", "INSERT OR REPLACE")
        for row in (forfeit_row(2), forfeit_row(3, number=1), forfeit_row(3, serial="2"))
    ),
    "UPDATE OR REPLACE forfeits SET number = 1",
]
