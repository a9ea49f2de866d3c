"""The rules that the database holds by itself, as triggers: terms, draws and tickets are final, counters only grow.

A rule is written once for all databases. It is never edited after a release, since existing databases have it: a new
migration drops it and adds another.
"""

from typing import NamedTuple

from sqlalchemy import Connection

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


def _final_with_the_draw(table: str) -> list[Rule]:
    old, new = _is_drawn("OLD.raffle"), _is_drawn("NEW.raffle")
    return [
        Rule(f"{table}_final_{event.lower()}", event, table, f"the {table} of a drawn raffle are final", drawn)
        for event, drawn in (("INSERT", new), ("UPDATE", f"{old} OR {new}"), ("DELETE", old))
    ]


_TICKETS_REMAIN = "NEW.total_tickets > (SELECT issued FROM counters WHERE raffle = NEW.id)"
_RECORDED = "EXISTS (SELECT 1 FROM draws WHERE raffle = NEW.id)"
_HAS_NO_RECORD = f"NEW.drawn_at IS NOT NULL AND NOT ({_TICKETS_REMAIN}) AND NOT {_RECORDED}"
_BEYOND_THE_RAFFLE = (
    "{greatest}(NEW.number, NEW.serial + 1) > (SELECT total_tickets FROM raffles WHERE id = NEW.raffle)"
)
_MISCOUNTED = "NEW.issued < OLD.issued OR NEW.issued > (SELECT total_tickets FROM raffles WHERE id = NEW.raffle)"

_HAS_TICKETS = "EXISTS (SELECT 1 FROM tickets WHERE raffle = OLD.raffle)"

_TERMS = "the terms of a raffle are final"

_FINAL_OF_A_TICKET = "raffle, serial, number, code_hash, issued_at"

# A raffle gets its ledger last: from then on it is complete, and its terms are announced.
_WAS_ANNOUNCED = "EXISTS (SELECT 1 FROM ledgers WHERE raffle = OLD.raffle)"
_IS_ANNOUNCED = "EXISTS (SELECT 1 FROM ledgers WHERE raffle = NEW.raffle)"
_HAS_A_KEY = "OLD.verifier_key IS NOT NULL"
_WAS_CLOSED = "OLD.closed_at IS NOT NULL"
_IS_CLOSED = "EXISTS (SELECT 1 FROM ledgers WHERE raffle = NEW.raffle AND closed_at IS NOT NULL)"
_HAS_SOLD = "EXISTS (SELECT 1 FROM counters WHERE raffle = OLD.id AND issued > 0)"

# The value is that of `schema.FORGOTTEN`. Any other one may be another ticket's, which UPDATE OR REPLACE would delete.
_NOT_FORGOTTEN = (
    "NEW.repeat_hash IS NOT NULL OR NEW.participant <> CAST(CAST(NEW.serial AS TEXT) AS {bytes}) "
    f"OR NOT {_is_drawn('NEW.raffle')}"
)

RULES: tuple[Rule, ...] = (
    Rule("raffles_terms", "UPDATE OF name, folded_name, created_at", "raffles", _TERMS),
    Rule(
        "raffles_fixed", "UPDATE OF id, sequence, total_tickets", "raffles", "the place and size of a raffle are final"
    ),
    Rule("raffles_drawn_when_sold_out", "UPDATE OF drawn_at", "raffles", "tickets remain", _TICKETS_REMAIN),
    Rule("raffles_drawn_with_record", "UPDATE OF drawn_at", "raffles", "the draw record is missing", _HAS_NO_RECORD),
    Rule("raffles_final_update", "UPDATE", "raffles", "a drawn raffle is final", "OLD.drawn_at IS NOT NULL"),
    Rule("raffles_final_delete", "DELETE", "raffles", "a drawn raffle is final", "OLD.drawn_at IS NOT NULL"),
    Rule("raffles_kept", "DELETE", "raffles", "a raffle with tickets is final", _HAS_SOLD),
    Rule("prizes_terms_insert", "INSERT", "prizes", _TERMS, _IS_ANNOUNCED),
    Rule("prizes_terms_update", "UPDATE", "prizes", _TERMS),
    Rule("prizes_terms_delete", "DELETE", "prizes", _TERMS, _WAS_ANNOUNCED),
    # A group of tickets is counted in one step: a transaction that counted from an old state is refused.
    Rule("counters_forward", "UPDATE OF issued", "counters", "a counter goes forward, to the last ticket", _MISCOUNTED),
    Rule("counters_fixed", "UPDATE OF raffle", "counters", "the raffle of a counter is final"),
    Rule("counters_kept", "DELETE", "counters", "the counter of a raffle is final", "OLD.issued > 0"),
    Rule("tickets_within_the_raffle", "INSERT", "tickets", "the raffle has no such ticket", _BEYOND_THE_RAFFLE),
    Rule("tickets_final_update", f"UPDATE OF {_FINAL_OF_A_TICKET}", "tickets", "a ticket is final"),
    Rule(
        "tickets_forgotten",
        "UPDATE OF participant, repeat_hash",
        "tickets",
        "the participant of a ticket is final, or forgotten",
        _NOT_FORGOTTEN,
    ),
    Rule("tickets_final_delete", "DELETE", "tickets", "a ticket is final"),
    Rule("ledgers_fixed", "UPDATE OF raffle, entropy, delay_s", "ledgers", "a ledger is final"),
    Rule("ledgers_key_once", "UPDATE OF verifier_key", "ledgers", "the key of a ledger is final", _HAS_A_KEY),
    Rule(
        "ledgers_closed_once", "UPDATE OF closed_at, round", "ledgers", "the closing of a ledger is final", _WAS_CLOSED
    ),
    Rule("ledgers_final_delete", "DELETE", "ledgers", "a ledger is final", _HAS_TICKETS),
    Rule("tiles_final_insert", "INSERT", "tiles", "a closed ledger is final", _IS_CLOSED),
    Rule("tiles_final_update", "UPDATE", "tiles", "a ledger is final"),
    Rule("tiles_final_delete", "DELETE", "tiles", "a ledger is final"),
    *_final_with_the_draw("draws"),
    *_final_with_the_draw("wins"),
)

_ANY_DRAWN = "EXISTS (SELECT 1 FROM raffles WHERE drawn_at IS NOT NULL)"

# Only PostgreSQL has TRUNCATE, which deletes all rows unseen by the triggers on rows.
_NO_TRUNCATE: tuple[Rule, ...] = tuple(
    Rule(f"{table}_{what}_truncate", "TRUNCATE", table, message, condition)
    for table, what, message, condition in (
        ("raffles", "final", "a drawn raffle is final", _ANY_DRAWN),
        ("prizes", "terms", _TERMS, "EXISTS (SELECT 1 FROM ledgers)"),
        ("counters", "final", "a counter is final", "EXISTS (SELECT 1 FROM counters WHERE issued > 0)"),
        ("tickets", "final", "a ticket is final", "EXISTS (SELECT 1 FROM tickets)"),
        ("ledgers", "final", "a ledger is final", "EXISTS (SELECT 1 FROM ledgers)"),
        ("tiles", "final", "a ledger is final", "EXISTS (SELECT 1 FROM tiles)"),
        ("draws", "final", "a drawn raffle is final", "EXISTS (SELECT 1 FROM draws)"),
        ("wins", "final", "a drawn raffle is final", _ANY_DRAWN),
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
    _not_replaced("counters_not_replaced", "counters", "raffle"),
    _not_replaced("ledgers_not_replaced", "ledgers", "raffle"),
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
