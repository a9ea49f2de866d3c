"""A process that is killed in the middle of a transaction leaves nothing half done."""

import json
import signal
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rafflekit import Prize, Raffle, RaffleEngine
from tests.faults.stored import everything
from tests.programs import run
from tests.raffles import sell_all, sold_out, stored_bytes

# The engine asks the clock inside the transaction, when its rows are written and not yet committed.
KILLED_AT_THE_CLOCK = """
import os, signal, sys
from rafflekit import RaffleEngine
engine = RaffleEngine(sys.argv[1], clock=lambda: os.kill(os.getpid(), signal.SIGKILL))
getattr(engine, sys.argv[2])(*sys.argv[3:])
"""


# The draw or the cancellation is done; the secrets are still in the journal.
KILLED_BEFORE_THE_JOURNAL_IS_EMPTIED = """
import os, signal, sys
from rafflekit import RaffleEngine
from rafflekit.core.storage.database import Database
Database.empty_journal = lambda self: os.kill(os.getpid(), signal.SIGKILL)
getattr(RaffleEngine(sys.argv[1]), sys.argv[2])(*sys.argv[3:])
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


@pytest.mark.parametrize(("method", "arguments"), [("draw", []), ("cancel", ["No stage."])])
def test_secrets_left_by_a_killed_end_go_at_the_next_opening(database: Path, method: str, arguments: list[str]) -> None:
    with RaffleEngine(f"sqlite:///{database}") as engine:
        raffle = sold_out(engine)
        with closing(sqlite3.connect(database)) as connection:
            (secret,) = connection.execute("SELECT sealed FROM secrets").fetchone()
    kill_in_the_middle_of(database, method, str(raffle.id), *arguments, program=KILLED_BEFORE_THE_JOURNAL_IS_EMPTIED)
    assert secret in stored_bytes(database)

    with RaffleEngine(f"sqlite:///{database}") as engine:
        assert secret not in stored_bytes(database)
        assert engine.get(raffle.id).state in ("drawn", "cancelled")


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


NOW = datetime(2026, 12, 5, 18, tzinfo=UTC)

# A process makes the call on one copy of the database, and dies before its first statement; another one on another
# copy, and dies before its second; and so on, until the call is done. Statements of triggers count as well.
KILLED_BEFORE_EACH_STATEMENT = """
import itertools, json, os, shutil, signal, sys
from datetime import datetime
from sqlalchemy import Engine, event
from rafflekit import RaffleEngine

database, now, method, arguments = sys.argv[1:]
arguments, keywords = json.loads(arguments)
now = datetime.fromisoformat(now)
left = [10**9]

def before(statement):
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    left[0] -= 1

event.listen(Engine, "connect", lambda connection, _: connection.set_trace_callback(before))
for statements in itertools.count():
    copy = f"{database}-{statements}"
    shutil.copyfile(database, copy)
    shutil.copyfile(f"{database}.key", f"{copy}.key")
    child = os.fork()
    if child == 0:
        engine = RaffleEngine(f"sqlite:///{copy}", clock=lambda: now)
        left[0] = statements
        getattr(engine, method)(*arguments, **keywords)
        os._exit(0)
    if os.waitpid(child, 0)[1] == 0:
        break
print(statements)
"""


Call = tuple[str, list[Any], dict[str, Any]]
"""A method of the engine, and what follows the raffle's id."""


def change(_: RaffleEngine, __: Raffle) -> Call:
    return "change", [], {"total_tickets": 9}


def close(engine: RaffleEngine, raffle: Raffle) -> Call:
    for n in range(3):
        engine.participate(raffle.id, f"participant {n}")
    return "close_raffle", [], {}


def cancel(engine: RaffleEngine, raffle: Raffle) -> Call:
    close(engine, raffle)
    return "cancel", ["No stage."], {}


def redeem(engine: RaffleEngine, raffle: Raffle) -> Call:
    tickets = {ticket.number: ticket for ticket in sell_all(engine, raffle)}
    number = engine.draw(raffle.id)[0].ticket_number
    return "redeem", [number, tickets[number].verification_code], {}


def undo(engine: RaffleEngine, raffle: Raffle) -> Call:
    _, arguments, _ = redeem(engine, raffle)
    engine.redeem(raffle.id, *arguments)
    return "redeem", arguments, {"undo": True}


def forfeit(engine: RaffleEngine, raffle: Raffle) -> Call:
    _, [number, code], _ = redeem(engine, raffle)
    return "forfeit", [number], {"why": "renounced", "verification_code": code}


@pytest.mark.parametrize("prepared", [change, close, cancel, redeem, undo, forfeit])
def test_a_call_that_is_killed_anywhere_is_whole_or_absent(
    database: Path, prepared: Callable[[RaffleEngine, Raffle], Call]
) -> None:
    with RaffleEngine(f"sqlite:///{database}", clock=lambda: NOW) as engine:
        raffle = engine.create("Foobar", total_tickets=5, prizes=[Prize("hug", 2)])
        method, arguments, keywords = prepared(engine, raffle)
    before = everything(database)
    given = json.dumps([[str(raffle.id), *arguments], keywords])

    program = [sys.executable, "-c", KILLED_BEFORE_EACH_STATEMENT, str(database), NOW.isoformat(), method, given]
    kills = int(run(program).stdout)

    copies = [Path(f"{database}-{statements}") for statements in range(kills + 1)]
    stored = [everything(copy) for copy in copies]
    after = stored[-1]
    are_absent = [each == before for each in stored]
    # Some were killed before the commit, and some after it.
    assert are_absent == sorted(are_absent, reverse=True)
    assert 0 < sum(are_absent) < len(copies)
    for copy, is_absent in zip(copies, are_absent, strict=True):
        with RaffleEngine(f"sqlite:///{copy}", clock=lambda: NOW) as engine:
            if is_absent:
                getattr(engine, method)(raffle.id, *arguments, **keywords)
            elif method == "cancel":
                # The participants' hashes go after the commit; a purge completes what was killed.
                engine.purge(raffle.id)
        assert everything(copy) == after
