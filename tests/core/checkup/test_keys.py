"""The keys that sign: a check-up says which of them are missing."""

from pathlib import Path

import pytest

from rafflekit import Prize, RaffleEngine, check_database
from rafflekit.core.protocol.notes import WITNESS, SignerKey
from tests.databases import past_the_rules
from tests.raffles import sold_out

KEY, OTHER = SignerKey.make("raffles.example"), SignerKey.make("other.example")


def missing(raffles: int) -> str:
    without = f"without it, {raffles} of the raffles can neither hand out tickets nor be drawn or proven"
    return f"The key {KEY.verifier} is missing here: {without}."


@pytest.fixture
def signed(database_url: str) -> str:
    """The URL of a database with two open raffles and a drawn one, all signed with `KEY`."""
    with RaffleEngine(database_url, signing_key=KEY) as engine:
        for _ in range(2):
            engine.create("Foobar", total_tickets=2, prizes=[Prize("hug")])
        engine.draw(sold_out(engine).id)
    return database_url


def test_a_missing_key_is_not_a_problem_of_the_database(signed: str) -> None:
    report = check_database(signed, signing_key=OTHER)

    assert (report.problems, report.missing_keys) == ((), (missing(3),))
    assert check_database(signed, signing_key=KEY).missing_keys == ()


def test_the_key_next_to_a_file_is_found(signed: str, database: Path) -> None:
    if signed.startswith("postgresql"):
        # It is unknown which key its servers have.
        report = check_database(signed)
        assert (report.problems, report.missing_keys, report.unopened) == ((), (), 2)
        return
    key_file = Path(f"{database}.key")

    without = check_database(signed).missing_keys
    key_file.write_text(KEY.write())
    with_it = check_database(signed).missing_keys

    assert (without, with_it) == ((missing(3),), ())


def test_without_the_key_numbers_are_not_checked_and_counted(signed: str) -> None:
    """They come from the secrets, which are sealed with it; a drawn raffle has none."""
    past_the_rules(signed, "UPDATE secrets SET sealed = (SELECT min(participant) FROM tickets)")

    without, with_it = check_database(signed, signing_key=OTHER), check_database(signed, signing_key=KEY)

    assert (without.problems, without.unopened) == ((), 2)
    assert (len(with_it.problems), with_it.unopened) == (2, 0)
    assert all("its secrets are damaged, so it can hand out no more tickets" in each for each in with_it.problems)


@pytest.mark.parametrize(
    "content", ["nonsense", SignerKey.make("gazette", kind=WITNESS).write()], ids=["nonsense", "a witness's"]
)
def test_an_unusable_key_next_to_a_file_is_named(database: Path, content: str) -> None:
    url = f"sqlite:///{database}"
    with RaffleEngine(url, signing_key=KEY) as engine:
        engine.create("Foobar", total_tickets=2, prizes=[Prize("hug")])
    Path(f"{database}.key").write_text(content)

    unusable, *others = check_database(url).missing_keys

    assert unusable.startswith(f"The signing key {database}.key cannot be used: it ")
    assert others == [missing(1)]
