"""The rules that the database holds by itself, as triggers: what was announced, issued, drawn or passed on is final.

A rule is written once for all databases. It is never edited after a release, since existing databases have it: a new
migration drops it and adds another.
"""

from typing import NamedTuple

from sqlalchemy import Connection

from rafflekit.core import limits
from rafflekit.core.protocol.forfeits import DAY_S, Why
from rafflekit.core.protocol.terms import TEXTS, EntryRule
from rafflekit.core.storage import schema


class Rule(NamedTuple):
    """What is refused, and why: `event` on every row of `table`, or only where `condition` holds."""

    name: str
    event: str
    table: str
    message: str
    condition: str = "TRUE"


def _is_drawn(raffle: str) -> str:
    return f"EXISTS (SELECT 1 FROM raffles WHERE id = {raffle} AND drawn_at IS NOT NULL)"  # noqa: S608 - ours


_CANNOT_BE_DRAWN = (
    "NOT EXISTS (SELECT 1 FROM raffles WHERE id = NEW.raffle "
    "AND closed_at IS NOT NULL AND cancelled_at IS NULL AND drawn_at IS NULL)"
)


def _final_with_the_draw(table: str) -> list[Rule]:
    message = f"the {table} of a raffle come from one draw, which is final"
    return [
        Rule(f"{table}_final_{event.lower()}", event, table, message, condition)
        for event, condition in (("INSERT", _CANNOT_BE_DRAWN), ("UPDATE", "TRUE"), ("DELETE", _is_drawn("OLD.raffle")))
    ]


# What the winners and the queue of a raffle are made of; its draw is stored before it is marked as drawn.
_WINS = "(SELECT wins FROM draws WHERE raffle = NEW.raffle)"
_UNDO_S = limits.UNDO_S

# A raffle's terms are final from its first ticket on, or once it is closed or cancelled.
_TERMS = "the terms of a raffle are final"
_TERMS_COLUMNS = ", ".join(
    (
        *("name", "folded_name", "total_tickets", "entropy", "delay_s", "source", "entry", "tickets_each"),
        *("opens_at", "closes_at", "draw_at", "claim_days", *TEXTS),
    )
)


def _has_begun(raffle: str) -> str:
    return (
        f"(EXISTS (SELECT 1 FROM counters WHERE raffle = {raffle} AND issued > 0) OR "  # noqa: S608 - ours
        f"EXISTS (SELECT 1 FROM tickets WHERE raffle = {raffle}) OR "
        f"EXISTS (SELECT 1 FROM raffles WHERE id = {raffle} AND (closed_at IS NOT NULL OR cancelled_at IS NOT NULL)))"
    )


_IS_FINISHED = (
    "EXISTS (SELECT 1 FROM raffles WHERE id = NEW.raffle AND (drawn_at IS NOT NULL OR cancelled_at IS NOT NULL))"
)
_HAS_ENDED = (
    "EXISTS (SELECT 1 FROM raffles WHERE id = NEW.raffle AND (closed_at IS NOT NULL OR cancelled_at IS NOT NULL))"
)
_BEGINS_LATER = (
    "NEW.closed_at IS NOT NULL OR NEW.round IS NOT NULL OR NEW.cancelled_at IS NOT NULL OR NEW.drawn_at IS NOT NULL"
)
_HAS_AN_END = "OLD.closed_at IS NOT NULL OR OLD.cancelled_at IS NOT NULL OR NEW.closed_at IS NULL"
_HAS_TOO_FEW_TICKETS = (
    "NEW.closed_at IS NOT NULL AND coalesce((SELECT issued FROM counters WHERE raffle = NEW.id), 0) "
    "< coalesce((SELECT sum(amount) FROM prizes WHERE raffle = NEW.id), 1)"
)
# Only a closed raffle can have a record.
_HAS_NO_RECORD = "NEW.drawn_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM draws WHERE raffle = NEW.id)"

# One look at one row, since it is asked for every ticket.
_NOT_ITS_TICKET = (
    "NOT EXISTS (SELECT 1 FROM raffles WHERE id = NEW.raffle "
    "AND total_tickets >= {greatest}(NEW.number, NEW.serial + 1) AND tickets_each >= NEW.nth "
    "AND closed_at IS NULL AND cancelled_at IS NULL AND NEW.issued_at >= coalesce(opens_at, NEW.issued_at) "
    "AND NEW.issued_at < coalesce(closes_at, NEW.issued_at + 1))"
)
_MISCOUNTED = (
    "NEW.issued < OLD.issued OR NOT EXISTS (SELECT 1 FROM raffles WHERE id = NEW.raffle "
    "AND total_tickets >= NEW.issued AND (NEW.issued = OLD.issued OR (closed_at IS NULL AND cancelled_at IS NULL)))"
)
_FINAL_OF_A_TICKET = "raffle, serial, number, nth, code_hash"

# The value is that of `schema.FORGOTTEN`. Any other one may be another ticket's, which UPDATE OR REPLACE would delete.
# The time is that of the raffle's end, which says nothing about the participant.
_NOT_FORGOTTEN = (
    "NEW.repeat_hash IS NOT NULL OR NEW.participant <> CAST(CAST(NEW.serial AS TEXT) AS {bytes}) "
    "OR NOT EXISTS (SELECT 1 FROM raffles WHERE id = NEW.raffle "
    "AND (drawn_at IS NOT NULL OR cancelled_at IS NOT NULL) AND coalesce(closed_at, cancelled_at) = NEW.issued_at)"
)

# Wins are made by the draw and by forfeits: forfeit j makes win W + j.
_HEIR = f"SELECT 1 FROM forfeits WHERE raffle = NEW.raffle AND number = NEW.ordinal - {_WINS} AND serial IS NOT NULL"  # noqa: S608
_NO_SUCH_WIN = (
    f"NOT {_is_drawn('NEW.raffle')} OR "  # noqa: S608 - ours
    "NOT EXISTS (SELECT 1 FROM wins WHERE raffle = NEW.raffle AND ordinal = NEW.ordinal{and_prize}) "
    f"AND NOT EXISTS ({_HEIR}{{and_prize}})"
)
_LOST = "EXISTS (SELECT 1 FROM forfeits WHERE raffle = NEW.raffle AND ordinal = NEW.ordinal)"
_REDEEMED = (
    "EXISTS (SELECT 1 FROM redemptions WHERE raffle = NEW.raffle AND ordinal = NEW.ordinal AND undone_at IS NULL)"
)
# NULL without a deadline; then the comparison is not true either.
_DEADLINE = (
    "(SELECT coalesce((SELECT forfeited_at FROM forfeits "  # noqa: S608 - ours
    f"WHERE raffle = NEW.raffle AND number = NEW.ordinal - {_WINS}), drawn_at) + claim_days * {DAY_S} "
    "FROM raffles WHERE id = NEW.raffle)"
)
_NOT_A_REASON = f"NEW.why NOT IN ({', '.join(repr(why.value) for why in Why)})"
_OUT_OF_ORDER = "NEW.number <> 1 + coalesce((SELECT max(number) FROM forfeits WHERE raffle = NEW.raffle), 0)"
_BEFORE_THE_LAST = (
    "NEW.forfeited_at < coalesce("
    "(SELECT forfeited_at FROM forfeits WHERE raffle = NEW.raffle ORDER BY number DESC LIMIT 1), "
    "(SELECT drawn_at FROM raffles WHERE id = NEW.raffle))"
)
_WON_ALREADY = "EXISTS (SELECT 1 FROM wins WHERE raffle = NEW.raffle AND serial = NEW.serial)"
_TICKETS_ARE_LEFT = (
    f"NEW.serial IS NULL AND {_WINS} + NEW.number <= (SELECT issued FROM counters WHERE raffle = NEW.raffle)"  # noqa: S608
)
_NOT_UNDONE = f"OLD.undone_at IS NOT NULL OR NEW.undone_at IS NULL OR NEW.undone_at > OLD.redeemed_at + {_UNDO_S}"
_BEGINS_UNDONE = "NEW.undone_at IS NOT NULL OR NEW.undone_by IS NOT NULL"
_NO_ENTRY_RULE = f"NEW.entry NOT IN ({', '.join(repr(rule.value) for rule in EntryRule)})"
_UNDONE_EARLIER = "NEW.undone_at < OLD.redeemed_at"
_BEFORE_THE_DRAW = "NEW.redeemed_at < (SELECT drawn_at FROM raffles WHERE id = NEW.raffle)"
_HAS_SECRETS = (
    "(NEW.drawn_at IS NOT NULL OR NEW.cancelled_at IS NOT NULL) "
    "AND EXISTS (SELECT 1 FROM secrets WHERE raffle = NEW.id)"
)


RULES: tuple[Rule, ...] = (
    Rule("raffles_begin_open", "INSERT", "raffles", "a raffle begins open", _BEGINS_LATER),
    Rule("raffles_entry", "INSERT", "raffles", "there is no such entry rule", _NO_ENTRY_RULE),
    Rule("raffles_entry_changed", "UPDATE OF entry", "raffles", "there is no such entry rule", _NO_ENTRY_RULE),
    Rule("raffles_terms", f"UPDATE OF {_TERMS_COLUMNS}", "raffles", _TERMS, _has_begun("OLD.id")),
    Rule(
        "raffles_fixed",
        "UPDATE OF id, sequence, created_at, creation_key, creation_hash, verifier_key",
        "raffles",
        "the place, the creation and the key of a raffle are final",
    ),
    Rule("raffles_closed_once", "UPDATE OF closed_at, round", "raffles", "the end of a raffle is final", _HAS_AN_END),
    Rule(
        "raffles_closed_with_tickets",
        "UPDATE OF closed_at",
        "raffles",
        "there are more prizes than tickets",
        _HAS_TOO_FEW_TICKETS,
    ),
    Rule("raffles_drawn_with_record", "UPDATE OF drawn_at", "raffles", "the draw record is missing", _HAS_NO_RECORD),
    # The other columns have their own rules.
    Rule(
        "raffles_drawn_once",
        "UPDATE OF drawn_at, seed, cancelled_at, reason",
        "raffles",
        "a drawn raffle is final",
        "OLD.drawn_at IS NOT NULL",
    ),
    Rule(
        "raffles_cancelled_once",
        "UPDATE OF cancelled_at, reason, drawn_at",
        "raffles",
        "a cancelled raffle is final",
        "OLD.cancelled_at IS NOT NULL",
    ),
    Rule(
        "raffles_without_secrets",
        "UPDATE OF drawn_at, cancelled_at",
        "raffles",
        "the secrets of a raffle end with it",
        _HAS_SECRETS,
    ),
    Rule("secrets_ended", "INSERT", "secrets", "the secrets of a raffle end with it", _IS_FINISHED),
    Rule("raffles_kept", "DELETE", "raffles", "a raffle with tickets or an end is final", _has_begun("OLD.id")),
    Rule("prizes_terms_insert", "INSERT", "prizes", _TERMS, _has_begun("NEW.raffle")),
    Rule("prizes_terms_update", "UPDATE", "prizes", _TERMS),
    Rule("prizes_terms_delete", "DELETE", "prizes", _TERMS, _has_begun("OLD.raffle")),
    # A group of tickets is counted in one step: a transaction that counted from an old state is refused.
    Rule("counters_forward", "UPDATE OF issued", "counters", "a counter goes forward, to the last ticket", _MISCOUNTED),
    Rule("counters_fixed", "UPDATE OF raffle", "counters", "the raffle of a counter is final"),
    Rule("counters_kept", "DELETE", "counters", "the counter of a raffle is final", _has_begun("OLD.raffle")),
    Rule("tickets_within_the_raffle", "INSERT", "tickets", "the raffle has no such ticket now", _NOT_ITS_TICKET),
    Rule("tickets_final_update", f"UPDATE OF {_FINAL_OF_A_TICKET}", "tickets", "a ticket is final"),
    Rule(
        "tickets_forgotten",
        "UPDATE OF participant, repeat_hash, issued_at",
        "tickets",
        "the participant of a ticket is final, or forgotten",
        _NOT_FORGOTTEN,
    ),
    Rule("tickets_final_delete", "DELETE", "tickets", "a ticket is final"),
    Rule("tiles_final_insert", "INSERT", "tiles", "a closed ledger is final", _HAS_ENDED),
    Rule("tiles_final_update", "UPDATE", "tiles", "a ledger is final"),
    Rule("tiles_final_delete", "DELETE", "tiles", "a ledger is final"),
    *_final_with_the_draw("draws"),
    *_final_with_the_draw("wins"),
    Rule("redemptions_win", "INSERT", "redemptions", "there is no such win", _NO_SUCH_WIN.format(and_prize="")),
    Rule("redemptions_lost", "INSERT", "redemptions", "the prize has been forfeited", _LOST),
    Rule("redemptions_once", "INSERT", "redemptions", "the prize has been redeemed", _REDEEMED),
    Rule("redemptions_in_time", "INSERT", "redemptions", "the deadline has passed", f"NEW.redeemed_at >= {_DEADLINE}"),
    Rule("redemptions_after_the_draw", "INSERT", "redemptions", "a prize is redeemed after the draw", _BEFORE_THE_DRAW),
    Rule("redemptions_live", "INSERT", "redemptions", "a redemption begins live", _BEGINS_UNDONE),
    Rule(
        "redemptions_fixed",
        "UPDATE OF raffle, ordinal, number, redeemed_at, redeemed_by",
        "redemptions",
        "a redemption is final",
    ),
    Rule("redemptions_undone", "UPDATE OF undone_at, undone_by", "redemptions", "a redemption is final", _NOT_UNDONE),
    Rule(
        "redemptions_undone_later",
        "UPDATE OF undone_at",
        "redemptions",
        "a redemption is undone after it was made",
        _UNDONE_EARLIER,
    ),
    Rule("redemptions_kept", "DELETE", "redemptions", "a redemption is final"),
    Rule(
        "forfeits_win",
        "INSERT",
        "forfeits",
        "there is no such win",
        _NO_SUCH_WIN.format(and_prize=" AND prize = NEW.prize"),
    ),
    Rule("forfeits_why", "INSERT", "forfeits", "there is no such reason", _NOT_A_REASON),
    Rule("forfeits_redeemed", "INSERT", "forfeits", "the prize has been redeemed", _REDEEMED),
    Rule("forfeits_order", "INSERT", "forfeits", "forfeits are numbered in order", _OUT_OF_ORDER),
    Rule("forfeits_later", "INSERT", "forfeits", "forfeits are in the order of time", _BEFORE_THE_LAST),
    Rule("forfeits_heir", "INSERT", "forfeits", "the ticket has won", _WON_ALREADY),
    Rule("forfeits_lapse", "INSERT", "forfeits", "a ticket can take the prize over", _TICKETS_ARE_LEFT),
    Rule(
        "forfeits_unclaimed",
        "INSERT",
        "forfeits",
        "the deadline has not passed",
        f"NEW.why = 'unclaimed' AND NEW.forfeited_at < {_DEADLINE}",
    ),
    Rule("forfeits_final_update", "UPDATE", "forfeits", "a forfeit is final"),
    Rule("forfeits_final_delete", "DELETE", "forfeits", "a forfeit is final"),
    Rule(
        "passes_final",
        "UPDATE OF token_hash, name, may, made_at, expires_at",
        "passes",
        "a pass is final; it can only be revoked",
    ),
    Rule(
        "passes_revoked_once",
        "UPDATE OF revoked_at",
        "passes",
        "a revoked pass is final",
        "OLD.revoked_at IS NOT NULL OR NEW.revoked_at IS NULL",
    ),
)

_ANY_FINISHED = "EXISTS (SELECT 1 FROM raffles WHERE drawn_at IS NOT NULL OR cancelled_at IS NOT NULL)"
_ANY_BEGUN = f"EXISTS (SELECT 1 FROM counters WHERE issued > 0) OR {_ANY_FINISHED}"  # noqa: S608 - ours

# Only PostgreSQL has TRUNCATE, which deletes all rows unseen by the triggers on rows.
_NO_TRUNCATE: tuple[Rule, ...] = tuple(
    Rule(f"{table}_{what}_truncate", "TRUNCATE", table, message, condition)
    for table, what, message, condition in (
        ("raffles", "final", "a raffle with tickets or an end is final", _ANY_BEGUN),
        ("prizes", "terms", _TERMS, _ANY_BEGUN),
        ("counters", "final", "a counter is final", _ANY_BEGUN),
        ("tickets", "final", "a ticket is final", "EXISTS (SELECT 1 FROM tickets)"),
        ("tiles", "final", "a ledger is final", "EXISTS (SELECT 1 FROM tiles)"),
        ("draws", "final", "a drawn raffle is final", "EXISTS (SELECT 1 FROM draws)"),
        ("wins", "final", "a drawn raffle is final", "EXISTS (SELECT 1 FROM wins)"),
        ("redemptions", "final", "a redemption is final", "EXISTS (SELECT 1 FROM redemptions)"),
        ("forfeits", "final", "a forfeit is final", "EXISTS (SELECT 1 FROM forfeits)"),
    )
)


def _not_replaced(name: str, table: str, *key: str) -> Rule:
    taken = " AND ".join(f"{column} = NEW.{column}" for column in key)
    # SQLite's own words for an INSERT whose key is taken, which is what an INSERT OR REPLACE becomes.
    message = "UNIQUE constraint failed: " + ", ".join(f"{table}.{column}" for column in key)
    return Rule(name, "INSERT", table, message, f"EXISTS (SELECT 1 FROM {table} WHERE {taken})")  # noqa: S608 - ours


# Only SQLite has INSERT OR REPLACE, which deletes rows unseen by the triggers of other programs' connections. For a
# ticket the check would cost time for every row that is issued, so the small table is asked instead: a counted serial
# is taken, and no ticket can be inserted into a sold-out raffle. What this misses is an open raffle's next serial with
# another ticket's number or participant; finding that takes two more index lookups, 8 % of the time to store tickets.
_NO_REPLACE: tuple[Rule, ...] = (
    Rule(
        "tickets_final_insert",
        "INSERT",
        "tickets",
        "a ticket is final",
        "NEW.serial < (SELECT issued FROM counters WHERE raffle = NEW.raffle)",
    ),
    _not_replaced("raffles_not_replaced", "raffles", "id"),
    _not_replaced("raffles_sequence_not_replaced", "raffles", "sequence"),
    _not_replaced("raffles_creation_not_replaced", "raffles", "creation_key"),
    _not_replaced("counters_not_replaced", "counters", "raffle"),
    _not_replaced("prizes_not_replaced", "prizes", "raffle", "position"),
    _not_replaced("redemptions_not_replaced", "redemptions", "raffle", "ordinal", "number"),
    _not_replaced("forfeits_not_replaced", "forfeits", "raffle", "ordinal"),
    _not_replaced("forfeits_serial_not_replaced", "forfeits", "raffle", "serial"),
    _not_replaced("tiles_not_replaced", "tiles", "raffle", "level", "position"),
)


def make_tables(connection: Connection) -> None:
    """Make today's tables, and the rules that they hold."""
    schema.metadata.create_all(connection)
    for statement in statements(connection.dialect.name):
        connection.exec_driver_sql(statement)


def statements(dialect: str) -> list[str]:
    """Return the statements that make a database ("sqlite" or "postgresql") hold the rules."""
    if dialect == "postgresql":
        return [statement for rule in of(dialect) for statement in postgresql_statements(rule)]
    return [_sqlite_statement(rule) for rule in of(dialect)]


def of(dialect: str) -> tuple[Rule, ...]:
    """Return the rules that a database ("sqlite" or "postgresql") holds."""
    return RULES + (_NO_TRUNCATE if dialect == "postgresql" else _NO_REPLACE)


def postgresql_statements(rule: Rule) -> tuple[str, str]:
    """Return what makes a rule's function, whose body is between two "$$", and its trigger."""
    # The condition of a PostgreSQL trigger cannot read other tables, so a function does.
    condition = rule.condition.format(greatest="greatest", bytes="BYTEA")
    each, row = ("STATEMENT", "NULL") if rule.event == "TRUNCATE" else ("ROW", "NEW")
    function = f"""
        CREATE FUNCTION {rule.name}() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF {condition} THEN
                RAISE EXCEPTION '{rule.message}'
                    USING ERRCODE = 'integrity_constraint_violation', CONSTRAINT = '{rule.name}';
            END IF;
            RETURN {"OLD" if rule.event == "DELETE" else row};
        END $$"""
    trigger = (
        f"CREATE TRIGGER {rule.name} BEFORE {rule.event} ON {rule.table} FOR EACH {each} EXECUTE FUNCTION {rule.name}()"
    )
    return function, trigger


def _sqlite_statement(rule: Rule) -> str:
    condition = rule.condition.format(greatest="max", bytes="BLOB")
    return (
        f"CREATE TRIGGER {rule.name} BEFORE {rule.event} ON {rule.table} WHEN {condition} "
        f"BEGIN SELECT RAISE(ABORT, '{rule.message}'); END"
    )
