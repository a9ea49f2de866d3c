"""Texts that people gave, in the cells of a spreadsheet: on one line, and never computed."""

import re

# A spreadsheet that computes such a cell could send the codes in its row to someone:
# https://owasp.org/www-community/attacks/CSV_Injection. A telephone number or an @name computes nothing.
_FORMULA = re.compile(r"[=＝]|[-+@－＋＠](?![\w .@/-]*$)")
_MARK = "'"


def is_formula(text: str) -> bool:
    """Return whether a spreadsheet that reads this text would compute it."""
    return _FORMULA.match(text) is not None


def defused(text: str) -> str:
    """Return a text that is not a formula for a spreadsheet: with an apostrophe before it, if it was one.

    >>> defused("=1+1"), defused("+49 170 12345")
    ("'=1+1", '+49 170 12345')
    """
    return f"{_MARK}{text}" if is_formula(text) else text


def unmarked(text: str) -> str:
    """Return a text as it was before `defused`.

    >>> unmarked("'=1+1"), unmarked("'tis")
    ('=1+1', "'tis")
    """
    bare = text.removeprefix(_MARK)
    return bare if is_formula(bare) else text
