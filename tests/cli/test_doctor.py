"""`rafflekit doctor`: says ok, or what is wrong, and changes nothing."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from rafflekit import RaffleEngine
from tests.cli.conftest import Terminal
from tests.raffles import sold_out


def test_a_database_that_is_well_is_ok(terminal: Terminal, engine: RaffleEngine, database_url: str) -> None:
    engine.draw(sold_out(engine).id)

    shown, as_json = terminal("doctor"), terminal("doctor --json")

    assert (shown.status, shown.err) == (0, "")
    assert shown.out == (
        f"url: {database_url}\nraffles: 1\ntickets: 6\ndraws: 1\n"
        "secrets of drawn raffles: gone\n"
        "participants of drawn raffles: 6 stored; 'rafflekit purge' deletes them\n"
        "missing keys: none\nstate: ok\n"
    )
    assert (as_json.status, as_json.err) == (0, "")
    assert json.loads(as_json.out) == {
        "url": database_url,
        "raffles": 1,
        "tickets": 6,
        "draws": 1,
        "hashed_participants": 6,
        "unopened": 0,
        "remains": [],
        "missing_keys": [],
        "problems": [],
    }


@pytest.mark.usefixtures("raffle")
def test_before_a_draw_nothing_is_called_gone(terminal: Terminal) -> None:
    lines = terminal("doctor").out.splitlines()

    assert "secrets of drawn raffles: none drawn yet" in lines
    assert "participants of drawn raffles: none drawn yet" in lines


def test_what_is_wrong_is_named_with_the_status_of_a_refusal(
    terminal: Terminal, engine: RaffleEngine, database: Path
) -> None:
    raffle = sold_out(engine)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        (rule,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'counters_forward'").fetchone()
        connection.execute("DROP TRIGGER counters_forward")
        connection.execute("UPDATE counters SET issued = 7")
        connection.execute(rule)

    shown, as_json = terminal("doctor"), terminal("doctor --json")

    sentence = f"Raffle {raffle.id}: its counter says 7 tickets, but 6 are stored."
    assert (shown.status, as_json.status) == (1, 1)
    assert shown.out.endswith(f"state: wrong\n{sentence}\n")
    assert "restore a backup" in shown.err
    assert json.loads(as_json.out)["problems"] == [sentence]


def test_secrets_that_can_still_be_read_are_named(terminal: Terminal, engine: RaffleEngine, database: Path) -> None:
    raffle = sold_out(engine)
    with closing(sqlite3.connect(database, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT * FROM secrets").fetchall()
        engine.draw(raffle.id)

        shown = terminal("doctor")

    assert shown.status == 1
    assert "secrets of drawn raffles: 1\n" in shown.out
    assert f"Raffle {raffle.id}: its deleted secrets can still be read in the file's journal" in shown.out
    assert shown.err == "rafflekit: Secrets that should be gone can still be read.\n"


def test_a_missing_key_is_named_and_the_database_called_whole(
    terminal: Terminal, engine: RaffleEngine, database: Path
) -> None:
    sold_out(engine)
    key = engine.proofs.verifier_key()
    Path(f"{database}.key").rename(database.with_name("elsewhere.key"))

    shown, as_json = terminal("doctor"), terminal("doctor --json")

    without = "without it, 1 of the raffles can neither hand out tickets nor be drawn or proven"
    sentence = f"The key {key} is missing here: {without}."
    unopened = "The ticket numbers of 1 raffle were not checked, because that needs the key."
    assert (shown.status, as_json.status) == (1, 1)
    assert shown.out.endswith(f"missing keys: see below\nstate: without its key\n{sentence}\n{unopened}\n")
    assert shown.err == (
        "rafflekit: The database is sound, but a key is missing: put a copy of the key in its place, or name "
        "its file in RAFFLEKIT_SIGNING_KEY.\n"
    )
    assert (json.loads(as_json.out)["problems"], json.loads(as_json.out)["missing_keys"]) == ([], [sentence])


def test_the_key_that_a_setting_names_is_the_one_that_signs(
    terminal: Terminal, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal(f"key make {database.with_name('named.key')}")
    monkeypatch.setenv("RAFFLEKIT_SIGNING_KEY", str(database.with_name("named.key")))
    terminal("create Foobar --tickets 2 --prize hug")

    assert terminal("doctor").status == 0
    monkeypatch.delenv("RAFFLEKIT_SIGNING_KEY")
    assert "is missing here" in terminal("doctor").out


def test_an_empty_database_is_called_so(terminal: Terminal, database: Path, database_url: str) -> None:
    database.touch()

    assert terminal("doctor") == (
        3,
        "",
        f"rafflekit: The database {database_url} is empty, so there is nothing to check.\n",
    )


def test_a_missing_database_is_named(terminal: Terminal, database: Path) -> None:
    shown = terminal("doctor")

    assert shown.status == 3
    assert "does not exist, so there is nothing to check" in shown.err
    assert not database.exists()
