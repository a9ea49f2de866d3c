"""Raffles in a given state, made through the engine, and their bytes on the disk."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from rafflekit import Entry, Prize, Raffle, RaffleEngine, Ticket
from rafflekit.core.records import RaffleKeys
from rafflekit.core.storage.statements.tickets import load_sealed_keys
from rafflekit.core.tickets.sealing import unseal


def new_raffle(engine: RaffleEngine, tickets: int) -> Raffle:
    """Create a raffle with this number of tickets and one prize."""
    return engine.create("Foobar", total_tickets=tickets, prizes=[Prize("hug")])


def sold_out(engine: RaffleEngine, *, tickets: int = 6, prizes: tuple[Prize, ...] = (Prize("hug", 2),)) -> Raffle:
    """Create a raffle and hand out all of its tickets, in groups."""
    raffle = engine.create("Sold out", total_tickets=tickets, prizes=prizes)
    for outcome in engine.participate_many(raffle.id, people(tickets)):
        assert isinstance(outcome, Ticket)
    return engine.get(raffle.id)


def sold(engine: RaffleEngine, count: int, **options: Any) -> Raffle:
    """Create a raffle of nine tickets, with two hugs to win, and hand out this number of tickets."""
    raffle = engine.create("Foobar", total_tickets=9, **{"prizes": [Prize("hug", 2)]} | options)
    for person in people(count):
        engine.participate(raffle.id, person)
    return engine.get(raffle.id)


def sell_all(engine: RaffleEngine, raffle: Raffle) -> list[Ticket]:
    """Hand every ticket of a raffle to a different participant, one after the other."""
    return [engine.participate(raffle.id, person) for person in people(raffle.total_tickets)]


def people(count: int, *, first: int = 0) -> list[str]:
    """Return this number of participants, starting with `first`."""
    return [f"participant {n}" for n in range(first, first + count)]


def keyed(participants: Iterable[str]) -> list[Entry]:
    """Return participants with an idempotency key each."""
    return [Entry(participant, f"the secret key of {participant}") for participant in participants]


def keys_of(engine: RaffleEngine, raffle: Raffle) -> RaffleKeys:
    """Return the keys of a raffle that is not drawn, opened with the key of its engine."""
    sealed = engine._database.query(lambda connection: load_sealed_keys(connection, raffle.id))
    assert sealed is not None
    return unseal(sealed, engine._ledgers.required_key(), raffle.id)


def stored_bytes(database: Path) -> bytes:
    """Return everything on the disk: the database, its journal, and the journal's index."""
    return b"".join(file.read_bytes() for file in sorted(database.parent.glob(f"{database.name}*")))
