"""`participate --from` after an older backup was restored, which lacks the tickets that were handed out after it."""

from pathlib import Path

from rafflekit import Prize, RaffleEngine
from tests.cli.conftest import Terminal
from tests.ticket_lists import write_list

COMMAND = "participate Choir --from people.csv --out tickets.csv"
RESTORED = "--database-url sqlite:///old.db"


def sell_after_a_backup(terminal: Terminal, engine: RaffleEngine, folder: Path) -> None:
    engine.create("Choir", total_tickets=9, prizes=[Prize("cake")])
    write_list(folder / "people.csv", ["ann", "bob"])
    terminal(COMMAND)
    terminal("backup old.db")
    write_list(folder / "people.csv", ["ann", "bob", "cy", "dan"])
    assert terminal(COMMAND).status == 0


def test_an_output_with_more_tickets_than_the_raffle_is_refused(
    terminal: Terminal, engine: RaffleEngine, folder: Path
) -> None:
    sell_after_a_backup(terminal, engine, folder)

    refused = terminal(f"{COMMAND} {RESTORED}")

    assert (refused.status, refused.out) == (2, "")
    assert refused.err == (
        "rafflekit: tickets.csv has 4 tickets, but 2 of this raffle have been handed out. If you restored an older "
        "backup, move tickets.csv away and rerun the command: it hands out the missing tickets again.\n"
    )


def test_a_restored_backup_gives_a_list_the_same_tickets_again(
    terminal: Terminal, engine: RaffleEngine, folder: Path
) -> None:
    sell_after_a_backup(terminal, engine, folder)
    (folder / "tickets.csv").rename(folder / "before.csv")

    done = terminal(f"{COMMAND} {RESTORED}")

    assert (done.status, done.out) == (0, "4 tickets, 0 refused; tickets.csv\n")
    assert (folder / "tickets.csv").read_bytes() == (folder / "before.csv").read_bytes()
