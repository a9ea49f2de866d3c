"""CSV, read record by record. Quotes let a record continue over many lines, so its size is limited as a whole."""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from io import TextIOWrapper
from typing import BinaryIO

from rafflekit.cli.lists.reading.decoding import scan, shown_encoding, text_in
from rafflekit.cli.spreadsheets import Separator
from rafflekit.core import limits

_CARRIAGE_RETURN = "it contains a carriage return, but lines must end with a line feed; save it as CSV UTF-8"
# By what is in the messages of the csv module.
_CSV_ERRORS = {
    "unexpected end of data": "a quote is opened but never closed",
    "field larger than field limit": "a field is too long, or a quote is never closed",
    "new-line character seen": _CARRIAGE_RETURN,
    "expected after '\"'": "text follows a closing quote; write a quote inside quotes twice",
}
NO_SEPARATOR = "none"
"""The separator of a list in which each line is one text, whatever characters it has."""

# Excel writes and reads this line.
_SEPARATOR_LINE = re.compile(
    rf'"?sep=([{"".join(re.escape(each.character) for each in Separator)}])"?\r?\n?', re.IGNORECASE
)
_QUOTED_LINE = re.compile('"((?:[^"]|"")*)"')


class RecordWrong(Exception):
    """A record cannot be read; `number` is its line, and the message says what is wrong with that line."""

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(problem)
        self.number = number


def records(
    file: BinaryIO, *, encoding: str = "utf-8", errors: str = "strict", separator: str = ",", strict: bool = True
) -> Iterator[tuple[int, list[str]]]:
    """Yield the records of a file, each with the line on which it begins, from 1; those without any text are skipped.

    So is a first line that only names the separator (`sep=;`). Unless `strict`, quotes in wrong places are read.
    Without a separator, each line is a record as it is, except for quotes around it.

    Raises:
        RecordWrong: the rest of the file cannot be read either, since its encoding or its quotes are doubtful.
    """
    begins = 1
    try:
        with text_in(file, encoding, errors=errors) as text:
            lines = _Lines(text)
            begins += lines.skipped
            whole = separator == NO_SEPARATOR
            reader = _WholeLines(lines) if whole else csv.reader(lines, delimiter=separator, strict=strict)
            for row in reader:
                if len(row) > limits.RECORD_CELLS:
                    raise RecordWrong(begins, too_many_cells(len(row)))
                if any(map(str.strip, row)):
                    yield begins, row
                begins = reader.line_num + 1 + lines.skipped
                lines.record_characters = 0
    except UnicodeError as error:
        line = scan(file, encoding, name="").line
        raise RecordWrong(line, f"is not {shown_encoding(encoding)}; save the file as CSV UTF-8") from error
    except _TooLong as error:
        raise RecordWrong(
            begins,
            f"begins a record of more than {limits.RECORD_CHARACTERS:,} characters; a closing quote may be missing",
        ) from error
    except csv.Error as error:
        raise RecordWrong(begins, f"is not CSV: {_explained(error)}") from error


def named_separator(file: BinaryIO, *, encoding: str, errors: str) -> str | None:
    """Return the separator that a first line such as `sep=;` names."""
    # Without its byte order mark, UTF-16 is not read even in part.
    with suppress(UnicodeError), text_in(file, encoding, errors=errors) as text:
        named = _SEPARATOR_LINE.fullmatch(text.readline(limits.RECORD_CHARACTERS))
        return named and named[1]
    return None


def too_many_cells(cells: int) -> str:
    """Return what is wrong with a line of so many cells."""
    return f"has {cells:,} cells, and at most {limits.RECORD_CELLS:,} are possible; remove columns"


class _TooLong(Exception):
    """A record is too long."""


class _Lines:
    """The lines of a text, without a first one that is `skipped`.

    `record_characters` is what the reader has taken since the record began.
    """

    def __init__(self, text: TextIOWrapper) -> None:
        self._text = text
        self._first = text.readline(limits.RECORD_CHARACTERS + 1)
        self.skipped = 0
        self.record_characters = 0
        if _SEPARATOR_LINE.fullmatch(self._first):
            self._first = self._text.readline(limits.RECORD_CHARACTERS + 1)
            self.skipped = 1

    def __iter__(self) -> Iterator[str]:
        line = self._first
        while line:
            self.record_characters += len(line)
            if self.record_characters > limits.RECORD_CHARACTERS:
                raise _TooLong
            yield line
            line = self._text.readline(limits.RECORD_CHARACTERS - self.record_characters + 1)


class _WholeLines:
    """Reads like `csv.reader`, but each line is one text, without quotes around it."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = iter(lines)
        self.line_num = 0

    def __iter__(self) -> Iterator[list[str]]:
        return self

    def __next__(self) -> list[str]:
        text = next(self._lines).rstrip("\r\n")
        self.line_num += 1
        if "\r" in text:
            raise csv.Error(_CARRIAGE_RETURN)
        quoted = _QUOTED_LINE.fullmatch(text)
        return [text if quoted is None else quoted[1].replace('""', '"')]


def _explained(error: csv.Error) -> str:
    message = str(error)
    return next((reason for part, reason in _CSV_ERRORS.items() if part in message), message)
