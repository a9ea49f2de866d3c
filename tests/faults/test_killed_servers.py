"""Real servers are killed many times while people take part and winners are drawn: no answered ticket is lost.

`RAFFLEKIT_TEST_KILLS` says how often; `make soak` kills 200 times.
"""

import secrets
import shutil
import sqlite3
import threading
import time
from contextlib import closing, suppress
from http.client import HTTPException
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection

from rafflekit import Prize
from rafflekit.core.protocol.checkpoints import End
from rafflekit.core.protocol.leaves import leaf_data
from rafflekit.core.protocol.tiles import GrowingTree
from rafflekit.core.protocol.tree import leaf_hash
from rafflekit.core.records import NewTicket
from rafflekit.core.storage.database import Database
from rafflekit.core.storage.statements import ledgers
from rafflekit.core.storage.statements.raffles import close_raffle
from rafflekit.core.storage.statements.tickets import insert_tickets, lock_counters, set_counters
from tests.databases import open_engine, run
from tests.faults.rush import KILLS, Rush, Start, check_ledger, check_tickets, kill, new_raffle
from tests.live_server import LiveServer
from tests.postgresql_server import OwnServer

DRAW_KILLS = max(3, KILLS // 5)
PRIZES = max(20_000, 500 * KILLS)
"""A draw takes long enough to be killed in; `make soak` draws 100,000."""
HASH = "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA"

random = secrets.SystemRandom()


def check_file(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []


def test_a_killed_server_loses_no_answered_ticket(database: Path, start: Start) -> None:
    url = f"sqlite:///{database}"
    raffle = new_raffle(url).id
    with Rush(raffle, start(url)) as rush:
        for _ in range(KILLS):
            # A number of answers, not a time: the kill then meets any phase of a group.
            rush.wait_for_tickets(random.randint(1, 60))
            kill(rush.server)
            answered = dict(rush.tickets)
            check_tickets(url, raffle, answered)
            check_ledger(url, raffle, set(rush.checkpoints))
            check_file(database)
            rush.server = start(url)
    rush.server.stop()

    assert rush.surprises == []
    # A repeated request got its first ticket: no participant has two, and every ticket has a participant.
    assert check_tickets(url, raffle, rush.tickets) == len(rush.tickets)
    check_ledger(url, raffle, rush.checkpoints)
    print(f"\n{KILLS} kills, {len(rush.tickets):,} tickets answered, none lost, none doubled")


def test_killed_postgresql_servers_lose_no_answered_ticket(postgresql_of_our_own: OwnServer, start: Start) -> None:
    url = postgresql_of_our_own.url()
    raffle = new_raffle(url).id
    with Rush(raffle, start(url)) as rush:
        for turn in range(KILLS):
            rush.wait_for_tickets(random.randint(1, 60))
            if turn % 2:
                kill(rush.server)
                rush.server = start(url)
            else:
                postgresql_of_our_own.stop("immediate")
                # The service keeps running, answers that it is unavailable, and recovers by itself.
                rush.wait_for_outage()
                postgresql_of_our_own.start()
            answered = dict(rush.tickets)
            check_tickets(url, raffle, answered)
            check_ledger(url, raffle, set(rush.checkpoints))
        rush.wait_for_tickets(1)
    rush.server.stop()

    assert rush.surprises == []
    assert check_tickets(url, raffle, rush.tickets) == len(rush.tickets)
    check_ledger(url, raffle, rush.checkpoints)
    print(f"\n{KILLS} kills, {len(rush.tickets):,} tickets answered, none lost, none doubled")


def test_a_draw_whose_server_is_killed_is_whole_or_absent(database: Path, tmp_path: Path, start: Start) -> None:
    raffle = sold_out_raffle(database)
    longest_s = seconds_of_a_draw(copy_of(database, tmp_path / "measured.db"), raffle)
    outcomes = []
    for turn in range(DRAW_KILLS):
        copy = copy_of(database, tmp_path / f"killed-{turn}.db")
        server = start(f"sqlite:///{copy}")
        drawing = threading.Thread(target=ask_for_a_draw, args=(server, raffle))
        drawing.start()
        # Any moment of a draw and of its answer will do, and what must hold does not depend on which.
        drawing.join(random.uniform(0, 2 * longest_s))
        kill(server)
        drawing.join()
        outcomes.append(check_draw(copy, raffle))
        check_file(copy)
    print(f"\n{DRAW_KILLS} draws of {PRIZES:,} prizes killed: {outcomes.count(False)} absent, the others whole")


def sold_out_raffle(database: Path) -> UUID:
    """Make a raffle with a prize for every ticket, past the engine, because no codes are needed here."""
    url = f"sqlite:///{database}"
    with open_engine(url) as engine:
        raffle = engine.create("Foobar", total_tickets=PRIZES, prizes=[Prize("hug", PRIZES)]).id
    with closing(Database(url)) as opened:
        tickets = [
            NewTicket(raffle, serial, serial + 1, serial.to_bytes(16, "big"), 1, HASH, bytes(16), 0)
            for serial in range(PRIZES)
        ]

        def sell_out(connection: Connection) -> None:
            lock_counters(connection, [raffle])
            insert_tickets(connection, tickets)
            set_counters(connection, {raffle: PRIZES})
            leaves = [leaf_hash(leaf_data(raffle, each.serial, each.number, each.code_hash)) for each in tickets]
            ledgers.insert_tiles(connection, raffle, GrowingTree().grown(leaves)[1])
            close_raffle(connection, raffle, End(1_800_000_000))

        opened.write(sell_out)
    return raffle


def copy_of(database: Path, copy: Path) -> Path:
    shutil.copyfile(f"{database}.key", f"{copy}.key")
    return Path(shutil.copyfile(database, copy))


def seconds_of_a_draw(database: Path, raffle: UUID) -> float:
    with open_engine(f"sqlite:///{database}") as engine:
        begun = time.monotonic()
        engine.draw(raffle)
        return time.monotonic() - begun


def ask_for_a_draw(server: LiveServer, raffle: UUID) -> None:
    with suppress(OSError, HTTPException, ValueError):
        server.request("POST", f"/raffles/{raffle}/winners/")


def check_draw(database: Path, raffle: UUID) -> bool:
    """Check that a draw is whole or absent, and can be made if it is absent; return whether it is there."""
    url = f"sqlite:///{database}"
    [(wins, serials)] = run(url, "SELECT count(*), count(DISTINCT serial) FROM wins")
    [(secret_rows,)] = run(url, "SELECT count(*) FROM secrets")
    with open_engine(url) as engine:
        is_drawn = engine.get(raffle).winners_drawn
        assert (wins, serials, secret_rows) == ((PRIZES, PRIZES, 0) if is_drawn else (0, 0, 1))
        if not is_drawn:
            assert len(engine.draw(raffle)) == PRIZES
    return is_drawn
