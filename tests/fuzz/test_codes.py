"""Verification codes, read as another implementation of Crockford's base 32 reads them."""

from hypothesis import strategies as st

from rafflekit.core.protocol import codes
from tests.fuzz.cases import damaged, fuzz

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODES = st.binary(min_size=codes.CODE_BYTES, max_size=codes.CODE_BYTES)
# As people write it, and a long s, whose capital is an S.
HANDS = st.sampled_from(
    [{"1": "l", "0": "o"}, {"1": "I", "0": "O"}, {"1": "L"}, {"1": "i"}, {"S": "\u017f"}, {"S": "5"}]
)
SPELLED = st.builds(lambda code, hand: codes.spell(code).translate(str.maketrans(hand)), CODES, HANDS)


def by_arithmetic(text: str) -> int | None:
    """Return the number that a code spells, digit by digit, or None."""
    number = digits = 0
    for character in text.strip():
        if character in "- \t":
            continue
        digit = ALPHABET.find({"O": "0", "I": "1", "L": "1"}.get(character.upper(), character.upper()))
        if digit < 0 or not character.isascii():
            return None
        number, digits = number * 32 + digit, digits + 1
    return number if digits == 24 else None


@fuzz(text=SPELLED | damaged(SPELLED, alphabet="0Oo1IilLuU-_ \t\n\u0131\u0660aZ") | st.text())
def test_a_code_is_read_as_arithmetic_reads_it(text: str) -> None:
    expected, read = by_arithmetic(text), codes.read(text)

    assert (read is None) == (expected is None)
    if read is not None:
        assert by_arithmetic(read) == expected
        assert codes.read(read) == read


@fuzz(code=CODES)
def test_a_code_is_spelled_as_arithmetic_spells_it(code: bytes) -> None:
    spelled = codes.spell(code)

    assert by_arithmetic(spelled) == int.from_bytes(code)
    assert codes.read(spelled) == spelled.replace("-", "")
