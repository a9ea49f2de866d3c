"""Older databases become today's, with everything that is in them; newer ones are refused.

`data/first-release.db` was made by the first release: a drawn, a sold-out and an open raffle. `data/first-release.json`
has what its participants were given, and what was drawn.
"""

import json
import multiprocessing
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from itertools import count
from pathlib import Path
from threading import Barrier
from typing import Any
from uuid import UUID

import pytest

from rafflekit import (
    Prize,
    RaffleEngine,
    SchemaMismatch,
    StorageUnavailable,
    Ticket,
    Win,
    check_database,
    upgrade_database,
)
from rafflekit.core.protocol import winners as drawing
from rafflekit.core.storage import schema, sqlite
from tests.databases import past_the_rules, run
from tests.waiting import LIMIT_S

DATA = Path(__file__).parent / "data"
GIVEN: dict[str, Any] = json.loads((DATA / "first-release.json").read_text())
PARTICIPANTS = {"drawn": "203.0.113.{}", "sold out": "participant {}", "open": "2001:db8:0:{:x}::1"}


@pytest.fixture
def first_release(database: Path) -> Path:
    """A copy of the first release's database, where `engine` will open it."""
    shutil.copyfile(DATA / "first-release.db", database)
    return database


def tickets(state: str) -> list[Ticket]:
    """Return the tickets that the first release gave to the participants of a raffle, in their order."""
    return [Ticket(UUID(GIVEN[state]["id"]), number, code) for number, code in GIVEN[state]["tickets"]]


def rows_of(database: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        there = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        names = [name for name in schema.metadata.tables if name in there and name != "alembic_version"]
        return {name: sorted(connection.execute(f"SELECT * FROM {name}")) for name in names}


def layout_of(database: Path) -> str:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


def test_opening_upgrades_a_file_of_the_first_release_and_changes_no_row(first_release: Path) -> None:
    before = rows_of(first_release)
    assert layout_of(first_release) == schema.FIRST_VERSION

    RaffleEngine(f"sqlite:///{first_release}").close()

    assert layout_of(first_release) == schema.VERSION
    after = rows_of(first_release)
    assert {table: after[table] for table in before} == before
    assert {table: len(after[table]) for table in after if table not in before} == {
        "ledgers": 3,
        "tiles": 0,
        "cosignatures": 0,
        "draws": 0,
    }


@pytest.mark.parametrize("later_s", [0, 10**8])
def test_a_raffle_whose_clock_was_set_back_is_closed_when_it_was_created(first_release: Path, later_s: int) -> None:
    url = f"sqlite:///{first_release}"
    past_the_rules(url, f"UPDATE raffles SET created_at = created_at + {later_s}")

    with RaffleEngine(url):
        assert check_database(url).problems == ()


def test_raffles_of_the_first_release_are_shown_as_they_were(first_release: Path, engine: RaffleEngine) -> None:
    shown = [
        (raffle.name, raffle.total_tickets, raffle.available_tickets, raffle.winners_drawn, raffle.prizes)
        for raffle in engine.list().items
    ]

    assert first_release.exists()
    assert shown == [
        ("Open räffle", 10**12, 10**12 - 7, False, (Prize("car", 1), Prize("bike", 10))),
        ("Sold-out raffle", 5, 0, False, (Prize("ticket for two", 2),)),
        ("Drawn raffle", 12, 0, True, (Prize("invisibility", 1), Prize("warm hug", 3))),
    ]


@pytest.mark.usefixtures("first_release")
def test_tickets_and_winners_of_the_first_release_verify(engine: RaffleEngine) -> None:
    raffle = GIVEN["drawn"]["id"]
    won = dict(GIVEN["drawn"]["wins"])

    assert list(engine.winners(raffle).items) == [Win(number, prize) for number, prize in GIVEN["drawn"]["wins"]]
    for ticket in tickets("drawn"):
        verification = engine.verify(raffle, ticket.number, ticket.verification_code)
        assert verification.prize == won.get(ticket.number)


def test_the_seed_of_the_first_release_replays_its_draw(first_release: Path) -> None:
    raffle = UUID(GIVEN["drawn"]["id"]).bytes
    with closing(sqlite3.connect(first_release)) as connection:
        (seed,) = connection.execute("SELECT seed FROM raffles WHERE id = ?", [raffle]).fetchone()
    issued = tickets("drawn")

    serials = drawing.winning_serials(seed, tickets=12, wins=4)

    assert [issued[serial].number for serial in serials] == [number for number, _ in GIVEN["drawn"]["wins"]]


@pytest.mark.parametrize("state", ["sold out", "open"])
@pytest.mark.usefixtures("first_release")
def test_a_repeat_of_a_request_to_the_first_release_gets_the_same_ticket_and_code(
    engine: RaffleEngine, state: str
) -> None:
    again = [
        engine.participate(
            GIVEN[state]["id"], PARTICIPANTS[state].format(n), idempotency_key=f"the key of number {n:02}"
        )
        for n in range(len(GIVEN[state]["tickets"]))
    ]

    assert again == tickets(state)


@pytest.mark.usefixtures("first_release")
def test_an_open_raffle_of_the_first_release_goes_on(engine: RaffleEngine) -> None:
    raffle = GIVEN["open"]["id"]

    new = [engine.participate(raffle, f"198.51.100.{n}") for n in range(50)]

    numbers = {ticket.number for ticket in (*new, *tickets("open"))}
    assert len(numbers) == 57
    assert engine.get(raffle).available_tickets == 10**12 - 57


@pytest.mark.usefixtures("first_release")
def test_a_sold_out_raffle_of_the_first_release_is_drawn(engine: RaffleEngine) -> None:
    raffle = GIVEN["sold out"]["id"]

    won = {win.ticket_number: win.prize for win in engine.draw(raffle)}

    assert len(won) == 2
    for ticket in tickets("sold out"):
        assert engine.verify(raffle, ticket.number, ticket.verification_code).prize == won.get(ticket.number)


def test_an_upgrade_that_fails_leaves_the_database_as_it_was(first_release: Path) -> None:
    """Somebody has made a trigger of the new one's name."""
    with closing(sqlite3.connect(first_release)) as connection:
        connection.execute("CREATE TRIGGER counters_forward BEFORE DELETE ON counters BEGIN SELECT 1; END")
    before = rows_of(first_release)

    with pytest.raises(StorageUnavailable) as failure:
        RaffleEngine(f"sqlite:///{first_release}")

    assert "trigger counters_forward already exists" in str(failure.value)
    assert "has the layout 0001, is to be upgraded to 0004, and is as it was." in str(failure.value)
    assert (layout_of(first_release), rows_of(first_release)) == ("0001", before)


def test_an_upgrade_for_which_the_disk_has_no_room_leaves_the_database_as_it_was(
    first_release: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = filled_to_the_last_page(first_release)
    monkeypatch.setattr(sqlite, "_PRAGMAS", (*sqlite._PRAGMAS, f"PRAGMA max_page_count = {pages}"))
    before = rows_of(first_release)

    with pytest.raises(StorageUnavailable, match=r"the disk is full.*is as it was\."):
        RaffleEngine(f"sqlite:///{first_release}")

    assert (layout_of(first_release), rows_of(first_release)) == ("0001", before)


def filled_to_the_last_page(database: Path) -> int:
    """Fill the list of tables, views and triggers, until not even a short one has room; return the number of pages."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM")
        (pages,) = connection.execute("PRAGMA page_count").fetchone()
        connection.execute(f"PRAGMA max_page_count = {pages}")
        names = (f"filler_{number}" for number in count())
        for size in (1000, 300, 100, 30, 10):
            with suppress(sqlite3.OperationalError):
                while True:
                    connection.execute(f"CREATE VIEW {next(names)} AS SELECT '{'x' * size}'")
    return int(pages)


def test_a_file_that_may_only_be_read_is_named_so() -> None:
    shared = Path(tempfile.mkdtemp(prefix="rafflekit-"))
    try:
        database = shared / "raffles.db"
        shutil.copyfile(DATA / "first-release.db", database)
        database.chmod(0o444)
        shared.chmod(0o555)
        with without_privileges(), pytest.raises(StorageUnavailable, match="cannot be written; check the rights"):
            RaffleEngine(f"sqlite:///{database}")
        assert layout_of(database) == "0001"
    finally:
        shared.chmod(0o755)
        shutil.rmtree(shared)


@contextmanager
def without_privileges() -> Iterator[None]:
    """Root may write everywhere; nobody may not."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def test_a_newer_layout_is_refused_and_left_as_it_is(first_release: Path) -> None:
    RaffleEngine(f"sqlite:///{first_release}").close()
    run(f"sqlite:///{first_release}", "UPDATE alembic_version SET version_num = '0005'")
    before = rows_of(first_release)

    for opened in (RaffleEngine, upgrade_database):
        with pytest.raises(SchemaMismatch, match="has the layout 0005, and this rafflekit knows 0004 and older ones"):
            opened(f"sqlite:///{first_release}")

    assert (layout_of(first_release), rows_of(first_release)) == ("0005", before)


@pytest.mark.parametrize("layout", ["0000", "abcd", "ae1027a6acf"])
def test_a_layout_that_no_release_had_is_refused(first_release: Path, layout: str) -> None:
    run(f"sqlite:///{first_release}", "UPDATE alembic_version SET version_num = ?", layout)

    with pytest.raises(SchemaMismatch, match=f"has the layout {layout}"):
        RaffleEngine(f"sqlite:///{first_release}")


def test_two_processes_that_upgrade_at_once_both_open_the_database(first_release: Path) -> None:
    context = multiprocessing.get_context("spawn")
    with context.Manager() as manager:
        start = manager.Barrier(2)
        with context.Pool(2) as pool:
            counts = pool.starmap(raffles_in, [(f"sqlite:///{first_release}", start)] * 2)

    assert counts == [3, 3]
    assert layout_of(first_release) == schema.VERSION


def raffles_in(url: str, start: Barrier) -> int:
    start.wait(LIMIT_S)
    with RaffleEngine(url) as engine:
        return engine.list().count


def test_an_upgrade_says_nothing(first_release: Path, capfd: pytest.CaptureFixture[str]) -> None:
    RaffleEngine(f"sqlite:///{first_release}").close()

    assert capfd.readouterr() == ("", "")
