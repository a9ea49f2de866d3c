"""Options of the terms, announced values and forfeits in a wrong form; options that were changed later."""

from collections.abc import Callable, Iterator
from typing import Any

from tests.tamper.making.cases import Base, Case, bases
from tests.vectors.examples import VALUE

Edit = Callable[[dict[str, Any]], object]

_CREATED = "2023-08-23T15:00:00Z"


def option_form_cases() -> Iterator[Case]:
    """Yield what step 1 has to refuse."""
    announced, early = bases()["announced"], bases()["early"]
    for name, changes in _wrong_terms().items():
        yield Case(f"terms with {name}", "form", "announced", announced.edited(_updating("terms", changes)))
    for name, changes in _wrong_times().items():
        yield Case(f"terms with {name}", "form", "early", early.edited(_updating("terms", changes)))
    for name, value in _wrong_values().items():
        edit = _updating("entropy", {"value": value})
        yield Case(f"an announced value {name}", "form", "announced", announced.edited(edit))
    yield Case("announced entropy without its source", "form", "announced", announced.edited(_without_source))
    yield Case("a source of drand's beacon", "form", "early", early.edited(_updating("terms", {"source": "drand"})))
    escaped = announced.replaced(f'"{VALUE}"', '"3 17 \\ud800"')
    yield Case("an announced value with a lone surrogate", "form", "announced", escaped)
    for name, edit in _forfeits().items():
        yield Case(name, "form", "announced", announced.edited(edit))
    for name, edit in _notes(announced).items():
        yield Case(name, "form", "announced", announced.edited(edit))
    both = early.proof.closing.replace("round 1000\n", "round 1000\ncancelled 1692806304\nreason rain\n")
    yield Case("a closing that is a cancellation, too", "form", "early", early.changed(closing=both))
    cancelled = early.proof.closing.replace("closed 1692806304\nround 1000\n", "cancelled 1692806304\nreason rain\n")
    yield Case("a cancellation in the closing's place", "form", "early", early.changed(closing=cancelled))


def option_terms_cases() -> Iterator[Case]:
    """Yield what step 2 has to refuse."""
    announced, early = bases()["announced"], bases()["early"]
    changed: dict[str, Edit] = {
        "another source": lambda terms: terms.update(source="ten dice, rolled on stage"),
        "another entry rule": lambda terms: terms.update(entry="desk"),
        "no entry rule": lambda terms: terms.pop("entry"),
        "a ticket more for each": lambda terms: terms.update(tickets_each=6),
        "a later deadline": lambda terms: terms.update(claim_days=8),
        "no deadline": lambda terms: terms.pop("claim_days"),
        "a draw that was planned later": lambda terms: terms.update(draw_at="2023-08-24T15:00:00Z"),
        "another price": lambda terms: terms.update(price="£2"),
        "no place where prizes are collected": lambda terms: terms.pop("collection"),
    }
    for name, edit in changed.items():
        yield Case(f"terms: {name}", "terms", "announced", announced.edited(_editing("terms", edit)))
    times: dict[str, Edit] = {
        "opened later": lambda terms: terms.update(opens_at="2023-08-23T15:00:01Z"),
        "no opening time": lambda terms: terms.pop("opens_at"),
        "closed later": lambda terms: terms.update(closes_at="2023-08-23T16:00:01Z"),
        "a deadline that was not announced": lambda terms: terms.update(claim_days=7),
    }
    for name, edit in times.items():
        yield Case(f"terms: {name}", "terms", "early", early.edited(_editing("terms", edit)))


def _wrong_terms() -> dict[str, dict[str, Any]]:
    return {
        "the entry rule that holds without one": {"entry": "address"},
        "an unknown entry rule": {"entry": "anyone"},
        "an entry rule of null": {"entry": None},
        "one ticket each, which holds without the key": {"tickets_each": 1},
        "no ticket each": {"tickets_each": 0},
        "1,001 tickets each": {"tickets_each": 1_001},
        "tickets each as a text": {"tickets_each": "5"},
        "true as tickets each": {"tickets_each": True},
        "no day for claims": {"claim_days": 0},
        "3,651 days for claims": {"claim_days": 3_651},
        "an empty source": {"source": ""},
        "a source of spaces": {"source": " \u3000"},
        "a source of 201 characters": {"source": "x" * 201},
        "a line break in its source": {"source": "Lotto\u2028numbers"},
        "a delay without a beacon": {"delay_s": 60},
        "an opening time of null": {"opens_at": None},
        "a draw that was planned as it was created": {"draw_at": _CREATED},
        "a price of null": {"price": None},
        "a price as a number": {"price": 1},
        "an empty address": {"address": ""},
        "a note of 201 characters": {"note": "x" * 201},
        "a line break in its licence": {"licence": "M123\n456"},
    }


def _wrong_times() -> dict[str, dict[str, Any]]:
    return {
        "an opening time without its zone": {"opens_at": "2023-08-23T15:00:00"},
        "an opening time in seconds": {"opens_at": 1692802800},
        "a closing time on a day that never was": {"closes_at": "2023-02-29T15:00:00Z"},
        "a closing time as it opens": {"closes_at": _CREATED},
        "a closing time before it opens": {"opens_at": "2023-08-23T16:00:01Z"},
        "a draw that was planned before it closes": {"draw_at": "2023-08-23T15:59:59Z"},
        "a price without its promoter": {"price": "£1", "draw_at": "2023-08-23T16:00:00Z"},
        "a price without the time of its draw": {"price": "£1", "promoter": "Scouts"},
    }


def _wrong_values() -> dict[str, Any]:
    return {
        "that is empty": "",
        "with a space at its end": f"{VALUE} ",
        "with a space in front": f" {VALUE}",
        "with two spaces in a row": VALUE.replace(" ", "  ", 1),
        "with a tab": VALUE.replace(" ", "\t", 1),
        "with another kind of space": VALUE.replace(" ", "\u00a0", 1),
        "with a line separator": VALUE.replace(" ", "\u2028", 1),
        "with a control character": VALUE.replace(" ", "\u0085", 1),
        "of 1,001 characters": "1" * 1_001,
        "that is a number": 31,
        "that is null": None,
    }


def _forfeits() -> dict[str, Edit]:
    return {
        "no list of forfeits, not even null": lambda proof: proof.pop("forfeits"),
        "forfeits as an object": lambda proof: proof.update(forfeits={}),
        "an unknown field in a forfeit": lambda proof: proof["forfeits"][0].update(number=1),
        "a forfeit without its path": lambda proof: proof["forfeits"][0].pop("path"),
        "a forfeit with a path of null": lambda proof: proof["forfeits"][0].update(path=None),
        "a forfeit with a list as its leaf": lambda proof: proof["forfeits"][0].update(leaf=[]),
        "a forfeit with ticket number 0": lambda proof: proof["forfeits"][0]["leaf"].update(ticket_number=0),
    }


def _notes(base: Base) -> dict[str, Edit]:
    note = (base.proof.forfeits or ())[0].note
    lines = {
        "of version 2": ("forfeit v1", "forfeit v2"),
        "with another reason why": ("why unclaimed", "why lost"),
        "without a reason": ("reason not collected in time\n", ""),
        "with a blank reason": ("reason not collected in time", "reason  "),
        "with a reason of 201 characters": ("not collected in time", "x" * 201),
        "with two reasons": ("reason not", "reason twice\nreason not"),
        "without its number": ("forfeit 1\n", ""),
        "with a zero in front of its number": ("forfeit 1\n", "forfeit 01\n"),
        "with a win below 0": ("win 2", "win -2"),
        "with no next line": ("next ", "following "),
    }
    edits: dict[str, Edit] = {
        f"a forfeit {name}": _with_note(note.replace(old, new, 1)) for name, (old, new) in lines.items()
    }
    text = note.partition("\n\n")[0] + "\n"
    draw = base.proof.draw
    drawn = draw.split("\n")[3]
    moved = note.replace("win 2\n", "", 1).replace("\nnext ", "\nwin 2\nnext ", 1)
    edits["a forfeit with its lines in another order"] = _with_note(moved)
    edits["a forfeit without a signature line"] = _with_note(text)
    edits["a forfeit with an empty list of signatures"] = _with_note(f"{text}\n")
    edits["the draw in a forfeit's place"] = _with_note(draw)
    edits["a draw without its time"] = lambda proof: proof.update(draw=draw.replace(f"{drawn}\n", "", 1))
    edits["a draw with its time in another place"] = lambda proof: proof.update(
        draw=draw.replace(f"{drawn}\n", "", 1).replace("\nwinners ", f"\n{drawn}\nwinners ", 1)
    )
    edits["a draw without a signature line"] = lambda proof: proof.update(draw=draw.partition("\n\n")[0] + "\n")
    edits["a draw with another first line"] = lambda proof: proof.update(draw=draw.replace("rafflekit draw", "draw", 1))
    return edits


def _with_note(note: str) -> Edit:
    return lambda proof: proof["forfeits"][0].update(note=note)


def _without_source(proof: dict[str, Any]) -> None:
    del proof["terms"]["source"]


def _updating(place: str, changes: dict[str, Any]) -> Edit:
    return lambda proof: proof[place].update(changes)


def _editing(place: str, edit: Edit) -> Edit:
    return lambda proof: edit(proof[place])
