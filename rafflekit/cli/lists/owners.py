"""Whose tickets won: the organiser's own list, which `participate --from` wrote, joined to a page of winners.

Nothing of it is stored. Each code in the list is verified, so that the list of another raffle is noticed.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.reading.csv_records import RecordWrong, records
from rafflekit.cli.spreadsheets import Separator, unmarked

if TYPE_CHECKING:
    from rafflekit.core.engine import RaffleEngine
    from rafflekit.core.models import Raffle

_DIGITS = 18
_COLUMNS = ("ticket_number", "participant", "verification_code")


class TicketRow(NamedTuple):
    """A row of the list; a line that got no ticket has no number. The participant is `output.shown`, but unmarked."""

    number: str
    participant: str
    code: str


def owners_of(path: Path, numbers: Collection[int], engine: "RaffleEngine", raffle: "Raffle") -> dict[int, str]:
    """Return the participants of these tickets, as far as they are in the list.

    If none of them is, the code of another ticket in the list is checked.

    Raises:
        CommandStopped: the file cannot be read, is not such a list, has no tickets, or belongs to another raffle.
    """
    wanted = {str(number): number for number in numbers}
    owners: dict[int, str] = {}
    codes: dict[int, str] = {}
    others: dict[int, str] = {}
    for row in listed_tickets(path):
        number = wanted.get(row.number)
        if number is not None:
            owners[number], codes[number] = row.participant, row.code
        elif not others and _is_number(row.number):
            others[int(row.number)] = row.code
    if wanted and not codes:
        if not others:
            raise _none_listed(path)
        codes = others
    if wrong := engine.exports.wrong_codes(raffle.id, codes):
        raise wrong_code(path, wrong[0])
    return owners


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS


def _none_listed(path: Path) -> CommandStopped:
    """Return the refusal of a list without tickets."""
    return CommandStopped(
        f"--tickets: none of these tickets is in {path.name}; is it the list of another raffle?", status=WRONG_USAGE
    )


def wrong_code(path: Path, number: int) -> CommandStopped:
    """Return the refusal of a list in which a ticket has another code than in this raffle."""
    return CommandStopped(
        f"--tickets: the code of ticket {number} in {path.name} is not that of this raffle's ticket; is it the list of "
        "another raffle?",
        status=WRONG_USAGE,
    )


def listed_tickets(path: Path) -> Iterator[TicketRow]:
    """Yield the rows of such a list.

    Raises:
        CommandStopped: the file cannot be read, or is not such a list.
    """
    try:
        with path.open("rb") as file:
            rows, header = _opened(path, file)
            places = [header.index(column) for column in _COLUMNS]
            for _, row in rows:
                # Spreadsheets omit empty cells at the end of a line.
                number, participant, code = (row[place] if place < len(row) else "" for place in places)
                yield TicketRow(number, unmarked(participant), code)
    except OSError as error:
        raise CommandStopped(f"--tickets: {path} cannot be read: {error.strerror}.", status=WRONG_USAGE) from error
    except RecordWrong as error:
        raise CommandStopped(f"--tickets: Line {error.number} of {path.name} {error}.", status=WRONG_USAGE) from error


def _opened(path: Path, file: BinaryIO) -> tuple[Iterator[tuple[int, list[str]]], list[str]]:
    """Return the rows after the header, and the header; some spreadsheets save the file with another separator."""
    for separator in Separator:
        rows = records(file, separator=separator.character)
        _, header = next(rows, (1, []))
        if set(header).issuperset(_COLUMNS):
            return rows, header
    columns = " and ".join((", ".join(_COLUMNS[:-1]), _COLUMNS[-1]))
    raise CommandStopped(
        f"--tickets: {path.name} does not have the columns {columns}; give the file that 'participate --from' wrote.",
        status=WRONG_USAGE,
    )
