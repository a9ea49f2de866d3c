"""Migrations make the same database as the schema, and each of them keeps the rules."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, make_url

from rafflekit import RaffleEngine
from rafflekit.core.storage import migrations, schema
from tests.core.storage.deleting import TRUNCATIONS
from tests.core.storage.past_the_engine import PastTheEngine
from tests.core.storage.rules import BREACHES, FINAL
from tests.databases import KINDS, NEXT_LAYOUT, new_database_url, use_next_layout

Open = Callable[[str], PastTheEngine]

# A step's file is named by its number.
LAYOUTS = sorted(file.name[:4] for file in Path(migrations.__file__).parent.glob("versions/[0-9]*.py"))

_OURS = "current_schema()::regnamespace"

# Everything of ours in a schema of PostgreSQL, in the server's own spelling.
POSTGRESQL_CATALOG = {
    "columns": "SELECT attrelid::regclass::text, attnum, attname, format_type(atttypid, atttypmod), attnotnull, "
    "pg_get_expr(adbin, adrelid), attidentity, attgenerated, attcollation, attstorage FROM pg_attribute "
    "LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum JOIN pg_class ON pg_class.oid = attrelid "
    f"WHERE relnamespace = {_OURS} AND relkind <> 'i' AND attnum > 0 AND NOT attisdropped",
    "tables": "SELECT relname, relkind, relpersistence, reloptions, relrowsecurity, obj_description(oid, 'pg_class') "
    f"FROM pg_class WHERE relnamespace = {_OURS}",
    "constraints": "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), convalidated "
    f"FROM pg_constraint WHERE connamespace = {_OURS}",
    "indexes": "SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid), indisvalid FROM pg_index "
    f"JOIN pg_class ON pg_class.oid = indexrelid WHERE relnamespace = {_OURS}",
    "triggers": "SELECT tgname, tgrelid::regclass::text, pg_get_triggerdef(pg_trigger.oid), tgenabled FROM pg_trigger "
    f"JOIN pg_class ON pg_class.oid = tgrelid WHERE relnamespace = {_OURS} AND NOT tgisinternal",
    "functions": f"SELECT proname, pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = {_OURS}",
    "sequences and types": "SELECT typname, typtype FROM pg_type "
    f"WHERE typnamespace = {_OURS} AND typtype <> 'c' AND typcategory <> 'A'",
}


def catalog_of(opened: PastTheEngine) -> dict[str, list[Any]]:
    """Return everything that defines a database, without the name of its schema."""
    if not opened.is_postgresql:
        rows = opened.send("SELECT type, name, tbl_name, sql FROM sqlite_master")
        return {"sqlite_master": sorted((*row[:3], words(row[3])) for row in rows)}
    (schema_name,) = opened.send("SELECT current_schema()")[0]
    return {
        what: sorted((tuple(words(value, f"{schema_name}.") for value in row) for row in opened.send(query)), key=repr)
        for what, query in POSTGRESQL_CATALOG.items()
    }


def words(value: Any, prefix: str = "") -> Any:
    """Return a text without a prefix of its names, and with single spaces; other values are unchanged."""
    return " ".join(value.replace(prefix or "\0", "").split()) if isinstance(value, str) else value


@pytest.fixture(params=KINDS)
def new_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], str]:
    """Return a function that gives the URL of a new empty database, on each kind."""
    if request.param == "SQLite":
        return lambda: f"sqlite:///{tmp_path_factory.mktemp('layout')}/raffles.db"
    return lambda: new_database_url(request)


def test_migrations_make_what_the_schema_makes(new_url: Callable[[], str], past_the_engine: Open) -> None:
    made = new_url()
    RaffleEngine(made).close()
    migrated = past_the_engine(new_url())
    migrated.migrate("head")

    assert catalog_of(migrated) == catalog_of(past_the_engine(made))
    assert migrated.send("SELECT * FROM alembic_version") == [(schema.VERSION,)]


def test_alembic_finds_no_difference_after_all_migrations(new_url: Callable[[], str], past_the_engine: Open) -> None:
    url = new_url()
    past_the_engine(url).migrate("head")

    engine = create_engine(make_url(url).set(drivername="postgresql+psycopg" if "postgresql" in url else "sqlite"))
    with engine.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), schema.metadata)
    engine.dispose()

    assert [difference for difference in differences if "alembic_version" not in repr(difference)] == []


def test_the_schema_knows_the_first_migration_and_the_newest() -> None:
    assert LAYOUTS[0] == schema.FIRST_VERSION
    assert LAYOUTS[-1] == schema.VERSION


@pytest.mark.parametrize("layout", [*LAYOUTS, NEXT_LAYOUT])
def test_every_migration_of_stored_raffles_keeps_the_rules(
    new_url: Callable[[], str], past_the_engine: Open, monkeypatch: pytest.MonkeyPatch, layout: str
) -> None:
    use_next_layout(monkeypatch)
    opened = past_the_engine(new_url())
    opened.migrate(LAYOUTS[0])
    opened.fill()
    before = opened.everything()
    for step in [*LAYOUTS, NEXT_LAYOUT][1 : [*LAYOUTS, NEXT_LAYOUT].index(layout) + 1]:
        opened.migrate(step)

    final = [*FINAL, *(TRUNCATIONS if opened.is_postgresql else [])]
    accepted = [statement for statement in final if "final" not in opened.refusal(statement)]
    for breach in BREACHES:
        named = breach.postgresql if opened.is_postgresql else breach.sqlite
        if named not in opened.refusal(breach.statement):
            accepted.append(breach.statement)

    assert accepted == []
    assert opened.everything() == before | {"alembic_version": [(layout,)]}
