"""`rafflekit db status` and `db upgrade`: on a file, on PostgreSQL, empty, older and newer."""

import json
from pathlib import Path

import pytest

from rafflekit import DatabaseStatus, RaffleEngine, database_status, upgrade_database
from rafflekit.core.storage import schema
from tests.cli.conftest import OnScreen, Session, Terminal, without_styles
from tests.databases import NEXT_LAYOUT, PostgresqlServer, run, use_next_layout


@pytest.fixture
def shared_url(postgresql: PostgresqlServer, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty PostgreSQL, which the environment names."""
    url = postgresql.new_url()
    monkeypatch.setenv("RAFFLEKIT_DATABASE_URL", url)
    return url


def fields(layout: str, state: str, url: str) -> str:
    return f"url: {url}\nlayout: {layout}\nnewest_layout: {schema.VERSION}\nstate: {state}\n"


def test_the_status_of_a_missing_file_does_not_create_it(terminal: Terminal, database: Path, database_url: str) -> None:
    shown = terminal("db status")

    assert (shown.status, shown.out) == (0, fields("none", "missing", database_url))
    assert shown.err == "The first command that uses it creates it, and so does 'rafflekit db upgrade'.\n"
    assert not database.exists()


def test_the_status_of_the_default_place_makes_no_folder(
    terminal: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RAFFLEKIT_DATABASE_URL")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    assert "state: missing" in terminal("db status").out

    assert list(tmp_path.iterdir()) == []


def test_an_older_file_is_reported_and_upgraded(
    terminal: Terminal, engine: RaffleEngine, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine.close()
    use_next_layout(monkeypatch)

    before, upgraded, again = terminal("db status"), terminal("db upgrade"), terminal("db upgrade")

    assert (before.status, before.out) == (0, fields("0001", "older", database_url))
    assert before.err == "Stop the programs that use it, make a backup, and run 'rafflekit db upgrade'.\n"
    assert upgraded == again == Session(0, fields(NEXT_LAYOUT, "current", database_url), "")


def test_a_look_at_a_file_leaves_every_byte_as_it_is(terminal: Terminal, database: Path, engine: RaffleEngine) -> None:
    engine.close()
    before = database.read_bytes()

    assert "state: current" in terminal("db status").out

    assert database.read_bytes() == before
    assert list(database.parent.iterdir()) == [database]


def test_a_file_in_use_is_looked_at(terminal: Terminal, engine: RaffleEngine) -> None:
    assert "state: current" in terminal("db status").out
    assert engine.list().count == 0


def test_the_status_of_an_empty_postgresql_leaves_it_empty(terminal: Terminal, shared_url: str) -> None:
    before, again = terminal("db status --json"), terminal("db status --json")
    upgraded = terminal("db upgrade --json")

    assert before == again
    assert (json.loads(before.out)["layout"], json.loads(before.out)["state"]) == (None, "empty")
    assert list(json.loads(upgraded.out)) == ["url", "layout", "newest_layout", "state"]
    assert (json.loads(upgraded.out)["layout"], json.loads(upgraded.out)["state"]) == (schema.VERSION, "current")
    assert database_status(shared_url).state == "current"


def test_an_older_postgresql_is_upgraded_only_on_request(
    terminal: Terminal, shared_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    upgrade_database(shared_url)
    use_next_layout(monkeypatch)

    refused = terminal("list")
    looked, upgraded, listed = terminal("db status"), terminal("db upgrade"), terminal("list")

    assert (refused.status, refused.out) == (3, "")
    assert "has the layout 0001, and this rafflekit needs 0002; stop the programs" in refused.err
    assert "run 'rafflekit db upgrade'." in refused.err
    assert "layout: 0001\n" in looked.out
    assert "state: older\n" in looked.out
    assert (upgraded.status, upgraded.err) == (0, "")
    assert "state: current\n" in upgraded.out
    assert listed.status == 0


@pytest.mark.parametrize("url", ["database_url", "shared_url"])
def test_a_newer_database_is_reported_and_refused(terminal: Terminal, request: pytest.FixtureRequest, url: str) -> None:
    newer = request.getfixturevalue(url)
    upgrade_database(newer)
    run(newer, "UPDATE alembic_version SET version_num = '0999'")

    looked, refused = terminal("db status"), terminal("db upgrade")

    assert looked.status == 0
    assert "layout: 0999\n" in looked.out
    assert "state: newer\n" in looked.out
    assert (refused.status, refused.out) == (3, "")
    assert "has the layout 0999, and this rafflekit knows 0001 and older ones" in refused.err


def test_a_wrong_url_is_named_with_its_source(terminal: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    by_option = terminal("db status --database-url mysql://ann:secret@host/db")
    monkeypatch.setenv("RAFFLEKIT_DATABASE_URL", "nonsense")
    by_variable = terminal("db upgrade")

    assert by_option.status == by_variable.status == 2
    assert by_option.err.startswith("rafflekit: --database-url is 'mysql:…'")
    assert by_variable.err.startswith("rafflekit: RAFFLEKIT_DATABASE_URL is 'nonsense'")


def test_db_alone_says_where_to_look(terminal: Terminal) -> None:
    assert terminal("db") == Session(2, "", "rafflekit: Missing command. 'rafflekit db --help' says more.\n")


def test_a_terminal_shows_a_panel(screen: OnScreen, engine: RaffleEngine, database_url: str) -> None:
    shown = screen("db status", NO_COLOR="1")

    assert shown.status == 0
    assert "State     current" in without_styles(shown.text)
    assert database_status(database_url) == DatabaseStatus(engine.database_url, "0001", "0001", "current")
