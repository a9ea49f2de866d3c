"""The form in which the terms of a raffle are written: its fields, how they are read, and how they are filled in.

A field for a time has no zone, so a second one, hidden, holds its offset from UTC: that of the browser, if its script
runs, and otherwise UTC, as the page says.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

import msgspec

from rafflekit.core import limits
from rafflekit.core.errors import InvalidValue
from rafflekit.core.prizes import Prize
from rafflekit.core.protocol.entropy import SECRETS, SOURCES
from rafflekit.core.protocol.terms import TEXTS, TIMES, EntryRule, Terms
from rafflekit.core.written_prizes import doubtful_amounts, read_prize_lines, write_prize_lines
from rafflekit.http import reading
from rafflekit.http.pages.desk.page import Mistake, Refused, mistake_of
from rafflekit.http.pages.typed import typed_number

OFFSET = "_offset"
"""The end of the name of a field that holds the offset of a time."""

_UTC_OFFSET = "+00:00"
_SKIPPED = "skipped"
"""What the script writes instead of an offset if the clocks of its zone skip the time."""

# Terms that are right whatever the others are; all that are not here can be missing.
_RIGHT: dict[str, Any] = {
    "name": "-",
    "total_tickets": limits.TICKETS,
    "prizes": (Prize("-"),),
    "source": "-",
    "promoter": "-",
    "draw_at": datetime(9999, 12, 31, tzinfo=UTC),
}
_OF_SOURCE = ("delay_s", "source")

_WITHOUT_SECONDS = len("2026-12-05T18:00")


class TermsForm(msgspec.Struct, frozen=True, kw_only=True):
    """The terms as they are typed."""

    idempotency_key: str = ""
    name: str = ""
    total_tickets: str = ""
    prizes: str = ""
    entry: str = EntryRule.ADDRESS.value
    tickets_each: str = ""
    entropy: str = SECRETS
    delay_s: str = ""
    source: str = ""
    opens_at: str = ""
    opens_at_offset: str = _UTC_OFFSET
    closes_at: str = ""
    closes_at_offset: str = _UTC_OFFSET
    draw_at: str = ""
    draw_at_offset: str = _UTC_OFFSET
    claim_days: str = ""
    collection: str = ""
    promoter: str = ""
    address: str = ""
    price: str = ""
    licence: str = ""
    note: str = ""
    again: str = ""
    """Not empty if the form is to be shown again, to be changed."""

    def fields(self) -> dict[str, str]:
        """Return what was typed, by field."""
        return {name: value for name, value in msgspec.structs.asdict(self).items() if name != "again"}


class EditForm(TermsForm, frozen=True, kw_only=True):
    """The terms of a raffle as they are changed."""

    shown: str = ""
    """The hash of the terms that the page showed, so that no one reverts another's change unawares."""
    seen: str = ""
    """The prizes, one per line, whose amounts the page showed as doubtful."""


class ReadTerms(NamedTuple):
    """The terms that could be read (None: an option that is empty), and what is wrong with the others."""

    terms: dict[str, Any]
    mistakes: tuple[Mistake, ...]

    @property
    def given(self) -> dict[str, Any]:
        """The terms without empty options."""
        return {name: value for name, value in self.terms.items() if value is not None}

    def refused(self, terms: Mapping[str, Any], check: Callable[..., object]) -> Refused | None:
        """Return all that is wrong with these of the terms, in the order of the form; None if nothing is.

        `check` takes them and refuses the first that is wrong. Each is then replaced by one that is right, so that the
        next is found.
        """
        mistakes = list(self.mistakes)
        tried = dict(terms) | {each.field: _RIGHT[each.field] for each in mistakes if each.field in _RIGHT}
        for _ in TermsForm.__struct_fields__:
            try:
                check(**tried)
            except InvalidValue as error:
                mistake = mistake_of(error)
                if mistake.field in [each.field for each in mistakes]:
                    break
                mistakes.append(mistake)
                _make_right(tried, mistake.field)
            else:
                break
        mistakes.sort(key=lambda each: TermsForm.__struct_fields__.index(each.field))
        return Refused(tuple(mistakes), HTTPStatus.BAD_REQUEST) if mistakes else None

    def changed_from(self, terms: Terms) -> dict[str, Any]:
        """Return the terms that differ from those of a raffle."""
        return {
            name: value
            for name, value in self.terms.items()
            if value != (tuple(terms.prizes) if name == "prizes" else getattr(terms, name))
        }


def read_terms_form(form: TermsForm) -> ReadTerms:
    """Read what was typed; the engine checks the limits.

    Fields of another source of randomness do not count: without its script, the page shows all of them.
    """
    source = SOURCES.get(form.entropy)
    readers: dict[str, Callable[[], Any]] = {
        "name": lambda: _needed("name", form.name),
        "total_tickets": lambda: typed_number("total_tickets", form.total_tickets),
        "prizes": lambda: tuple(read_prize_lines(form.prizes)),
        "entry": lambda: form.entry,
        "tickets_each": lambda: typed_number("tickets_each", form.tickets_each.strip() or "1"),
        "entropy": lambda: form.entropy,
        "delay_s": lambda: _optional(typed_number, "delay_s", form.delay_s if source and source.delay else ""),
        "source": lambda: _text(form.source) if source and source.is_announced else None,
        "claim_days": lambda: _optional(typed_number, "claim_days", form.claim_days),
    }
    typed = form.fields()
    readers |= {name: partial(_time, name, typed[name].strip(), typed[f"{name}{OFFSET}"]) for name in TIMES}
    readers |= {name: partial(_text, typed[name]) for name in TEXTS}
    terms, mistakes = {}, []
    for name, read in readers.items():
        try:
            terms[name] = read()
        except InvalidValue as error:
            mistakes.append(mistake_of(error))
    return ReadTerms(terms, tuple(mistakes))


def doubtful_prizes(form: TermsForm, *, known: Sequence[Prize] = ()) -> list[tuple[str, str]]:
    """Return the prizes whose amount may belong to their name, except those already known; each with that amount."""
    as_filled_in = write_prize_lines(known).splitlines()
    lines = (line.strip() for line in form.prizes.splitlines())
    return doubtful_amounts(line for line in lines if line not in as_filled_in)


def typed_terms(terms: Terms) -> Mapping[str, str]:
    """Return the fields of the form, filled with the terms of a raffle; times are in UTC."""
    numbers = {name: getattr(terms, name) for name in ("total_tickets", "tickets_each", "delay_s", "claim_days")}
    return (
        TermsForm().fields()
        | {"name": terms.name, "prizes": write_prize_lines(terms.prizes), "entry": terms.entry}
        | {"entropy": terms.entropy, "source": terms.source or ""}
        | {name: "" if number is None else str(number) for name, number in numbers.items()}
        | {name: _typed_time(getattr(terms, name)) for name in TIMES}
        | {name: getattr(terms, name) or "" for name in TEXTS}
    )


def _make_right(terms: dict[str, Any], field: str) -> None:
    for name in (field, *(_OF_SOURCE if field == "entropy" else ())):
        terms.pop(name, None)
    if field in _RIGHT:
        terms[field] = _RIGHT[field]


def _needed(field: str, text: str) -> str:
    if not text.strip():
        raise InvalidValue(field, "is missing.")
    return text


def _text(text: str) -> str | None:
    return text.strip() or None


def _optional(read: Callable[[str, str], Any], field: str, text: str) -> Any:
    return read(field, text) if text.strip() else None


def _time(field: str, text: str, offset: str) -> datetime | None:
    if not text:
        return None
    if offset == _SKIPPED:
        raise InvalidValue(field, "does not exist: on that day, the clocks are put forward past this time.")
    # Where a browser has no field for times, people may type a blank for the T.
    time = text.replace(" ", "T", 1)
    seconds = ":00" if len(time) == _WITHOUT_SECONDS else ""
    try:
        return reading.moment_of(field, f"{time}{seconds}{offset}").astimezone(UTC)
    except (InvalidValue, OverflowError) as error:
        raise InvalidValue(field, "must be a date and a time, such as 2026-12-05 18:00.") from error


def _typed_time(moment: datetime | None) -> str:
    if moment is None:
        return ""
    shown = f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
    return shown.removesuffix(":00")
