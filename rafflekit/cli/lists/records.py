"""CSV in UTF-8, read record by record. Quotes let a record go on over many lines, so its size is limited as a whole."""

import csv
from codecs import BOM_UTF8
from collections.abc import Iterator
from typing import BinaryIO

from rafflekit.core import limits

_CSV_ERRORS = {
    "unexpected end of data": "a quote is opened but never closed",
    "field larger than field limit": "a field is too long, or a quote is never closed",
    "new-line character seen": "it contains a carriage return, but lines must end with a line feed",
    "',' expected after '\"'": "text follows a closing quote; write a quote inside quotes twice",
}


class RecordWrong(Exception):
    """A record cannot be read; `number` is its line, and the message says what is wrong with that line."""

    def __init__(self, number: int, problem: str) -> None:
        super().__init__(problem)
        self.number = number


def records(file: BinaryIO) -> Iterator[tuple[int, list[str]]]:
    """Yield the records of a file, each with the line on which it begins, from 1; those without any text are skipped.

    Raises:
        RecordWrong: the rest of the file cannot be read either, since its encoding or its quotes are doubtful.
    """
    file.seek(0)
    if file.read(len(BOM_UTF8)) != BOM_UTF8:
        file.seek(0)
    lines = _Lines(file)
    reader = csv.reader(lines, strict=True)
    begins = 1
    try:
        for row in reader:
            if len(row) > limits.RECORD_CELLS:
                raise RecordWrong(
                    begins, f"has {len(row):,} cells, and at most {limits.RECORD_CELLS:,} are possible; remove columns"
                )
            if any(map(str.strip, row)):
                yield begins, row
            begins = reader.line_num + 1
            lines.record_bytes = 0
    except UnicodeDecodeError as error:
        raise RecordWrong(reader.line_num + 1, "is not UTF-8; save it in that encoding") from error
    except _TooLong as error:
        raise RecordWrong(
            begins, f"begins a record of more than {limits.RECORD_BYTES:,} bytes; a closing quote may be missing"
        ) from error
    except csv.Error as error:
        raise RecordWrong(begins, f"is not CSV: {_explained(error)}") from error


class _TooLong(Exception):
    """A record is too long."""


class _Lines:
    """The lines of a file; `record_bytes` is what the reader has taken since the record began."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.record_bytes = 0

    def __iter__(self) -> Iterator[str]:
        while line := self._file.readline(limits.RECORD_BYTES - self.record_bytes + 1):
            self.record_bytes += len(line)
            if self.record_bytes > limits.RECORD_BYTES:
                raise _TooLong
            yield line.decode()


def _explained(error: csv.Error) -> str:
    message = str(error)
    return next((reason for beginning, reason in _CSV_ERRORS.items() if message.startswith(beginning)), message)
