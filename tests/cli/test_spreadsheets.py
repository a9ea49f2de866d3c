"""Texts in CSV files, as spreadsheets read them that expect another separator."""

import csv
from io import StringIO
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from rafflekit import Ticket
from rafflekit.cli.lists.output import row
from rafflekit.cli.lists.people import Line
from rafflekit.cli.spreadsheets import Separator, defused, is_formula, unmarked

names = st.text(",;|\"'= +-＋@aA1.", max_size=12)
SEPARATORS = [separator.character for separator in Separator]


@given(name=names)
@example(name="''=1")
@example(name="x;'=1")
def test_a_defused_name_comes_back(name: str) -> None:
    assert unmarked(defused(name)) == name


@given(first=names, second=names)
@example(first='x;"=A1', second="")
@example(first='x;"', second='";=A1')
@example(first="x;=WEBSERVICE(A1);y", second="")
@example(first="x|+", second="")
def test_no_separator_makes_a_formula_of_a_name(first: str, second: str) -> None:
    """A spreadsheet that splits the file elsewhere also finds other quotes, and even other rows."""
    ticket = Ticket(UUID(int=1), 7, "0AR7-6XP2-Z0FB-CNV4-CY87-CCWJ")
    files = ["".join(row(Line(number, name), ticket) for number, name in enumerate((first, second)))]
    for separator in SEPARATORS:
        file = StringIO(newline="")
        csv.writer(file, delimiter=separator).writerows([7, defused(name), "0AR7"] for name in (first, second))
        files.append(file.getvalue())

    for text in files:
        for separator in SEPARATORS:
            cells = [cell for cells in csv.reader(StringIO(text, newline=""), delimiter=separator) for cell in cells]
            assert not [cell for cell in cells if is_formula(cell.lstrip())]
