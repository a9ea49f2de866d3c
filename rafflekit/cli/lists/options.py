"""The options of `participate --from`: which list, and how it is read."""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rafflekit.cli import spreadsheets
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.reading.csv_records import NO_SEPARATOR

if TYPE_CHECKING:
    from rafflekit.cli.lists.preview import Consent
    from rafflekit.cli.lists.reading.layout import Layout

List = Annotated[
    Path | None,
    typer.Option(
        "--from",
        metavar="LIST",
        help="Instead of WHO: a CSV or Excel file (.xlsx), one participant per line; '-' for standard input.",
    ),
]
Output = Annotated[
    Path | None,
    typer.Option(
        metavar="TICKETS",
        help="With --from: the CSV file for the tickets. Rerun the same command to resume an interrupted run.",
    ),
]
Column = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help="With --from: the column of the participants. Repeat it if several columns make one participant.",
    ),
]
CountColumn = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="With --from and --column: the column with the number of tickets of each line."),
]
Header = Annotated[
    bool | None,
    typer.Option(
        "--header/--no-header",
        show_default=False,
        help="With --from: whether the first line has the names of columns. Without it, --column takes numbers.",
    ),
]
Separator = Annotated[
    str | None,
    typer.Option(
        metavar="CHARACTER",
        help="With --from: what separates the columns: ',', ';', '|' or 'tab'; 'none' if each line is one participant.",
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="With --from: the list's encoding, such as windows-1252, if it is not UTF-8."),
]
SheetName = Annotated[
    str | None, typer.Option("--sheet", metavar="NAME", help="With --from: the sheet of an Excel file.")
]
WithoutAsking = Annotated[
    bool, typer.Option("--yes", "-y", help="With --from: hand out the tickets without asking first.")
]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="With --from: only show how the list is read, and hand out nothing.")
]

_SWITCHES = {"yes", "dry_run"}
_SEPARATORS = {each.value: each.character for each in spreadsheets.Separator} | {
    "\\t": "\t",
    "\t": "\t",
    NO_SEPARATOR: NO_SEPARATOR,
}


@dataclass(frozen=True, slots=True)
class ListOptions:
    """The options of a list, as they were given."""

    out: Path | None
    column: list[str] | None
    count_column: str | None
    header: bool | None
    separator: str | None
    encoding: str | None
    sheet: str | None
    yes: bool
    dry_run: bool

    def refuse_without_list(self) -> None:
        """Check that none of them is given."""
        for field in fields(self):
            value = getattr(self, field.name)
            is_given = bool(value) if isinstance(value, list) or field.name in _SWITCHES else value is not None
            if is_given:
                option = f"--{field.name.replace('_', '-')}"
                raise CommandStopped(f"{option} needs --from, the list of participants.", status=WRONG_USAGE)

    def layout(self) -> "Layout":
        """Return the layout of the list, as far as the options say it.

        Raises:
            CommandStopped: a value is not possible.
        """
        from rafflekit.cli.lists.reading.decoding import text_encoding
        from rafflekit.cli.lists.reading.layout import Columns, Layout

        separator = self.separator and _SEPARATORS.get(self.separator.lower())
        if self.count_column is not None and not self.column:
            raise CommandStopped("--count-column needs --column, the column of the participants.", status=WRONG_USAGE)
        if self.separator is not None and not separator:
            raise CommandStopped(
                f"--separator: {self.separator!r} is not ',', ';', '|', 'tab' or 'none'.", status=WRONG_USAGE
            )
        return Layout(
            Columns(tuple(self.column or ()), self.count_column),
            header=self.header,
            separator=separator,
            encoding=None if self.encoding is None else text_encoding(self.encoding),
            sheet=self.sheet,
        )

    def consent(self) -> "Consent":
        """Return what follows the preview."""
        from rafflekit.cli.lists.preview import Consent

        if self.dry_run:
            return Consent.DRY_RUN
        return Consent.GIVEN if self.yes else Consent.ASK
