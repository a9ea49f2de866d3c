"""The calls that sessions make in an interleaving: how each is made, and what the model says to its outcome."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Protocol

from rafflekit import Entry, Prize, Raffle, RaffleEngine, RaffleError, Ticket, Win
from tests.raffle_model import BEGINNING, Asking, RaffleModel, Refusal, Terms

NOW = BEGINNING


@dataclass(frozen=True)
class World:
    """Everything that calls can see: one raffle, and the names of raffles created meanwhile, the oldest first."""

    raffle: RaffleModel
    created: tuple[str, ...] = ()

    def with_raffle(self, raffle: RaffleModel) -> "World":
        return World(raffle, self.created)

    def after(self, outcome: Any, refusal: Refusal | None, change: Callable[[], RaffleModel]) -> "World | None":
        """Return the world after a call that is refused like this, or else changes the raffle."""
        if refusal is not None:
            return self if is_answer(outcome, refusal) else None
        return None if isinstance(outcome, Exception) else self.with_raffle(change())


@dataclass(frozen=True)
class Scene:
    """What calls are about: a raffle, the tickets and the wins that it has already, and a mark for names."""

    raffle: Raffle
    tickets: dict[str, Ticket]
    mark: str
    wins: tuple[Win, ...] = ()

    def winner(self, place: int) -> Ticket:
        """Return the ticket of the win at this place."""
        number = self.wins[place].ticket_number
        return next(ticket for ticket in self.tickets.values() if ticket.number == number)


class Call(Protocol):
    """A call of an engine. Its outcome is the value or the error, whatever it is."""

    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        """Make the call, and return what it returns in a form that can be compared."""

    def after(self, world: World, scene: Scene, outcome: Any) -> World | None:
        """Return the world after this outcome, or None if the outcome is wrong."""


@dataclass(frozen=True)
class Participate:
    person: str
    key: str | None = None

    def on(self, engine: RaffleEngine, scene: Scene) -> Ticket:
        return engine.participate(scene.raffle.id, self.person, idempotency_key=self.key)

    def after(self, world: World, scene: Scene, outcome: Any) -> World | None:
        asking = Asking(name=self.person, key=self.key)
        expected = world.raffle.answer_to(asking, NOW)
        if expected is None and isinstance(outcome, Ticket) and world.raffle.can_issue(outcome.number):
            return world.with_raffle(world.raffle.with_ticket(asking, outcome, NOW))
        return world if expected is not None and is_answer(outcome, expected) else None


@dataclass(frozen=True)
class ParticipateMany:
    entries: tuple[Participate, ...]

    def on(self, engine: RaffleEngine, scene: Scene) -> list[Ticket | RaffleError]:
        return list(engine.participate_many(scene.raffle.id, [Entry(each.person, each.key) for each in self.entries]))

    def after(self, world: World, scene: Scene, outcome: Any) -> World | None:
        # After the draw the whole list may be refused instead of each entry.
        answers = [outcome] * len(self.entries) if isinstance(outcome, Exception) else outcome
        now: World | None = world
        for entry, answer in zip(self.entries, answers, strict=True):
            now = now and entry.after(now, scene, answer)
        return now


@dataclass(frozen=True)
class Change:
    """A change to other terms of the same entropy."""

    terms: Terms

    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        return engine.change(scene.raffle.id, **self.terms.given).total_tickets

    def after(self, world: World, scene: Scene, outcome: Any) -> World | None:
        refusal = world.raffle.refusal_to_change(self.terms)
        return world.after(outcome, refusal, lambda: replace(world.raffle, terms=self.terms))


@dataclass(frozen=True)
class Close:
    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        return engine.close_raffle(scene.raffle.id).available_tickets

    def after(self, world: World, scene: Scene, outcome: Any) -> World | None:
        return world.after(outcome, world.raffle.refusal_to_close(), lambda: world.raffle.closed(NOW))


@dataclass(frozen=True)
class Cancel:
    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        return engine.cancel(scene.raffle.id, "No stage.").state

    def after(self, world: World, scene: Scene, outcome: Any) -> World | None:
        refusal = world.raffle.refusal_to_cancel()
        return world.after(outcome, refusal, lambda: replace(world.raffle, is_cancelled=True))


@dataclass(frozen=True)
class Draw:
    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        return tuple(engine.draw(scene.raffle.id))

    def after(self, world: World, scene: Scene, outcome: Any) -> World | None:
        refusal = world.raffle.refusal_to_draw(NOW, None)
        return world.after(outcome, refusal, lambda: world.raffle.drawn(outcome, (), NOW))


@dataclass(frozen=True)
class Redeem:
    """Redeem the prize of a winner, or undo that."""

    place: int = 0
    undo: bool = False

    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        ticket = scene.winner(self.place)
        return engine.redeem(scene.raffle.id, ticket.number, ticket.verification_code, undo=self.undo)

    def after(self, world: World, scene: Scene, outcome: Any) -> World | None:
        number = scene.winner(self.place).number
        refusal = world.raffle.refusal_to_redeem(number, True, NOW, undo=self.undo)
        return world.after(outcome, refusal, lambda: world.raffle.redeemed(number, None if self.undo else NOW))


@dataclass(frozen=True)
class Forfeit:
    """Pass the prize of a winner on."""

    place: int = 0

    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        return engine.forfeit(scene.raffle.id, scene.winner(self.place).number, why="disqualified", reason="too young")

    def after(self, world: World, scene: Scene, outcome: Any) -> World | None:
        number = scene.winner(self.place).number
        refusal = world.raffle.refusal_to_forfeit(number, True, NOW, why="disqualified")
        if refusal is not None:
            return world if is_answer(outcome, refusal) else None
        after, heir = world.raffle.forfeited(number, "disqualified", "too young", NOW)
        return world.with_raffle(after) if outcome == heir else None


@dataclass(frozen=True)
class Winners:
    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        return tuple(engine.winners(scene.raffle.id).items)

    def after(self, world: World, scene: Scene, outcome: Any) -> World | None:
        return world if outcome == (world.raffle.wins or ()) else None


@dataclass(frozen=True)
class Get:
    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        raffle = engine.get(scene.raffle.id)
        return raffle.available_tickets, raffle.state

    def after(self, world: World, scene: Scene, outcome: Any) -> World | None:
        return world if outcome == (world.raffle.available_tickets(NOW), world.raffle.state(NOW)) else None


@dataclass(frozen=True)
class Verify:
    """Ask with one participant's number and another's code, or the same one's; both hold tickets beforehand."""

    person: str
    code_of: str

    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        ticket, other = scene.tickets[self.person], scene.tickets[self.code_of]
        return engine.verify(scene.raffle.id, ticket.number, other.verification_code)

    def after(self, world: World, scene: Scene, outcome: Any) -> World | None:
        number = scene.tickets[self.person].number
        expected = world.raffle.verification(number, self.person == self.code_of)
        return world if is_answer(outcome, expected) else None


@dataclass(frozen=True)
class Create:
    name: str

    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        return engine.create(f"{scene.mark} {self.name}", total_tickets=2, prizes=[Prize("hug")]).available_tickets

    def after(self, world: World, scene: Scene, outcome: Any) -> World | None:
        return World(world.raffle, (*world.created, self.name)) if outcome == 2 else None


@dataclass(frozen=True)
class List:
    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        names = [raffle.name.split(" ", 1) for raffle in engine.list().items]
        return tuple(rest[0] for mark, *rest in names if mark == scene.mark)

    def after(self, world: World, scene: Scene, outcome: Any) -> World | None:
        return world if outcome == world.created[::-1] else None


def is_answer(outcome: Any, expected: Any) -> bool:
    if isinstance(expected, type):
        return type(outcome) is expected
    return bool(outcome == expected)
