"""What a person sees in a cell of an Excel file, as far as that is known (pure)."""

import re
from datetime import date, datetime, time, timedelta

from rafflekit.cli.words import shortened

_LONGEST_TEXT = 32_767  # in Excel
# Excel keeps 15 digits of a number and replaces the others with zeros.
_FIRST_ROUNDED = 10**15
_ZEROS = re.compile("0{2,30}")
# Formats that add nothing to a number but commas and decimals. Others can show zeros, signs or words of their own.
_PLAIN = re.compile(r"General|GENERAL|@|(?:0|#,##0)(?:\.0+)?")


class Unclear(str):
    """The text of a cell that must not be used; `reason` says why, in a sentence about the cell."""

    __slots__ = ("reason",)
    reason: str

    @classmethod
    def because(cls, reason: str, text: str) -> "Unclear":
        """Return the text of a cell with the reason."""
        cell = cls(text)
        cell.reason = reason
        return cell


def cell_text(value: object, number_format: str = "") -> str:
    """Return the text of a value that openpyxl read from a cell.

    >>> cell_text(49170123456), cell_text(7.0), cell_text(0.1 + 0.2), cell_text(42, "00000"), cell_text(True)
    ('49170123456', '7', '0.3', '00042', 'TRUE')
    >>> cell_text(datetime(2026, 1, 2)), cell_text(datetime(2026, 1, 2, 9, 30))
    ('2026-01-02', '2026-01-02 09:30:00')
    """
    match value:
        case None:
            return ""
        case str():
            is_long = len(value) > _LONGEST_TEXT
            reason = f"has more than {_LONGEST_TEXT:,} characters"
            # Cut, because many cells can have it.
            return Unclear.because(reason, shortened(value)) if is_long else value
        case bool():
            return str(value).upper()
        case int() | float():
            return _number(value, number_format)
        case timedelta():
            return Unclear.because("has a duration; enter what Excel shows as text", str(value))
        case datetime():
            value = value.date() if value.time() == time() else value.replace(microsecond=0)
        case date() | time():
            pass
        case _:
            raise TypeError(f"no cell has a {type(value).__name__}")
    return str(value)


def _number(value: float, number_format: str) -> str:
    text = f"{value:.0f}" if isinstance(value, int) or value.is_integer() else f"{value:.15g}"
    if abs(value) >= _FIRST_ROUNDED:
        return Unclear.because("has more than 15 digits, and Excel has replaced the others with zeros", text)
    if "e" in text or "n" in text:
        return Unclear.because("has a number that Excel shows in scientific notation", text)
    if _ZEROS.fullmatch(number_format) and text.isdigit():
        # Telephone numbers and codes that keep their zeros by the format of the cell.
        return text.zfill(len(number_format))
    if number_format and not _PLAIN.fullmatch(number_format):
        return Unclear.because(f"has a number in the format {number_format!r}; enter what Excel shows as text", text)
    return text
