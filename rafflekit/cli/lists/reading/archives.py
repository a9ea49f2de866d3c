"""The zip file that an Excel file is: it is unpacked within bounds, before anything else looks at it.

A small file can claim or contain anything: gigabytes of zeros, a million elements, entities that multiply. So the bytes
are counted as they come, whatever the file says about their number, and the elements of the XML as well: in memory, an
element takes far more than its bytes.
"""

import zipfile
import zlib
from io import BufferedIOBase
from typing import BinaryIO
from xml.parsers import expat

from rafflekit.core import limits

LAST_ROW = 1_048_576
"""The last row of any sheet, in Excel."""

_BLOCK_BYTES = 64 * 1024
# The list of ten thousand members; an Excel file has tens.
_DIRECTORY_BYTES = 1024 * 1024
_ROW, _PREFIXED_ROW = "row", ":row"
_WRONG = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError)


class ArchiveWrong(Exception):
    """An Excel file is damaged or too large; the message says so, about the file."""


class _BoundedReads(BufferedIOBase):
    """A file that gives at most a megabyte at once: `zipfile` reads the list of members whole."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def read(self, size: int | None = -1, /) -> bytes:
        """Read some bytes.

        Raises:
            ArchiveWrong: these are too many.
        """
        some = self._file.read(_DIRECTORY_BYTES + 1 if size is None or size < 0 else min(size, _DIRECTORY_BYTES + 1))
        if len(some) > _DIRECTORY_BYTES:
            raise ArchiveWrong("has too many parts")
        return some

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Move to a place in the file."""
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """Return the place in the file."""
        return self._file.tell()

    def seekable(self) -> bool:
        """Return that every place can be reached."""
        return True

    def readable(self) -> bool:
        """Return that it can be read."""
        return True


def opened_archive(file: BinaryIO) -> zipfile.ZipFile:
    """Return a zip file, of which only the list of its members was read.

    Raises:
        ArchiveWrong: it has too many members.
        zipfile.BadZipFile: it is not a zip file.
    """
    return zipfile.ZipFile(_BoundedReads(file))


def check_archive(file: BinaryIO) -> None:
    """Unpack every member of an Excel file, and keep nothing.

    Raises:
        ArchiveWrong: it is damaged, or larger than the `limits` for Excel files.
    """
    counted = _Counted()
    try:
        with opened_archive(file) as archive:
            for member in archive.infolist():
                _check_member(archive, member, counted)
    except _WRONG as error:
        raise ArchiveWrong("is damaged, or has a password") from error


class _Counted:
    """What was unpacked so far: bytes, elements, and, of this part, elements since the last row began and rows."""

    def __init__(self) -> None:
        self.unpacked_bytes = 0
        self.elements = 0
        self.apart = 0
        self.rows = 0

    def add_bytes(self, some: int) -> None:
        self.unpacked_bytes += some
        if self.unpacked_bytes > limits.XLSX_BYTES:
            raise ArchiveWrong(f"has more than {limits.XLSX_BYTES:,} bytes when unpacked")

    def add_element(self, name: str, attributes: object) -> None:
        self.elements += 1
        self.apart += 1
        if name == _ROW or name.endswith(_PREFIXED_ROW):
            self.apart = 0
            self.rows += 1
        if self.rows > LAST_ROW:
            raise ArchiveWrong("has more rows than Excel has")
        if self.elements > limits.XLSX_ELEMENTS or self.apart > limits.XLSX_ELEMENTS_APART:
            raise ArchiveWrong("has too many cells or texts")

    def refuse_entities(self, *_: object) -> None:
        raise ArchiveWrong("defines entities of XML, which no spreadsheet program does")


def _check_member(archive: zipfile.ZipFile, member: zipfile.ZipInfo, counted: _Counted) -> None:
    counted.apart = counted.rows = 0
    parser: expat.XMLParserType | None = expat.ParserCreate()
    assert parser is not None
    parser.StartElementHandler = counted.add_element
    parser.StartDoctypeDeclHandler = counted.refuse_entities
    with archive.open(member) as unpacked:
        while block := unpacked.read(_BLOCK_BYTES):
            counted.add_bytes(len(block))
            if parser is not None:
                try:
                    parser.Parse(block, False)
                except expat.ExpatError:
                    # A picture, for example. Every other parser ends here, too.
                    parser = None
