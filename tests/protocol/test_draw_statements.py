"""The statement of a draw: it is read as it was written, and every other text is refused."""

from dataclasses import replace

import pytest

from rafflekit.core.protocol.notes import NoteWrong
from rafflekit.core.protocol.winners import DrawStatement

STATEMENT = DrawStatement(
    origin="rafflekit.example/3f0c",
    closing_hash=b"\1" * 32,
    drawn=1_700_000_000,
    entropy=b"\xab" * 32,
    seed=b"\xcd" * 32,
    wins=4,
    winners_digest=b"\5" * 32,
)


def test_a_statement_is_read_as_it_was_written() -> None:
    assert DrawStatement.read(STATEMENT.text()) == STATEMENT


@pytest.mark.parametrize(
    "text",
    [
        "",
        STATEMENT.text().rstrip("\n"),
        STATEMENT.text() + "\n",
        " " + STATEMENT.text(),
        STATEMENT.text().replace("v1", "v2"),
        STATEMENT.text().replace("\nseed ", "\nSeed "),
        STATEMENT.text().replace("cd", "CD"),
        STATEMENT.text().replace("winners 4", "winners -4"),
        replace(STATEMENT, seed=b"\xcd" * 31).text(),
        replace(STATEMENT, entropy=b"\xab" * 33).text(),
        replace(STATEMENT, origin="").text(),
        replace(STATEMENT, origin="two\nlines").text(),
    ],
)
def test_another_text_is_not_a_statement(text: str) -> None:
    with pytest.raises(NoteWrong) as refusal:
        DrawStatement.read(text)

    assert str(refusal.value) == "it is not a statement of a draw: origin, closing, drawn, entropy, seed and winners"


@pytest.mark.parametrize(
    "statement",
    [
        replace(STATEMENT, closing_hash=b"\1" * 31),
        replace(STATEMENT, closing_hash=b"\1" * 33),
        replace(STATEMENT, winners_digest=b"\1" * 31),
        replace(STATEMENT, winners_digest=b"\1" * 33),
    ],
)
def test_a_hash_of_another_length_is_refused(statement: DrawStatement) -> None:
    with pytest.raises(NoteWrong) as refusal:
        DrawStatement.read(statement.text())

    assert str(refusal.value) == "a hash of a draw has 32 bytes"
