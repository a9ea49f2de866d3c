"""`check_database`: an honest database is well, and each change past the rules is named."""

import re
from pathlib import Path

import pytest

from rafflekit import Prize, database_status
from tests.core.checkup.filled import CANCELLED, DRAWN, LARGE, OPEN, PRIZES, fill, fill_with_a_tile
from tests.databases import PostgresqlServer, check_up, open_engine, past_the_rules
from tests.raffles import sold_out

A_WITNESSS_KEY = "example.test/witness+7df143cd+BD1ZVxMxDi4lFocNAZ10FqW0iC4GMM99Ix3/gZ+c28GB"
UNKNOWN_ENTROPY = "its source of entropy is unknown, or has another delay"
WRONG_CLOSING = "its closing is from before the raffle, or its round does not match its time"
NO_DATE = "its creation date is not from 1970 to 9999, so it can be neither shown nor proven"
WRONG_NUMBERS = r"\d tickets do not have the number that they were given; the first is no. \d+"
TOO_MANY_EACH = "participants have more tickets than the 1 that one can have"
DAMAGED_SECRETS = "its secrets are damaged, so it can hand out no more tickets"
ANOTHERS_SECRETS = f"(SELECT sealed FROM secrets WHERE raffle <> {OPEN})"
WRONG_DRAW = "its draw record does not match its seed and its tickets, so its proof is rejected"


def test_an_honest_database_is_well(database_url: str) -> None:
    fill_with_a_tile(database_url)

    report = check_up(database_url)

    assert report.problems == ()
    assert (report.raffles, report.tickets, report.draws) == (5, 326, 1)
    assert report.url == database_status(database_url).url


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (f"UPDATE counters SET issued = 6 WHERE raffle = {OPEN}", "its counter says 6 tickets, but 5 are stored"),
        (f"DELETE FROM counters WHERE raffle = {OPEN}", "its counter says None tickets, but 5 are stored"),
        (
            f"DELETE FROM tickets WHERE raffle = {OPEN} AND serial = 2",
            "its last ticket was issued as no. 5, but 4 are stored",
        ),
        (
            f"UPDATE tickets SET number = 21 WHERE raffle = {OPEN} AND serial = 0",
            "it has 20 tickets, and 5 are stored, up to no. 21",
        ),
        (
            "UPDATE raffles SET total_tickets = 4 WHERE name = 'Half'",
            r"it has 4 tickets, and 5 are stored, up to no. \d+",
        ),
        ("UPDATE raffles SET total_tickets = 3 WHERE name = 'Half'", "it has 4 prizes for 3 tickets"),
        ("UPDATE raffles SET total_tickets = 21 WHERE name = 'Half'", WRONG_NUMBERS),
        (f"DELETE FROM secrets WHERE raffle = {OPEN}", "it is not drawn, but its secrets are missing"),
        (f"UPDATE secrets SET sealed = {ANOTHERS_SECRETS} WHERE raffle = {OPEN}", DAMAGED_SECRETS),
        (f"UPDATE counters SET issued = 19 WHERE raffle = {DRAWN}", "its counter says 19 tickets, but 20 are stored"),
        (f"DELETE FROM wins WHERE raffle = {DRAWN} AND ordinal = 4", "1 of its 4 wins do not come from its seed"),
        (
            f"UPDATE wins SET ordinal = 5 - ordinal + 100 WHERE raffle = {DRAWN}",
            "4 of its 4 wins do not come from its seed",
        ),
        (
            f"UPDATE wins SET prize = 0 WHERE raffle = {DRAWN} AND prize = 1",
            "3 of its 4 wins do not come from its seed",
        ),
        (
            f"UPDATE prizes SET amount = 2 WHERE raffle = {DRAWN} AND position = 1",
            r"\d of its 3 wins do not come from its seed",
        ),
        (
            f"INSERT INTO secrets SELECT {DRAWN}, sealed FROM secrets LIMIT 1",
            "it is drawn, but its secrets are still stored",
        ),
        (f"UPDATE draws SET wins = 2 WHERE raffle = {DRAWN}", WRONG_DRAW),
        (f"UPDATE draws SET winners_digest = entropy WHERE raffle = {DRAWN}", WRONG_DRAW),
        (
            f"UPDATE raffles SET round = 1000 WHERE id = {DRAWN}",
            WRONG_CLOSING,
        ),
        (
            f"INSERT INTO cosignatures (raffle, verifier_key, line) VALUES ({DRAWN}, 'gazette', '— gazette AAAAAAAA')",
            "the cosignature of gazette does not belong to its closing, so its proof is rejected",
        ),
        (f"UPDATE raffles SET closed_at = 5 WHERE id = {OPEN}", WRONG_CLOSING),
        (
            "UPDATE raffles SET closed_at = created_at WHERE name = 'Empty'",
            "it is closed, but has more prizes than tickets",
        ),
        (f"UPDATE raffles SET closed_at = NULL WHERE id = {DRAWN}", "it is drawn, but not closed"),
        (f"UPDATE raffles SET closed_at = NULL WHERE id = {DRAWN}", "it is sold out, but not closed"),
        (
            f"UPDATE raffles SET closed_at = 5 WHERE id = {DRAWN}",
            WRONG_CLOSING,
        ),
        (
            f"UPDATE raffles SET closed_at = closed_at + 1 WHERE id = {DRAWN}",
            "its seed does not come from its closing and its entropy",
        ),
        (
            "UPDATE raffles SET name = 'Another' WHERE name = 'Sold out'",
            "its seed does not come from its closing and its entropy",
        ),
        (f"UPDATE raffles SET created_at = {9 * 10**18} WHERE name = 'Half'", NO_DATE),
        ("UPDATE raffles SET created_at = 253402300800 WHERE name = 'Half'", NO_DATE),
        ("UPDATE raffles SET created_at = -1 WHERE name = 'Sold out'", NO_DATE),
        (
            f"UPDATE raffles SET verifier_key = 'foo' WHERE id = {OPEN}",
            "its ledger's key is not an operator's, so it can be neither continued nor proven",
        ),
        (
            f"UPDATE raffles SET verifier_key = '{A_WITNESSS_KEY}' WHERE id = {OPEN}",
            "its ledger's key is not an operator's, so it can be neither continued nor proven",
        ),
        (f"UPDATE raffles SET entropy = 'foo' WHERE id = {DRAWN}", UNKNOWN_ENTROPY),
        (f"UPDATE raffles SET entropy = 'foo' WHERE id = {OPEN}", UNKNOWN_ENTROPY),
        (f"UPDATE raffles SET delay_s = 60 WHERE id = {OPEN}", UNKNOWN_ENTROPY),
        (
            f"UPDATE prizes SET position = 5 WHERE raffle = {OPEN} AND position = 1",
            "its prizes are not numbered from 0 without gaps, so it cannot be drawn",
        ),
        (
            f"UPDATE secrets SET sealed = hash FROM (SELECT participant AS hash FROM tickets WHERE serial = 0 "
            f"AND raffle = {OPEN}) AS t WHERE raffle = {OPEN}",
            DAMAGED_SECRETS,
        ),
        (
            f"UPDATE tickets SET participant = (SELECT sealed FROM secrets WHERE raffle = {OPEN}) "
            f"WHERE raffle = {OPEN} AND serial = 2",
            "1 tickets have no hash of their participant, who could get another ticket",
        ),
        (f"UPDATE tickets SET nth = 2 WHERE raffle = {OPEN} AND serial = 2", TOO_MANY_EACH),
        (
            f"INSERT INTO secrets SELECT {CANCELLED}, sealed FROM secrets LIMIT 1",
            "it is cancelled, but its secrets are still stored",
        ),
        (f"INSERT INTO wins SELECT {CANCELLED}, 1, 0, 0", "it is not drawn, but has wins"),
        (
            "UPDATE raffles SET cancelled_at = NULL, reason = NULL WHERE name = 'Called off'",
            "it is not drawn, but its secrets are missing",
        ),
        (f"DELETE FROM tiles WHERE raffle = {LARGE}", "1 of its ledger's stored hashes do not match its tickets"),
        (
            f"UPDATE tickets SET code_hash = 'another' WHERE raffle = {LARGE} AND serial = 7",
            "2 of its ledger's stored hashes do not match its tickets",
        ),
        (f"DELETE FROM prizes WHERE raffle = {OPEN}", "it has no prizes, so it is shown nowhere"),
        (f"INSERT INTO wins SELECT {OPEN}, 1, 0, 0", "it is not drawn, but has wins"),
        (
            f"UPDATE tickets SET code_hash = 'nonsense' WHERE raffle = {OPEN} AND serial = 2",
            "1 tickets have no Argon2id hash of a code, so they can never be verified",
        ),
    ],
)
def test_a_change_that_bypasses_the_rules_is_named(database_url: str, statement: str, problem: str) -> None:
    (fill_with_a_tile if LARGE in statement else fill)(database_url)
    past_the_rules(database_url, statement)

    problems = check_up(database_url).problems

    assert any(re.fullmatch(rf"Raffle [0-9a-f-]{{36}}: {problem}\.", each) for each in problems)


@pytest.mark.parametrize("moment", [0, 253_402_300_799])
def test_the_first_and_the_last_possible_second_are_well(database_url: str, moment: int) -> None:
    with open_engine(database_url) as engine:
        engine.create("Foobar", total_tickets=2, prizes=[Prize("hug")])
    past_the_rules(database_url, f"UPDATE raffles SET created_at = {moment}")

    assert check_up(database_url).problems == ()


def test_a_draw_in_which_every_ticket_wins_is_well(database_url: str) -> None:
    with open_engine(database_url) as engine:
        engine.draw(sold_out(engine, tickets=4, prizes=PRIZES).id)

    assert check_up(database_url).problems == ()


def test_another_seed_gives_other_winners(database_url: str) -> None:
    fill(database_url)
    zeros = "decode(repeat('00', 32), 'hex')" if database_url.startswith("postgresql") else "zeroblob(32)"
    past_the_rules(database_url, f"UPDATE raffles SET seed = {zeros} WHERE name = 'Sold out'")

    ledger, wins = check_up(database_url).problems

    # That zeros and the draw's own seed agree in all four winners of 20: 1 in 116,280.
    assert "wins do not come from its seed" in wins
    assert "its seed does not come from its closing" in ledger


def test_a_damaged_seed_and_a_damaged_key_are_named(database: Path, postgresql: PostgresqlServer) -> None:
    for url in (f"sqlite:///{database}", postgresql.new_url()):
        fill(url)
        short = "'\\x00'" if url.startswith("postgresql") else "x'00'"
        past_the_rules(
            url,
            f"UPDATE raffles SET seed = {short} WHERE name = 'Sold out'",
            f"UPDATE secrets SET sealed = {short}",
        )

        problems = "\n".join(check_up(url).problems)

        assert problems.count(": its draw cannot be replayed, because its seed or its prizes are damaged.") == 1
        assert problems.count(f": {DAMAGED_SECRETS}.") == 2


def test_duplicate_numbers_and_participants_are_named(postgresql: PostgresqlServer) -> None:
    url = postgresql.new_url()
    fill(url)
    past_the_rules(
        url,
        "ALTER TABLE tickets DROP CONSTRAINT tickets_number",
        "ALTER TABLE tickets DROP CONSTRAINT tickets_participant",
        f"UPDATE tickets SET number = (SELECT min(number) FROM tickets WHERE raffle = {OPEN}), "
        f"participant = (SELECT min(participant) FROM tickets WHERE raffle = {OPEN}) WHERE raffle = {OPEN}",
    )

    problems = "\n".join(check_up(url).problems)

    assert "4 tickets have the number of another ticket" in problems
    assert "participants have more tickets than the 1 that one can have" in problems


def test_a_value_of_a_wrong_type_is_named(database: Path) -> None:
    """SQLite stores a text where a number belongs."""
    url = f"sqlite:///{database}"
    fill(url)
    past_the_rules(url, f"UPDATE tickets SET number = 'seven' WHERE raffle = {OPEN} AND serial = 2")

    assert "it has a value of a wrong type" in "\n".join(check_up(url).problems)


@pytest.mark.parametrize(
    ("table", "column", "problem"),
    [
        ("raffles", "seed", "its draw cannot be replayed, because its seed or its prizes are damaged"),
        ("secrets", "sealed", "it has a value of a wrong type"),
        ("counters", "issued", "its counter says some text tickets"),
        ("raffles", "total_tickets", "it has a value of a wrong type"),
        ("raffles", "created_at", NO_DATE),
        ("raffles", "drawn_at", ""),
        ("raffles", "name", ""),
        ("prizes", "amount", "it has a value of a wrong type"),
        ("tickets", "participant", ""),
        ("wins", "serial", "of its 4 wins do not come from its seed"),
        ("draws", "entropy", "it has a value of a wrong type"),
        ("tiles", "hash", ""),
        ("raffles", "verifier_key", ""),
        ("raffles", "entropy", UNKNOWN_ENTROPY),
        ("raffles", "entry", ""),
        ("raffles", "opens_at", "it has a value of a wrong type"),
    ],
)
def test_a_value_of_a_wrong_type_is_named_by_its_column(database: Path, table: str, column: str, problem: str) -> None:
    url = f"sqlite:///{database}"
    fill_with_a_tile(url)
    kind = "x'00'" if column in {"name", "entropy", "entry", "verifier_key"} and table != "draws" else "'some text'"
    which = "" if column in {"sealed", "hash"} else ", ".join(["WHERE drawn_at > 0"] * (table == "raffles"))
    past_the_rules(url, f"UPDATE OR IGNORE {table} SET {column} = {kind} {which}")

    problems = "\n".join(check_up(url).problems)

    assert f"rows of the table {table} have a value of a wrong type in the column {column}." in problems
    assert problem in problems


@pytest.mark.parametrize("identity", ["'some text'", "x'00'"])
def test_a_raffle_without_a_valid_id_is_named(database: Path, identity: str) -> None:
    url = f"sqlite:///{database}"
    fill(url)
    past_the_rules(
        url,
        f"UPDATE prizes SET raffle = {identity} WHERE raffle = {DRAWN}",
        f"UPDATE raffles SET id = {identity} WHERE name = 'Sold out'",
    )

    report = check_up(url)

    assert report.raffles == 3
    assert "1 rows of the table raffles have a value of a wrong type in the column id." in report.problems
