"""Which lines of a list name the participant of an earlier line, in the engine's sense of the same.

Memory is flat. While the list is read once, a Bloom filter collects the participants that were there before. Only if it
finds some, the list is read again to find their lines.
"""

from array import array
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from rafflekit.cli.lists.people import Line
from rafflekit.core.errors import AlreadyParticipated, InvalidValue, RaffleError, SoldOut

# 16 MiB of words of 64 bits. Of a million new participants, hardly one looks like an earlier one.
_WORDS = 2**21
# Participants in several lines, and their lines: together up to 60 MB. Of further ones, the lines stay unknown.
_MOST_KNOWN = 100_000
_NUMBERS_KEPT = 20


@dataclass(slots=True)
class LineNumbers:
    """How many lines there are of a kind, and the numbers of the first 20."""

    count: int = 0
    first: list[int] = field(default_factory=list)

    def add(self, number: int) -> None:
        """Count a line."""
        self.count += 1
        if len(self.first) < _NUMBERS_KEPT:
            self.first.append(number)


@dataclass(slots=True)
class _Person:
    """A participant in several lines: the first of them, its text's hash, and the tickets that each line got.

    All lines together `ask` for this number of tickets.
    """

    first: int
    text: int
    asks: int
    held: dict[int, int] = field(default_factory=dict)


class Repeats:
    """The lines that name the participant of an earlier line, and the tickets that their participants get.

    `repeated` are the lines with the same text as the first one of their participant, `respelled` those with another
    letter case, white space, invisible characters or form of characters. `in_vain` is the number of tickets for which
    people ask beyond `tickets_each`. If not `is_complete`, there are too many repeats to know all of them, and each of
    these numbers is the least that it can be.
    """

    def __init__(self, *, tickets_each: int = 1, is_complete: bool = True) -> None:
        self.in_vain = 0
        self.is_complete = is_complete
        self._tickets_each = tickets_each
        self.repeated = LineNumbers()
        self.respelled = LineNumbers()
        self._person_of: dict[int, _Person] = {}
        self._last_with_ticket = 0

    def add(self, line: Line, person: _Person, *, is_respelled: bool) -> None:
        """Add a line that names the participant of an earlier one."""
        too_many = max(0, person.asks - self._tickets_each)
        person.asks += line.tickets
        self.in_vain += max(0, person.asks - self._tickets_each) - too_many
        (self.respelled if is_respelled else self.repeated).add(line.number)
        if len(self._person_of) >= _MOST_KNOWN:
            self.is_complete = False
        else:
            self._person_of[person.first] = self._person_of[line.number] = person

    def got_ticket(self, line: Line) -> None:
        """Remember that a line has its `nth` ticket; a second call for the same ticket does nothing."""
        self._last_with_ticket = line.number
        if (person := self._person_of.get(line.number)) is not None:
            person.held[line.number] = line.nth

    def possible(self, lines: Iterable[Line]) -> int:
        """Return how many of these tickets their participants can still get."""
        tickets = 0
        asked: dict[int, int] = {}
        for line in lines:
            person = self._person_of.get(line.number)
            if person is None:
                tickets += 1
                continue
            number = asked[person.first] = asked.get(person.first, sum(person.held.values())) + 1
            tickets += number <= self._tickets_each
        return tickets

    def explained(self, refusal: RaffleError, line: Line) -> RaffleError:
        """Return the refusal of a line as readers of the list understand it: with the line that it repeats.

        The tickets of the same line were handed out or refused just before.
        """
        tickets_each = self._tickets_each
        person = self._person_of.get(line.number)
        if isinstance(refusal, InvalidValue):
            return RaffleError(_not_possible(refusal))
        if not isinstance(refusal, AlreadyParticipated | SoldOut):
            return refusal
        others = [number for number in (person.held if person else ()) if number != line.number]
        if isinstance(refusal, AlreadyParticipated) and not others:
            which = "some" if line.number == self._last_with_ticket else "all"
            return RaffleError(_from_elsewhere(which, tickets_each)) if self.is_complete else refusal
        if person is None:
            return refusal
        has_all = isinstance(refusal, AlreadyParticipated) or sum(person.held.values()) >= tickets_each
        other = min(others, default=person.first)
        if other == line.number or (tickets_each > 1 and not has_all):
            return refusal
        if not has_all:
            sentence = f"{refusal}; line {line.number} repeats line {other}."
        elif tickets_each == 1:
            sentence = f"This participant already has a ticket: line {line.number} repeats line {other}."
        else:
            sentence = f"This participant already has all {tickets_each:,} tickets; line {other} names them too."
        return RaffleError(sentence)


class RepeatFinder:
    """Finds repeats: `see` each line of the list once, then `resolve` with the same lines from the beginning.

    `canonical` gives the one spelling under which a participant counts, as `RaffleEngine.canonical` does.
    """

    def __init__(self, canonical: Callable[[str], str]) -> None:
        self._canonical = canonical
        self._words = array("Q", bytes(8 * _WORDS))
        self._candidates: set[int] = set()
        self._is_complete = True

    def see(self, line: Line) -> str | None:
        """Note the participant of a line; return what `refusal_of` returns."""
        try:
            hashed = self._hash(line)
        except InvalidValue as error:
            return _not_possible(error)
        if hashed is None:
            return line.refusal
        # Three bits in each of two words: this takes half the time of bits all over the filter.
        words, first, second = self._words, hashed % _WORDS, (hashed >> 21) % _WORDS
        bits = 1 << (hashed >> 42 & 63) | 1 << (hashed >> 48 & 63) | 1 << (hashed >> 54 & 63)
        if words[first] & bits != bits or words[second] & bits != bits:
            words[first] |= bits
            words[second] |= bits
        elif len(self._candidates) < _MOST_KNOWN:
            self._candidates.add(hashed)
        elif hashed not in self._candidates:
            self._is_complete = False
        return None

    def refusal_of(self, line: Line) -> str | None:
        """Return why a line gets no ticket, if the line shows it."""
        try:
            self._hash(line)
        except InvalidValue as error:
            return _not_possible(error)
        return line.refusal

    def resolve(self, lines: Iterable[Line], *, tickets_each: int) -> Repeats:
        """Return the repeats; the lines are read only if there may be some."""
        repeats = Repeats(tickets_each=tickets_each, is_complete=self._is_complete)
        if not self._candidates:
            return repeats
        people: dict[int, _Person] = {}
        for line in lines:
            try:
                hashed = self._hash(line)
            except InvalidValue:
                continue
            if hashed is None or hashed not in self._candidates:
                continue
            person = people.get(hashed)
            if person is None:
                people[hashed] = _Person(line.number, hash(line.participant), line.tickets)
            else:
                repeats.add(line, person, is_respelled=hash(line.participant) != person.text)
        return repeats

    def _hash(self, line: Line) -> int | None:
        """Return the hash of a line's participant; None for a line's further tickets, or if the line is refused.

        Raises:
            InvalidValue: the text cannot name a participant.
        """
        if line.nth > 1 or line.refusal is not None:
            return None
        # Python hashes texts under a random key of the process, so that no list can be made to collide.
        return hash(self._canonical(line.participant))


def _not_possible(error: InvalidValue) -> str:
    return f"The participant {error.reason}"


def _from_elsewhere(which: str, tickets_each: int) -> str:
    if tickets_each == 1:
        return "This participant already has a ticket from elsewhere."
    return f"This participant already has all {tickets_each:,} tickets, {which} from elsewhere."
