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


def _formulas_after(marks: str) -> str:
    """Return the pattern of what comes before each formula in a text and the `marks` before it.

    Excel splits a CSV file at the separator of its country, even if the file was written with another one. Then a cell
    can begin within a text: after a separator, and perhaps blanks and a quote. What ends that cell is not in the text,
    so a number is not recognised. Texts that have an apostrophe there get another one, which `unmarked` removes.
    """
    return rf'(?:^[\s"]*+(?={marks}(?:{_FORMULA.pattern}))|[,;|\t][\s"]*+(?={marks}[-=＝+－＋@＠]))'


_UNMARKED = re.compile(_formulas_after(f"{_MARK}*+"))
_MARKED = re.compile(f"({_formulas_after(f'{_MARK}++')}){_MARK}")


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
    """Return whether a spreadsheet that reads this text as one cell would compute it."""
    return _FORMULA.match(text) is not None


def defused(text: str) -> str:
    """Return a text of which a spreadsheet computes no part, at whichever separator it splits the text.

    Each part that is a formula has an apostrophe before it. The text is `visible`, so it has no line breaks.

    >>> defused("=1+1"), defused("+49-170-12345"), defused("+49 170 12345"), defused("x;=1+1;y")
    ("'=1+1", "'+49-170-12345", '+49 170 12345', "x;'=1+1;y")
    """
    return _UNMARKED.sub(_with_mark, text)


def unmarked(text: str) -> str:
    """Return a text as it was before `defused`.

    >>> unmarked("'=1+1"), unmarked("'tis"), unmarked("x;'=1+1;y")
    ('=1+1', "'tis", 'x;=1+1;y')
    """
    # Few texts have one, and lists are long.
    return _MARKED.sub(lambda found: found[1], text) if _MARK in text else text


def _with_mark(found: re.Match[str]) -> str:
    return f"{found[0]}{_MARK}"
