"""The organiser's own list of tickets, which `participate --from` wrote: who has which ticket.

Nothing of it is stored. Codes in the list are verified, so that the list of another raffle is noticed.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.reading.csv_records import RecordWrong, records
from rafflekit.cli.lists.reading.decoding import marked_encoding
from rafflekit.cli.lists.reading.formats import is_workbook
from rafflekit.cli.spreadsheets import Separator, unmarked

if TYPE_CHECKING:
    from rafflekit.core.engine import RaffleEngine
    from rafflekit.core.models import Raffle

# Databases have integers of 64 bits, which hold every number of this length.
_DIGITS = 18
_COLUMNS = ("ticket_number", "participant", "verification_code")


class TicketRow(NamedTuple):
    """A row of the list that has a ticket. The participant is `output.shown`, but unmarked; the code is not checked."""

    number: int
    participant: str
    code: str


def owners_of(path: Path, numbers: Collection[int], engine: "RaffleEngine", raffle: "Raffle") -> dict[int, str]:
    """Return the participants of these tickets, as far as they are in the list.

    If none of them is, the code of another ticket in the list is checked.

    Raises:
        CommandStopped: as `listed_tickets`; or the list has no tickets, one of these twice, or belongs to another
            raffle.
    """
    wanted = set(numbers)
    owners: dict[int, str] = {}
    codes: dict[int, str] = {}
    others: dict[int, str] = {}
    for number, participant, code in listed_tickets(path):
        if number in owners:
            raise listed_twice(path, number)
        if number in wanted:
            owners[number], codes[number] = participant, code
        elif not others:
            others[number] = code
    if wanted and not codes:
        if not others:
            raise no_tickets(path)
        codes = others
    if wrong := engine.exports.wrong_codes(raffle.id, codes):
        raise wrong_code(path, wrong[0])
    return owners


def wrong_code(path: Path, number: int) -> CommandStopped:
    """Return the refusal of a list in which a ticket has another code than in this raffle."""
    return stopped(
        f"the code of ticket {number} in {path.name} is not that of this raffle's ticket; is it the list of another "
        "raffle?"
    )


def listed_twice(path: Path, number: int) -> CommandStopped:
    """Return the refusal of a list that has a ticket twice: two people would come for one prize."""
    return stopped(f"ticket {number} is in {path.name} twice; remove one of the lines.")


def no_tickets(path: Path) -> CommandStopped:
    """Return the refusal of a list without tickets."""
    return stopped(f"{path.name} has no tickets.")


def stopped(problem: str) -> CommandStopped:
    """Return the refusal of a list for a problem of it."""
    return CommandStopped(f"--tickets: {problem}", status=WRONG_USAGE)


def listed_tickets(path: Path) -> Iterator[TicketRow]:
    """Yield the tickets of such a list.

    Raises:
        CommandStopped: the file cannot be read, is not such a list, or has something else as the number of a ticket.
    """
    try:
        with path.open("rb") as file:
            rows, header = _opened(path, file)
            places = [header.index(column) for column in _COLUMNS]
            for _, row in rows:
                # Spreadsheets omit empty cells at the end of a line.
                text, participant, code = (row[place] if place < len(row) else "" for place in places)
                # Without a number, this line got no ticket.
                if number := text.strip():
                    yield TicketRow(_read_number(path, number), unmarked(participant), code)
    except OSError as error:
        raise stopped(f"{path} cannot be read: {error.strerror or 'it is not a regular file'}.") from error
    except RecordWrong as error:
        raise stopped(f"Line {error.number} of {path.name} {error}.") from error


def _read_number(path: Path, text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise stopped(f"{text[:_DIGITS]!r} in {path.name} is not a ticket number; use the file as rafflekit wrote it.")
    return int(text)


def _opened(path: Path, file: BinaryIO) -> tuple[Iterator[tuple[int, list[str]]], list[str]]:
    """Return the rows after the header, and the header; spreadsheets save with another separator, or as UTF-16."""
    if (kind := _other_kind(file)) is not None:
        raise stopped(f"{path.name} is {kind}; save it as CSV UTF-8, or give the file that 'participate --from' wrote.")
    encoding = marked_encoding(file) or "utf-8"
    for separator in Separator:
        # Not strict: with a wrong separator, quotes are in wrong places.
        found = next(records(file, encoding=encoding, separator=separator.character, strict=False), None)
        if found and set(found[1]).issuperset(_COLUMNS):
            rows = records(file, encoding=encoding, separator=separator.character)
            return rows, next(rows)[1]
    columns = " and ".join((", ".join(_COLUMNS[:-1]), _COLUMNS[-1]))
    raise stopped(f"{path.name} does not have the columns {columns}; give the file that 'participate --from' wrote.")


def _other_kind(file: BinaryIO) -> str | None:
    """Return what a file is that is not CSV."""
    try:
        return "an Excel file" if is_workbook(file, name="") else None
    except CommandStopped:
        return "not a CSV file"
