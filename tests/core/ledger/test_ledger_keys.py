"""The key of a ledger: it is never replaced, and without it nothing is signed."""

import re
from pathlib import Path

import pytest

from rafflekit import (
    InvalidValue,
    Prize,
    RaffleEngine,
    SigningKeyUnavailable,
)
from rafflekit.core.ledger.keys import make_signing_key
from rafflekit.core.protocol.notes import SignerKey
from rafflekit.core.protocol.receipts import check_receipt
from tests.core.conftest import KEY
from tests.core.ledger.conftest import receipts_of
from tests.databases import PostgresqlServer
from tests.raffles import sold_out

PRIZES = (Prize("car"), Prize("hug", 3))


def test_a_key_that_signed_and_is_missing_is_not_replaced(tmp_path: Path) -> None:
    """With a new key, no receipt would match the published one."""
    url, key_file = f"sqlite:///{tmp_path / 'raffles.db'}", tmp_path / "raffles.db.key"
    with RaffleEngine(url) as engine:
        raffle = engine.create("Foobar", total_tickets=5, prizes=PRIZES)
        key = engine.proofs.verifier_key()
    key_file.rename(tmp_path / "elsewhere")

    with RaffleEngine(url) as engine:
        for ask in (
            engine.proofs.verifier_key,
            lambda: engine.participate(raffle.id, "ann"),
            lambda: engine.create("Other", total_tickets=5, prizes=PRIZES),
        ):
            with pytest.raises(SigningKeyUnavailable, match=r"raffles\.db\.key is missing, .* put a copy of it there"):
                ask()
        assert not key_file.exists()
        assert [each.id for each in engine.list().items] == [raffle.id]
        (tmp_path / "elsewhere").rename(key_file)
        assert engine.proofs.verifier_key() == key
        assert engine.participate(raffle.id, "ann").receipt is not None


def test_a_server_with_another_key_refuses_and_takes_no_ticket(database_url: str, engine: RaffleEngine) -> None:
    raffle = engine.create("Foobar", total_tickets=5, prizes=PRIZES)
    with RaffleEngine(database_url, signing_key=SignerKey.make("raffles.example.org")) as another:
        with pytest.raises(
            SigningKeyUnavailable, match=f"needs the key {re.escape(str(KEY.verifier))}, and another key is used here"
        ):
            another.participate(raffle.id, "ann")
        engine.participate(raffle.id, "ann")
        for call in (lambda: another.participate(raffle.id, "bob"), lambda: another.proofs.checkpoint(raffle.id)):
            with pytest.raises(
                SigningKeyUnavailable,
                match=f"needs the key {re.escape(str(KEY.verifier))}, and another key is used here",
            ):
                call()

    assert engine.get(raffle.id).available_tickets == 4


@pytest.mark.usefixtures("loose_umask")
def test_a_key_next_to_a_file_is_readable_only_by_its_owner(database: Path) -> None:
    url = f"sqlite:///{database}"
    with RaffleEngine(url) as engine:
        raffle = engine.create("Foobar", total_tickets=5, prizes=PRIZES)
        key = engine.proofs.verifier_key()
        ticket = engine.participate(raffle.id, "ann")
    file = Path(f"{database}.key")

    with RaffleEngine(url) as engine:
        assert engine.proofs.verifier_key() == key
    [receipt] = receipts_of([ticket])
    assert check_receipt(receipt, raffle.id, key).size == 1
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.read_text().startswith("PRIVATE+KEY+rafflekit+")
    file.write_text("no key")
    with RaffleEngine(url) as engine, pytest.raises(SigningKeyUnavailable, match="cannot be used") as refusal:
        engine.participate(raffle.id, "bob")
    assert "no key" not in str(refusal.value)


def test_a_key_is_never_overwritten(tmp_path: Path) -> None:
    made = make_signing_key(tmp_path / "signing.key", name="raffles.example")

    with pytest.raises(InvalidValue, match="keys are never overwritten"):
        make_signing_key(tmp_path / "signing.key")
    with pytest.raises(InvalidValue, match="a key's name has"):
        make_signing_key(tmp_path / "another.key", name="two words")

    assert SignerKey.read((tmp_path / "signing.key").read_text().strip()).verifier == made.verifier
    assert [file.name for file in tmp_path.iterdir()] == ["signing.key"]


def test_a_missing_key_is_refused_with_the_name_of_its_setting(
    postgresql: PostgresqlServer,
) -> None:
    with (
        RaffleEngine(postgresql.new_url()) as engine,
        pytest.raises(SigningKeyUnavailable, match="RAFFLEKIT_SIGNING_KEY names its file"),
    ):
        engine.proofs.verifier_key()


def test_without_a_key_postgresql_only_shows_its_raffles(postgresql: PostgresqlServer) -> None:
    """It has no file next to it for a key, and a raffle's secrets are sealed with one from its creation on."""
    database_url = postgresql.new_url()
    with RaffleEngine(database_url, signing_key=KEY) as engine:
        raffle, closed = sold_out(engine), sold_out(engine)
        other = engine.create("Other", total_tickets=5, prizes=PRIZES)

    with RaffleEngine(database_url) as engine:
        for call in (
            lambda: engine.create("Foobar", total_tickets=5, prizes=PRIZES),
            lambda: engine.participate(other.id, "ann"),
            lambda: list(engine.participate_many(other.id, ["ann"])),
            lambda: engine.draw(raffle.id),
            lambda: engine.proofs.checkpoint(raffle.id),
            engine.proofs.verifier_key,
        ):
            with pytest.raises(SigningKeyUnavailable, match=r"[Nn]o (signing )?key is available here"):
                call()
        assert [each.issued for each in engine.list().items] == [0, 6, 6]
        assert engine.cancel(closed.id, "rain").state == "cancelled"
