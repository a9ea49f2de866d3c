"""What spreadsheets ask of the files that they read and write: separators, and texts that must not be computed."""

import re
from enum import StrEnum


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


# A spreadsheet that computes such a cell could send the codes in its row to someone:
# https://owasp.org/www-community/attacks/CSV_Injection. After a sign, Excel computes everything but a number, such as
# that of a telephone: +A1 is another cell, and +49-170-123 is -244. An @name computes nothing.
_FORMULA = re.compile(r"[=＝]|[-+－＋](?![\d .]*$)|[@＠](?![\w .@/-]*$)")
_MARK = "'"


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
