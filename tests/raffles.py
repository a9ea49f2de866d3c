"""Raffles in a given state, made through the engine as any user would, and what of them is on the disk."""

from pathlib import Path

from rafflekit import Prize, Raffle, RaffleEngine, Ticket


def sold_out(engine: RaffleEngine, *, tickets: int = 6, prizes: tuple[Prize, ...] = (Prize("hug", 2),)) -> Raffle:
    """Create a raffle and hand out all of its tickets."""
    raffle = engine.create("Sold out", total_tickets=tickets, prizes=prizes)
    sell_all(engine, raffle)
    return engine.get(raffle.id)


def sell_all(engine: RaffleEngine, raffle: Raffle) -> list[Ticket]:
    """Hand every ticket of a raffle to a participant of its own."""
    return [engine.participate(raffle.id, f"participant {n}") for n in range(raffle.total_tickets)]


def stored_bytes(database: Path) -> bytes:
    """Return everything on the disk: the database, its journal, and the journal's index."""
    return b"".join(file.read_bytes() for file in sorted(database.parent.glob(f"{database.name}*")))
