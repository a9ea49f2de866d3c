"""A number is read as paper prints it, or not at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit.core import limits
from rafflekit.core.written_numbers import read_whole_number
from rafflekit.html.languages import LANGUAGES
from rafflekit.html.rendering import numeral


@given(st.integers(0, limits.TICKETS), st.sampled_from(sorted(LANGUAGES)))
def test_a_number_is_read_as_every_language_prints_it(number: int, language: str) -> None:
    assert read_whole_number(numeral(number, language)) == number


@given(st.integers(0, limits.TICKETS), st.sampled_from(",. '’\xa0\u2009\u202f"))
def test_any_usual_separator_may_divide_thousands(number: int, separator: str) -> None:
    assert read_whole_number(f" {number:,} ".replace(",", separator)) == number


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "1,1",
        "1.5",
        "1,50",
        "1,,500",
        "1,5000",
        "1234,567",
        "0.125",
        "1,234.567",
        "1.234,567",
        "-1",
        "+1",
    ],
)
def test_what_may_mean_another_number_is_not_read(text: str) -> None:
    assert read_whole_number(text) is None


@pytest.mark.parametrize("text", ["１", "٣", "²", "1_000", "seven"])
def test_only_the_digits_from_0_to_9_are_read(text: str) -> None:
    assert read_whole_number(text) is None


def test_very_long_numbers_are_above_every_limit() -> None:
    assert read_whole_number("0" * 5000) == 0
    assert (read_whole_number("9" * 5000) or 0) > limits.TICKETS
