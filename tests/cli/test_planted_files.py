"""Files that another user of the machine has put where rafflekit looks for its own are not used; doctor names each.

A planted file can be read by the user who made it, so codes, keys and secrets must not get into one.
"""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rafflekit import Prize, RaffleEngine, StorageUnavailable
from rafflekit.cli.lists.output import HEADER
from rafflekit.core.ledger.keys import make_signing_key
from rafflekit.core.protocol.notes import WITNESS
from tests.cli.conftest import Terminal
from tests.ticket_lists import write_list
from tests.users import NOBODY, needs_root

Plant = Callable[[Path], None]


def open_to_all(file: Path) -> None:
    file.chmod(0o666)


def anothers(file: Path) -> None:
    os.chown(file, NOBODY, NOBODY)


PLANTS = [pytest.param(open_to_all, id="open to all"), pytest.param(anothers, id="another user's", marks=needs_root)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("planted", ["tickets.csv", "tickets.csv.run"])
def test_codes_are_not_written_into_a_planted_file(
    terminal: Terminal, engine: RaffleEngine, folder: Path, planted: str, plant: Plant
) -> None:
    """With a run file whose key is known, all codes would be known, too."""
    raffle = engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")])
    write_list(folder / "people.csv", ["ann"])
    line = f"participate {raffle.id} --from people.csv --out tickets.csv"
    assert terminal(line).status == 0
    write_list(folder / "people.csv", ["ann", "bob"])
    plant(folder / planted)
    before = {file.name: file.read_bytes() for file in folder.glob("tickets*")}

    status, out, err = terminal(line)

    assert (status, out) == (2, "")
    assert err.startswith(f"rafflekit: {planted} is not private: ")
    assert {file.name: file.read_bytes() for file in folder.glob("tickets*")} == before
    assert engine.get(raffle.id).issued == 1


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_run_of_zeros_is_not_taken_for_ours(
    terminal: Terminal, engine: RaffleEngine, folder: Path, plant: Plant
) -> None:
    raffle = engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")])
    write_list(folder / "people.csv", ["ann"])
    (folder / "tickets.csv").write_text(HEADER)
    bound = f'"raffle": "{raffle.id}", "column": null, "count_column": null, "key": "{"00" * 32}"'
    (folder / "tickets.csv.run").write_text(f'{{"rafflekit_run": 1, {bound}}}\n{{"lines": 0, "blake2b": ""}}\n')
    for planted in ("tickets.csv", "tickets.csv.run"):
        plant(folder / planted)

    status, _, err = terminal(f"participate {raffle.id} --from people.csv --out tickets.csv")

    assert status == 2
    assert "tickets.csv.run is not private" in err
    assert (folder / "tickets.csv").read_text() == HEADER
    assert engine.get(raffle.id).issued == 0


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("ending", ["", "-wal", "-shm", "-journal", ".key"])
def test_a_planted_part_of_a_database_is_not_used(
    terminal: Terminal, database: Path, ending: str, plant: Plant
) -> None:
    """SQLite would carry out what is in a journal."""
    with RaffleEngine(f"sqlite:///{database}") as engine:
        engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")])
    planted = Path(f"{database}{ending}")
    if not planted.exists():
        planted.touch()
    plant(planted)
    before = database.read_bytes()

    for line in ("list", "create Another --tickets 3 --prize hug", "key show", "backup copy.db", "db status", "doctor"):
        status, out, err = terminal(line)
        assert (status, out) == (3, "")
        assert err.startswith(f"rafflekit: The database {database} is not private. {planted}: ")
    assert database.read_bytes() == before


def test_doctor_names_every_file_and_the_folder(terminal: Terminal, database: Path) -> None:
    with RaffleEngine(f"sqlite:///{database}") as engine:
        engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")])
    database.chmod(0o640)
    assert terminal("doctor").status == 0
    database.chmod(0o644)
    Path(f"{database}.key").chmod(0o666)
    database.parent.chmod(0o777)

    status, out, err = terminal("doctor")

    assert (status, out) == (3, "")
    assert f"{database}: other users can read it (mode 0644); run 'chmod o= {database}'." in err
    assert f"{database}.key: other users can change it (mode 0666); if you trust its content, run" in err
    assert f"{database.parent}: other users can replace files in its folder {database.parent}; run 'chmod o-w" in err


@pytest.mark.parametrize("rights", [0o777, 0o1777])
def test_no_database_is_made_where_others_can_make_files(terminal: Terminal, database: Path, rights: int) -> None:
    """They would make its journal, or its key, before it does."""
    database.parent.chmod(rights)

    status, _, err = terminal("create Foobar --tickets 3 --prize hug")

    assert status == 3
    assert "in its folder" in err
    assert list(database.parent.iterdir()) == []


def test_no_one_is_told_to_change_another_programs_file(terminal: Terminal, database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("CREATE TABLE diary (day, entry)")
    database.chmod(0o644)

    assert "belongs to another program" in terminal("list").err
    assert "chmod" not in terminal("list").err


def test_a_link_to_a_database_leads_to_its_journals(database: Path, tmp_path: Path) -> None:
    with RaffleEngine(f"sqlite:///{database}") as engine:
        engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")])
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.db"
    link.symlink_to(database)
    RaffleEngine(f"sqlite:///{link}").close()
    Path(f"{database}-wal").touch()
    Path(f"{database}-wal").chmod(0o666)

    with pytest.raises(StorageUnavailable, match=r"raffles\.db-wal: other users can change it"):
        RaffleEngine(f"sqlite:///{link}")


@pytest.mark.parametrize("plant", PLANTS)
def test_a_planted_key_that_a_setting_names_is_not_used(
    terminal: Terminal, folder: Path, monkeypatch: pytest.MonkeyPatch, plant: Plant
) -> None:
    make_signing_key(folder / "own.key")
    plant(folder / "own.key")
    monkeypatch.setenv("RAFFLEKIT_SIGNING_KEY", "own.key")

    for line in ("create Foobar --tickets 3 --prize hug", "doctor", "key show own.key"):
        status, _, err = terminal(line)
        assert status == 2
        assert "other users can change it" in err or "it belongs to another user" in err


@pytest.mark.parametrize("plant", PLANTS)
@pytest.mark.parametrize("planted", ["seen.json", "seen.json.lock"])
def test_a_planted_memory_makes_no_witness_sign(
    terminal: Terminal, engine: RaffleEngine, folder: Path, planted: str, plant: Plant
) -> None:
    """It could make the witness forget what it signed."""
    raffle = engine.create("Foobar", total_tickets=2, prizes=[Prize("hug")])
    engine.participate(raffle.id, "ann")
    (folder / "checkpoint.txt").write_text(engine.proofs.checkpoint(raffle.id))
    make_signing_key(folder / "witness.key", kind=WITNESS)
    (folder / planted).write_text("[]")
    plant(folder / planted)
    key = engine.proofs.verifier_key()

    status, out, err = terminal(
        f"witness sign checkpoint.txt --key witness.key --operator {key} --state {folder}/seen.json"
    )

    assert (status, out) == (3, "")
    assert f"{folder / planted} is not private: " in err
    assert (folder / planted).read_text() == "[]"
