"""The zip file that an Excel file is: each part of it is checked before anything else reads it.

A small file can claim or contain anything: gigabytes of zeros, a million elements, entities that multiply. So the bytes
are counted as they come, whatever the file says about their number. The elements are counted as well, and what is in
memory at once is limited: there, an element takes far more than its bytes.
"""

import zipfile
import zlib
from io import BufferedIOBase
from typing import BinaryIO
from xml.parsers import expat

from rafflekit.core import limits

_BLOCK_BYTES = 64 * 1024
# The list of ten thousand members; an Excel file has tens.
_DIRECTORY_BYTES = 1024 * 1024
# zipfile limits what it unpacks at once for these only. Excel reads no others.
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# A parser reads a tag again with each block until the tag is complete.
_TAG_BYTES = 256 * 1024
# It repeats the address of a namespace with every name.
_NAME_CHARACTERS = 255
# It remembers each name. A part has a hundred, and none is long.
_NAMES = 1_000
_VALUES = ("v", "t")
_TRUE = ("1", "true")
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


class Archive(zipfile.ZipFile):
    """An Excel file, of which only the list of its members was read. It is not read beyond the `limits`."""

    def __init__(self, file: BinaryIO) -> None:
        """Read the list of members.

        Raises:
            ArchiveWrong: there are too many.
            zipfile.BadZipFile: it is not a zip file.
        """
        super().__init__(_BoundedReads(file))
        self._bytes = 0
        self._elements = 0

    def read(self, name: str | zipfile.ZipInfo, pwd: bytes | None = None) -> bytes:
        """Check a part and return it.

        Raises:
            ArchiveWrong: it is damaged or too large.
            KeyError: it does not exist.
        """
        self.check(name)
        return super().read(name, pwd)

    def check(
        self,
        name: str | zipfile.ZipInfo,
        *,
        pieces_at: int = 0,
        most_bytes: int | None = None,
        most_elements: int | None = None,
    ) -> "PartCheck":
        """Unpack a part and keep nothing; return what was noticed.

        It may be read in pieces: the elements at the depth `pieces_at` (1 is the root), each forgotten before the next.
        Otherwise it is one piece. It has at most `most_bytes`, or else those of a piece; and `most_elements`, or else
        those that the file may still have.

        Raises:
            ArchiveWrong: it is damaged, or larger than the `limits` for Excel files.
            KeyError: it does not exist.
        """
        most_bytes = most_bytes or limits.XLSX_PIECE_BYTES
        may_have = limits.XLSX_ELEMENTS - self._elements
        part = PartCheck(pieces_at, most_elements=min(may_have, may_have if most_elements is None else most_elements))
        member = name if isinstance(name, zipfile.ZipInfo) else self.getinfo(name)
        if member.compress_type not in _METHODS:
            raise ArchiveWrong("is compressed in a way that Excel does not read")
        try:
            with self.open(member) as unpacked:
                while block := unpacked.read(_BLOCK_BYTES):
                    self._bytes += len(block)
                    if self._bytes > limits.XLSX_BYTES:
                        raise ArchiveWrong(f"has more than {limits.XLSX_BYTES:,} bytes when unpacked")
                    part.add(block)
                    if part.bytes > most_bytes:
                        raise ArchiveWrong(f"has more than {most_bytes:,} bytes in {member.filename!r}")
        except _WRONG as error:
            raise ArchiveWrong("is damaged, or has a password") from error
        self._elements += part.elements
        return part


class PartCheck:
    """A check of the XML of one part. `hidden_rows` are the hidden rows of a sheet that are not blank."""

    def __init__(self, pieces_at: int, *, most_elements: int) -> None:
        self.bytes = 0
        self.elements = 0
        self.hidden_rows = 0
        self._pieces_at = pieces_at
        self._most_elements = most_elements
        self._names: set[str] = set()
        self._depth = 0
        self._held = 0
        self._piece_begins = 0
        self._in = ""
        self._parser: expat.XMLParserType | None = expat.ParserCreate()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.StartDoctypeDeclHandler = _refuse_entities

    def add(self, block: bytes) -> None:
        """Read some more of the part.

        Raises:
            ArchiveWrong: it is too large.
        """
        self.bytes += len(block)
        if self._parser is None:
            return
        try:
            self._parser.Parse(block, False)
        except expat.ExpatError:
            # Every other parser ends here, too.
            self._parser = None
            return
        if self.bytes - self._parser.CurrentByteIndex > _TAG_BYTES:
            raise _unknown_xml()
        self._check_piece()

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._depth += 1
        self.elements += 1
        if self._depth <= self._pieces_at:
            self._check_piece()
            self._held = 0
            self._piece_begins = self._index()
            self._look_for_text(hidden=_plain(name) == "row" and attributes.get("hidden") in _TRUE)
        self._in = name
        self._held += 1 + len(attributes)
        if self.elements > self._most_elements or self._held > limits.XLSX_PIECE_ELEMENTS:
            raise ArchiveWrong("has too many cells or texts")
        known = len(self._names)
        self._names.add(name)
        self._names.update(attributes)
        if len(self._names) > known and (len(self._names) > _NAMES or max(map(len, self._names)) > _NAME_CHARACTERS):
            raise _unknown_xml()
        if attributes and max(map(len, attributes.values())) > _NAME_CHARACTERS:
            for attribute, text in attributes.items():
                if attribute.startswith("xmlns") and len(text) > _NAME_CHARACTERS:
                    raise _unknown_xml()

    def _end(self, _name: str) -> None:
        self._depth -= 1
        self._in = ""

    def _look_for_text(self, *, hidden: bool) -> None:
        """Count a hidden row when a text of it comes: others are not delayed by looking at each text."""
        if self._parser is not None:
            self._parser.CharacterDataHandler = self._text if hidden else None

    def _text(self, text: str) -> None:
        if _plain(self._in) in _VALUES and text.strip():
            self.hidden_rows += 1
            self._look_for_text(hidden=False)

    def _index(self) -> int:
        return 0 if self._parser is None else self._parser.CurrentByteIndex

    def _check_piece(self) -> None:
        if self._index() - self._piece_begins > limits.XLSX_PIECE_BYTES:
            raise ArchiveWrong(f"has more than {limits.XLSX_PIECE_BYTES:,} bytes in one row or text")


def _plain(name: str) -> str:
    """Return the name of an element without its prefix."""
    return name.rpartition(":")[2]


def _unknown_xml() -> ArchiveWrong:
    return ArchiveWrong("has XML that no spreadsheet program writes")


def _refuse_entities(*_: object) -> None:
    raise ArchiveWrong("defines entities of XML, which no spreadsheet program does")
