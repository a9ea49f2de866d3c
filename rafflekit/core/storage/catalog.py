"""Compare the parts of a database with what this version makes: tables, indexes, constraints and triggers.

Without them, a database does not hold the rules by itself. Alembic's own table is not compared.
"""

from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from sqlalchemy import (
    CheckConstraint,
    Connection,
    Constraint,
    ForeignKeyConstraint,
    PrimaryKeyConstraint,
    Table,
    UniqueConstraint,
    create_engine,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import ColumnCollectionConstraint, CreateIndex

from rafflekit.core.storage import rules, schema


class _Part(NamedTuple):
    """A part of a database: its kind, its name, and the table that it belongs to."""

    kind: str
    name: str
    table: str

    def __str__(self) -> str:
        return f"the {self.kind} {self.name}" + ("" if self.kind == "table" else f" of the table {self.table}")


_Catalog = dict[_Part, str]
"""Every part, and a text that defines it: equal in two databases if the part is equal."""

_TABLES = {table.name: table for table in schema.metadata.sorted_tables if table is not schema.schema_version}

_SQLITE = "SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL"

# Part and text of everything in our schema. The text of a disabled or broken part has an extra word.
_POSTGRESQL = (
    """
    SELECT 'table', relname, relname, '' FROM pg_class
    WHERE relkind IN ('r', 'p') AND relnamespace = current_schema()::regnamespace
    """,
    """
    SELECT 'column', attname, relname, CASE WHEN attnotnull THEN 'NOT NULL' ELSE '' END
    FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid
    WHERE relkind IN ('r', 'p') AND attnum > 0 AND NOT attisdropped AND relnamespace = current_schema()::regnamespace
    """,
    """
    SELECT 'index', i.relname, t.relname, pg_get_indexdef(i.oid) || CASE WHEN indisvalid THEN '' ELSE 'broken' END
    FROM pg_index JOIN pg_class i ON i.oid = indexrelid JOIN pg_class t ON t.oid = indrelid
    WHERE NOT EXISTS (SELECT 1 FROM pg_constraint WHERE conindid = i.oid AND conrelid = t.oid)
        AND t.relnamespace = current_schema()::regnamespace
    """,
    # The server enforces a foreign key by internal triggers.
    """
    SELECT 'constraint', CASE WHEN contype IN ('u', 'c') THEN conname ELSE pg_get_constraintdef(c.oid) END, relname,
        pg_get_constraintdef(c.oid) || CASE WHEN EXISTS
            (SELECT 1 FROM pg_trigger WHERE tgconstraint = c.oid AND tgenabled NOT IN ('O', 'A')) THEN 'off' ELSE '' END
    FROM pg_constraint c JOIN pg_class ON pg_class.oid = conrelid
    WHERE contype IN ('p', 'f', 'u', 'c') AND relnamespace = current_schema()::regnamespace
    """,
    """
    SELECT 'trigger', tgname, relname, pg_get_triggerdef(t.oid) || prosrc
        || CASE WHEN tgenabled IN ('O', 'A') THEN '' ELSE 'off' END
    FROM pg_trigger t JOIN pg_class ON pg_class.oid = tgrelid JOIN pg_proc ON pg_proc.oid = tgfoid
    WHERE NOT tgisinternal AND relnamespace = current_schema()::regnamespace
    """,
)


def differences(connection: Connection) -> list[str]:
    """Return which parts of a database with today's layout are missing or changed, and which triggers are foreign."""
    is_postgresql = connection.dialect.name == "postgresql"
    found = _found_in_postgresql(connection) if is_postgresql else _found_in_sqlite(connection)
    due = _due_in_postgresql() if is_postgresql else _due_in_sqlite()
    return [
        *(f"{part} is missing" for part in due if part not in found),
        *(f"{part} is not as rafflekit made it, or off" for part in due if found.get(part, due[part]) != due[part]),
        *(f"{part} is not rafflekit's" for part in found if part.kind == "trigger" and part not in due),
    ]


def _found_in_sqlite(connection: Connection) -> _Catalog:
    rows = connection.exec_driver_sql(_SQLITE).all()
    return {_Part(kind, name, table): _bare(text) for kind, name, table, text in rows if table in _TABLES}


@cache
def _due_in_sqlite() -> _Catalog:
    engine = create_engine("sqlite://")
    try:
        with engine.begin() as connection:
            rules.make_tables(connection)
            return _found_in_sqlite(connection)
    finally:
        engine.dispose()


def _found_in_postgresql(connection: Connection) -> _Catalog:
    prefix = f"{connection.exec_driver_sql('SELECT quote_ident(current_schema())').scalar()}."
    rows = [row for query in _POSTGRESQL for row in connection.exec_driver_sql(query)]
    return {
        _Part(kind, name.replace(prefix, "").replace('"', ""), table): _bare(text.replace(prefix, ""))
        for kind, name, table, text in rows
        if table in _TABLES
    }


@cache
def _due_in_postgresql() -> _Catalog:
    # Computed, not read from a new schema, since a check-up writes nothing.
    return dict(_parts_in_postgresql())


def _parts_in_postgresql() -> Iterator[tuple[_Part, str]]:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # SQLAlchemy's dialects are untyped
    for table in _TABLES.values():
        yield _Part("table", table.name, table.name), ""
        for column in table.columns:
            yield _Part("column", column.name, table.name), _bare("" if column.nullable else "NOT NULL")
        for constraint in table.constraints:
            yield _constraint(table, constraint)
        for index in table.indexes:
            yield _Part("index", str(index.name), table.name), _bare(str(CreateIndex(index).compile(dialect=dialect)))
    for rule in rules.of("postgresql"):
        function, trigger = rules.postgresql_statements(rule)
        yield _Part("trigger", rule.name, rule.table), _bare(trigger + function.split("$$")[1])


def _constraint(table: Table, constraint: Constraint) -> tuple[_Part, str]:
    """Return a constraint in PostgreSQL's spelling; one without a name of ours is named by its text."""
    assert isinstance(constraint, ColumnCollectionConstraint)
    columns = ", ".join(constraint.columns.keys())
    match constraint:
        case PrimaryKeyConstraint():
            text = f"PRIMARY KEY ({columns})"
        case ForeignKeyConstraint():
            of = ", ".join(key.column.name for key in constraint.elements)
            text = f"FOREIGN KEY ({columns}) REFERENCES {constraint.referred_table.name}({of})"
        case UniqueConstraint():
            text = f"UNIQUE ({columns})"
        case CheckConstraint():
            text = f"CHECK ({constraint.sqltext})"
        case _:  # pragma: no cover - the schema has no others
            raise AssertionError(constraint)
    is_named = isinstance(constraint, UniqueConstraint | CheckConstraint)
    return _Part("constraint", str(constraint.name) if is_named else text, table.name), _bare(text)


def _bare(text: str) -> str:
    """Return a statement without what databases and versions of SQLAlchemy spell differently."""
    return "".join(text.split()).translate({ord(mark): None for mark in '"()'}).lower().replace("usingbtree", "")
