"""`rafflekit purge`."""

import json

from rafflekit import Raffle, RaffleEngine
from tests.cli.conftest import OnScreen, Session, Terminal


def test_purge_says_for_how_many_tickets_it_deleted(terminal: Terminal, engine: RaffleEngine, sold_out: Raffle) -> None:
    engine.draw(sold_out.id)

    purged, again = terminal(f"purge {str(sold_out.id)[:8]} --yes"), terminal(f"purge {sold_out.id} -y --json")

    assert purged == Session(0, f"id: {sold_out.id}\npurged: {sold_out.total_tickets}\n", "")
    assert (again.status, json.loads(again.out)) == (0, {"raffle_id": str(sold_out.id), "purged": 0})


def test_purge_is_refused_before_the_draw(terminal: Terminal, sold_out: Raffle) -> None:
    assert terminal(f"purge {sold_out.id}") == Session(
        1, "", "rafflekit: Winners for the raffle have not been drawn yet\n"
    )


def test_purge_needs_yes_without_a_terminal(terminal: Terminal, engine: RaffleEngine, sold_out: Raffle) -> None:
    engine.draw(sold_out.id)

    asked = terminal(f"purge {sold_out.id}")

    assert asked == Session(
        2, "", "rafflekit: Deleted data cannot be restored, and there is no terminal to ask on; give --yes.\n"
    )
    assert engine.purge(sold_out.id) == sold_out.total_tickets


def test_purge_asks_and_warns_of_older_backups(screen: OnScreen, engine: RaffleEngine, sold_out: Raffle) -> None:
    engine.draw(sold_out.id)

    refused = screen(f"purge {sold_out.id}", answers={"[y/N]": "n\n"})
    purged = screen(f"purge {sold_out.id}", answers={"[y/N]": "y\n"})

    assert refused.status == 1
    assert "Older backups still contain the data." in refused.text
    assert "Nothing was deleted." in refused.text
    assert purged.status == 0
    assert f"purged: {sold_out.total_tickets}" in purged.text
