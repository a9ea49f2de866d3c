"""The calls that sessions make in an interleaving: how each is made, and what the model says to its outcome."""

from dataclasses import dataclass
from typing import Any, Protocol

from rafflekit import Entry, Prize, Raffle, RaffleEngine, RaffleError, Ticket
from tests.raffle_model import RaffleModel


@dataclass(frozen=True)
class World:
    """Everything that calls can see: one raffle, and the names of raffles created meanwhile, the oldest first."""

    raffle: RaffleModel
    created: tuple[str, ...] = ()

    def with_raffle(self, raffle: RaffleModel) -> "World":
        return World(raffle, self.created)


@dataclass(frozen=True)
class Scene:
    """What calls are about: a raffle, the tickets that its first participants hold already, and a mark for names."""

    raffle: Raffle
    tickets: dict[str, Ticket]
    mark: str


class Call(Protocol):
    """A call of an engine. Its outcome is the value or the error, whatever it is."""

    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        """Make the call, and return what it returns in a form that can be compared."""

    def after(self, world: World, outcome: Any) -> World | None:
        """Return the world after this outcome, or None if the outcome is wrong."""


@dataclass(frozen=True)
class Participate:
    person: str
    key: str | None = None

    def on(self, engine: RaffleEngine, scene: Scene) -> Ticket:
        return engine.participate(scene.raffle.id, self.person, idempotency_key=self.key)

    def after(self, world: World, outcome: Any) -> World | None:
        expected = world.raffle.answer_to_participant(self.person, self.key)
        if expected is None and isinstance(outcome, Ticket) and world.raffle.can_issue(outcome.number):
            return world.with_raffle(world.raffle.with_ticket(self.person, self.key, outcome))
        return world if expected is not None and is_answer(outcome, expected) else None


@dataclass(frozen=True)
class ParticipateMany:
    entries: tuple[Participate, ...]

    def on(self, engine: RaffleEngine, scene: Scene) -> list[Ticket | RaffleError]:
        return list(engine.participate_many(scene.raffle.id, [Entry(each.person, each.key) for each in self.entries]))

    def after(self, world: World, outcome: Any) -> World | None:
        # After the draw the whole list may be refused instead of each entry.
        answers = [outcome] * len(self.entries) if isinstance(outcome, Exception) else outcome
        now: World | None = world
        for entry, answer in zip(self.entries, answers, strict=True):
            now = now and entry.after(now, answer)
        return now


@dataclass(frozen=True)
class Draw:
    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        return tuple(engine.draw(scene.raffle.id))

    def after(self, world: World, outcome: Any) -> World | None:
        refusal = world.raffle.refusal_of_draw()
        if refusal is None and isinstance(outcome, tuple):
            return world.with_raffle(world.raffle.with_wins(outcome))
        return world if refusal is not None and is_answer(outcome, refusal) else None


@dataclass(frozen=True)
class Winners:
    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        return engine.winners(scene.raffle.id).items

    def after(self, world: World, outcome: Any) -> World | None:
        return world if outcome == (world.raffle.wins or ()) else None


@dataclass(frozen=True)
class Get:
    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        raffle = engine.get(scene.raffle.id)
        return raffle.available_tickets, raffle.winners_drawn

    def after(self, world: World, outcome: Any) -> World | None:
        return world if outcome == (world.raffle.available_tickets, world.raffle.wins is not None) else None


@dataclass(frozen=True)
class Verify:
    """Ask with one participant's number and another's code, or the same one's; both hold tickets beforehand."""

    person: str
    code_of: str

    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        ticket, other = scene.tickets[self.person], scene.tickets[self.code_of]
        return engine.verify(scene.raffle.id, ticket.number, other.verification_code)

    def after(self, world: World, outcome: Any) -> World | None:
        return world if is_answer(outcome, world.raffle.verification(self.person, self.code_of)) else None


@dataclass(frozen=True)
class Create:
    name: str

    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        return engine.create(f"{scene.mark} {self.name}", total_tickets=2, prizes=[Prize("hug")]).available_tickets

    def after(self, world: World, outcome: Any) -> World | None:
        return World(world.raffle, (*world.created, self.name)) if outcome == 2 else None


@dataclass(frozen=True)
class List:
    def on(self, engine: RaffleEngine, scene: Scene) -> Any:
        names = [raffle.name.split(" ", 1) for raffle in engine.list().items]
        return tuple(rest[0] for mark, *rest in names if mark == scene.mark)

    def after(self, world: World, outcome: Any) -> World | None:
        return world if outcome == world.created[::-1] else None


def is_answer(outcome: Any, expected: Any) -> bool:
    if isinstance(expected, type):
        return type(outcome) is expected
    return bool(outcome == expected)
