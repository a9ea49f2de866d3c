"""`rafflekit key make` and `key show`: keys in files, and the key that signs."""

import json
from pathlib import Path

import pytest

from rafflekit import Raffle
from rafflekit.core.protocol.notes import SignerKey, VerifierKey
from tests.cli.conftest import Terminal

KEY = "an idempotency key"


def test_a_key_is_made_once(terminal: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "signing.key"
    made = terminal(f"key make {file} --name raffles.example")
    again = terminal(f"key make {file}")

    assert made.status == 0
    assert str(SignerKey.read(file.read_text().strip()).verifier) == made.out.strip()
    assert VerifierKey.read(made.out.strip()).name == "raffles.example"
    assert again.status == 2
    assert "keys are never overwritten" in again.err
    assert "PRIVATE" not in made.out + made.err + again.err


def test_the_named_key_signs(
    terminal: Terminal, raffle: Raffle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a raffle of another key nor a witness's key is accepted."""
    own, witness = tmp_path / "own.key", tmp_path / "witness.key"
    key = terminal(f"key make {own}").out
    terminal(f"key make {witness} --witness")
    monkeypatch.setenv("RAFFLEKIT_SIGNING_KEY", str(own))

    assert terminal("key show").out == key
    assert "another key is used here" in terminal(f"participate {raffle.id} ann").err
    assert terminal(f"participate {raffle.id} ann").status == 3
    monkeypatch.setenv("RAFFLEKIT_SIGNING_KEY", str(witness))
    assert "it is a witness's key" in terminal("key show").err
    monkeypatch.setenv("RAFFLEKIT_SIGNING_KEY", str(tmp_path / "nowhere"))
    assert "the key cannot be read: No such file or directory" in terminal("key show").err


@pytest.mark.parametrize("kind", ["", "--witness"])
def test_the_public_half_of_a_key_can_be_seen_again(
    terminal: Terminal, folder: Path, database: Path, kind: str
) -> None:
    made = terminal(f"key make own.key --name gazette.example {kind}")

    assert terminal("key show own.key") == made
    assert json.loads(terminal("key show own.key --json").out) == {"verifier_key": made.out.strip()}
    assert not database.exists()
    assert [file.name for file in folder.iterdir()] == ["own.key"]


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("key show nowhere.key", "FILE: nowhere.key does not exist."),
        ("key make ''", "Invalid value for 'FILE': it must not be empty."),
        ("key show nonsense.key", "FILE: nonsense.key cannot be used: it is not a signing key."),
        ("key make own.key", "FILE: own.key already exists, and keys are never overwritten."),
        ("key make nowhere/own.key", "FILE: there is no folder nowhere."),
        ("key make new.key --name 'two words'", "--name: a key's name has 1 to 200 printable ASCII characters"),
        ("key show own.key --database-url sqlite:///other.db", "Give either FILE or --database-url"),
    ],
)
def test_a_file_without_a_key_to_show_is_explained(terminal: Terminal, folder: Path, line: str, sentence: str) -> None:
    (folder / "nonsense.key").write_text("nonsense")
    terminal("key make own.key")

    done = terminal(line)

    assert (done.status, done.out) == (2, "")
    assert sentence in done.err
    assert not (folder / "other.db").exists()


def test_an_invalid_key_next_to_the_database_is_named(terminal: Terminal, database: Path) -> None:
    Path(f"{database}.key").write_text("nonsense")

    done = terminal("key show")

    assert (done.status, done.out) == (3, "")
    assert done.err.startswith(f"rafflekit: The signing key {database}.key cannot be used: it is not a signing key")
