"""What a list is: its layout is decided here, once, before anything is done with it.

Everything that is wrong or in doubt is found in one go, so that it can be settled in one go. What is wrong stops the
command. What is in doubt has a likely answer, which a person may confirm.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import BinaryIO, Protocol

from rafflekit.cli.extras import extra_for
from rafflekit.cli.failures import WRONG_USAGE, CommandStopped
from rafflekit.cli.lists.reading.columns import ColumnsWrong, Positions, is_same_name, positions_of, width_of
from rafflekit.cli.lists.reading.csv_records import NO_SEPARATOR, RecordWrong, named_separator, records
from rafflekit.cli.lists.reading.decoding import is_of_family, marked_encoding, scan, shown_encoding
from rafflekit.cli.lists.reading.formats import is_workbook
from rafflekit.cli.lists.reading.headers import (
    header_suspected,
    is_perhaps_header,
    is_surely_header,
    participant_suspected,
)
from rafflekit.cli.lists.reading.layout import Layout
from rafflekit.cli.lists.reading.separators import NAMES, separation_of
from rafflekit.cli.words import counted, shortened

# A title may be above the name of the only column …
_ROWS_BELOW_A_TITLE = 2
# … and more than a title above the names of several.
_ROWS_ABOVE_NAMES = 20


class ListTable(Protocol):
    """The rows of a list, which can be read any number of times."""

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows that are not blank, each with its number in the list.

        Raises:
            RecordWrong: the rest of the list cannot be read either.
        """


@dataclass(frozen=True, slots=True)
class Understood:
    """A list whose layout is decided; `doubts` are sentences that end with the option that settles them."""

    table: ListTable
    layout: Layout
    positions: Positions
    doubts: tuple[str, ...]


@dataclass(slots=True)
class _Findings:
    """What is wrong with a list, as whole sentences, and what is in doubt."""

    name: str
    problems: list[str]
    doubts: list[str]

    def stop_if_wrong(self) -> None:
        """Stop with all problems and doubts, if there is a problem."""
        if self.problems:
            raise all_at_once(self.name, [*self.problems, *self.doubts])


@dataclass(frozen=True, slots=True)
class _Csv:
    """A CSV file as a table."""

    file: BinaryIO
    encoding: str
    errors: str
    separator: str

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows; see `ListTable`."""
        return records(self.file, encoding=self.encoding, errors=self.errors, separator=self.separator)

    def named_itself(self) -> bool:
        """Return whether a first line such as `sep=;` names the separator."""
        return named_separator(self.file, encoding=self.encoding, errors=self.errors) == self.separator


def understand(file: BinaryIO, given: Layout, *, name: str) -> Understood:
    """Decide everything about the layout of a list that is not `given`.

    Raises:
        CommandStopped: it cannot be decided, or what is given does not fit the list.
    """
    findings = _Findings(name, [], [])
    table, layout = (_workbook if is_workbook(file, name=name) else _csv)(file, given, findings)
    positions, layout = _columns(table, layout, findings)
    findings.stop_if_wrong()
    return Understood(table, layout, positions, tuple(findings.doubts))


def all_at_once(name: str, sentences: list[str]) -> CommandStopped:
    """Return the error that says everything that is wrong with a list, one line each."""
    if len(sentences) == 1:
        return CommandStopped(sentences[0], status=WRONG_USAGE)
    error = CommandStopped(f"{len(sentences)} things about {name} are wrong or in doubt:", status=WRONG_USAGE)
    for sentence in sentences:
        error.add_note(sentence)
    return error


def _csv(file: BinaryIO, given: Layout, findings: _Findings) -> tuple[ListTable, Layout]:
    name = findings.name
    if given.sheet is not None:
        findings.problems.append(f"--sheet is for Excel files, and {name} is not one.")
    encoding = given.encoding or "utf-8"
    marked = marked_encoding(file)
    if marked is not None:
        if given.encoding is not None and not is_of_family(marked, given.encoding):
            findings.problems.append(
                f"{name} has the byte order mark of {shown_encoding(marked)}, so it is not "
                f"{shown_encoding(given.encoding)}; omit --encoding."
            )
        encoding = marked
    scanned = scan(file, encoding, name=name)
    errors = "strict"
    if scanned.problem is not None:
        findings.problems.append(scanned.problem)
        encoding, errors = scanned.likely, "replace"
    separator = given.separator
    if separator is not None:
        named = named_separator(file, encoding=encoding, errors=errors)
        if named not in (None, separator):
            findings.problems.append(
                f"Line 1 of {name} says that the separator is {named!r}, but --separator is {separator!r}; omit the "
                "option, or delete the line."
            )
    else:
        columns = () if given.header is False else given.columns.all()
        separator, doubt = separation_of(
            file, encoding=encoding, errors=errors, occurring=scanned.separators, columns=columns
        )
        if doubt is not None and not _is_unreadable(_Csv(file, encoding, errors, separator), findings):
            findings.doubts.append(f"In {name}, {doubt}.")
    layout = replace(given, encoding=given.encoding or encoding, separator=separator)
    return _Csv(file, encoding, errors, separator), layout


def _workbook(file: BinaryIO, given: Layout, findings: _Findings) -> tuple[ListTable, Layout]:
    with extra_for("An Excel list"):
        from rafflekit.cli.lists.reading.workbooks import ExcelFile
    for option, value in (("--encoding", given.encoding), ("--separator", given.separator)):
        if value is not None:
            findings.problems.append(f"{option} is for CSV files, and {findings.name} is an Excel file.")
    workbook = ExcelFile(file, name=findings.name)
    sheet, problem = workbook.choose(given.sheet)
    if problem is not None:
        findings.problems.append(problem)
    elif sheet.hidden_rows:
        findings.doubts.append(
            f"{findings.name} has {counted(sheet.hidden_rows, 'hidden row')}, and hidden rows get tickets, too; show "
            "them in Excel, or delete those without a ticket."
        )
    return sheet, replace(given, sheet=sheet.title)


def _is_unreadable(table: _Csv, findings: _Findings) -> bool:
    """Return whether a record is wrong, such as by a quote in it: then the numbers of columns say nothing."""
    try:
        for _ in table.rows():
            pass
    except RecordWrong as error:
        findings.problems.append(wrong_line(error.number, findings.name, str(error)))
        return True
    return False


def _columns(table: ListTable, layout: Layout, findings: _Findings) -> tuple[Positions, Layout]:
    """Find the columns, and decide whether the list has a header."""
    name = findings.name
    positions, header, number = Positions((0,), None, 1), layout.header, 1
    try:
        rows = table.rows()
        number, first = next(rows, (1, []))
        if not layout.columns.participant and width_of(first) == 1 and header is not False:
            header = _only_header(header, (number, first[0]), rows, findings)
        elif header is None:
            # Columns have names; only `--no-header` says that they have none.
            header = True
            findings.doubts += _participant_doubted(number, first, rows) if layout.columns.participant else ()
        positions = positions_of(layout.columns, first, has_header=header)
    except RecordWrong as error:
        sentence = wrong_line(error.number, name, str(error))
        if sentence not in findings.problems:
            findings.problems.append(sentence)
    except ColumnsWrong as error:
        sentence = wrong_line(number, name, str(error))
        if isinstance(table, _Csv) and table.named_itself():
            sentence += f" The first line of {name} says that {NAMES[table.separator]} separate the columns."
        elif layout.separator not in (None, NO_SEPARATOR) and not layout.columns.participant:
            sentence += f" If each line is one participant, give --separator {NO_SEPARATOR}."
        if header and layout.columns.participant and (below := _names_below(table, layout)) is not None:
            sentence += f" If line {below} has the names of the columns, delete the title above it."
        findings.problems.append(sentence)
    return positions, replace(layout, header=header)


def _names_below(table: ListTable, layout: Layout) -> int | None:
    """Return the number of a row near the first one that has all columns by their names, below titles only."""
    with suppress(RecordWrong):
        for number, row in islice(table.rows(), _ROWS_ABOVE_NAMES):
            with suppress(ColumnsWrong):
                positions_of(layout.columns, row, has_header=True)
                return number
            if sum(map(bool, map(str.strip, row))) > 1:
                break
    return None


def _participant_doubted(number: int, first: list[str], rows: Iterable[tuple[int, list[str]]]) -> Iterator[str]:
    """Yield what is in doubt about a row that should have the names of columns."""
    text = participant_suspected(first, (row for _, row in rows))
    if text is not None:
        yield (
            f"Line {number} does not look like the names of columns: {shortened(text)!r} is like a text below it; give "
            "--no-header and the number of the column, such as --column 1, or --header if the line has the names."
        )


def _only_header(
    given: bool | None, first: tuple[int, str], rows: Iterator[tuple[int, list[str]]], findings: _Findings
) -> bool:
    """Decide whether the first row of a list with one column is its header, and find what is in doubt about it."""
    number, text = first
    title = list(islice(rows, _ROWS_BELOW_A_TITLE))
    # A header that is there again is refused as a line.
    below = [(line, row[0]) for line, row in title if not is_same_name(row[0], text)]
    surely = [(line, word) for line, word in below if is_surely_header(word)]
    perhaps = [(line, word) for line, word in below if is_perhaps_header(word)]
    reason = None if given or surely else header_suspected(text, (row[0] for _, row in chain(title, rows) if row))
    if reason is not None:
        findings.doubts.append(
            f"Line {number}, {shortened(text.strip())!r}, looks like a header ({reason}); give --header, or "
            "--no-header if it is a participant."
        )
    has_header = given or reason is not None
    for line, word in (surely or perhaps)[:1]:
        sentence = f"Line {line}, {shortened(word.strip())!r}, looks like a header"
        if has_header:
            advice = (
                f", but line {number} is read as one. Delete any title above the header; if line {line} is a "
                f"participant, name the column of line {number} with --column."
            )
        else:
            advice = ". If it is one, delete it and any title above it; if it is a participant, give --no-header."
        (findings.problems if surely else findings.doubts).append(sentence + advice)
    return has_header


def wrong_line(number: int, name: str, problem: str) -> str:
    """Return the sentence about a line of a list."""
    return f"Line {number} of {name} {problem}."
