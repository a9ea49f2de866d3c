"""Which signature lines of a note belong to a key."""

import pytest

from rafflekit.core.protocol.notes import OPERATOR, Note, NoteWrong, SignerKey, VerifierKey

KEY = SignerKey.make("raffles.example.org")


def test_a_line_with_another_name_is_not_by_the_key() -> None:
    line = KEY.line("A text.\n")
    other = line.replace("raffles.example.org", "other.example.org")

    assert Note.read(f"A text.\n\n{line}").check(KEY.verifier) == [0]
    assert Note.read(f"A text.\n\n{other}").check(KEY.verifier) == []
    assert Note.read(f"A text.\n\n{line}{other}").check(KEY.verifier) == [0]


@pytest.mark.parametrize("key", [bytes(31) + b"\x80", b"\1" + bytes(30) + b"\x80", b"\xec" + b"\xff" * 31])
def test_a_point_of_small_order_is_refused_with_its_top_bit(key: bytes) -> None:
    with pytest.raises(NoteWrong, match="not a safe key"):
        VerifierKey.read(str(VerifierKey("raffles.example.org", OPERATOR, key)))
