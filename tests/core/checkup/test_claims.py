"""Prizes that were redeemed or passed on: a check-up names rows that do not follow from the draw."""

import pytest

from rafflekit import check_database
from tests.core.checkup.filled import CLAIMED, DRAWN, fill_with_claims
from tests.databases import past_the_rules

ONE_WRONG = "1 of its forfeits do not follow from its draw, so its proof is rejected"
BOTH_WRONG = "2 of its forfeits do not follow from its draw, so its proof is rejected"
IMPOSSIBLE = "1 of its redemptions are of prizes that no ticket has"
TOO_MANY_EACH = "participants have more tickets than the 2 that one can have"


def test_redeemed_and_forfeited_prizes_are_well(database_url: str) -> None:
    fill_with_claims(database_url)

    report = check_database(database_url)

    assert report.problems == ()
    assert (report.raffles, report.tickets, report.draws) == (5, 34, 2)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (
            "UPDATE forfeits SET serial = (SELECT max(serial) FROM tickets WHERE raffle = forfeits.raffle AND serial "
            "NOT IN (SELECT serial FROM wins WHERE raffle = forfeits.raffle) AND serial NOT IN (SELECT serial FROM "
            "forfeits)) WHERE number = 2",
            ONE_WRONG,
        ),
        ("UPDATE forfeits SET ordinal = 4 WHERE number = 1", ONE_WRONG),
        ("UPDATE forfeits SET ordinal = 6 WHERE number = 2", ONE_WRONG),
        ("UPDATE forfeits SET ordinal = 99 WHERE number = 2", ONE_WRONG),
        ("UPDATE forfeits SET prize = 1 WHERE number = 2", ONE_WRONG),
        ("UPDATE forfeits SET number = 3 WHERE number = 2", ONE_WRONG),
        ("DELETE FROM forfeits WHERE number = 1", ONE_WRONG),
        ("UPDATE forfeits SET number = number + 10", BOTH_WRONG),
        ("UPDATE forfeits SET forfeited_at = forfeited_at - 9 WHERE number = 2", ONE_WRONG),
        ("UPDATE forfeits SET forfeited_at = 5", ONE_WRONG),
        ("UPDATE forfeits SET why = 'disliked' WHERE number = 1", ONE_WRONG),
        (
            f"INSERT INTO forfeits SELECT raffle, 1, 1, {10**10}, 'unclaimed', 'no', prize, serial, NULL FROM wins "
            f"WHERE raffle = {DRAWN} AND ordinal = 1",
            ONE_WRONG,
        ),
        ("UPDATE redemptions SET ordinal = 1 WHERE ordinal = 2", IMPOSSIBLE),
        ("UPDATE redemptions SET ordinal = 7 WHERE ordinal = 2", IMPOSSIBLE),
        ("UPDATE redemptions SET ordinal = 0 WHERE ordinal = 2", IMPOSSIBLE),
        ("DELETE FROM forfeits WHERE number = 2", IMPOSSIBLE),
        (f"INSERT INTO redemptions SELECT {DRAWN}, 9, 1, 5, NULL, NULL, NULL", IMPOSSIBLE),
        (f"UPDATE tickets SET nth = 3 WHERE raffle = {CLAIMED} AND serial = 0", TOO_MANY_EACH),
    ],
)
def test_a_damaged_claim_is_named(database_url: str, statement: str, problem: str) -> None:
    fill_with_claims(database_url)
    past_the_rules(database_url, statement)

    problems = check_database(database_url).problems

    assert f"{problem}." in [each.partition(": ")[2] for each in problems]
