"""What spreadsheets ask of the files that they read and write: separators, encodings, and texts not to be computed."""

import codecs
import re
from enum import StrEnum
from io import BytesIO, TextIOWrapper

from rafflekit.cli.failures import WRONG_USAGE, CommandStopped

SHEET_ROWS = 1_048_576
"""The rows of a sheet of Excel: https://support.microsoft.com/office/1672b34d-7043-467e-8e27-269d656771c3."""


class Separator(StrEnum):
    """What separates the cells of a CSV file; its value is how an option names it."""

    COMMA = ","
    SEMICOLON = ";"
    TAB = "tab"
    BAR = "|"

    @property
    def character(self) -> str:
        """The character in the file."""
        return "\t" if self is Separator.TAB else self.value


# Text encodings for Python, but not for files of people. UTF-7 is the only other one that gives lone surrogates.
_NOT_FOR_FILES = {"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"}

# A spreadsheet that computes such a cell could send the codes in its row to someone:
# https://owasp.org/www-community/attacks/CSV_Injection. After a sign, Excel computes everything but a number, such as
# that of a telephone: +A1 is another cell, and +49-170-123 is -244. An @name computes nothing.
_FORMULA = re.compile(r"[=＝]|[-+－＋](?![\d .]*$)|[@＠](?![\w .@/-]*$)")
_MARK = "'"


def check_encoding(name: str) -> None:
    """Check the name of an encoding that `--encoding` gives.

    Raises:
        CommandStopped: Python does not know it, or it is not one of text files.
    """
    try:
        # Unlike `lookup`, this refuses codecs such as rot13.
        TextIOWrapper(BytesIO(), encoding=name)
        is_known = codecs.lookup(name).name not in _NOT_FOR_FILES
    except (LookupError, ValueError, UnicodeError):
        is_known = False
    if not is_known:
        raise CommandStopped(
            f"--encoding: {name!r} is not an encoding of text files; examples: utf-8, windows-1252, utf-16.",
            status=WRONG_USAGE,
        )


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet that reads this text would compute it."""
    return _FORMULA.match(text) is not None


def defused(text: str) -> str:
    """Return a text that is not a formula for a spreadsheet: with an apostrophe before it, if it was one.

    >>> defused("=1+1"), defused("+49-170-12345"), defused("+49 170 12345")
    ("'=1+1", "'+49-170-12345", '+49 170 12345')
    """
    return f"{_MARK}{text}" if is_formula(text) else text


def unmarked(text: str) -> str:
    """Return a text as it was before `defused`.

    >>> unmarked("'=1+1"), unmarked("'tis")
    ('=1+1', "'tis")
    """
    bare = text.removeprefix(_MARK)
    return bare if is_formula(bare) else text
