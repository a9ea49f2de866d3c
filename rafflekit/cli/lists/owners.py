"""Whose tickets won: the organiser's own list, which `participate --from` wrote, joined to a page of winners.

Nothing of it is stored. Each code in the list is verified, so that the list of another raffle is noticed.
"""

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.records import RecordWrong, records
from rafflekit.core.errors import InvalidVerificationCode

if TYPE_CHECKING:
    from rafflekit.core.engine import RaffleEngine
    from rafflekit.core.models import Raffle

_COLUMNS = {"participant", "ticket_number", "verification_code"}


def owners_of(path: Path, numbers: Collection[int], engine: "RaffleEngine", raffle: "Raffle") -> dict[int, str]:
    """Return the participants of these tickets, as far as they are in the list.

    Raises:
        CommandStopped: the file cannot be read, is not such a list, or belongs to another raffle.
    """
    owners = {}
    wanted = {str(number): number for number in numbers}
    for row in listed_rows(path):
        number = wanted.get(row["ticket_number"])
        if number is None:
            continue
        try:
            engine.verify(raffle.id, number, row["verification_code"])
        except InvalidVerificationCode as error:
            raise CommandStopped(
                f"--tickets: the code of ticket {number} in {path.name} is not that of this raffle's ticket; is it the "
                "list of another raffle?",
                status=WRONG_USAGE,
            ) from error
        owners[number] = row["participant"]
    if wanted and not owners:
        raise CommandStopped(
            f"--tickets: none of these tickets is in {path.name}; is it the list of another raffle?", status=WRONG_USAGE
        )
    return owners


def listed_rows(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of such a list, with at least the columns that are needed here.

    Raises:
        CommandStopped: the file cannot be read, or is not such a list.
    """
    try:
        with path.open("rb") as file:
            rows = records(file)
            _, header = next(rows, (1, []))
            if not set(header) >= _COLUMNS:
                raise CommandStopped(
                    f"--tickets: {path.name} was not made by 'rafflekit participate'.", status=WRONG_USAGE
                )
            for _, row in rows:
                # Spreadsheets omit empty cells at the end of a line.
                yield dict.fromkeys(_COLUMNS, "") | dict(zip(header, row, strict=False))
    except OSError as error:
        raise CommandStopped(f"--tickets: {path} cannot be read: {error.strerror}.", status=WRONG_USAGE) from error
    except RecordWrong as error:
        raise CommandStopped(f"--tickets: Line {error.number} of {path.name} {error}.", status=WRONG_USAGE) from error
