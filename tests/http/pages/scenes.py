"""Every page, in the states in which people see it. Tests of all pages, and the pictures in the docs, walk this table.

Anyone who adds a page adds a scene.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

from rafflekit import Prize, RaffleEngine, Ticket


class Scene(NamedTuple):
    """A page: its path, where names in braces are raffles of the fair, and the form that leads to it, if one does.

    `ready` is a JavaScript expression that is true when scripts have finished the page.
    """

    path: str
    form: dict[str, str] | None = None
    for_managers: bool = False
    ready: str = "true"


_NEW = {
    "name": "Midsummer night",
    "total_tickets": "500",
    "prizes": "hamper\n3 × dinner for two\njar of honey: 5",
    "closes_at": "2999-06-24T18:00",
    "draw_at": "2999-06-24T19:00",
    "promoter": "Friends of the village hall",
    "price": "£1",
}

SCENES = {
    "list": Scene("/raffles/"),
    "upcoming": Scene("/raffles/{upcoming}/"),
    "open": Scene("/raffles/{open}/"),
    "closed": Scene("/raffles/{closed}/"),
    "drawn": Scene("/raffles/{drawn}/"),
    "cancelled": Scene("/raffles/{cancelled}/"),
    "invitation": Scene("/raffles/{invitation}/"),
    "ticket": Scene("/raffles/{open}/participate/", form={"idempotency_key": "the-key-of-a-scene"}),
    "taken": Scene("/raffles/{open}/participate/", form={"idempotency_key": "another-key-of-a-scene"}),
    "winners": Scene("/raffles/{drawn}/winners/"),
    "wrong-code": Scene("/raffles/{drawn}/verify-ticket/", form={"ticket_number": "7", "verification_code": "X"}),
    "nothing-there": Scene("/nothing/"),
    **{f"wall-{state}": Scene(f"/raffles/{{{state}}}/live/") for state in ("upcoming", "open", "closed", "drawn")},
    "poster": Scene("/raffles/{open}/poster/"),
    "docs": Scene("/docs/"),
    "desk": Scene("/desk/", for_managers=True),
    "desk-new": Scene("/desk/new/", for_managers=True),
    "desk-mistakes": Scene("/desk/new/", {"name": "Fair", "total_tickets": "many"}, for_managers=True),
    "desk-check": Scene("/desk/new/", _NEW, for_managers=True),
    "desk-open": Scene("/desk/raffles/{open}/", for_managers=True),
    "desk-drawn": Scene("/desk/raffles/{drawn}/?done=drawn", for_managers=True),
    "desk-edit": Scene("/desk/raffles/{upcoming}/edit/", for_managers=True),
    "desk-tickets": Scene("/desk/raffles/{open}/tickets/", for_managers=True),
    "desk-cancel": Scene("/desk/raffles/{open}/cancel/", for_managers=True),
    "desk-draw": Scene("/desk/raffles/{closed}/draw/", for_managers=True),
    "desk-redeem": Scene("/desk/raffles/{drawn}/redeem/", for_managers=True),
    "desk-forfeit": Scene("/desk/raffles/{drawn}/forfeit/", for_managers=True),
    "desk-winners": Scene("/desk/raffles/{drawn}/winners/", for_managers=True),
    "desk-queue": Scene("/desk/raffles/{drawn}/queue/", for_managers=True),
    "desk-pass": Scene("/desk/pass/", for_managers=True),
    "proof": Scene("/raffles/{drawn}/proof/", ready="document.querySelector('#summary').textContent"),
}

_PRIZES = {"Hamper from the village shop": 1, "Dinner for two at the Swan": 2, "Jar of honey": 5}

_ANNOUNCED: dict[str, Any] = {"draw_at": datetime(2999, 12, 5, 20, tzinfo=UTC), "claim_days": 3}
_TEXTS = {
    "collection": "at the bar, until 21:00",
    "promoter": "Rowing Club Upper Linden",
    "address": "12 Garden Lane, Upper Linden",
    "price": "2 €",
    "licence": "Town council, permit 2026/117",
    "note": "All proceeds go to the new boat.",
}


def fill_with_raffles(engine: RaffleEngine, *, spell: Callable[[str], str] = str) -> dict[str, str]:
    """Create a raffle in each state; return their ids by the names that scenes call them.

    `spell` changes every text that people gave.
    """
    texts = {name: spell(text) for name, text in _TEXTS.items()}
    raffles = {
        "upcoming": _raffle(engine, spell, "Christmas market", opens_at=datetime(2999, 12, 1, 17, tzinfo=UTC)),
        "cancelled": _raffle(engine, spell, "Regatta"),
        "closed": _raffle(engine, spell, "Summer night’s ball", sold=30),
        "drawn": _raffle(engine, spell, "Harvest festival", sold=40),
        "invitation": _raffle(engine, spell, "Members’ evening", entry="invitation", **_ANNOUNCED, **texts),
        "open": _raffle(engine, spell, "Village fair", sold=17),
    }
    engine.cancel(raffles["cancelled"], spell("Too much wind."))
    for name in ("closed", "drawn"):
        engine.close_raffle(raffles[name])
    wins = engine.draw(raffles["drawn"])
    engine.forfeit(raffles["drawn"], wins[-1].ticket_number, why="unclaimed", reason=spell("Not collected by 21:00."))
    return raffles


def _raffle(engine: RaffleEngine, spell: Callable[[str], str], name: str, *, sold: int = 0, **options: Any) -> str:
    prizes = [Prize(spell(prize), amount) for prize, amount in _PRIZES.items()]
    raffle = engine.create(spell(name), total_tickets=60, prizes=prizes, **options)
    for outcome in engine.participate_many(raffle.id, [f"guest {number}" for number in range(sold)]):
        assert isinstance(outcome, Ticket)
    return str(raffle.id)
