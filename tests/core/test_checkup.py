"""`check_database`: an honest database is well, and each thing that somebody changed past the rules is named."""

import re
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import pytest

from rafflekit import (
    Prize,
    RaffleEngine,
    SchemaMismatch,
    StorageUnavailable,
    check_database,
    database_status,
    upgrade_database,
)
from rafflekit.core.protocol.notes import WITNESS, Note, SignerKey
from tests import programs
from tests.databases import PostgresqlServer, past_the_rules, run, use_next_layout
from tests.raffles import sold_out

PRIZES = (Prize("car"), Prize("hug", 3))


def fill(url: str) -> None:
    """Make a drawn raffle of 20 tickets, an open one with 5 of 20, an empty one, and one with a whole tile."""
    with RaffleEngine(url) as engine:
        drawn = sold_out(engine, tickets=20, prizes=PRIZES)
        engine.draw(drawn.id)
        half = engine.create("Half", total_tickets=20, prizes=PRIZES)
        for person in range(5):
            engine.participate(half.id, f"participant {person}")
        engine.create("Empty", total_tickets=10**12, prizes=PRIZES)
        large = engine.create("Large", total_tickets=10**6, prizes=PRIZES)
        assert len(list(engine.participate_many(large.id, [f"participant {person}" for person in range(300)]))) == 300


def test_an_honest_database_is_well(database_url: str) -> None:
    fill(database_url)

    report = check_database(database_url)

    assert report.problems == ()
    assert (report.raffles, report.tickets, report.draws) == (4, 325, 1)
    assert report.url == database_status(database_url).url


OPEN = "(SELECT id FROM raffles WHERE name = 'Half')"
LARGE = "(SELECT id FROM raffles WHERE name = 'Large')"
DRAWN = "(SELECT id FROM raffles WHERE name = 'Sold out')"
A_WITNESSS_KEY = "example.test/witness+7df143cd+BD1ZVxMxDi4lFocNAZ10FqW0iC4GMM99Ix3/gZ+c28GB"
UNKNOWN_ENTROPY = "what decides it is nothing that rafflekit knows"
WRONG_CLOSING = "its closing is from before the raffle, or has another round than its time gives"
NO_DATE = "the date of its creation is none from 1970 to 9999, so that it cannot be shown or proven"
WRONG_NUMBERS = r"\d tickets have a number that they were not given, no. \d+ is the first"
WRONG_DRAW = "what is kept of its draw is not what its seed and its tickets give, so that its proof is refused"


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (f"UPDATE counters SET issued = 6 WHERE raffle = {OPEN}", "its counter says 6 tickets, and 5 are stored"),
        (f"DELETE FROM counters WHERE raffle = {OPEN}", "its counter says None tickets, and 5 are stored"),
        (
            f"DELETE FROM tickets WHERE raffle = {OPEN} AND serial = 2",
            "its last ticket was issued as no. 5, and 4 are stored",
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
        (f"DELETE FROM secrets WHERE raffle = {OPEN}", "it is not drawn, and its secrets are gone"),
        (f"UPDATE secrets SET numbering_key = code_key WHERE raffle = {OPEN}", WRONG_NUMBERS),
        (f"UPDATE counters SET issued = 19 WHERE raffle = {DRAWN}", "it is drawn, and not sold out"),
        (f"DELETE FROM wins WHERE raffle = {DRAWN} AND ordinal = 4", "1 of its 4 wins are not what its seed gives"),
        (
            f"UPDATE wins SET ordinal = 5 - ordinal + 100 WHERE raffle = {DRAWN}",
            "4 of its 4 wins are not what its seed gives",
        ),
        (
            f"UPDATE wins SET prize = 0 WHERE raffle = {DRAWN} AND prize = 1",
            "3 of its 4 wins are not what its seed gives",
        ),
        (
            f"UPDATE prizes SET amount = 2 WHERE raffle = {DRAWN} AND position = 1",
            r"\d of its 3 wins are not what its seed gives",
        ),
        (
            f"INSERT INTO secrets SELECT {DRAWN}, numbering_key, participant_key, code_key FROM secrets LIMIT 1",
            "it is drawn, and its secrets are still there",
        ),
        (f"UPDATE draws SET wins = 2 WHERE raffle = {DRAWN}", WRONG_DRAW),
        (f"UPDATE draws SET winners_digest = entropy WHERE raffle = {DRAWN}", WRONG_DRAW),
        (
            f"UPDATE ledgers SET round = 1000 WHERE raffle = {DRAWN}",
            WRONG_CLOSING,
        ),
        (
            f"INSERT INTO cosignatures (raffle, verifier_key, line) VALUES ({DRAWN}, 'gazette', '— gazette AAAAAAAA')",
            "the cosignature of gazette is none for its closing, so that its proof is refused",
        ),
        (f"UPDATE ledgers SET closed_at = 5 WHERE raffle = {OPEN}", "its ledger is closed, and tickets remain"),
        (f"UPDATE ledgers SET closed_at = NULL WHERE raffle = {DRAWN}", "it is sold out, and not closed"),
        (
            f"UPDATE ledgers SET closed_at = 5 WHERE raffle = {DRAWN}",
            WRONG_CLOSING,
        ),
        (
            f"UPDATE ledgers SET closed_at = closed_at + 1 WHERE raffle = {DRAWN}",
            "its seed does not come from its closing and what decided",
        ),
        (
            "UPDATE raffles SET name = 'Another' WHERE name = 'Sold out'",
            "its seed does not come from its closing and what decided",
        ),
        (f"UPDATE raffles SET created_at = {9 * 10**18} WHERE name = 'Half'", NO_DATE),
        ("UPDATE raffles SET created_at = 253402300800 WHERE name = 'Half'", NO_DATE),
        ("UPDATE raffles SET created_at = -1 WHERE name = 'Sold out'", NO_DATE),
        (
            f"UPDATE ledgers SET verifier_key = 'foo' WHERE raffle = {OPEN}",
            "the key of its ledger is none, so that nothing more can be signed",
        ),
        (
            f"UPDATE ledgers SET verifier_key = '{A_WITNESSS_KEY}' WHERE raffle = {OPEN}",
            "the key of its ledger is none, so that nothing more can be signed",
        ),
        (f"UPDATE ledgers SET entropy = 'foo' WHERE raffle = {DRAWN}", UNKNOWN_ENTROPY),
        (f"UPDATE ledgers SET entropy = 'foo' WHERE raffle = {OPEN}", UNKNOWN_ENTROPY),
        (f"UPDATE ledgers SET delay_s = 60 WHERE raffle = {OPEN}", UNKNOWN_ENTROPY),
        (
            f"UPDATE prizes SET position = 5 WHERE raffle = {OPEN} AND position = 1",
            "its prizes do not stand in their places, so that it cannot be drawn",
        ),
        (
            f"UPDATE secrets SET participant_key = hash FROM (SELECT participant AS hash FROM tickets WHERE serial = 0 "
            f"AND raffle = {OPEN}) AS t WHERE raffle = {OPEN}",
            "a key of its participants or codes is damaged",
        ),
        (
            f"UPDATE secrets SET code_key = hash FROM (SELECT participant AS hash FROM tickets WHERE serial = 0 "
            f"AND raffle = {OPEN}) AS t WHERE raffle = {OPEN}",
            "a key of its participants or codes is damaged",
        ),
        (
            f"UPDATE tickets SET participant = (SELECT code_key FROM secrets WHERE raffle = {OPEN}) "
            f"WHERE raffle = {OPEN} AND serial = 2",
            "1 tickets have no hash of their participant, who could get another one",
        ),
        (f"DELETE FROM ledgers WHERE raffle = {OPEN}", "it has no ledger"),
        (f"DELETE FROM tiles WHERE raffle = {LARGE}", "1 of its ledger's stored hashes are not those of its tickets"),
        (
            f"UPDATE tickets SET code_hash = 'another' WHERE raffle = {LARGE} AND serial = 7",
            "2 of its ledger's stored hashes are not those of its tickets",
        ),
        (f"DELETE FROM prizes WHERE raffle = {OPEN}", "it has no prizes, and so is shown nowhere"),
        (f"INSERT INTO wins SELECT {OPEN}, 1, 0, 0", "it is not drawn, and has wins"),
        (
            f"UPDATE tickets SET code_hash = 'nonsense' WHERE raffle = {OPEN} AND serial = 2",
            "1 tickets have no Argon2id hash of a code, and can never be verified",
        ),
    ],
)
def test_what_was_changed_past_the_rules_is_named(database_url: str, statement: str, problem: str) -> None:
    fill(database_url)
    past_the_rules(database_url, statement)

    problems = check_database(database_url).problems

    assert any(re.fullmatch(rf"Raffle [0-9a-f-]{{36}}: {problem}\.", each) for each in problems)


@pytest.mark.parametrize("moment", [0, 253_402_300_799])
def test_the_first_and_the_last_second_that_have_a_date_are_well(database_url: str, moment: int) -> None:
    with RaffleEngine(database_url) as engine:
        engine.create("Foobar", total_tickets=2, prizes=[Prize("hug")])
    past_the_rules(database_url, f"UPDATE raffles SET created_at = {moment}")

    assert check_database(database_url).problems == ()


def test_a_draw_in_which_every_ticket_wins_is_well(database_url: str) -> None:
    with RaffleEngine(database_url) as engine:
        engine.draw(sold_out(engine, tickets=4, prizes=PRIZES).id)

    assert check_database(database_url).problems == ()


@pytest.mark.parametrize("before_the_raffle_s", [1, 0])
def test_a_cosignature_from_before_the_raffle_is_named(database_url: str, before_the_raffle_s: int) -> None:
    witness = SignerKey.make("gazette.example", kind=WITNESS)
    with RaffleEngine(database_url, signing_key=KEY) as engine:
        raffle = sold_out(engine)
        text = Note.read(engine.proofs.checkpoint(raffle.id)).text
    line = witness.line(text, time=int(raffle.created_at.timestamp()) - before_the_raffle_s)
    row = f"SELECT id, '{witness.verifier}', '{line}' FROM raffles"
    past_the_rules(database_url, f"INSERT INTO cosignatures (raffle, verifier_key, line) {row}")

    problems = check_database(database_url, signing_key=KEY).problems

    assert len(problems) == before_the_raffle_s
    assert all("is none for its closing" in problem for problem in problems)


def test_a_cosigned_closing_is_well_until_it_is_another(database_url: str) -> None:
    key, witness = SignerKey.make("raffles.example.org"), SignerKey.make("gazette.example", kind=WITNESS)
    with RaffleEngine(database_url, signing_key=key) as engine:
        raffle = sold_out(engine)
        closing = engine.proofs.checkpoint(raffle.id)
        line = witness.line(Note.read(closing).text, time=int(raffle.created_at.timestamp()) + 60)
        engine.proofs.cosign(raffle.id, closing + line, str(witness.verifier))
    assert check_database(database_url, signing_key=key).problems == ()

    past_the_rules(database_url, "UPDATE ledgers SET closed_at = closed_at + 1")

    assert check_database(database_url, signing_key=key).problems == (
        f"Raffle {raffle.id}: the cosignature of {witness.verifier} is none for its closing, so that its proof is "
        "refused.",
    )


KEY, OTHER = SignerKey.make("raffles.example"), SignerKey.make("other.example")


def missing(raffles: int) -> str:
    return f"The key {KEY.verifier} is not here: {raffles} of the raffles can be neither drawn nor proven without it."


@pytest.fixture
def signed(database_url: str) -> str:
    """The URL of a database with two open raffles and a drawn one, all signed with `KEY`."""
    with RaffleEngine(database_url, signing_key=KEY) as engine:
        for _ in range(2):
            engine.create("Foobar", total_tickets=2, prizes=[Prize("hug")])
        engine.draw(sold_out(engine).id)
    return database_url


def test_a_key_that_signed_and_is_not_here_is_no_problem_of_the_database(signed: str) -> None:
    report = check_database(signed, signing_key=OTHER)

    assert (report.problems, report.missing_keys) == ((), (missing(3),))
    assert check_database(signed, signing_key=KEY).missing_keys == ()


def test_the_key_beside_a_file_is_looked_for(signed: str, database: Path) -> None:
    if signed.startswith("postgresql"):
        # Which key its servers have is not to be seen.
        assert check_database(signed).missing_keys == ()
        return
    beside = Path(f"{database}.key")

    without = check_database(signed).missing_keys
    beside.write_text(KEY.write())
    with_it = check_database(signed).missing_keys

    assert (without, with_it) == ((missing(3),), ())


@pytest.mark.parametrize(
    "content", ["nonsense", SignerKey.make("gazette", kind=WITNESS).write()], ids=["nonsense", "a witness's"]
)
def test_a_key_beside_a_file_that_cannot_sign_is_named(database: Path, content: str) -> None:
    url = f"sqlite:///{database}"
    with RaffleEngine(url, signing_key=KEY) as engine:
        engine.create("Foobar", total_tickets=2, prizes=[Prize("hug")])
    Path(f"{database}.key").write_text(content)

    unusable, *others = check_database(url).missing_keys

    assert unusable.startswith(f"The signing key {database}.key cannot be used: it ")
    assert others == [missing(1)]


def test_another_seed_gives_other_winners(database_url: str) -> None:
    fill(database_url)
    zeros = "decode(repeat('00', 32), 'hex')" if database_url.startswith("postgresql") else "zeroblob(32)"
    past_the_rules(database_url, f"UPDATE raffles SET seed = {zeros} WHERE name = 'Sold out'")

    ledger, wins = check_database(database_url).problems

    # That zeros and the draw's own seed agree in all four winners of 20: 1 in 116,280.
    assert "wins are not what its seed gives" in wins
    assert "its seed does not come from its closing" in ledger


def test_a_damaged_seed_and_a_damaged_key_are_named(database: Path, postgresql: PostgresqlServer) -> None:
    for url in (f"sqlite:///{database}", postgresql.new_url()):
        fill(url)
        short = "'\\x00'" if url.startswith("postgresql") else "x'00'"
        past_the_rules(
            url,
            f"UPDATE raffles SET seed = {short} WHERE name = 'Sold out'",
            f"UPDATE secrets SET numbering_key = {short}",
        )

        problems = "\n".join(check_database(url).problems)

        assert problems.count(": its draw cannot be replayed, since its seed or its prizes are damaged.") == 1
        assert problems.count(": the key of its numbers is damaged.") == 3


def test_a_ticket_and_a_participant_that_are_there_twice_are_named(postgresql: PostgresqlServer) -> None:
    url = postgresql.new_url()
    fill(url)
    past_the_rules(
        url,
        "ALTER TABLE tickets DROP CONSTRAINT tickets_number",
        "ALTER TABLE tickets DROP CONSTRAINT tickets_participant",
        f"UPDATE tickets SET number = (SELECT min(number) FROM tickets WHERE raffle = {OPEN}), "
        f"participant = (SELECT min(participant) FROM tickets WHERE raffle = {OPEN}) WHERE raffle = {OPEN}",
    )

    problems = "\n".join(check_database(url).problems)

    assert "4 tickets have a number that another one has" in problems
    assert "4 tickets belong to somebody who has another one" in problems


def test_a_hash_of_an_idempotency_key_alone_counts_as_left(database_url: str) -> None:
    with RaffleEngine(database_url) as engine:
        raffle = sold_out(engine)
        engine.draw(raffle.id)
        engine.purge(raffle.id)
    assert check_database(database_url).hashed_participants == 0
    some = "'\\x00'" if database_url.startswith("postgresql") else "x'00'"
    past_the_rules(database_url, f"UPDATE tickets SET repeat_hash = {some} WHERE serial = 2")

    assert check_database(database_url).hashed_participants == 1


def test_a_value_of_another_kind_is_named(database: Path) -> None:
    """SQLite takes a text for a number."""
    url = f"sqlite:///{database}"
    fill(url)
    past_the_rules(url, f"UPDATE tickets SET number = 'seven' WHERE raffle = {OPEN} AND serial = 2")

    assert "it has a value of a wrong type" in "\n".join(check_database(url).problems)


@pytest.mark.parametrize(
    ("table", "column", "problem"),
    [
        ("raffles", "seed", "its draw cannot be replayed, since its seed or its prizes are damaged"),
        ("secrets", "numbering_key", "the key of its numbers is damaged"),
        ("counters", "issued", "its counter says some text tickets"),
        ("raffles", "total_tickets", "it has a value of a wrong type"),
        ("raffles", "created_at", NO_DATE),
        ("raffles", "drawn_at", ""),
        ("raffles", "name", ""),
        ("prizes", "amount", "it has a value of a wrong type"),
        ("tickets", "participant", ""),
        ("wins", "serial", "of its 4 wins are not what its seed gives"),
        ("draws", "entropy", "it has a value of a wrong type"),
        ("tiles", "hash", ""),
        ("ledgers", "raffle", "it has no ledger"),
        ("ledgers", "verifier_key", ""),
        ("ledgers", "entropy", ""),
    ],
)
def test_a_value_of_another_kind_is_named_by_its_column(database: Path, table: str, column: str, problem: str) -> None:
    url = f"sqlite:///{database}"
    fill(url)
    kind = "x'00'" if column in {"name", "entropy", "verifier_key"} and table != "draws" else "'some text'"
    which = "" if column in {"numbering_key", "hash"} else ", ".join(["WHERE drawn_at > 0"] * (table == "raffles"))
    past_the_rules(url, f"UPDATE OR IGNORE {table} SET {column} = {kind} {which}")

    problems = "\n".join(check_database(url).problems)

    assert f"rows of the table {table} have a value of a wrong type in the column {column}." in problems
    assert problem in problems


@pytest.mark.parametrize("identity", ["'some text'", "x'00'"])
def test_a_raffle_whose_id_is_none_is_named(database: Path, identity: str) -> None:
    url = f"sqlite:///{database}"
    fill(url)
    past_the_rules(
        url,
        f"UPDATE prizes SET raffle = {identity} WHERE raffle = {DRAWN}",
        f"UPDATE raffles SET id = {identity} WHERE name = 'Sold out'",
    )

    report = check_database(url)

    assert report.raffles == 3
    assert "1 rows of the table raffles have a value of a wrong type in the column id." in report.problems


def test_a_layout_of_a_newer_rafflekit_is_left_to_that(database: Path) -> None:
    url = f"sqlite:///{database}"
    fill(url)
    run(url, "UPDATE alembic_version SET version_num = '9999'")

    with pytest.raises(SchemaMismatch, match="which this rafflekit does not know: check it with the one that made it"):
        check_database(url)


@pytest.mark.parametrize(
    ("statements", "difference"),
    [
        (["DROP INDEX raffles_open"], "the index raffles_open of the table raffles is missing"),
        (
            ["DROP INDEX raffles_open", "CREATE INDEX raffles_open ON raffles (sequence) WHERE drawn_at IS NOT NULL"],
            "the index raffles_open of the table raffles is not as rafflekit made it, or off",
        ),
    ],
)
def test_an_index_that_was_dropped_or_changed_is_named(
    database_url: str, statements: list[str], difference: str
) -> None:
    fill(database_url)
    for statement in statements:
        run(database_url, statement)

    [problem] = check_database(database_url).problems

    assert problem.startswith(f"The layout is not as rafflekit made it: {difference}. ")
    assert "make them again as a new database has them, or restore a backup." in problem


@pytest.mark.parametrize(
    ("statements", "difference"),
    [
        (["DROP TRIGGER wins_final_insert"], "the trigger wins_final_insert of the table wins is missing"),
        (
            [
                "DROP TRIGGER tickets_final_delete",
                "CREATE TRIGGER tickets_final_delete BEFORE DELETE ON tickets WHEN FALSE "
                "BEGIN SELECT RAISE(ABORT, 'a ticket is final'); END",
            ],
            "the trigger tickets_final_delete of the table tickets is not as rafflekit made it, or off",
        ),
        (
            ["CREATE TRIGGER loaded AFTER INSERT ON tickets BEGIN SELECT 1; END"],
            "the trigger loaded of the table tickets is not rafflekit's",
        ),
        (
            [
                "PRAGMA writable_schema = ON",
                "UPDATE sqlite_master SET sql = replace(sql, 'amount >= 1', 'amount >= 0') WHERE name = 'prizes'",
            ],
            "the table prizes is not as rafflekit made it, or off",
        ),
    ],
)
def test_a_rule_that_was_taken_from_a_file_is_named(database: Path, statements: list[str], difference: str) -> None:
    url = f"sqlite:///{database}"
    fill(url)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        for statement in statements:
            connection.execute(statement)

    [problem] = check_database(url).problems

    assert problem.startswith(f"The layout is not as rafflekit made it: {difference}. ")


@pytest.mark.parametrize(
    ("statement", "difference"),
    [
        ("DROP TRIGGER wins_final_insert ON wins", "the trigger wins_final_insert of the table wins is missing"),
        (
            "ALTER TABLE wins DISABLE TRIGGER wins_final_update",
            "the trigger wins_final_update of the table wins is not as rafflekit made it, or off",
        ),
        (
            "CREATE OR REPLACE FUNCTION tickets_final_truncate() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RETURN NULL; END $$",
            "the trigger tickets_final_truncate of the table tickets is not as rafflekit made it, or off",
        ),
        (
            "CREATE TRIGGER loaded AFTER INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION wins_final_insert()",
            "the trigger loaded of the table tickets is not rafflekit's",
        ),
        (
            "ALTER TABLE tickets DROP CONSTRAINT tickets_number",
            "the constraint tickets_number of the table tickets is missing",
        ),
        (
            "ALTER TABLE prizes DROP CONSTRAINT prizes_amount, ADD CONSTRAINT prizes_amount CHECK (amount >= 0)",
            "the constraint prizes_amount of the table prizes is not as rafflekit made it, or off",
        ),
        (
            "ALTER TABLE counters DROP CONSTRAINT counters_raffle_fkey",
            "the constraint FOREIGN KEY (raffle) REFERENCES raffles(id) of the table counters is missing",
        ),
        (
            "ALTER TABLE secrets DISABLE TRIGGER ALL",
            "the constraint FOREIGN KEY (raffle) REFERENCES raffles(id) of the table secrets is not as rafflekit made "
            "it, or off",
        ),
        (
            "ALTER TABLE tiles DROP CONSTRAINT tiles_pkey",
            "the constraint PRIMARY KEY (raffle, level, position) of the table tiles is missing",
        ),
        (
            "ALTER TABLE secrets ALTER COLUMN code_key DROP NOT NULL",
            "the column code_key of the table secrets is not as rafflekit made it, or off",
        ),
    ],
)
def test_a_rule_that_was_taken_from_postgresql_is_named(
    postgresql: PostgresqlServer, statement: str, difference: str
) -> None:
    url = postgresql.new_url()
    fill(url)
    run(url, statement)

    [problem] = check_database(url).problems

    assert problem.startswith(f"The layout is not as rafflekit made it: {difference}. ")


def test_an_upgraded_database_is_well(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(database_url)
    use_next_layout(monkeypatch)
    upgrade_database(database_url)

    assert check_database(database_url).problems == ()


def test_a_damaged_file_is_named(database: Path) -> None:
    url = f"sqlite:///{database}"
    fill(url)
    past_the_rules(url, f"DELETE FROM prizes WHERE raffle = {OPEN}")

    assert "The file is damaged: " not in "\n".join(check_database(url).problems)

    past_the_rules(url, f"DELETE FROM raffles WHERE id = {DRAWN}")

    assert "The file is damaged: a row of counters belongs to a row of raffles" in "\n".join(
        check_database(url).problems
    )


def test_secrets_that_can_still_be_read_in_the_journal_are_named_until_its_reader_is_done(database: Path) -> None:
    url = f"sqlite:///{database}"
    with RaffleEngine(url) as engine:
        raffle = sold_out(engine)
        with closing(sqlite3.connect(database, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT * FROM secrets").fetchall()
            engine.draw(raffle.id)

            during = check_database(url)

        engine.list()
        afterwards = check_database(url)

    assert during.remains == (
        f"Raffle {raffle.id}: its secrets are deleted, and can still be read in the journal of the file; they leave "
        "it when no program reads the database any more.",
    )
    assert (during.problems, afterwards.problems, afterwards.remains) == ((), (), ())


def test_secrets_that_can_still_be_read_in_the_file_are_named(database: Path) -> None:
    """A program deleted them that does not overwrite what it deletes."""
    url = f"sqlite:///{database}"
    with RaffleEngine(url) as engine:
        drawn, kept = sold_out(engine), sold_out(engine)
        engine.draw(drawn.id)
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("PRAGMA secure_delete = OFF")
        keys = [bytes([number]) * 32 for number in (1, 2, 3)]
        connection.execute("INSERT INTO secrets VALUES (?, ?, ?, ?)", (drawn.id.bytes, *keys))
        connection.execute("DELETE FROM secrets WHERE raffle = ?", (drawn.id.bytes,))

    assert check_database(url).remains == (
        f"Raffle {drawn.id}: its secrets are deleted, and can still be read in unused parts of the file; SQLite's "
        "VACUUM overwrites them.",
    )
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("VACUUM")
    assert check_database(url).remains == ()
    assert kept.id.bytes in database.read_bytes()


def test_a_check_up_takes_no_lock_from_an_engine_of_the_same_process(database: Path) -> None:
    """Closing a file drops a process's locks on it; another process would then take the journal away."""
    url = f"sqlite:///{database}"
    with RaffleEngine(url) as engine:
        raffle = sold_out(engine)
        check_database(url)
        run_elsewhere = (
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM raffles'); c.close()"
        )
        programs.run([sys.executable, "-c", run_elsewhere, str(database)], check=True)

        assert Path(f"{database}-wal").exists()
        assert engine.get(raffle.id) == raffle


def test_what_cannot_be_checked_is_refused_and_left_as_it_is(database: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageUnavailable, match="is not there"):
        check_database(f"sqlite:///{database}")
    assert not database.exists()

    database.touch()
    with pytest.raises(SchemaMismatch, match="has the layout none, and only the layout"):
        check_database(f"sqlite:///{database}")
    RaffleEngine(f"sqlite:///{database}").close()
    use_next_layout(monkeypatch)
    with pytest.raises(SchemaMismatch, match="the layout 0001, and only the layout"):
        check_database(f"sqlite:///{database}")
    assert run(f"sqlite:///{database}", "SELECT version_num FROM alembic_version") == [("0001",)]


def test_a_check_up_of_the_default_place_makes_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("RAFFLEKIT_DATABASE_URL", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(StorageUnavailable, match="is not there"):
        check_database()

    assert list(tmp_path.iterdir()) == []


def test_secrets_that_are_there_as_rows_are_a_problem_and_no_remains(database: Path) -> None:
    url = f"sqlite:///{database}"
    fill(url)
    past_the_rules(url, f"UPDATE secrets SET raffle = {DRAWN} WHERE raffle = {OPEN}")

    report = check_database(url)

    assert any("it is drawn, and its secrets are still there" in each for each in report.problems)
    assert report.remains == ()


def test_differences_of_the_layout_are_told_together(database: Path) -> None:
    url = f"sqlite:///{database}"
    fill(url)
    run(url, "DROP INDEX raffles_open")
    run(url, "DROP TRIGGER counters_forward")

    [sentence] = check_database(url).problems

    assert "raffles_open of the table raffles is missing; the trigger counters_forward" in sentence
