"""The rules that the database holds by itself, as triggers: terms, draws and tickets are final, counters go forward.

A rule is written once for all databases. It is never edited, since it stands in databases that exist: a new
migration takes it away and adds another.
"""

from typing import NamedTuple


class Rule(NamedTuple):
    """What is refused: `event` on a row of `table` for which `condition` holds; `since` is the migration."""

    name: str
    event: str
    table: str
    condition: str
    message: str
    since: str = "0001"


def _is_drawn(raffle: str) -> str:
    return f"EXISTS (SELECT 1 FROM raffles WHERE id = {raffle} AND drawn_at IS NOT NULL)"  # noqa: S608 - ours


def _final_with_the_draw(table: str, since: str = "0001") -> list[Rule]:
    old, new = _is_drawn("OLD.raffle"), _is_drawn("NEW.raffle")
    return [
        Rule(f"{table}_final_{event.lower()}", event, table, drawn, f"the {table} of a drawn raffle are final", since)
        for event, drawn in (("INSERT", new), ("UPDATE", f"{old} OR {new}"), ("DELETE", old))
    ]


_NO_TICKETS_LEFT_BEHIND = "NEW.total_tickets > (SELECT issued FROM counters WHERE raffle = NEW.id)"
_BEYOND_THE_RAFFLE = (
    "{greatest}(NEW.number, NEW.serial + 1) > (SELECT total_tickets FROM raffles WHERE id = NEW.raffle)"
)
_COUNTED_BEYOND = "NEW.issued > (SELECT total_tickets FROM raffles WHERE id = NEW.raffle)"

_HAS_TICKETS = "EXISTS (SELECT 1 FROM tickets WHERE raffle = OLD.raffle)"

# SQLite's REPLACE deletes the row in its way unseen by triggers on DELETE, unless the connection asks for more; so an
# INSERT that would replace a drawn raffle is refused as such.
_REPLACES_A_DRAW = (
    "EXISTS (SELECT 1 FROM raffles WHERE drawn_at IS NOT NULL AND (id = NEW.id OR sequence = NEW.sequence))"
)

_TERMS = "the terms of a raffle are final"

# A raffle gets its ledger last, so that it is whole, and its terms are announced, as soon as it has one.
_WAS_ANNOUNCED = "EXISTS (SELECT 1 FROM ledgers WHERE raffle = OLD.raffle)"
_IS_ANNOUNCED = "EXISTS (SELECT 1 FROM ledgers WHERE raffle = NEW.raffle)"
_IS_CLOSED = "EXISTS (SELECT 1 FROM ledgers WHERE raffle = NEW.raffle AND closed_at IS NOT NULL)"
_HAS_SOLD = "EXISTS (SELECT 1 FROM counters WHERE raffle = OLD.id AND issued > 0)"

# As `schema.NOBODY` has it. Any other value may be another ticket's, which UPDATE OR REPLACE would push out.
_NOT_FORGOTTEN = (
    "NEW.repeat_hash IS NOT NULL OR NEW.participant <> CAST(CAST(NEW.serial AS TEXT) AS {bytes}) "
    f"OR NOT {_is_drawn('NEW.raffle')}"
)

RULES: tuple[Rule, ...] = (
    *_final_with_the_draw("wins"),
    *_final_with_the_draw("prizes"),
    Rule("raffles_final_insert", "INSERT", "raffles", _REPLACES_A_DRAW, "a drawn raffle is final"),
    Rule("raffles_final_update", "UPDATE", "raffles", "OLD.drawn_at IS NOT NULL", "a drawn raffle is final"),
    Rule("raffles_final_delete", "DELETE", "raffles", "OLD.drawn_at IS NOT NULL", "a drawn raffle is final"),
    Rule(
        "raffles_fixed",
        "UPDATE OF id, sequence, total_tickets",
        "raffles",
        "TRUE",
        "the place and size of a raffle are final",
    ),
    Rule("raffles_drawn_when_sold_out", "UPDATE OF drawn_at", "raffles", _NO_TICKETS_LEFT_BEHIND, "tickets remain"),
    Rule("tickets_within_the_raffle", "INSERT", "tickets", _BEYOND_THE_RAFFLE, "the raffle has no such ticket"),
    Rule(
        "tickets_final_update",
        "UPDATE OF raffle, serial, number, code_hash",
        "tickets",
        "TRUE",
        "a ticket is final",
    ),
    Rule("tickets_final_delete", "DELETE", "tickets", "TRUE", "a ticket is final"),
    # A group of tickets is counted in one step: whoever counted from an old state is refused.
    Rule(
        "counters_forward",
        "UPDATE OF issued",
        "counters",
        f"NEW.issued < OLD.issued OR {_COUNTED_BEYOND}",
        "a counter goes forward, to the last ticket",
        since="0002",
    ),
    Rule("ledgers_fixed", "UPDATE OF raffle, entropy, delay_s", "ledgers", "TRUE", "a ledger is final", "0003"),
    Rule(
        "ledgers_key_once",
        "UPDATE OF verifier_key",
        "ledgers",
        "OLD.verifier_key IS NOT NULL",
        "the key of a ledger is final",
        "0003",
    ),
    Rule(
        "ledgers_closed_once",
        "UPDATE OF closed_at, round",
        "ledgers",
        "OLD.closed_at IS NOT NULL",
        "the closing of a ledger is final",
        "0003",
    ),
    Rule("ledgers_final_delete", "DELETE", "ledgers", _HAS_TICKETS, "a ledger is final", "0003"),
    Rule("tiles_final_update", "UPDATE", "tiles", "TRUE", "a ledger is final", "0003"),
    Rule("tiles_final_delete", "DELETE", "tiles", "TRUE", "a ledger is final", "0003"),
    *_final_with_the_draw("draws", "0003"),
    Rule("raffles_terms", "UPDATE OF name, folded_name, created_at", "raffles", "TRUE", _TERMS, "0004"),
    Rule("raffles_kept", "DELETE", "raffles", _HAS_SOLD, "a raffle with tickets is final", "0004"),
    Rule("prizes_terms_insert", "INSERT", "prizes", _IS_ANNOUNCED, _TERMS, "0004"),
    Rule("prizes_terms_update", "UPDATE", "prizes", "TRUE", _TERMS, "0004"),
    Rule("prizes_terms_delete", "DELETE", "prizes", _WAS_ANNOUNCED, _TERMS, "0004"),
    Rule("tickets_issued", "UPDATE OF issued_at", "tickets", "TRUE", "a ticket is final", "0004"),
    Rule(
        "tickets_forgotten",
        "UPDATE OF participant, repeat_hash",
        "tickets",
        _NOT_FORGOTTEN,
        "the participant of a ticket is final, or forgotten",
        "0004",
    ),
    Rule("counters_fixed", "UPDATE OF raffle", "counters", "TRUE", "the raffle of a counter is final", "0004"),
    Rule("counters_kept", "DELETE", "counters", "OLD.issued > 0", "the counter of a raffle is final", "0004"),
    Rule("tiles_final_insert", "INSERT", "tiles", _IS_CLOSED, "a closed ledger is final", "0004"),
)

_ANY_DRAWN = "EXISTS (SELECT 1 FROM raffles WHERE drawn_at IS NOT NULL)"

# What only PostgreSQL can do to all rows at once, without touching one.
_NO_TRUNCATE: tuple[Rule, ...] = tuple(
    Rule(f"{table}_{what}_truncate", "TRUNCATE", table, condition, message, since)
    for table, what, condition, message, since in (
        ("raffles", "final", _ANY_DRAWN, "a drawn raffle is final", "0001"),
        ("prizes", "final", _ANY_DRAWN, "a drawn raffle is final", "0001"),
        ("wins", "final", _ANY_DRAWN, "a drawn raffle is final", "0001"),
        ("tickets", "final", "EXISTS (SELECT 1 FROM tickets)", "a ticket is final", "0001"),
        ("ledgers", "final", "EXISTS (SELECT 1 FROM ledgers)", "a ledger is final", "0003"),
        ("tiles", "final", "EXISTS (SELECT 1 FROM tiles)", "a ledger is final", "0003"),
        ("draws", "final", "EXISTS (SELECT 1 FROM draws)", "a drawn raffle is final", "0003"),
        ("prizes", "terms", "EXISTS (SELECT 1 FROM ledgers)", _TERMS, "0004"),
        ("counters", "final", "EXISTS (SELECT 1 FROM counters WHERE issued > 0)", "a counter is final", "0004"),
    )
)


def _not_replaced(name: str, table: str, *key: str) -> Rule:
    taken = " AND ".join(f"{column} = NEW.{column}" for column in key)
    # In the words of SQLite's own refusal of an INSERT, which is what an INSERT OR REPLACE becomes.
    message = "UNIQUE constraint failed: " + ", ".join(f"{table}.{column}" for column in key)
    return Rule(name, "INSERT", table, f"EXISTS (SELECT 1 FROM {table} WHERE {taken})", message, "0004")  # noqa: S608 - ours


# What only SQLite can do: INSERT OR REPLACE deletes rows unseen by the triggers of other programs' connections. For a
# ticket, every row of the hot path pays, so the small table is asked: what is counted is taken, and when all is, none
# can be inserted. That leaves an open raffle's next serial with another ticket's number or participant, which a look
# into two indexes more would find, for 8 % of the time that tickets take to be stored.
_NO_REPLACE: tuple[Rule, ...] = (
    Rule(
        "tickets_final_insert",
        "INSERT",
        "tickets",
        "NEW.serial < (SELECT issued FROM counters WHERE raffle = NEW.raffle)",
        "a ticket is final",
        "0004",
    ),
    _not_replaced("raffles_not_replaced", "raffles", "id"),
    _not_replaced("raffles_sequence_not_replaced", "raffles", "sequence"),
    _not_replaced("counters_not_replaced", "counters", "raffle"),
    _not_replaced("ledgers_not_replaced", "ledgers", "raffle"),
    _not_replaced("tiles_not_replaced", "tiles", "raffle", "level", "position"),
)


def statements(dialect: str, *, since: str | None = None) -> list[str]:
    """Return the statements by which a database ("sqlite" or "postgresql") holds the rules: all, or one migration's."""
    chosen = [rule for rule in of(dialect) if since in (None, rule.since)]
    if dialect == "postgresql":
        return [statement for rule in chosen for statement in postgresql_statements(rule)]
    return [_sqlite_statement(rule) for rule in chosen]


def of(dialect: str) -> tuple[Rule, ...]:
    """Return the rules that a database ("sqlite" or "postgresql") holds."""
    return RULES + (_NO_TRUNCATE if dialect == "postgresql" else _NO_REPLACE)


def postgresql_statements(rule: Rule) -> tuple[str, str]:
    """Return what makes a rule's function, whose body stands between two "$$", and its trigger."""
    # The condition of a PostgreSQL trigger cannot look at other tables, so a function looks.
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
