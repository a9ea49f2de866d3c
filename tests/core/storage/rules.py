"""Statements that SQLite and PostgreSQL must refuse; `test_schema` tries them on the raffles of `past_the_engine`.

A `Dialect` has the spellings that differ.
"""

from typing import NamedTuple

from rafflekit.core.protocol.terms import TEXTS
from tests.databases import RAFFLE_COLUMNS

DRAWN, OPEN, CLOSED, CANCELLED, EMPTY = (
    f"(SELECT id FROM raffles WHERE sequence = {place})" for place in (1, 2, 3, 4, 5)
)
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


def raffle_row(id: str, sequence: int, *, name: str = "", total: int = 1, **options: object) -> str:
    """Return the statement that inserts a raffle; `options` are further columns, as SQL has them."""
    columns = "".join(f", {column}" for column in options)
    values = "".join(f", {value}" for value in options.values())
    return (
        f"INSERT INTO raffles ({RAFFLE_COLUMNS}{columns}) "
        f"VALUES ({id}, {sequence}, '{name}', '{name.lower()}', 0, {total}, 'secrets', 'address', 2, 'key'{values})"
    )


def ticket_row(raffle: str, serial: int, number: int | str, *, nth: int = 1, issued_at: int = 10) -> str:
    """Return the statement that inserts a ticket of a new participant."""
    return f"INSERT INTO tickets VALUES ({raffle}, {serial}, {number}, {{bytes}}, {nth}, '', NULL, {issued_at})"


def redemption_row(
    ordinal: int, number: int = 1, *, at: int = 5, undone: str = "NULL", undone_by: str = "NULL", raffle: str = DRAWN
) -> str:
    """Return the statement that inserts a redemption."""
    return f"INSERT INTO redemptions VALUES ({raffle}, {ordinal}, {number}, {at}, {undone}, 'Ann', {undone_by})"


def forfeit_row(
    ordinal: int,
    *,
    number: int = 2,
    at: int = 900_000,
    why: str = "disqualified",
    prize: int = 0,
    serial: str = "5",
    raffle: str = DRAWN,
) -> str:
    """Return the statement that inserts a forfeit: unless something is given, the right one of win 3."""
    values = f"{ordinal}, {number}, {at}, '{why}', 'a reason', {prize}, {serial}, 'Ann'"
    return f"INSERT INTO forfeits VALUES ({raffle}, {values})"


# Every term, with another value.
TERMS = [
    "name = 'another'",
    "folded_name = 'another'",
    "total_tickets = 9",
    "entropy = 'another'",
    "delay_s = 60",
    "source = 'another'",
    "entry = 'desk'",
    "tickets_each = 9",
    *(f"{name} = NULL" for name in ("opens_at", "closes_at", "claim_days")),
    "draw_at = 200",
    *(f"{name} = 'another'" for name in TEXTS),
]

FINAL = [
    # A raffle: its terms, its place, its end.
    *(f"UPDATE raffles SET {term} WHERE id = {raffle}" for term in TERMS for raffle in (OPEN, CANCELLED)),
    f"UPDATE raffles SET tickets_each = 9 WHERE id = {CLOSED}",
    f"UPDATE raffles SET total_tickets = 9 WHERE id = {DRAWN}",
    f"UPDATE raffles SET name = 'another' WHERE id = {DRAWN}",
    f"UPDATE raffles SET verifier_key = 'another' WHERE id = {DRAWN}",
    *(
        f"UPDATE raffles SET {change} WHERE id = {EMPTY}"
        for change in (
            "id = {no_raffle}",
            "sequence = 9",
            "created_at = 5",
            "creation_key = {bytes}",
            "creation_hash = {bytes}",
            "verifier_key = 'another'",
        )
    ),
    f"UPDATE raffles SET seed = {{bytes}} WHERE id = {DRAWN}",
    f"UPDATE raffles SET seed = NULL, drawn_at = NULL WHERE id = {DRAWN}",
    f"UPDATE raffles SET drawn_at = 5 WHERE id = {DRAWN}",
    f"UPDATE raffles SET cancelled_at = 5, reason = 'a whim' WHERE id = {DRAWN}",
    *(
        f"UPDATE raffles SET {change} WHERE id = {raffle}"
        for change in ("closed_at = NULL, round = NULL", "closed_at = 51", "closed_at = 50", "round = 5")
        for raffle in (DRAWN, CLOSED)
    ),
    f"UPDATE raffles SET round = 5 WHERE id = {OPEN}",
    f"UPDATE raffles SET cancelled_at = NULL, reason = NULL WHERE id = {CANCELLED}",
    f"UPDATE raffles SET cancelled_at = 41 WHERE id = {CANCELLED}",
    f"UPDATE raffles SET reason = 'another' WHERE id = {CANCELLED}",
    f"UPDATE raffles SET cancelled_at = NULL, reason = NULL, drawn_at = 5, seed = {{bytes}} WHERE id = {CANCELLED}",
    *(f"DELETE FROM raffles WHERE id = {raffle}" for raffle in (DRAWN, OPEN, CLOSED, CANCELLED)),
    *(f"DELETE FROM counters WHERE raffle = {raffle}" for raffle in (DRAWN, OPEN, CLOSED, CANCELLED)),
    f"UPDATE counters SET raffle = {{no_raffle}} WHERE raffle = {EMPTY}",
    # Its prizes.
    *(f"INSERT INTO prizes VALUES ({raffle}, 9, 'another', 1)" for raffle in (DRAWN, OPEN, CLOSED, CANCELLED)),
    *(f"DELETE FROM prizes WHERE raffle = {raffle}" for raffle in (DRAWN, OPEN, CLOSED, CANCELLED)),
    f"UPDATE prizes SET name = 'another' WHERE raffle = {DRAWN}",
    f"UPDATE prizes SET raffle = {DRAWN}, position = 7 WHERE raffle = {OPEN}",
    f"UPDATE prizes SET amount = 1 WHERE raffle = {OPEN}",
    f"UPDATE prizes SET position = 9 WHERE raffle = {OPEN}",
    f"UPDATE prizes SET name = 'another' WHERE raffle = {OPEN}",
    # Its tickets, and the ledger that they are in.
    "UPDATE tickets SET number = number + 100",
    "UPDATE tickets SET code_hash = 'known'",
    "UPDATE tickets SET serial = serial + 100",
    "UPDATE tickets SET nth = nth + 1",
    f"UPDATE tickets SET issued_at = 1 WHERE raffle = {DRAWN}",
    f"DELETE FROM tickets WHERE raffle = {OPEN}",
    f"UPDATE tickets SET participant = {{bytes}} WHERE raffle = {DRAWN} AND serial = 0",
    f"UPDATE tickets SET repeat_hash = {{bytes}} WHERE raffle = {DRAWN} AND serial = 0",
    *(
        f"UPDATE tickets SET participant = {{forgotten}}, repeat_hash = NULL, issued_at = {at} WHERE raffle = {raffle}"
        for raffle, at in ((OPEN, 50), (CLOSED, 50), (DRAWN, 2), (DRAWN, "issued_at"))
    ),
    "UPDATE tiles SET hash = {bytes}",
    "DELETE FROM tiles",
    *(f"INSERT INTO tiles VALUES ({raffle}, 1, 0, {{bytes}})" for raffle in (DRAWN, CLOSED, CANCELLED)),
    # Its draw.
    *(
        statement
        for raffle in (DRAWN, OPEN, CANCELLED)
        for statement in (
            f"INSERT INTO wins VALUES ({raffle}, 99, 1, 0)",
            f"INSERT INTO draws VALUES ({raffle}, {{bytes}}, {{bytes}}, 1)",
        )
    ),
    "UPDATE wins SET prize = prize",
    "UPDATE wins SET ordinal = ordinal + 10",
    f"UPDATE wins SET raffle = {CLOSED}",
    "DELETE FROM wins",
    "UPDATE draws SET entropy = {bytes}",
    "UPDATE draws SET wins = 3",
    "DELETE FROM draws",
    # What became of its prizes. Win 1 is redeemed at second 2; the redemption of win 4 was undone.
    "DELETE FROM redemptions",
    *(
        f"UPDATE redemptions SET {change} WHERE ordinal = 1"
        for change in (
            f"raffle = {CLOSED}",
            "ordinal = 3",
            "number = 2",
            "redeemed_at = 3",
            "redeemed_by = 'Bob'",
            "redeemed_by = NULL",
            "undone_at = NULL",
            "undone_at = 903",
            "undone_by = 'Bob'",
        )
    ),
    *(f"UPDATE redemptions SET {change} WHERE ordinal = 4" for change in ("undone_at = NULL", "undone_at = 4")),
    "UPDATE redemptions SET undone_by = 'Bob' WHERE ordinal = 4",
    "DELETE FROM forfeits",
    *(
        f"UPDATE forfeits SET {change}"
        for change in (
            f"raffle = {CLOSED}",
            "ordinal = 3",
            "number = 2",
            "forfeited_at = 864002",
            "why = 'renounced'",
            "reason = 'another'",
            "prize = 1",
            "serial = 5",
            "serial = NULL",
            "forfeited_by = 'Bob'",
        )
    ),
    # The passes of those who did it: Ann's is valid, Bob's was revoked.
    *(
        f"UPDATE passes SET {change} WHERE name = 'Ann'"
        for change in ("token_hash = {bytes}", "name = 'Eve'", "may = 'manage'", "made_at = 2", "expires_at = 1000")
    ),
    *(f"UPDATE passes SET revoked_at = {at} WHERE name = 'Bob'" for at in ("NULL", "60")),
]


class Breach(NamedTuple):
    """A statement, and what names the rule that it breaks, for SQLite and for PostgreSQL."""

    statement: str
    sqlite: str
    postgresql: str


NO_SUCH_TICKET = "no such ticket", "tickets_within_the_raffle"
NO_ENTRY_RULE = "there is no such entry rule"
NO_SUCH_WIN = "there is no such win"
GOES_FORWARD = "goes forward", "counters_forward"
BEGINS_OPEN = "a raffle begins open", "raffles_begin_open"
TOO_FEW = "there are more prizes than tickets", "raffles_closed_with_tickets"
NO_RECORD = "the draw record is missing", "raffles_drawn_with_record"

BREACHES = [
    # Tickets.
    Breach(
        ticket_row(OPEN, 9, f"(SELECT min(number) FROM tickets WHERE raffle = {OPEN})"),
        "tickets.raffle, tickets.number",
        "tickets_number",
    ),
    Breach(
        f"INSERT INTO tickets SELECT raffle, 9, {FREE}, participant, 1, '', NULL, 10 FROM tickets "
        f"WHERE raffle = {OPEN} AND serial = 0",
        "tickets.raffle, tickets.participant",
        "tickets_participant",
    ),
    Breach(
        f"{ticket_row(OPEN, 9, 18)}, ({OPEN}, 9, 20, '', 1, '', NULL, 10)",
        "tickets.raffle, tickets.serial",
        "tickets_pkey",
    ),
    Breach(ticket_row(OPEN, 9, 0), "tickets_number_from_one", "tickets_number_from_one"),
    Breach(ticket_row(OPEN, 9, 2, nth=0), "tickets_nth", "tickets_nth"),
    Breach(ticket_row(OPEN, 9, 2, nth=3), *NO_SUCH_TICKET),
    Breach(ticket_row(OPEN, 9, 21), *NO_SUCH_TICKET),
    Breach(ticket_row(OPEN, 20, 9), *NO_SUCH_TICKET),
    Breach(ticket_row(OPEN, 9, 2, issued_at=4), *NO_SUCH_TICKET),
    Breach(ticket_row(OPEN, 9, 2, issued_at=100), *NO_SUCH_TICKET),
    Breach(ticket_row(CLOSED, 9, 2), *NO_SUCH_TICKET),
    Breach(ticket_row(CANCELLED, 0, 1), *NO_SUCH_TICKET),
    Breach(ticket_row("{no_raffle}", 0, 1), *NO_SUCH_TICKET),
    *(
        Breach(f"UPDATE counters SET issued = {count} WHERE raffle = {raffle}", *GOES_FORWARD)
        for raffle, count in ((OPEN, 2), (OPEN, 21), (CLOSED, 4), (CANCELLED, 1), (DRAWN, 5))
    ),
    Breach("INSERT INTO counters VALUES ({no_raffle}, -1)", "counters_issued", "counters_issued"),
    Breach("INSERT INTO counters VALUES ({no_raffle}, 0)", "FOREIGN KEY", "counters_raffle_fkey"),
    Breach("INSERT INTO secrets VALUES ({no_raffle}, {bytes})", "FOREIGN KEY", "secrets_raffle_fkey"),
    Breach("INSERT INTO prizes VALUES ({no_raffle}, 0, 'hug', 1)", "FOREIGN KEY", "prizes_raffle_fkey"),
    Breach("INSERT INTO prizes VALUES ({no_raffle}, 9, 'none', 0)", "prizes_amount", "prizes_amount"),
    # Raffles.
    Breach(raffle_row("{no_raffle}", 9, total=0), "raffles_total_tickets", "raffles_total_tickets"),
    *(
        Breach(f"UPDATE raffles SET {terms} WHERE id = {EMPTY}", constraint, constraint)
        for terms, constraint in (
            *((f"tickets_each = {each}", "raffles_tickets_each") for each in (0, 1_001)),
            *((f"claim_days = {days}", "raffles_claim_days") for days in (0, 3_651)),
            ("opens_at = 9, closes_at = 9", "raffles_closes_after_it_opens"),
            ("opens_at = 9, draw_at = 9", "raffles_draw_after_it_closes"),
            ("closes_at = 9, draw_at = 8", "raffles_draw_after_it_closes"),
            *((f"price = '1', {other}", "raffles_price") for other in ("draw_at = 9", "promoter = 'us'")),
        )
    ),
    Breach(raffle_row("{no_raffle}", 9).replace("'address'", "'Desk'"), NO_ENTRY_RULE, "raffles_entry"),
    Breach(f"UPDATE raffles SET entry = 'Desk' WHERE id = {EMPTY}", NO_ENTRY_RULE, "raffles_entry_changed"),
    Breach(
        f"UPDATE raffles SET cancelled_at = 9, reason = 'a whim' WHERE id = {EMPTY}",
        "the secrets of a raffle end with it",
        "raffles_without_secrets",
    ),
    *(
        Breach(
            f"INSERT INTO secrets VALUES ({raffle}, {{bytes}})",
            "the secrets of a raffle end with it",
            "secrets_ended",
        )
        for raffle in (DRAWN, CANCELLED)
    ),
    Breach(raffle_row("{no_raffle}", 2), "raffles.sequence", "raffles_sequence"),
    Breach(raffle_row("{no_raffle}", 9, creation_key="{bytes}"), "raffles.creation_key", "raffles_creation_key"),
    *(
        Breach(raffle_row("{no_raffle}", 9, **later), *BEGINS_OPEN)
        for later in (
            {"closed_at": 5},
            {"round": 5},
            {"cancelled_at": 5, "reason": "'a whim'"},
            {"drawn_at": 5, "seed": "{bytes}"},
        )
    ),
    Breach(
        f"UPDATE raffles SET reason = 'a whim' WHERE id = {OPEN}",
        "raffles_cancelled_with_reason",
        "raffles_cancelled_with_reason",
    ),
    Breach(
        f"UPDATE raffles SET cancelled_at = 5 WHERE id = {OPEN}",
        "raffles_cancelled_with_reason",
        "raffles_cancelled_with_reason",
    ),
    Breach(
        f"UPDATE raffles SET seed = {{bytes}} WHERE id = {CLOSED}", "raffles_drawn_with_seed", "raffles_drawn_with_seed"
    ),
    Breach(f"UPDATE raffles SET closed_at = 60 WHERE id = {EMPTY}", *TOO_FEW),
    *(
        Breach(f"UPDATE raffles SET drawn_at = 60, seed = {{bytes}} WHERE id = {raffle}", *NO_RECORD)
        for raffle in (OPEN, CLOSED)
    ),
    # Draws.
    Breach(
        f"INSERT INTO wins VALUES ({CLOSED}, 1, 0, 0), ({CLOSED}, 2, 0, 0)", "wins.raffle, wins.serial", "wins_serial"
    ),
    Breach(
        f"INSERT INTO wins VALUES ({CLOSED}, 1, 0, 0), ({CLOSED}, 1, 1, 0)", "wins.raffle, wins.ordinal", "wins_pkey"
    ),
    Breach(f"INSERT INTO wins VALUES ({CLOSED}, 0, 0, 0)", "wins_ordinal", "wins_ordinal"),
    Breach(f"INSERT INTO wins VALUES ({CLOSED}, 1, 99, 0)", "FOREIGN KEY", "wins_raffle_serial_fkey"),
    Breach(f"INSERT INTO wins VALUES ({CLOSED}, 1, 0, 9)", "FOREIGN KEY", "wins_raffle_prize_fkey"),
    # Redemptions. Win 5 is that of the ticket that took win 2 over, at second 864,001.
    *(Breach(redemption_row(ordinal), NO_SUCH_WIN, "redemptions_win") for ordinal in (0, 6, 99)),
    Breach(redemption_row(1, raffle=CLOSED), NO_SUCH_WIN, "redemptions_win"),
    Breach(redemption_row(2), "the prize has been forfeited", "redemptions_lost"),
    Breach(redemption_row(1, 2), "the prize has been redeemed", "redemptions_once"),
    Breach(redemption_row(3, at=0), "a prize is redeemed after the draw", "redemptions_after_the_draw"),
    Breach(
        "UPDATE redemptions SET undone_at = 1 WHERE ordinal = 1",
        "a redemption is undone after it was made",
        "redemptions_undone_later",
    ),
    Breach(redemption_row(3, at=864_001), "the deadline has passed", "redemptions_in_time"),
    Breach(redemption_row(5, at=1_728_001), "the deadline has passed", "redemptions_in_time"),
    *(
        Breach(redemption_row(3, **undone), "a redemption begins live", "redemptions_live")
        for undone in ({"undone": "6"}, {"undone_by": "'Ann'"})
    ),
    Breach(redemption_row(3, 0), "redemptions_number", "redemptions_number"),
    Breach(redemption_row(4, 1), "redemptions.raffle, redemptions.ordinal, redemptions.number", "redemptions_pkey"),
    # Forfeits.
    *(Breach(forfeit_row(ordinal), NO_SUCH_WIN, "forfeits_win") for ordinal in (0, 6, 99)),
    *(Breach(forfeit_row(ordinal, prize=1), NO_SUCH_WIN, "forfeits_win") for ordinal in (3, 5)),
    Breach(forfeit_row(4), NO_SUCH_WIN, "forfeits_win"),
    Breach(forfeit_row(1, raffle=CLOSED, number=1, serial="1"), NO_SUCH_WIN, "forfeits_win"),
    Breach(forfeit_row(1), "the prize has been redeemed", "forfeits_redeemed"),
    Breach(forfeit_row(3, why="disliked"), "there is no such reason", "forfeits_why"),
    *(Breach(forfeit_row(3, number=number), "numbered in order", "forfeits_order") for number in (0, 1, 3)),
    Breach(forfeit_row(3, at=864_000), "in the order of time", "forfeits_later"),
    Breach(forfeit_row(3, serial="4"), "the ticket has won", "forfeits_heir"),
    Breach(forfeit_row(3, serial="2"), "forfeits.raffle, forfeits.serial", "forfeits_serial"),
    Breach(forfeit_row(3, serial="99"), "FOREIGN KEY", "forfeits_raffle_serial_fkey"),
    Breach(forfeit_row(3, serial="NULL"), "a ticket can take the prize over", "forfeits_lapse"),
    Breach(forfeit_row(5, at=1_728_000, why="unclaimed"), "the deadline has not passed", "forfeits_unclaimed"),
    Breach(forfeit_row(2), "forfeits.raffle, forfeits.ordinal", "forfeits_pkey"),
    # Passes.
    Breach(
        "INSERT INTO passes VALUES ({bytes}, 'Cid', 'sell', 5, 5, NULL)", "passes_expire_later", "passes_expire_later"
    ),
    Breach("INSERT INTO passes SELECT * FROM passes WHERE name = 'Ann'", "passes.token_hash", "passes_pkey"),
]

# These constraints are a third line, behind triggers that refuse the same.
CONSTRAINTS = [
    Breach(ticket_row(OPEN, -1, 2), "tickets_serial", "tickets_serial"),
    Breach(
        f"UPDATE raffles SET cancelled_at = 5, reason = 'a whim' WHERE id = {DRAWN}",
        "raffles_cancelled_or_drawn",
        "raffles_cancelled_or_drawn",
    ),
    Breach(forfeit_row(3, number=0), "forfeits_number_from_one", "forfeits_number_from_one"),
    Breach(forfeit_row(3, number=1), "forfeits.raffle, forfeits.number", "forfeits_number"),
    Breach(f"INSERT INTO counters VALUES ({OPEN}, 9)", "counters.raffle", "counters_pkey"),
]
