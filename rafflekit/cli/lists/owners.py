"""Whose tickets won: the organiser's own list, which `participate --from` wrote, joined to a page of winners.

Nothing of it is stored. Each code in the list is verified, so that the list of another raffle is noticed.
"""

import csv
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
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
    for row in _rows(path):
        number = wanted.get(row["ticket_number"] or "")
        if number is None:
            continue
        try:
            engine.verify(raffle.id, number, row["verification_code"] or "")
        except InvalidVerificationCode as error:
            raise CommandStopped(
                f"--tickets: the code of ticket {number} in {path.name} is not that of this raffle's ticket; is it the "
                "list of another raffle?",
                status=WRONG_USAGE,
            ) from error
        owners[number] = row["participant"] or ""
    if wanted and not owners:
        raise CommandStopped(
            f"--tickets: none of these tickets is in {path.name}; is it the list of another raffle?", status=WRONG_USAGE
        )
    return owners


def _rows(path: Path) -> Iterator[dict[str, str | None]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            if not set(reader.fieldnames or ()) >= _COLUMNS:
                raise CommandStopped(
                    f"--tickets: {path.name} was not made by 'rafflekit participate'.", status=WRONG_USAGE
                )
            yield from reader
    except OSError as error:
        raise CommandStopped(f"--tickets: {path} cannot be read: {error.strerror}.", status=WRONG_USAGE) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise CommandStopped(f"--tickets: {path.name} is not CSV in UTF-8.", status=WRONG_USAGE) from error
