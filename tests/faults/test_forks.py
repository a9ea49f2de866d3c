"""A forked process does not share its parent's database connection: no ticket is doubled or lost."""

import sys
from pathlib import Path

from rafflekit import Prize, RaffleEngine, SoldOut
from tests import programs

TICKETS = 60

# The parent has served, forks, and ends before its child does.
SERVED_AND_FORKED = """
import os, sys
from rafflekit import RaffleEngine
url, raffle = sys.argv[1:]
engine = RaffleEngine(url)
for n in range(5):
    print(engine.participate(raffle, f"parent {n}").number, flush=True)
parent_ended, ends = os.pipe()
child = os.fork()
if child:
    engine.close()
    os._exit(0)
os.close(ends)
os.read(parent_ended, 1)
for n in range(5):
    print(engine.participate(raffle, f"child {n}").number, flush=True)
with RaffleEngine(url) as own:
    for n in range(5):
        print(own.participate(raffle, f"child's own {n}").number, flush=True)
os.kill(os.getpid(), 9)
"""

# A thread may be in the middle of something when another forks; here it is the transaction itself that forks.
FORKED_IN_THE_MIDDLE = """
import os, sys
from rafflekit import RaffleEngine, StorageUnavailable
url, raffle = sys.argv[1:]
engine = RaffleEngine(url)
engine.participate(raffle, "parent")

def fork(connection):
    child = os.fork()
    if child == 0:
        for use in (lambda: engine.participate(raffle, "child"), engine.list, lambda: RaffleEngine(url)):
            try:
                use()
            except StorageUnavailable as refusal:
                print("forked off" in str(refusal), flush=True)
        os._exit(0)
    os.waitpid(child, 0)

engine._database.write(fork)
"""

# The thread that serves a group in the parent does not exist in the child, so the child must not wait for it.
FORKED_WHILE_A_GROUP_IS_SERVED = """
import os, signal, threading
from rafflekit.core.tickets.groups import Groups
parent, serving, may_end = os.getpid(), threading.Event(), threading.Event()

def serve(wishes):
    if os.getpid() == parent:
        serving.set()
        may_end.wait()
    return [2 * wish for wish in wishes]

groups = Groups(serve, most=5)
caller = threading.Thread(target=groups.submit, args=(1,))
caller.start()
serving.wait()
child = os.fork()
if child == 0:
    # A child that never stops waiting is ended.
    signal.alarm(30)
    print(groups.submit(21), flush=True)
    os._exit(0)
os.waitpid(child, 0)
may_end.set()
caller.join()
"""


def run(program: str, database: Path, raffle: object) -> list[str]:
    return programs.run([sys.executable, "-c", program, f"sqlite:///{database}", str(raffle)], text=True).stdout.split()


def test_a_forked_child_doubles_and_loses_nothing(database: Path) -> None:
    with RaffleEngine(f"sqlite:///{database}") as engine:
        raffle = engine.create("Foobar", total_tickets=TICKETS, prizes=[Prize("hug")])
    # The pipe is read until the last process that has it, the child, has ended.
    numbers = [int(number) for number in run(SERVED_AND_FORKED, database, raffle.id)]
    assert len(numbers) == 15

    with RaffleEngine(f"sqlite:///{database}") as engine:
        assert engine.get(raffle.id).available_tickets == TICKETS - 15
        while True:
            try:
                numbers.append(engine.participate(raffle.id, f"later {len(numbers)}").number)
            except SoldOut:
                break

    assert sorted(numbers) == list(range(1, TICKETS + 1))


def test_a_child_that_inherits_a_database_in_use_is_refused(database: Path) -> None:
    with RaffleEngine(f"sqlite:///{database}") as engine:
        raffle = engine.create("Foobar", total_tickets=TICKETS, prizes=[Prize("hug")])

        assert run(FORKED_IN_THE_MIDDLE, database, raffle.id) == ["True", "True", "True"]
        assert engine.get(raffle.id).available_tickets == TICKETS - 1


def test_a_child_does_not_wait_for_its_parents_callers(database: Path) -> None:
    assert run(FORKED_WHILE_A_GROUP_IS_SERVED, database, "no raffle") == ["42"]
