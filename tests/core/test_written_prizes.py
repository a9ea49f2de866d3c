"""A prize argument is a prize, or a clear error."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rafflekit import InvalidValue, Prize
from rafflekit.core.written_prizes import read_prize, write_prize

NUMBER_LIKE = st.from_regex(r"[-+.,]?[0-9]{1,3}([.,e-][0-9]+)?", fullmatch=True)
ARGUMENTS = st.text() | st.builds(
    "{}{}{}".format, st.text(), st.sampled_from(":\uff1a"), st.text(alphabet=" +-.0123456789:³٣x") | NUMBER_LIKE
)


@pytest.mark.parametrize(
    ("argument", "prize"),
    [
        ("warm hug", Prize("warm hug", 1)),
        ("warm hug:3", Prize("warm hug", 3)),
        ("warm hug: 3", Prize("warm hug", 3)),
        ("bike: red", Prize("bike: red", 1)),
        ("a:b:3", Prize("a:b", 3)),
        ("radio 1:5:1", Prize("radio 1:5", 1)),
        ("tea:007", Prize("tea", 7)),
        ("tea:0", Prize("tea", 0)),
        ("tea:1,500", Prize("tea", 1_500)),
        ("tea, green: 1.500", Prize("tea, green", 1_500)),
        ("1,500 teas: 2", Prize("1,500 teas", 2)),
        ("tea\uff1a3", Prize("tea", 3)),
        ("a:1\uff1a3", Prize("a:1", 3)),
        ("a\uff1a1:3", Prize("a\uff1a1", 3)),
        ("bike\uff1ared", Prize("bike\uff1ared", 1)),
        (":2", Prize("", 2)),
        ("", Prize("", 1)),
    ],
)
def test_a_prize_is_a_name_and_the_amount_after_its_last_colon(argument: str, prize: Prize) -> None:
    assert read_prize(argument) == prize


@pytest.mark.parametrize(
    "argument",
    ["tea:-1", "tea:+1", "tea:1.5", "tea:1,1", "tea:0.125", "tea:1e3", "tea:٣", "tea:", "tea: ", "tea:3x", "tea\uff1a"],
)
def test_an_impossible_amount_is_not_taken_for_a_name(argument: str) -> None:
    with pytest.raises(InvalidValue, match="no whole number after its last colon"):
        read_prize(argument)


@pytest.mark.parametrize("digits", [14, 400, 5000])
def test_an_amount_of_any_length_is_refused_with_a_sentence(digits: int) -> None:
    with pytest.raises(InvalidValue, match=f"Too many prizes: the amount of 'tea' has {digits} digits"):
        read_prize("tea:" + "9" * digits)


@given(ARGUMENTS)
def test_any_text_is_a_prize_or_a_clear_error(argument: str) -> None:
    prize = prize_or_refused_field(argument)

    assert prize in ("prizes", Prize(argument)) or (
        isinstance(prize, Prize) and int(re.sub("[^0-9]", "", argument.removeprefix(prize.name)[1:])) == prize.amount
    )


@given(st.builds(Prize, st.text(), st.integers(1, 10**12)))
def test_every_prize_can_be_written_as_an_argument(prize: Prize) -> None:
    assert read_prize(write_prize(prize)) == prize


def prize_or_refused_field(argument: str) -> Prize | str:
    try:
        return read_prize(argument)
    except InvalidValue as error:
        return error.field
