"""`RaffleEngine.purge` deletes the stored data of a finished raffle's participants, and nothing else."""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection

from rafflekit import NotDrawnYet, Prize, RaffleEngine, RaffleNotFound, SoldOut, StorageUnavailable, check_database
from rafflekit.core import endings
from rafflekit.core.storage.statements import tickets
from tests.core.conftest import NOW, Clock
from tests.databases import open_engine, run
from tests.raffles import sold_out, stored_bytes

PRIZES = (Prize("car"), Prize("hug", 3))
KEY = "the key of a request"


def tickets_of(url: str, *columns: str) -> Sequence[Any]:
    return run(url, f"SELECT {', '.join(columns)} FROM tickets ORDER BY raffle, serial")


def test_a_purge_deletes_participants_and_nothing_else(
    database_url: str, engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "_PURGED_AT_ONCE", 7)
    drawn = engine.create("Drawn", total_tickets=20, prizes=PRIZES)
    tickets = [engine.participate(drawn.id, f"participant {n}", idempotency_key=f"{KEY} {n}") for n in range(20)]
    wins = list(engine.draw(drawn.id))
    others = [sold_out(engine), sold_out(engine)]
    engine.draw(others[0].id)
    kept = ("raffle", "serial", "number", "nth", "code_hash")
    before = tickets_of(database_url, *kept)
    hashes = {each.id: hashes_of(database_url, each.id) for each in others}

    purged = engine.purge(drawn.id)

    assert purged == 20
    assert hashes_of(database_url, drawn.id) == [(str(serial).encode(), None) for serial in range(20)]
    assert tickets_of(database_url, *kept) == before
    assert {each.id: hashes_of(database_url, each.id) for each in others} == hashes
    assert list(engine.winners(drawn.id).items) == wins
    won = {win.ticket_number: win.prize for win in wins}
    for ticket in tickets:
        assert engine.verify(drawn.id, ticket.number, ticket.verification_code).prize == won.get(ticket.number)
    with pytest.raises(SoldOut):
        engine.participate(drawn.id, "participant 0", idempotency_key=f"{KEY} 0")
    report = check_database(database_url)
    assert (report.problems, report.hashed_participants) == ((), 6)


def test_a_purge_leaves_no_time_at_which_a_ticket_was_issued(database_url: str, clock: Clock) -> None:
    """A log may have that time, and the network of an address."""
    with open_engine(database_url, clock=clock) as engine:
        raffles = [engine.create("Foobar", total_tickets=9, prizes=[Prize("hug")]) for _ in range(3)]
        for person in ("ann", "bob", "cid"):
            for raffle in raffles:
                clock.now += timedelta(seconds=1)
                engine.participate(raffle.id, person)
        drawn, cancelled, other = (raffle.id for raffle in raffles)
        clock.now += timedelta(hours=1)
        engine.close_raffle(drawn)
        ended_at = int(clock.now.timestamp())
        clock.now += timedelta(hours=1)
        engine.draw(drawn)
        engine.cancel(cancelled, "rain")

        engine.purge(drawn)

    by_raffle = "SELECT count(DISTINCT issued_at), max(issued_at) FROM tickets GROUP BY raffle ORDER BY 2"
    issued_at = int(NOW.timestamp()) + 9
    assert run(database_url, by_raffle) == [(3, issued_at), (1, ended_at), (1, ended_at + 3600)]
    assert other


def hashes_of(url: str, raffle: Any) -> list[tuple[bytes, bytes | None]]:
    mark, key = ("%s", raffle) if url.startswith("postgresql") else ("?", raffle.bytes)
    rows = run(url, f"SELECT participant, repeat_hash FROM tickets WHERE raffle = {mark} ORDER BY serial", key)
    return [(bytes(who), again and bytes(again)) for who, again in rows]


def test_a_purge_works_in_parts_without_overlap(engine: RaffleEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    raffle = sold_out(engine, tickets=20)
    engine.draw(raffle.id)
    parts: list[tuple[int, int]] = []
    forget = tickets.forget_participants

    def noted(connection: Connection, *, first: int, last: int, **given: Any) -> int:
        parts.append((first, last))
        return forget(connection, first=first, last=last, **given)

    monkeypatch.setattr(tickets, "forget_participants", noted)
    monkeypatch.setattr(endings, "_PURGED_AT_ONCE", 7)

    assert engine.purge(raffle.id) == 20
    assert parts == [(0, 6), (7, 13), (14, 20)]


def test_a_second_purge_finds_nothing(engine: RaffleEngine) -> None:
    raffle, other = sold_out(engine), sold_out(engine)
    for each in (raffle, other):
        engine.draw(each.id)
    before = engine.check_purge(raffle.id)

    assert [engine.purge(raffle.id), engine.purge(raffle.id)] == [6, 0]
    assert [before, engine.check_purge(raffle.id), engine.check_purge(other.id)] == [True, False, True]


def test_participants_are_deleted_only_after_the_draw(database_url: str, engine: RaffleEngine) -> None:
    raffle = sold_out(engine)
    before = hashes_of(database_url, raffle.id)

    for call in (engine.purge, engine.check_purge):
        with pytest.raises(NotDrawnYet):
            call(raffle.id)
    with pytest.raises(RaffleNotFound):
        engine.purge("3f0c3f0c-3f0c-3f0c-3f0c-3f0c3f0c3f0c")

    assert hashes_of(database_url, raffle.id) == before


def test_deleted_data_leave_the_file_and_its_journal(database: Path) -> None:
    """There are enough tickets to split pages of the index; with few, a hash rarely stays in one."""
    with open_engine(f"sqlite:///{database}") as engine:
        raffles = [engine.create("Foobar", total_tickets=3_000, prizes=PRIZES) for _ in range(3)]
        for raffle in raffles:
            assert len(list(engine.participate_many(raffle.id, [f"participant {n}" for n in range(3_000)]))) == 3_000
            engine.draw(raffle.id)
        with closing(sqlite3.connect(database)) as connection:
            hashes = {bytes(who)[:8] for (who,) in connection.execute("SELECT participant FROM tickets")}
        assert hashes <= pieces_of(database, 8)

        for raffle in raffles:
            assert engine.purge(raffle.id) == 3_000

        assert not hashes & pieces_of(database, 8)


def test_the_next_purge_completes_an_interrupted_one(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_connection: object) -> None:
        raise StorageUnavailable

    with open_engine(f"sqlite:///{database}") as engine:
        raffle = engine.create("Foobar", total_tickets=6_000, prizes=PRIZES)
        assert len(list(engine.participate_many(raffle.id, [f"participant {n}" for n in range(6_000)]))) == 6_000
        engine.draw(raffle.id)
        with closing(sqlite3.connect(database)) as connection:
            hashes = {bytes(who)[:8] for (who,) in connection.execute("SELECT participant FROM tickets")}
        with monkeypatch.context() as patched:
            patched.setattr(tickets, "rebuild_indexes", interrupted)
            with pytest.raises(StorageUnavailable):
                engine.purge(raffle.id)
        assert hashes & pieces_of(database, 8)

        assert engine.purge(raffle.id) == 0

        assert not hashes & pieces_of(database, 8)


def pieces_of(database: Path, length: int) -> set[bytes]:
    """Return everything of this length that is on the disk."""
    stored = stored_bytes(database)
    return {stored[at : at + length] for at in range(len(stored))}
