"""From a list's bytes to its text: byte order marks, UTF-8, or the encoding that is named with `--encoding`.

An encoding is never guessed: names would be changed without a trace. The error suggests one and shows what it would do.
"""

import codecs
import re
from functools import partial
from io import BufferedReader, RawIOBase, TextIOWrapper
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from rafflekit.cli.spreadsheets import Separator, check_encoding

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

_SEPARATORS = tuple(each.character for each in Separator)

_BLOCK_BYTES = 256 * 1024
_MARK = "\ufeff"
# Byte order marks, with their encodings. UTF-32 first: its mark begins like that of UTF-16.
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BYTE_ORDER = re.compile("-[lb]e$")
# What Python calls some encodings → what everyone else does.
_NAMES = (
    (re.compile("^cp(125[0-8])$"), r"windows-\1"),
    (re.compile("^iso8859"), "iso-8859"),
    (re.compile("-sig$"), ""),
)
_SUGGESTED = "windows-1252"
_WORD_BYTES = 40
_NOT_ASCII = re.compile("[^\x00-\x7f]")
_END_OF_WORD = re.compile(rb"[^\x00-\x20\"',;|<>()]*\Z")
_BEGINNING_OF_WORD = re.compile(rb"[^\x00-\x20\"',;|<>()]*")


class Scanned(NamedTuple):
    """What a look at all bytes of a list found: the separators that occur, and why the list cannot be read, if so.

    Then `line` is where it is wrong, and `likely` an encoding in which to look for what else is wrong.
    """

    separators: tuple[str, ...]
    problem: str | None = None
    likely: str = ""
    line: int = 1


def text_encoding(name: str) -> str:
    """Return the standard name of an encoding of text files.

    Raises:
        CommandStopped: see `check_encoding`.
    """
    check_encoding(name)
    standard = codecs.lookup(name).name
    for pattern, common in _NAMES:
        standard = pattern.sub(common, standard)
    return standard


def is_of_family(encoding: str, family: str) -> bool:
    """Return whether an encoding is the given one, or the given one names a family without the order of bytes.

    >>> is_of_family("utf-16-le", "utf-16"), is_of_family("utf-16-le", "utf-16-be"), is_of_family("utf-8", "ut")
    (True, False, False)
    """
    return family in (encoding, _BYTE_ORDER.sub("", encoding))


def shown_encoding(encoding: str) -> str:
    """Return what people call an encoding.

    >>> shown_encoding("utf-16-le"), shown_encoding("windows-1252"), shown_encoding("iso-8859-1")
    ('UTF-16', 'Windows-1252', 'ISO-8859-1')
    """
    name = _BYTE_ORDER.sub("", encoding)
    return name.capitalize() if name.startswith("windows") else name.upper()


def marked_encoding(file: BinaryIO) -> str | None:
    """Return the encoding that a byte order mark at the beginning of a file names."""
    file.seek(0)
    beginning = file.read(max(len(mark) for mark, _ in _MARKS))
    return next((encoding for mark, encoding in _MARKS if beginning.startswith(mark)), None)


def scan(file: BinaryIO, encoding: str, *, name: str) -> Scanned:
    """Decode a whole file, in flat memory."""
    if not encoding.startswith("utf") and (wrong := _utf_8_instead(file, encoding, name)):
        return wrong
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    found = dict.fromkeys(_SEPARATORS, False)
    line = 1
    while True:
        block = file.read(_BLOCK_BYTES)
        try:
            text = decoder.decode(block, final=not block)
        except UnicodeError as error:
            return _wide(file, name) or _not_decoded(error, line, encoding, name)
        if "\0" in text:
            line += text[: text.index("\0")].count("\n")
            problem = f"Line {line} of {name} has a NUL character; remove it."
            return _wide(file, name) or Scanned(_SEPARATORS, problem, encoding, line)
        for separator, is_found in found.items():
            found[separator] = is_found or separator in text
        line += text.count("\n")
        if not block:
            return Scanned(tuple(separator for separator, is_found in found.items() if is_found))


def text_in(file: BinaryIO, encoding: str, *, errors: str = "strict") -> TextIOWrapper:
    """Return the text of a file, without a byte order mark. Only line feeds end its lines.

    Several texts of one file can be read by turns. Closing one does not close the file.
    """
    begins = len(_mark_in(file, encoding))
    source = BufferedReader(_Reading(file, begins), _BLOCK_BYTES)
    return TextIOWrapper(source, encoding=encoding, errors=errors, newline="\n")


class _Reading(RawIOBase):
    """What an open file has from a position on. Its own position is not the file's, which stays open."""

    def __init__(self, file: BinaryIO, position: int) -> None:
        self._file = file
        self._position = position

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        self._file.seek(self._position)
        view = memoryview(buffer)
        found = self._file.read(len(view))
        view[: len(found)] = found
        self._position += len(found)
        return len(found)


def _mark_in(file: BinaryIO, encoding: str) -> bytes:
    """Return the byte order mark with which a file in this encoding begins, if it has one."""
    try:
        mark = _MARK.encode(encoding)
    except UnicodeEncodeError:
        return b""
    file.seek(0)
    return mark if file.read(len(mark)) == mark else b""


def _not_decoded(error: UnicodeError, line: int, encoding: str, name: str) -> Scanned:
    another = f"is not {shown_encoding(encoding)}; give another --encoding."
    if not isinstance(error, UnicodeDecodeError):
        return Scanned(_SEPARATORS, f"{name} {another}", _SUGGESTED)
    before = error.object[: error.start]
    line += before.decode(encoding, "replace").count("\n")
    place = f"Line {line} of {name}"
    if encoding != "utf-8":
        # What is wrong with UTF-16 and UTF-32 cannot be replaced everywhere.
        likely = _SUGGESTED if encoding.startswith("utf") else encoding
        return Scanned(_SEPARATORS, f"{place} {another}", likely, line)
    word = _word_at(error.object, error.start)
    try:
        becomes = word.decode(_SUGGESTED)
    except UnicodeDecodeError:
        advice = "Give its encoding with --encoding, or save it as UTF-8."
    else:
        escaped = word.decode("ascii", "backslashreplace")
        advice = f'Is it Windows-1252? Then "{escaped}" is "{becomes}"; if that is right, give --encoding {_SUGGESTED}.'
    return Scanned(_SEPARATORS, f"{place} is not UTF-8. {advice}", _SUGGESTED, line)


def _word_at(content: bytes, position: int) -> bytes:
    """Return the word around a place, as far as it is near."""
    begins = _END_OF_WORD.search(content[max(0, position - _WORD_BYTES) : position])
    ends = _BEGINNING_OF_WORD.match(content[position : position + _WORD_BYTES])
    return (begins[0] if begins else b"") + (ends[0] if ends else b"")


def _utf_8_instead(file: BinaryIO, encoding: str, name: str) -> Scanned | None:
    """Return what to say about a file that is UTF-8 with letters of it: no other text looks like that by chance."""
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    line, word = 1, b""
    try:
        for block in iter(partial(file.read, _BLOCK_BYTES), b""):
            text = decoder.decode(block)
            if (letter := _NOT_ASCII.search(text)) and not word:
                before = text[: letter.start()]
                line += before.count("\n")
                word = _word_at(text.encode(), len(before.encode()))
            elif not word:
                line += text.count("\n")
        decoder.decode(b"", final=True)
    except UnicodeError:
        return None
    if not word:
        return None
    right, wrong = (word.decode(each, "replace") for each in ("utf-8", encoding))
    problem = (
        f"{name} is UTF-8: line {line} has {right!r}. In {shown_encoding(encoding)}, it would be {wrong!r}; give "
        "--encoding utf-8."
    )
    return Scanned(_SEPARATORS, problem, "utf-8", line)


def _wide(file: BinaryIO, name: str) -> Scanned | None:
    """Return what to say about a file that looks like UTF-16 without a byte order mark."""
    file.seek(0)
    beginning = file.read(1024)
    zeros = beginning[::2].count(0), beginning[1::2].count(0)
    if marked_encoding(file) or not beginning or 4 * max(zeros) < len(beginning):
        return None
    encoding = "utf-16-be" if zeros[0] > zeros[1] else "utf-16-le"
    advice = f"give --encoding {encoding}, or save it as UTF-8"
    return Scanned(_SEPARATORS, f"{name} looks like UTF-16 without a byte order mark; {advice}.", encoding)
