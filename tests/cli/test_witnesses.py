"""`rafflekit witness sign` and `witness add`: what is refused, and what the refusal names."""

from pathlib import Path

import pytest

from rafflekit import Raffle
from tests.cli.conftest import Terminal

KEY = "an idempotency key"


@pytest.mark.parametrize(
    ("options", "refusal"),
    [
        (
            "--key operator.key --operator {key}",
            (2, "it is an operator's key, not a witness's"),
        ),
        ("--key nowhere.key --operator {key}", (2, "--key is 'nowhere.key': the key cannot be read")),
        (
            "--key witness.key --operator nonsense",
            (2, "--operator: this is not a public key; copy the whole line that 'rafflekit key show' prints."),
        ),
        ("--key witness.key --operator {witness}", (2, "--operator: this is not an operator's key")),
        ("--key witness.key --operator {key} --state nowhere/seen.json", (2, "--state: there is no folder nowhere.")),
        ("--key witness.key --operator {key} --state .", (2, "--state: . is a folder.")),
        ("--key witness.key --operator {other}", (2, "CHECKPOINT: is not signed by")),
    ],
)
def test_a_refused_signature_says_what_is_wrong(
    terminal: Terminal, sold_out: Raffle, folder: Path, options: str, refusal: tuple[int, str]
) -> None:
    key, other = terminal("key show").out.strip(), terminal("key make operator.key").out.strip()
    keys = {"key": key, "other": other, "witness": terminal("key make witness.key --witness").out.strip()}
    Path("closing.txt").write_text(terminal(f"checkpoint {sold_out.id}").out)

    refused = terminal(f"witness sign closing.txt --state seen.json {options.format(**keys)}")

    assert (refused.status, refused.out) == (refusal[0], "")
    assert refusal[1] in refused.err
    assert sorted(file.name for file in folder.iterdir() if "seen" in file.name) == []


@pytest.mark.parametrize(
    ("key", "sentence"),
    [
        ("foo", "--key: this is not a public key; copy the whole line that 'rafflekit key show' prints."),
        ("{operator}", "--key: this is not a witness's key."),
        ("{witness}", "NOTE: has no cosignature by "),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_refused_cosignature_says_what_is_wrong(
    terminal: Terminal, sold_out: Raffle, key: str, sentence: str
) -> None:
    keys = {"operator": terminal("key show").out, "witness": terminal("key make witness.key --witness").out}
    Path("closing.txt").write_text(terminal(f"checkpoint {sold_out.id}").out)

    done = terminal(f"witness add {sold_out.id} closing.txt --key {key.format(**keys).strip()}")

    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(f"rafflekit: {sentence}")
