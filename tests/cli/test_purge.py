"""`rafflekit purge`."""

import json

from rafflekit import Raffle, RaffleEngine
from tests.cli.conftest import Session, Terminal


def test_purge_says_of_how_many_tickets_the_participants_were_dropped(
    terminal: Terminal, engine: RaffleEngine, sold_out: Raffle
) -> None:
    engine.draw(sold_out.id)

    purged, again = terminal(f"purge {str(sold_out.id)[:8]}"), terminal(f"purge {sold_out.id} --json")

    assert purged == Session(0, f"id: {sold_out.id}\npurged: {sold_out.total_tickets}\n", "")
    assert (again.status, json.loads(again.out)) == (0, {"raffle_id": str(sold_out.id), "purged": 0})


def test_purge_is_refused_before_the_draw(terminal: Terminal, sold_out: Raffle) -> None:
    assert terminal(f"purge {sold_out.id}") == Session(
        1, "", "rafflekit: Winners for the raffle have not been drawn yet\n"
    )
