"""A process that is killed in the middle of a transaction leaves nothing half done."""

import signal
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rafflekit import Prize, RaffleEngine
from tests.programs import run
from tests.raffles import sell_all, sold_out, stored_bytes

# The engine asks the clock inside the transaction, when its rows are written and not yet committed.
KILLED_AT_THE_CLOCK = """
import os, signal, sys
from rafflekit import RaffleEngine
engine = RaffleEngine(sys.argv[1], clock=lambda: os.kill(os.getpid(), signal.SIGKILL))
getattr(engine, sys.argv[2])(*sys.argv[3:])
"""


# The draw is done; its secrets are still in the journal.
KILLED_BEFORE_THE_JOURNAL_IS_EMPTIED = """
import os, signal, sys
from rafflekit import RaffleEngine
from rafflekit.core.storage.database import Database
Database.empty_journal = lambda self: os.kill(os.getpid(), signal.SIGKILL)
RaffleEngine(sys.argv[1]).draw(sys.argv[3])
"""


def kill_in_the_middle_of(database: Path, method: str, *arguments: str, program: str = KILLED_AT_THE_CLOCK) -> None:
    killed = run([sys.executable, "-c", program, f"sqlite:///{database}", method, *arguments])
    assert killed.returncode == -signal.SIGKILL, killed.stderr


def test_a_draw_that_is_killed_leaves_the_raffle_undrawn(database: Path, engine: RaffleEngine) -> None:
    raffle = sold_out(engine, tickets=300, prizes=(Prize("hug", 200),))

    kill_in_the_middle_of(database, "draw", str(raffle.id))

    assert engine.get(raffle.id) == raffle
    assert engine.winners(raffle.id).count == 0
    assert len(engine.draw(raffle.id)) == 200


def test_secrets_left_by_a_killed_draw_go_at_the_next_opening(database: Path) -> None:
    with RaffleEngine(f"sqlite:///{database}") as engine:
        raffle = sold_out(engine)
        with closing(sqlite3.connect(database)) as connection:
            (secret,) = connection.execute("SELECT participant_key FROM secrets").fetchone()
    kill_in_the_middle_of(database, "draw", str(raffle.id), program=KILLED_BEFORE_THE_JOURNAL_IS_EMPTIED)
    assert secret in stored_bytes(database)

    with RaffleEngine(f"sqlite:///{database}") as engine:
        assert secret not in stored_bytes(database)
        assert engine.get(raffle.id).winners_drawn


def test_a_request_whose_server_is_killed_costs_no_number(database: Path, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=5, prizes=[Prize("hug")])

    kill_in_the_middle_of(database, "participate", str(raffle.id), "participant 0")

    assert engine.get(raffle.id).available_tickets == 5
    assert sorted(ticket.number for ticket in sell_all(engine, raffle)) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("method", ["participate", "draw"])
def test_a_killed_process_leaves_no_lock(database: Path, engine: RaffleEngine, method: str) -> None:
    raffle = engine.create("Foobar", total_tickets=1, prizes=[Prize("hug")])
    if method == "draw":
        engine.participate(raffle.id, "ann")

    kill_in_the_middle_of(database, method, str(raffle.id), *(["ann"] if method == "participate" else []))

    assert engine.create("Next", total_tickets=1, prizes=[Prize("hug")]).available_tickets == 1
