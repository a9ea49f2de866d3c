"""Prize arguments: a prize that a raffle can have, or a sentence."""

import re

from hypothesis import strategies as st

from rafflekit import InvalidValue, Prize
from rafflekit.core import limits
from rafflekit.core.written_numbers import WHOLE
from rafflekit.core.written_prizes import read_prize, write_prize
from tests.fuzz.cases import damaged, fuzz, outcome

ARGUMENTS = damaged(
    st.builds("{}:{}".format, st.text(max_size=5), st.integers(0, 10**16)), alphabet=":\uff1a-+.,0159e \u0663\u00b3\x00"
)


@fuzz(argument=ARGUMENTS | st.text())
def test_an_argument_is_a_prize_by_the_last_colon_or_a_sentence(argument: str) -> None:
    prize = outcome(InvalidValue, lambda: read_prize(argument))

    if isinstance(prize, InvalidValue):
        assert (prize.field, prize.reason[-1], bool(set(":\uff1a") & set(argument))) == ("prizes", ".", True)
        return
    counted = re.fullmatch(f"(.*)[:\uff1a]\\s*(?P<amount>{WHOLE})\\s*", argument, re.DOTALL)
    assert prize == (Prize(counted[1], int(re.sub("[^0-9]", "", counted["amount"]))) if counted else Prize(argument, 1))
    assert read_prize(write_prize(prize)) == prize


@fuzz(arguments=st.lists(ARGUMENTS, max_size=3), tickets=st.integers(-1, 10**13))
def test_prizes_are_within_the_limits_or_refused(arguments: list[str], tickets: int) -> None:
    def checked() -> list[Prize]:
        prizes = [read_prize(argument) for argument in arguments]
        limits.check_raffle("a", tickets, prizes)
        return prizes

    prizes = outcome(InvalidValue, checked)

    if isinstance(prizes, InvalidValue):
        assert prizes.field.partition("[")[0] in ("prizes", "total_tickets")
        return
    assert 1 <= sum(prize.amount for prize in prizes) <= min(tickets, limits.PRIZES)
    assert all(1 <= len(prize.name.strip()) <= limits.NAME_CHARACTERS for prize in prizes)
