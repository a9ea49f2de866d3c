"""Forfeits that an operator signed against the rules, or that a stranger changed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from rafflekit.core.protocol.documents import ProvenForfeit
from rafflekit.core.protocol.forfeits import ForfeitStatement, Why
from rafflekit.core.protocol.notes import Note
from rafflekit.core.protocol.winners import DrawStatement
from tests.tamper.making.cases import (
    DEADLINE,
    LOSSES,
    RECEIPT_SERIAL,
    RECEIPT_SIZE,
    Base,
    Case,
    Given,
    bases,
    consistency,
    flipped,
    flipped_last_word,
    written,
)
from tests.vectors.examples import DRAWN, Loss, digest, signer

Edit = Callable[[list[dict[str, Any]]], object]


def forfeit_cases() -> Iterator[Case]:
    """Yield what step 13 has to refuse."""
    base = bases()["announced"]
    for name, edit in _edits(base).items():
        given = base.edited(lambda proof, edit=edit: edit(proof["forfeits"]))
        yield Case(f"forfeits: {name}", "forfeits", "announced", given)
    for name, losses in _other_losses().items():
        yield Case(f"signed forfeits: {name}", "forfeits", "announced", _with_losses(base, losses))
    for name, (place, changes) in _other_lines(base).items():
        given = _signed_again(base, place, changes)
        yield Case(f"signed forfeits: {name}", "forfeits", "announced", given)
    for name, (place, serial) in _other_tickets(base).items():
        forfeits = list(base.proof.forfeits or ())
        forfeits[place] = base.example.forfeit(_draw(base), place + 1, LOSSES[place], serial)
        yield Case(f"signed forfeits: {name}", "forfeits", "announced", base.changed(forfeits=forfeits))
    yield Case("signed forfeits: all of another draw", "forfeits", "announced", _of_another_draw(base))
    for name, number in _other_numbers(base).items():
        yield Case(f"signed forfeits: {name}, in the tree too", "forfeits", "announced", _with_number(base, number))
    early = bases()["early"]
    unknown = early.changed(forfeits=[*(early.proof.forfeits or ()), *(base.proof.forfeits or ())[1:2]])
    yield Case("forfeits: one of another raffle", "forfeits", "early", unknown)


def _edits(base: Base) -> dict[str, Edit]:
    stranger = signer("stranger", key_name=base.example.signer.name)
    first = (base.proof.forfeits or ())[0]
    text = Note.read(first.note).text
    line = first.note.removesuffix("\n").rpartition("\n")[2]
    assert len(first.path) > 1
    return {
        "the signature with another bit": lambda given: given[0].update(note=flipped_last_word(first.note, -1)),
        "signed twice": lambda given: given[0].update(note=f"{first.note}{line}\n"),
        "signed by another key of the same name": lambda given: given[0].update(note=f"{text}\n{stranger.line(text)}"),
        "another reason": lambda given: given[0].update(note=first.note.replace("not collected", "not wanted")),
        "the first one dropped": lambda given: given.pop(0),
        "one in the middle dropped": lambda given: given.pop(2),
        "one twice": lambda given: given.insert(1, given[0]),
        "two in another order": lambda given: given.insert(0, given.pop(1)),
        "no leaf": lambda given: given[0].update(leaf=None, path=[]),
        "another leaf": lambda given: given[0].update(leaf=given[1]["leaf"], path=given[1]["path"]),
        "another number in the leaf": lambda given: given[0]["leaf"].update(ticket_number=3),
        "another code hash in the leaf": lambda given: given[0]["leaf"].update(code_hash=given[1]["leaf"]["code_hash"]),
        "no path": lambda given: given[0].update(path=[]),
        "a path with another bit": lambda given: given[0]["path"].__setitem__(0, flipped(given[0]["path"][0])),
        "a path that is too long": lambda given: given[0]["path"].append(given[0]["path"][0]),
        "a leaf where the prize lapses": lambda given: given[5].update(leaf=given[0]["leaf"], path=given[0]["path"]),
        "a path where the prize lapses": lambda given: given[5].update(path=given[0]["path"]),
    }


def _other_losses() -> dict[str, Sequence[Loss]]:
    first, second, third, *others = LOSSES
    return {
        "before the draw": [first._replace(why=Why.DISQUALIFIED, time=DRAWN - 1), second, third, *others],
        "before the one before": [first, second._replace(time=DEADLINE - 1), third, *others],
        "win 0": [first._replace(win=0, why=Why.RENOUNCED), second],
        "a win that does not exist yet": [first._replace(win=5, why=Why.RENOUNCED), second],
        "one win twice": [first, second._replace(win=2)],
        "a win that passed on, twice": [first, second, third, third._replace(time=third.time + 1)],
        "a prize that had lapsed": [*LOSSES, LOSSES[-1]._replace(win=10)],
        "unclaimed a second before the deadline": [first._replace(time=DEADLINE - 1)],
        "unclaimed at once": [first._replace(time=DRAWN)],
        "unclaimed a second before the deadline of a ticket that took over": [
            first,
            second,
            third._replace(time=third.time - 1),
        ],
    }


def _other_lines(base: Base) -> dict[str, tuple[int, dict[str, Any]]]:
    first = Note.read((base.proof.forfeits or ())[0].note).text
    following = ForfeitStatement.read(first).next
    assert following is not None
    assert following.ticket_number != 3
    return {
        "another origin": (0, {"origin": bases()["early"].closing.origin}),
        "of another draw": (0, {"draw_hash": digest("another draw")}),
        "another number in the order": (0, {"number": 2}),
        "number 0": (0, {"number": 0}),
        "another next number in the note": (0, {"next": following._replace(ticket_number=3)}),
        "another next serial in the note": (0, {"next": following._replace(serial=following.serial ^ 1)}),
        "none as the next ticket in the note": (0, {"next": None}),
        "a next ticket in the note where the prize lapses": (5, {"next": following}),
    }


def _other_tickets(base: Base) -> dict[str, tuple[int, int | None]]:
    order = base.example.slots(base.proof.seed)
    return {
        "a friend's ticket is next": (0, order[6]),
        "a winner is next": (0, order[2]),
        "the loser is next": (0, order[1]),
        "a ticket that took over is next": (1, order[4]),
        "lapsed although a ticket is next": (0, None),
        "a ticket is next although all had a prize": (5, order[0]),
    }


def _other_numbers(base: Base) -> dict[str, int]:
    order = base.example.slots(base.proof.seed)
    return {
        "a number above N": 13,
        "a winner's number": base.example.leaves[order[0]].ticket_number,
        "the number of one who took over before": base.example.leaves[order[4]].ticket_number,
    }


def _draw(base: Base) -> DrawStatement:
    return DrawStatement.read(Note.read(base.proof.draw).text)


def _with_losses(base: Base, losses: Sequence[Loss]) -> Given:
    return base.changed(forfeits=base.example.forfeits(_draw(base), losses))


def _signed_again(base: Base, place: int, changes: dict[str, Any]) -> Given:
    forfeits = list(base.proof.forfeits or ())
    statement = ForfeitStatement.read(Note.read(forfeits[place].note).text)
    note = base.example.sign(replace(statement, **changes).text())
    forfeits[place] = ProvenForfeit(note, forfeits[place].leaf, forfeits[place].path)
    return base.changed(forfeits=forfeits)


def _of_another_draw(base: Base) -> Given:
    # The same seed and winners at another time: the notes belong to the other statement.
    other = replace(_draw(base), drawn=DRAWN - 1)
    return base.changed(forfeits=base.example.forfeits(other, LOSSES))


def _with_number(base: Base, number: int) -> Given:
    # Two tickets with one number are noticed without the leaves, because both got a prize. The changed ticket changes
    # the closing, and with it the seed: its place in the queue has to be found.
    for serial in range(len(base.example.leaves)):
        leaves = list(base.example.leaves)
        leaves[serial] = replace(leaves[serial], ticket_number=number)
        other = replace(base.example, leaves=leaves)
        proof = other.proof(losses=LOSSES)
        order = other.slots(proof.seed)
        place = order.index(serial)
        numbers = [leaves[each].ticket_number for each in order]
        if place > 3 and (number > 12 or numbers.index(number) < place):
            return replace(
                base.given,
                proof=written(proof.shape()),
                witnessed=[],
                leaves=None,
                receipt=written(other.receipt(RECEIPT_SERIAL, RECEIPT_SIZE).shape()),
                consistency=consistency(other, RECEIPT_SIZE),
            )
    raise AssertionError("no ticket is in the queue")
